//! Vessels in the picture: tubes that run smoothly on into each other, from the red of arteries to the blue-violet of veins, pale where they are
//! not perfused, frayed where they leak; and the red cells in them, which move as the blood does.
//!
//! Tubes are drawn along a curve through both nodes of a segment; all that meet in a node have the same radius there. Red cells are
//! strung along the same curves; where they are is a function of time and of the velocity of the blood, slowed down so that the eye can follow,
//! and changes nothing.

use bevy::prelude::*;

use super::network::{Network, Segment, VesselKind};
use super::{SEGMENT, VesselParameters};
use crate::core::input::Inputs;
use crate::core::layer::{Grain, Layer, RegisterLayer, Sphere, Tint, Tube};
use crate::core::quantity::Quantity;
use crate::core::random::RandomKey;
use crate::core::{CellId, Clock, ColourMap, Purpose, RegisterPurpose};
use crate::tissue::Sites;

/// How curves bend, and where red cells and what leaks out lie; it is for the eye and changes nothing.
const SHAPES: Purpose = Purpose::of("vasculature.shapes");

/// Colours of arteries and veins where blood enters and leaves, sRGB, and that of vessels without moving blood.
const ARTERY: [f32; 3] = [0.86, 0.16, 0.14];
const VEIN: [f32; 3] = [0.36, 0.24, 0.66];
const PALE: [f32; 3] = [0.72, 0.70, 0.68];
/// Sprouts that have not opened yet.
const CORD: [f32; 3] = [0.95, 0.68, 0.40];
/// Red cells.
const RED: [f32; 3] = [0.93, 0.13, 0.10];
/// Plasma that leaks out.
const PLASMA: [f32; 3] = [1.0, 0.83, 0.45];

/// How much of a wall with blood in it one sees: the red cells shine through.
const WALL: f32 = 0.5;
/// Distance of red cells along a vessel, um; of the trains in which they are drawn in wide ones.
const APART_UM: f32 = 18.0;
/// At most so many red cells are drawn in a site.
const MOST_CELLS: f32 = 20_000.0;
/// How far red cells move in the picture in an hour of tissue time where blood moves at 1000 um/s, um.
const SHOWN_UM_PER_HOUR: f32 = 30.0;
/// At most so many pieces of a curve.
const MOST_PIECES: usize = 8;
/// By how much the way of a curve turns within a piece of it, rad.
const BEND_OF_PIECE: f32 = 0.35;
/// Radii that differ by less than this share of them are drawn as one.
const SAME_RADIUS: f32 = 0.1;

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    let [r, g, b] = ARTERY;
    let walls = Layer::new(
        "vessel.walls",
        "Blood vessels, from the red of arteries to the violet of veins; those in which no blood moves are pale, sprouts that have not opened yet orange.",
    )
    .label("blood vessel (pale: no flow)")
    .colour([r, g, b, 1.0]);
    let [r, g, b] = RED;
    let cells = Layer::new(
        "vessel.red_cells",
        "Red blood cells. They move as the blood does, slowed down about a hundred thousand times.",
    )
    .label("red blood cell")
    .colour([r, g, b, 1.0]);
    let [r, g, b] = PLASMA;
    let leaks = Layer::new(
        "vessel.leaks",
        "Plasma that leaks from vessels whose wall is more than twice as permeable as a normal one.",
    )
    .label("leaking plasma")
    .colour([r, g, b, 0.7]);
    app.register_purpose(SHAPES)
        .register_layer::<Tube>(walls, |world, site, glyphs| {
            let Some(drawing) = Drawing::of(world, site) else {
                return;
            };
            for segment in 0..drawing.network.segments().len() {
                let id = u64::from(drawing.network.segments()[segment].id.0);
                drawing.tubes(segment, |tube, share| {
                    let tint = Tint::Colour(drawing.colour(segment, share));
                    glyphs.add_known(tube, tint, id);
                });
            }
        })
        .register_layer::<Sphere>(cells, |world, site, glyphs| {
            let Some(drawing) = Drawing::of(world, site) else {
                return;
            };
            let hours = world
                .get_resource::<Clock>()
                .map_or(0.0, |clock| clock.hours());
            drawing.red_cells(hours, |cell| glyphs.add(cell, Tint::Layer));
        })
        .register_layer::<Grain>(leaks, |world, site, glyphs| {
            let Some(drawing) = Drawing::of(world, site) else {
                return;
            };
            drawing.leaks(|grain| glyphs.add(grain, Tint::Layer));
        });
    register_overlays(app);
}

