//! Filopodia of tip cells: fine processes ahead of them that probe, and the last piece of stalk up to where the tip is.

use bevy::math::ops;
use bevy::prelude::*;

use crate::cell::sprouting::{SproutKind, Tip, TipParameters};
use crate::cell::{Body, CellType, Motility, Position, Resident, Vital, death::is_alive};
use crate::core::layer::{Layer, RegisterLayer, Strand, Tint, Tube};
use crate::core::parameters::PerType;
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose};
use crate::tissue::Sites;
use crate::tissue::network::Network;

/// Where filopodia point; it is for the eye and changes nothing.
const FILOPODIA: Purpose = Purpose::of("angiogenesis.filopodia");

/// How many filopodia a tip is drawn with, how long they are, um, and for how long each probes, h.
const COUNT: usize = 9;
const LENGTH_UM: f32 = 26.0;
const PROBES_HOURS: f64 = 3.0;

/// What is drawn of a tip.
struct Drawn {
    id: CellId,
    at_um: Vec3,
    radius_um: f32,
    way: Vec3,
    tip: Tip,
}

/// The living tips of a site in the order of identity.
fn tips(world: &World, site: usize) -> Vec<Drawn> {
    let Some(of) = world.get_resource::<PerType<TipParameters>>() else {
        return Vec::new();
    };
    let Some(mut query) = world.try_query::<(
        &CellId,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Motility>,
        Option<&Vital>,
        &Tip,
    )>() else {
        return Vec::new();
    };
    let here = query
        .iter(world)
        .filter(|(_, cell_type, resident, .., vital, _)| {
            usize::from(resident.0.0) == site
                && is_alive(*vital)
                && of
                    .get(cell_type.0)
                    .is_some_and(|of| of.of == SproutKind::Blood)
        });
    let mut found: Vec<Drawn> = here
        .map(|(id, _, _, position, body, motility, _, tip)| Drawn {
            id: *id,
            at_um: position.0,
            radius_um: body.radius_um,
            way: motility.map_or(Vec3::Z, |motility| motility.direction),
            tip: *tip,
        })
        .collect();
    found.sort_unstable_by_key(|of| of.id);
    found
}

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    let filopodia = Layer::new(
        "vessel.filopodia",
        "Filopodia, by which the tip cells of new vessels probe.",
    )
    .label("filopodium")
    .part_of_cells()
    .colour([0.93, 0.42, 0.16, 1.0]);
    let stalks = Layer::new(
        "vessel.stalks",
        "The last piece of a sprout, up to where its tip cell is.",
    )
    .label("sprout")
    .colour([0.95, 0.68, 0.40, 1.0]);
    app.register_purpose(FILOPODIA)
        .register_layer::<Strand>(filopodia, |world, site, glyphs| {
            let hours = world
                .get_resource::<Clock>()
                .map_or(0.0, |clock| clock.hours());
            for tip in tips(world, site) {
                filopodia_of(&tip, hours, |strand| {
                    glyphs.add_known(strand, Tint::Layer, tip.id.0);
                });
            }
        })
        .register_layer::<Tube>(stalks, |world, site, glyphs| {
            let network = world
                .get_resource::<Sites>()
                .and_then(|sites| world.get::<Network>(sites.list.get(site)?.entity));
            let Some(network) = network else {
                return;
            };
            for tip in tips(world, site) {
                let last = tip.tip.node().and_then(|node| network.node_index(node));
                if let Some(last) = last {
                    let tube = Tube {
                        from_um: network.nodes()[last].at_um,
                        to_um: tip.at_um,
                        radius_um: [2.0, 0.6 * tip.radius_um],
                    };
                    glyphs.add(tube, Tint::Layer);
                }
            }
        });
}

/// The filopodia of a tip: each reaches out and is drawn in again, and then another one probes elsewhere.
fn filopodia_of(tip: &Drawn, hours: f64, mut add: impl FnMut(Strand)) {
    let way = tip.way.normalize_or(Vec3::Z);
    for number in 0..COUNT {
        let phase = hours / PROBES_HOURS + number as f64 / COUNT as f64;
        let turn = phase.floor();
        let share = (phase - turn) as f32;
        let who = CellId(tip.id.0 << 8 | number as u64);
        let mut random = RandomKey(0).stream(who, turn as u64, FILOPODIA);
        // Ahead and to the side, seldom back.
        let aim = (random.direction() + 1.1 * way).normalize_or(way);
        let bend = random.direction();
        let out = ops::sin(std::f32::consts::PI * share);
        let long = LENGTH_UM * (0.5 + 0.5 * random.uniform()) * (0.35 + 0.65 * out);
        let from = tip.at_um + 0.6 * tip.radius_um * aim;
        let middle = from + 0.55 * long * aim;
        let end = middle + 0.45 * long * (aim + 0.5 * bend).normalize_or(aim);
        for (from_um, to_um, width_um) in [(from, middle, 1.3), (middle, end, 0.8)] {
            add(Strand {
                from_um,
                to_um,
                width_um,
            });
        }
    }
}
