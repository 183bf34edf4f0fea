//! Killers in the picture: the foot of a crawling T cell, the speckles of a natural killer cell, a bright disc at each synapse, a red spot
//! for each hit that a cell bears, and the blebs and fragments of those that die.

use bevy::math::ops;
use bevy::prelude::*;

use super::{Cytotoxic, Doing, Killer, NaturalKiller, SYNAPSE, Target};
use crate::cell::bonds::BondKinds;
use crate::cell::mechanics::ContactLaw;
use crate::cell::movement::SiteMechanics;
use crate::cell::{Body, Motility, Position, Resident, State, Vital};
use crate::core::columns::tables_with;
use crate::core::layer::{Layer, RegisterLayer, Sphere, Tint};
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};
use crate::tissue::Sites;

/// Where speckles, spots and blebs lie on a cell; it is for the eye and changes nothing.
const SPOTS: Purpose = Purpose::of("immunity.spots");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();
/// Speckles on a natural killer cell.
const SPECKLES: usize = 14;
/// Blebs of a dying cell.
const BLEBS: usize = 9;
/// Time in which a dying cell breaks up, h, and that after which nothing is left of the pieces.
const BREAKS_UP_HOURS: f32 = 3.0;
const FADED_HOURS: f32 = 8.6;

/// Colours, sRGB.
const FOOT: [f32; 4] = [0.62, 0.85, 0.97, 1.0];
const SPECKLE: [f32; 4] = [0.02, 0.20, 0.20, 1.0];
const DISC: [f32; 4] = [1.0, 0.95, 0.55, 1.0];
const RED: [f32; 4] = [0.95, 0.13, 0.10, 1.0];
const PIECE: [f32; 4] = [0.50, 0.20, 0.14, 1.0];

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    app.register_purpose(SPOTS);
    feet(app);
    speckles(app);
    discs(app);
    pieces(app);
}

fn feet(app: &mut App) {
    let layer = Layer::new(
        "immunity.feet",
        "The pseudopod with which a T cell crawls, at its front.",
    )
    .label("foot of a crawling T cell")
    .part_of_cells()
    .colour(FOOT);
    app.register_layer::<Sphere>(layer, |world, site, glyphs| {
        for table in tables_with::<Cytotoxic>(world) {
            let (Some(residents), Some(positions), Some(bodies), Some(walks), Some(killers)) = (
                table.get::<Resident>(),
                table.get::<Position>(),
                table.get::<Body>(),
                table.get::<Motility>(),
                table.get::<Killer>(),
            ) else {
                continue;
            };
            for row in 0..table.len() {
                let walk = &walks[row];
                let crawls = walk.speed_um_per_min > 0.0 && killers[row].doing != Doing::Engaged;
                if usize::from(residents[row].0.0) == site && crawls {
                    let radius_um = bodies[row].radius_um * DRAWN;
                    glyphs.add(
                        Sphere {
                            centre_um: positions[row].0 + walk.direction * (1.05 * radius_um),
                            radius_um: 0.5 * radius_um,
                        },
                        Tint::Layer,
                    );
                }
            }
        }
    });
}

/// Hands out each cell of a site that has `C`: who it is, its centre, its radius as it is drawn, um, and its vital signs.
fn each_body<C: Component>(
    world: &World,
    site: usize,
    mut draw: impl FnMut(CellId, Vec3, f32, &Vital),
) {
    for table in tables_with::<C>(world) {
        let (Some(ids), Some(residents), Some(positions), Some(bodies), Some(vitals)) = (
            table.get::<CellId>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
            table.get::<Vital>(),
        ) else {
            continue;
        };
        for row in 0..table.len() {
            if usize::from(residents[row].0.0) == site {
                let radius_um = bodies[row].radius_um * DRAWN;
                draw(ids[row], positions[row].0, radius_um, &vitals[row]);
            }
        }
    }
}

fn speckles(app: &mut App) {
    let layer = Layer::new(
        "immunity.speckles",
        "Granules of natural killer cells, by which they are told from T cells.",
    )
    .label("granules of an NK cell")
    .part_of_cells()
    .colour(SPECKLE);
    app.register_layer::<Sphere>(layer, |world, site, glyphs| {
        each_body::<NaturalKiller>(world, site, |id, centre_um, radius_um, vital| {
            if !vital.is_alive() {
                return;
            }
            let mut random = RandomKey(0).stream(id, 0, SPOTS);
            for _ in 0..SPECKLES {
                glyphs.add(
                    Sphere {
                        centre_um: centre_um + random.direction() * (0.97 * radius_um),
                        radius_um: 0.17 * radius_um,
                    },
                    Tint::Layer,
                );
            }
        });
    });
}

/// Where a synapse lies, and the way from the killer to its target.
struct Disc {
    at_um: Vec3,
    way: Vec3,
    radius_um: f32,
    target: CellId,
    hits: u32,
}