/// A layer of tubes coloured by a number of segments for each of some.
fn register_overlays(app: &mut App) {
    for (name, quantity, label, map, range) in [
        (
            "vessel.by_pressure",
            "vessel.pressure",
            "blood pressure",
            ColourMap::Viridis,
            (0.0, 40.0),
        ),
        (
            "vessel.by_shear",
            "vessel.shear",
            "shear stress",
            ColourMap::Viridis,
            (0.0, 3.0),
        ),
        (
            "vessel.by_permeability",
            "vessel.permeability",
            "permeability",
            ColourMap::Viridis,
            (1.0, 10.0),
        ),
        (
            "vessel.by_maturity",
            "vessel.maturity",
            "cover by pericytes",
            ColourMap::Viridis,
            (0.0, 1.0),
        ),
        (
            "vessel.by_saturation",
            "vessel.saturation",
            "oxygen saturation",
            ColourMap::Ember,
            (0.0, 1.0),
        ),
    ] {
        let unit = match quantity {
            "vessel.pressure" => "mmHg",
            "vessel.shear" => "Pa",
            _ => "",
        };
        let about = format!("Blood vessels, coloured by their {label}.");
        let shown = Quantity::new(quantity, unit, &about)
            .label(label)
            .range(range.0, range.1)
            .colours(map);
        let layer = Layer::new(name, about)
            .label("blood vessel")
            .by_quantity(shown)
            .on_request();
        app.register_layer::<Tube>(layer, move |world, site, glyphs| {
            let Some(drawing) = Drawing::of(world, site) else {
                return;
            };
            let values = values(world, site, quantity);
            for segment in 0..drawing.network.segments().len() {
                let value = values.get(segment).copied().unwrap_or(f32::NAN);
                let id = u64::from(drawing.network.segments()[segment].id.0);
                drawing.tubes(segment, |tube, _| {
                    glyphs.add_known(tube, Tint::Value(value), id);
                });
            }
        });
    }
}

/// A number of the segments of a site.
fn values(world: &World, site: usize, name: &str) -> Vec<f32> {
    let mut found = Vec::new();
    let entity = world
        .get_resource::<Sites>()
        .and_then(|sites| Some(sites.list.get(site)?.entity));
    let Some(entity) = entity else {
        return found;
    };
    if name == super::PERMEABILITY {
        if let Some(network) = world.get::<Network>(entity) {
            let segments = network.segments().iter();
            found.extend(segments.map(|segment| segment.permeability));
        }
        return found;
    }
    if let Some(inputs) = world.get_resource::<Inputs>() {
        let mut known = inputs.element_quantities.iter();
        if let Some(quantity) = known.find(|of| of.kind == SEGMENT && of.info.name == name) {
            quantity.read(world, entity, &mut found);
        }
    }
    found
}

/// The network of a site, with what its picture needs.
struct Drawing<'w> {
    network: &'w Network,
    parameters: &'w VesselParameters,
    key: RandomKey,
    /// Radius that all tubes have which meet in a node, um.
    node_um: Vec<f32>,
    /// Pressures between which blood goes from red to violet, mmHg.
    from_mmhg: f64,
    to_mmhg: f64,
}

impl<'w> Drawing<'w> {
    fn of(world: &'w World, site: usize) -> Option<Self> {
        let entry = world.get_resource::<Sites>()?.list.get(site)?;
        let network = world.get::<Network>(entry.entity)?;
        let parameters = world.get_resource::<VesselParameters>()?;
        if network.is_empty() {
            return None;
        }
        let radius = |at: &u32| network.segments()[*at as usize].drawn_radius_um();
        let node_um = (0..network.nodes().len()).map(|node| {
            let around = network.around(node);
            // The second widest: what is wider narrows towards its branches, what is narrower flares.
            let (mut first, mut second) = (0.0_f32, 0.0_f32);
            for radius in around.iter().map(radius) {
                if radius > first {
                    second = first;
                    first = radius;
                } else if radius > second {
                    second = radius;
                }
            }
            if around.len() == 1 { first } else { second }
        });
        let ports = network.nodes().iter().filter(|node| node.port.is_some());
        let mut from_mmhg = f64::NEG_INFINITY;
        let mut to_mmhg = f64::INFINITY;
        for node in ports {
            from_mmhg = from_mmhg.max(node.pressure_mmhg);
            to_mmhg = to_mmhg.min(node.pressure_mmhg);
        }
        Some(Self {
            network,
            parameters,
            key: RandomKey(site as u64),
            node_um: node_um.collect(),
            from_mmhg,
            to_mmhg,
        })
    }

