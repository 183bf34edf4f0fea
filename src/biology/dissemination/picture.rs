//! The circulation in the picture: the ways of the blood between the sites of a body, with the cells that travel in it, where sites stand on one
//! stage.
//!
//! From each organ a vein leads to the heart, from the heart arteries to the lungs and to every organ. That is a diagram: real vessels are neither so
//! short nor so straight. A cell is drawn on the way that it takes in turn, slowly: in a mouse it comes round nine times a minute. It changes nothing.

use bevy::prelude::*;

use super::circulation::Voyage;
use crate::cell::{Body, Resident, Vital};
use crate::core::columns::tables_with;
use crate::core::layer::{Glyphs, Layer, RegisterLayer, Sphere, Tint, Tube};
use crate::core::random::RandomKey;
use crate::core::{CellId, Clock, Purpose, RegisterPurpose};
use crate::tissue::stage_place::StagePlace;
use crate::tissue::{Organ, Sites};

/// Where in the stream a cell is drawn.
const DRIFT: Purpose = Purpose::of("dissemination.drift");

/// Radius of a way of the blood as it is drawn, um.
const WIDE_UM: f32 = 9.0;
/// How much larger cells in the blood are drawn than they are: on the whole stage they would not be seen.
const LARGER: f32 = 1.8;
/// Pieces of which a way is drawn.
const PIECES: usize = 14;
/// Steps in which a cell is drawn from one end of a way to the other.
const STEPS_PER_WAY: u64 = 24;
/// Most cells that are drawn.
const MOST_DRAWN: usize = 2_000;

const ARTERY: [f32; 4] = [0.80, 0.22, 0.20, 0.5];
const VEIN: [f32; 4] = [0.42, 0.36, 0.66, 0.5];
const ALONE: [f32; 4] = [0.98, 0.62, 0.70, 1.0];
const TOGETHER: [f32; 4] = [0.95, 0.25, 0.45, 1.0];

/// The ways of the blood, in the coordinates of the site that draws them.
struct WaysOfBlood {
    heart_um: Vec3,
    /// The middle of the upper face of each site of an organ, and whether it is a lung.
    doors_um: Vec<(Vec3, bool)>,
}

impl WaysOfBlood {
    /// That of a body whose sites stand on one stage; drawn by the first site, and by no other.
    fn of(world: &World, site: usize) -> Option<Self> {
        if site != 0 {
            return None;
        }
        world.get_resource::<super::Circulation>()?.get()?;
        let sites = &world.get_resource::<Sites>()?.list;
        let place = |index: usize| world.get::<StagePlace>(sites[index].entity)?.0;
        let own = place(0)?;
        let mut doors_um = Vec::new();
        let mut top = f32::NEG_INFINITY;
        for (index, entry) in sites.iter().enumerate() {
            let organ = world.get::<Organ>(entry.entity)?;
            let half = entry.block.max_um().z;
            let at_um = place(index)? - own + Vec3::Z * half;
            top = top.max(at_um.z);
            if *organ != Organ::Medium {
                doors_um.push((at_um, *organ == Organ::Lung));
            }
        }
        if doors_um.len() < 2 {
            return None;
        }
        let middle = doors_um.iter().map(|(at, _)| *at).sum::<Vec3>() / doors_um.len() as f32;
        let wide = doors_um
            .iter()
            .map(|(at, _)| at.distance(middle))
            .fold(0.0, f32::max);
        let heart_um = middle.with_z(top + 0.35 * wide);
        Some(Self { heart_um, doors_um })
    }

    /// A place on the way from a site to the heart, 0 at the site; `aside` tells its artery from its vein.
    fn on_way(&self, door: usize, along: f32, aside: f32) -> Vec3 {
        let from = self.doors_um[door].0 + Vec3::X * aside;
        let to = self.heart_um + Vec3::X * aside;
        // It rises first and then turns to the heart.
        let bend = Vec3::new(from.x, from.y, to.z);
        let left = 1.0 - along;
        from * (left * left) + bend * (2.0 * left * along) + to * (along * along)
    }
}

/// How far an artery lies aside, and a vein on the other side, um.
const ASIDE_UM: f32 = 16.0;