/// The synapses of a site, by target and killer.
fn synapses(world: &World, site: usize) -> Vec<Disc> {
    let mut found = Vec::new();
    let (Some(sites), Some(kinds)) = (
        world.get_resource::<Sites>(),
        world.get_resource::<BondKinds>(),
    ) else {
        return found;
    };
    let mechanics = sites.list.get(site).map(|site| site.entity);
    let Some(mechanics) = mechanics.and_then(|site| world.get::<SiteMechanics>(site)) else {
        return found;
    };
    let kind = kinds.id(SYNAPSE.name);
    let mut ends: Vec<(CellId, CellId)> = mechanics
        .bonds
        .iter()
        .filter(|bond| bond.kind == kind)
        .flat_map(|bond| [(bond.a, bond.b), (bond.b, bond.a)])
        .collect();
    ends.sort_unstable();
    // Cells at either end: where, how large, and the hits that it bears if it is a target.
    let mut cells: Vec<(CellId, Vec3, f32, Option<u32>)> = Vec::new();
    for table in tables_with::<CellId>(world) {
        let (Some(ids), Some(residents), Some(positions), Some(bodies)) = (
            table.get::<CellId>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
        ) else {
            continue;
        };
        let targets = table.get::<Target>();
        for row in 0..table.len() {
            let id = ids[row];
            if usize::from(residents[row].0.0) != site || !mechanics.bonds.binds(id) {
                continue;
            }
            let hits = targets.map(|targets| targets[row].damage);
            cells.push((id, positions[row].0, bodies[row].radius_um, hits));
        }
    }
    cells.sort_unstable_by_key(|(id, ..)| *id);
    let find = |cell: CellId| {
        let place = cells.binary_search_by_key(&cell, |(id, ..)| *id).ok()?;
        Some(cells[place])
    };
    for (target, killer) in ends {
        let (Some((_, target_um, target_r, Some(hits))), Some((_, killer_um, killer_r, None))) =
            (find(target), find(killer))
        else {
            continue;
        };
        let way = target_um - killer_um;
        let share = killer_r / (killer_r + target_r);
        found.push(Disc {
            at_um: killer_um + way * share,
            way: way.normalize_or(Vec3::X),
            radius_um: killer_r * DRAWN,
            target,
            hits,
        });
    }
    found
}

fn discs(app: &mut App) {
    let disc = Layer::new(
        "immunity.synapses",
        "Synapses: where a killer holds its target.",
    )
    .label("synapse")
    .colour(DISC);
    let hits = Layer::new(
        "immunity.hits",
        "Hits that a cell bears and has not yet repaired, one red spot each around the synapse; the third kills a cell that does not resist.",
    )
    .label("hit")
    .colour(RED);
    app.register_layer::<Sphere>(disc, |world, site, glyphs| {
        for disc in synapses(world, site) {
            // A ring of beads in the plane between the two cells: it is seen from all sides.
            let across = disc.way.any_orthonormal_vector();
            let other = disc.way.cross(across);
            for bead in 0..12 {
                let (sin, cos) = ops::sin_cos(std::f32::consts::TAU * bead as f32 / 12.0);
                glyphs.add(
                    Sphere {
                        centre_um: disc.at_um
                            + (across * cos + other * sin) * (0.85 * disc.radius_um),
                        radius_um: 0.3 * disc.radius_um,
                    },
                    Tint::Layer,
                );
            }
        }
    })
    .register_layer::<Sphere>(hits, |world, site, glyphs| {
        let mut last = None;
        for disc in synapses(world, site) {
            // Those of one target are told once.
            if last.replace(disc.target) == Some(disc.target) {
                continue;
            }
            let mut random = RandomKey(1).stream(disc.target, 0, SPOTS);
            let across = disc.way.any_orthonormal_vector();
            let other = disc.way.cross(across);
            let first = random.uniform();
            for hit in 0..disc.hits.min(8) {
                let turn = first + hit as f32 / 3.0;
                let (sin, cos) = ops::sin_cos(std::f32::consts::TAU * turn);
                glyphs.add(
                    Sphere {
                        centre_um: disc.at_um
                            + disc.way * (0.35 * disc.radius_um)
                            + (across * cos + other * sin) * (1.35 * disc.radius_um),
                        radius_um: 0.45 * disc.radius_um,
                    },
                    Tint::Layer,
                );
            }
        }
    });
}

fn pieces(app: &mut App) {
    let layer = Layer::new(
        "immunity.pieces",
        "Blebs of a cell in apoptosis, and the pieces into which it falls; they shrink until nothing is left.",
    )
    .label("dying cell falls apart")
    .part_of_cells()
    .colour(PIECE);
    app.register_layer::<Sphere>(layer, |world, site, glyphs| {
        each_body::<Target>(world, site, |id, centre_um, radius_um, vital| {
            if vital.state != State::Apoptotic {
                return;
            }
            let hours = vital.elapsed_hours as f32;
            let apart = (hours / BREAKS_UP_HOURS).min(1.0);
            let left = 1.0 - (hours / FADED_HOURS).clamp(0.0, 1.0);
            let mut random = RandomKey(2).stream(id, 0, SPOTS);
            for _ in 0..BLEBS {
                let (way, size) = (random.direction(), 0.22 + 0.2 * random.uniform());
                glyphs.add(
                    Sphere {
                        centre_um: centre_um + way * (radius_um * (0.85 + 0.75 * apart)),
                        radius_um: radius_um * size * left,
                    },
                    Tint::Layer,
                );
            }
        });
    });
}
