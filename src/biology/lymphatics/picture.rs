//! Lymphatics in the picture: thin green tubes that begin blindly and swell between valves, valves as pairs of leaves that point the way, and grains of lymph that
//! drift along them.

use bevy::prelude::*;

use super::Lymphatics;
use crate::core::layer::{Grain, Layer, RegisterLayer, Strand, Tint, Tube};
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose};
use crate::tissue::Sites;
use crate::tissue::network::{Network, Sprouts};

/// Where grains of lymph lie; it is for the eye and changes nothing.
const GRAINS: Purpose = Purpose::of("lymphatics.grains");

/// Walls of lymphatics, those of new ones, and lymph.
const WALL: [f32; 4] = [0.16, 0.55, 0.25, 0.6];
const NEW: [f32; 4] = [0.45, 0.78, 0.33, 0.999];
const LYMPH: [f32; 4] = [0.87, 0.95, 0.55, 1.0];
const LEAF: [f32; 4] = [0.06, 0.32, 0.13, 1.0];

/// Distance of valves in a collecting lymphatic, um; in vessels a millimetre, drawn closer so that they are seen.
const VALVES_UM: f32 = 80.0;
/// How far lymph drifts in the picture in an hour, um.
const DRIFT_UM_PER_HOUR: f64 = 8.0;
/// Distance of grains along a lymphatic, um.
const APART_UM: f32 = 9.0;

/// The lymphatics of a site.
fn network(world: &World, site: usize) -> Option<&Network> {
    let sites = world.get_resource::<Sites>()?;
    let lymphatics = world.get::<Lymphatics>(sites.list.get(site)?.entity)?;
    Some(lymphatics.vessels())
}

/// Both ends of a segment, in the direction in which its lymph flows.
fn downstream(network: &Network, at: usize) -> [Vec3; 2] {
    let [from, to] = network.places_um(at);
    if network.segments()[at].flow_um3_per_min < 0.0 {
        [to, from]
    } else {
        [from, to]
    }
}

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    let walls = Layer::new(
        "lymph.walls",
        "Lymphatics: they begin blindly, and lead lymph out of the tissue. New ones are paler.",
    )
    .label("lymphatic (pale: new)")
    .colour(WALL);
    let valves = Layer::new(
        "lymph.valves",
        "Valves of lymphatics, which point where lymph may flow.",
    )
    .label("valve")
    .colour(LEAF);
    let grains = Layer::new("lymph.drift", "Lymph, drifting towards the lymph node.")
        .label("lymph")
        .colour(LYMPH);
    app.register_purpose(GRAINS)
        .register_layer::<Tube>(walls, |world, site, glyphs| {
            if let Some(network) = network(world, site) {
                for at in 0..network.segments().len() {
                    let id = u64::from(network.segments()[at].id.0);
                    let is_new = network.segments()[at].sprout != Sprouts::NONE;
                    let tint = Tint::Colour(if is_new { NEW } else { WALL });
                    tubes(network, at, |tube| glyphs.add_known(tube, tint, id));
                }
            }
        })
        .register_layer::<Strand>(valves, |world, site, glyphs| {
            if let Some(network) = network(world, site) {
                leaves(network, |strand| glyphs.add(strand, Tint::Layer));
            }
        })
        .register_layer::<Grain>(grains, |world, site, glyphs| {
            let hours = world
                .get_resource::<Clock>()
                .map_or(0.0, |clock| clock.hours());
            if let Some(network) = network(world, site) {
                drift(network, hours, |grain| glyphs.add(grain, Tint::Layer));
            }
        });
}

/// Radius that all meet at which end in a node, um: the widest of them.
fn node_um(network: &Network, node: u32) -> f32 {
    let around = network.around(node as usize).iter();
    around.fold(0.0_f32, |most, at| {
        most.max(network.segments()[*at as usize].drawn_radius_um())
    })
}

/// A segment, swollen in its middle where it is long.
fn tubes(network: &Network, at: usize, mut add: impl FnMut(Tube)) {
    let of = &network.segments()[at];
    let [from, to] = network.places_um(at);
    let [first, last] = network.ends()[at].map(|node| node_um(network, node));
    let own = of.drawn_radius_um();
    let (first, last) = (
        own + 0.5 * (first - own).max(0.0),
        own + 0.5 * (last - own).max(0.0),
    );
    let middle = from.lerp(to, 0.5);
    add(Tube {
        from_um: from,
        to_um: middle,
        radius_um: [first, own],
    });
    add(Tube {
        from_um: middle,
        to_um: to,
        radius_um: [own, last],
    });
}

/// Two leaves every so often along open lymphatics, that close towards where lymph flows.
fn leaves(network: &Network, mut add: impl FnMut(Strand)) {
    let mut since = 0.0;
    for (at, of) in network.segments().iter().enumerate() {
        since += of.length_um;
        if of.is_solid() || since < VALVES_UM {
            continue;
        }
        since = 0.0;
        let [from, to] = downstream(network, at);
        let Some(way) = (to - from).try_normalize() else {
            continue;
        };
        let middle = from.lerp(to, 0.5);
        let (a, b) = way.any_orthonormal_pair();
        let radius = of.drawn_radius_um();
        for side in [a, -a, b, -b] {
            add(Strand {
                from_um: middle + side * radius * 1.02,
                to_um: middle + way * radius * 1.3 + side * 0.1 * radius,
                width_um: 0.22 * radius,
            });
        }
    }
}

/// Grains of lymph at a time.
fn drift(network: &Network, hours: f64, mut add: impl FnMut(Grain)) {
    for (at, of) in network.segments().iter().enumerate() {
        if of.is_solid() || of.flow_um3_per_min == 0.0 {
            continue;
        }
        let [from, to] = downstream(network, at);
        let mut random = RandomKey(1).stream(CellId(u64::from(of.id.0)), 0, GRAINS);
        let count = (of.length_um / APART_UM + random.uniform()) as usize;
        let moved = DRIFT_UM_PER_HOUR * hours / f64::from(of.length_um.max(1.0));
        for _ in 0..count {
            let start = f64::from(random.uniform());
            let share = (start + moved).rem_euclid(1.0) as f32;
            let aside = random.direction() * 0.6 * of.drawn_radius_um() * random.uniform();
            add(Grain {
                at_um: from.lerp(to, share) + aside,
                pixels: 2.2,
            });
        }
    }
}