pub(super) fn register(app: &mut App) {
    app.register_purpose(DRIFT);
    let ways = Layer::new(
        "dissemination.ways",
        "The ways of the blood between the organs on the stage: veins to the heart, arteries from it. A diagram, not to scale.",
    )
    .label("blood between organs")
    .colour(ARTERY);
    app.register_layer::<Tube>(ways, |world, site, glyphs| {
        let Some(map) = WaysOfBlood::of(world, site) else {
            return;
        };
        for door in 0..map.doors_um.len() {
            // What comes to the lungs is blood of veins, and what leaves them that of arteries.
            let is_lung = map.doors_um[door].1;
            for (aside, is_vein) in [(-ASIDE_UM, !is_lung), (ASIDE_UM, is_lung)] {
                let tint = Tint::Colour(if is_vein { VEIN } else { ARTERY });
                for piece in 0..PIECES {
                    let [from_um, to_um] = [piece, piece + 1]
                        .map(|end| map.on_way(door, end as f32 / PIECES as f32, aside));
                    let radius_um = [WIDE_UM; 2];
                    glyphs.add(
                        Tube {
                            from_um,
                            to_um,
                            radius_um,
                        },
                        tint,
                    );
                }
            }
        }
    });
    let travellers = Layer::new(
        "dissemination.travellers",
        "Cancer cells in the blood, on the ways between the organs; larger and far slower than they are. Those of a cluster are darker.",
    )
    .label("cancer cell in the blood")
    .colour(ALONE)
    .of_cells();
    app.register_layer::<Sphere>(travellers, draw_travellers);
}

fn draw_travellers(world: &World, site: usize, glyphs: &mut Glyphs<Sphere>) {
    let Some(map) = WaysOfBlood::of(world, site) else {
        return;
    };
    let step = world.resource::<Clock>().step;
    // Group, cell, radius.
    let mut cells: Vec<(CellId, CellId, f32)> = Vec::new();
    for table in tables_with::<Voyage>(world) {
        let (Some(ids), Some(residents), Some(voyages), Some(bodies)) = (
            table.get::<CellId>(),
            table.get::<Resident>(),
            table.get::<Voyage>(),
            table.get::<Body>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            let is_carried = voyages[row].is_in_blood(&residents[row]);
            if is_carried && vitals.is_none_or(|vitals| vitals[row].is_alive()) {
                let group = voyages[row].group.unwrap_or(ids[row]);
                cells.push((group, ids[row], bodies[row].radius_um));
            }
        }
    }
    cells.sort_unstable_by_key(|(group, cell, _)| (*group, *cell));
    cells.truncate(MOST_DRAWN);
    for group in cells.chunk_by(|a, b| a.0 == b.0) {
        let mut random = RandomKey(0).stream(group[0].0, 0, DRIFT);
        let late = (random.uniform() * STEPS_PER_WAY as f32) as u64;
        let (lap, along) = (
            (step + late) / STEPS_PER_WAY,
            ((step + late) % STEPS_PER_WAY) as f32 / STEPS_PER_WAY as f32,
        );
        // To an organ and back, in turn; each time to another.
        let is_outwards = lap.is_multiple_of(2);
        let mut which = RandomKey(1).stream(group[0].0, lap / 2, DRIFT);
        let door = (which.uniform() * map.doors_um.len() as f32) as usize;
        let door = door.min(map.doors_um.len() - 1);
        let (along, aside) = if is_outwards {
            (1.0 - along, ASIDE_UM)
        } else {
            (along, -ASIDE_UM)
        };
        let at_um = map.on_way(door, along, aside);
        for (number, (_, cell, radius_um)) in group.iter().enumerate() {
            let radius_um = radius_um * LARGER;
            let off = if number == 0 {
                Vec3::ZERO
            } else {
                which.direction() * (1.3 * radius_um)
            };
            let tint = Tint::Colour(if group.len() > 1 { TOGETHER } else { ALONE });
            let centre_um = at_um + off;
            glyphs.add_known(
                Sphere {
                    centre_um,
                    radius_um,
                },
                tint,
                cell.0,
            );
        }
    }
}