    /// Colour and opacity of the wall at a share of the way along a segment.
    fn colour(&self, segment: usize, share: f32) -> [f32; 4] {
        let of = &self.network.segments()[segment];
        if !of.perfused {
            let [r, g, b] = if of.is_solid() { CORD } else { PALE };
            return [r, g, b, 0.999];
        }
        let [from, to] = self.network.pressures_mmhg(segment);
        let here = from + (to - from) * f64::from(share);
        let span = (self.from_mmhg - self.to_mmhg).max(1.0e-6);
        let down = (((self.from_mmhg - here) / span) as f32).clamp(0.0, 1.0);
        // Arteries stay red and veins violet; what lies between goes over.
        let violet = match of.kind {
            VesselKind::Artery => 0.25 * down,
            VesselKind::Capillary => 0.1 + 0.8 * down,
            VesselKind::Vein => 0.75 + 0.25 * down,
        };
        let [r, g, b] = [0, 1, 2].map(|at| ARTERY[at] + (VEIN[at] - ARTERY[at]) * violet);
        [r, g, b, WALL]
    }

    /// Where the curve of a segment is at a share of the way.
    fn place(&self, segment: usize, share: f32) -> Vec3 {
        let [from, to] = self.network.places_um(segment);
        let [out, into] = self.tangents(segment);
        let (t, t2) = (share, share * share);
        let t3 = t2 * t;
        from * (2.0 * t3 - 3.0 * t2 + 1.0)
            + out * (t3 - 2.0 * t2 + t)
            + to * (3.0 * t2 - 2.0 * t3)
            + into * (t3 - t2)
    }

    /// Where the curve leads at both ends, with a length.
    fn tangents(&self, segment: usize) -> [Vec3; 2] {
        let network = self.network;
        let [from, to] = network.places_um(segment);
        let way = to - from;
        let long = way.length();
        let id = network.segments()[segment].id;
        let mut random = self.key.stream(CellId(u64::from(id.0)), 0, SHAPES);
        let ends = network.ends()[segment];
        [0, 1].map(|end| {
            let node = ends[end] as usize;
            let stray = random.direction();
            let around = network.around(node);
            if network.nodes()[node].port.is_some() {
                return way;
            }
            let direction = if let [a, b] = around {
                // On into the other one, as that comes from this.
                let other = if *a as usize == segment { *b } else { *a };
                let [first, second] = network.places_um(other as usize);
                let here = network.nodes()[node].at_um;
                let beyond = if first == here { second } else { first };
                if end == 0 { to - beyond } else { beyond - from }
            } else {
                way.normalize_or_zero() + 0.45 * stray
            };
            direction.normalize_or_zero() * long
        })
    }

    /// In how many pieces a segment is drawn whose radii at both ends are these: as many as its bend and its flares need to look smooth, and no more than it
    /// is long.
    fn pieces(&self, segment: usize, ends_um: [f32; 2]) -> usize {
        let of = &self.network.segments()[segment];
        let radius_um = of.drawn_radius_um();
        let [from, to] = self.network.places_um(segment);
        let way = to - from;
        let bend: f32 = self
            .tangents(segment)
            .iter()
            .map(|tangent| way.angle_between(*tangent))
            .sum();
        let bends = (bend / BEND_OF_PIECE).ceil() as usize;
        let flares = |end: &f32| (end - radius_um).abs() > SAME_RADIUS * radius_um;
        let least = 1 + 2 * ends_um.iter().filter(|end| flares(end)).count();
        let most = (of.length_um / (3.0 * radius_um)) as usize;
        bends.max(least).min(most.clamp(1, MOST_PIECES))
    }

    /// The pieces of tube along a segment, each with the share of the way at its middle.
    fn tubes(&self, segment: usize, mut add: impl FnMut(Tube, f32)) {
        let of = &self.network.segments()[segment];
        let [first, last] = self.network.ends()[segment].map(|node| self.node_um[node as usize]);
        let long = of.length_um.max(1.0);
        // A flare takes about as long as the vessel is wide.
        let (begin, end) = ((1.5 * first / long).min(0.4), (1.5 * last / long).min(0.4));
        let radius = |share: f32| {
            let mix = |a: f32, b: f32, share: f32| {
                let smooth = share * share * (3.0 - 2.0 * share);
                a + (b - a) * smooth
            };
            if share < begin {
                mix(first, of.drawn_radius_um(), share / begin)
            } else if share > 1.0 - end {
                mix(last, of.drawn_radius_um(), (1.0 - share) / end)
            } else {
                of.drawn_radius_um()
            }
        };
        let pieces = self.pieces(segment, [first, last]);
        let mut before = (self.place(segment, 0.0), radius(0.0));
        for piece in 1..=pieces {
            let share = piece as f32 / pieces as f32;
            let next = (self.place(segment, share), radius(share));
            let tube = Tube {
                from_um: before.0,
                to_um: next.0,
                radius_um: [before.1, next.1],
            };
            add(tube, (piece as f32 - 0.5) / pieces as f32);
            before = next;
        }
    }

    /// Red cells at a time.
    fn red_cells(&self, hours: f64, mut add: impl FnMut(Sphere)) {
        let segments = self.network.segments();
        let counted = |of: &&Segment| of.perfused;
        let all: f32 = segments
            .iter()
            .filter(counted)
            .map(|of| of.length_um * strands(of) / APART_UM)
            .sum();
        let apart = APART_UM * (all / MOST_CELLS).max(1.0);
        for (at, of) in segments.iter().enumerate().filter(|(_, of)| of.perfused) {
            let full = of.haematocrit / 0.4;
            let count = of.length_um * strands(of) / apart * full.min(1.5);
            let mut random = self.key.stream(CellId(u64::from(of.id.0)), 1, SHAPES);
            // What is left over decides by chance, once for all times.
            let count = (count + random.uniform()) as usize;
            // In the picture fast blood is not quite as much faster than slow as it is.
            let velocity = of.velocity_um_per_s();
            let shown = f64::from(SHOWN_UM_PER_HOUR) * (velocity.abs() / 1000.0).sqrt();
            let moved = velocity.signum() * shown * hours / f64::from(of.length_um);
            let [out, into] = self.tangents(at);
            let along = (out + into).normalize_or(Vec3::X);
            let (aside, across) = along.any_orthonormal_pair();
            for _ in 0..count {
                let start = f64::from(random.uniform());
                let share = ((start + moved).rem_euclid(1.0)) as f32;
                let angle = std::f32::consts::TAU * random.uniform();
                // Evenly over the cross-section, off the wall.
                let room = (of.radius_um - 2.0).max(0.0) * 0.8 * random.uniform().sqrt();
                let (sin, cos) = bevy::math::ops::sin_cos(angle);
                let centre_um = self.place(at, share) + room * (cos * aside + sin * across);
                add(Sphere {
                    centre_um,
                    radius_um: 2.4_f32.min(0.8 * of.radius_um),
                });
            }
        }
    }

    /// Grains of plasma around walls that leak.
    fn leaks(&self, mut add: impl FnMut(Grain)) {
        for (at, of) in self.network.segments().iter().enumerate() {
            let leaky = (of.permeability / 2.0).max(1.0) - 1.0;
            if leaky <= 0.0 || of.radius_um < self.parameters.closed_radius_um {
                continue;
            }
            let mut random = self.key.stream(CellId(u64::from(of.id.0)), 2, SHAPES);
            let count = (of.length_um / 12.0 * leaky.min(4.0) + random.uniform()) as usize;
            for _ in 0..count.min(60) {
                let share = random.uniform();
                let away = of.radius_um + 1.0 + 5.0 * random.uniform() * random.uniform();
                let at_um = self.place(at, share) + random.direction() * away;
                add(Grain { at_um, pixels: 1.8 });
            }
        }
    }
}

/// How many red cells lie side by side in a vessel.
fn strands(of: &Segment) -> f32 {
    (of.radius_um * of.radius_um / 16.0).clamp(0.6, 6.0)
}
