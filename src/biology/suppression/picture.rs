//! Suppressors in the picture: the ring of those that act in contact, the lobed nucleus of those that act nearby.

use bevy::math::ops;
use bevy::prelude::*;

use super::{Suppressor, SuppressorParameters};
use crate::cell::mechanics::ContactLaw;
use crate::cell::{Body, CellType, Position, Resident, Vital};
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::layer::{Capsule, Layer, RegisterLayer, Sphere, Tint};
use crate::core::parameters::PerType;
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};

/// How rings and lobes are turned; it is for the eye and changes nothing.
const TURNED: Purpose = Purpose::of("suppression.turned");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();
/// Pieces of a ring.
const PIECES: usize = 14;

/// Hands out each living suppressor of a site whose type is of that kind: who it is, its centre, its radius as it is drawn, um.
fn each(
    world: &World,
    site: usize,
    is_wanted: impl Fn(&SuppressorParameters) -> bool,
    mut draw: impl FnMut(CellId, Vec3, f32),
) {
    let Some(parameters) = world.get_resource::<PerType<SuppressorParameters>>() else {
        return;
    };
    let clones = world.get_resource::<Clones>();
    for table in tables_with::<Suppressor>(world) {
        let (Some(ids), Some(types), Some(residents), Some(positions), Some(bodies)) = (
            table.get::<CellId>(),
            table.get::<CellType>(),
            table.get::<Resident>(),
            table.get::<Position>(),
            table.get::<Body>(),
        ) else {
            continue;
        };
        let vitals = table.get::<Vital>();
        for row in 0..table.len() {
            let cell_type = clones.map_or(types[row].0, |clones| clones.type_of(types[row].0));
            let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
            let wanted = parameters.get(cell_type).is_some_and(&is_wanted);
            if usize::from(residents[row].0.0) == site && lives && wanted {
                let radius_um = bodies[row].radius_um * DRAWN;
                draw(ids[row], positions[row].0, radius_um);
            }
        }
    }
}

/// Registers the layers.
pub(super) fn register(app: &mut App) {
    app.register_purpose(TURNED);
    let rings = Layer::new(
        "suppression.rings",
        "The ring by which a cell is told that suppresses those it touches.",
    )
    .label("ring of a regulatory T cell")
    .part_of_cells()
    .colour([0.45, 0.30, 0.0, 1.0]);
    app.register_layer::<Capsule>(rings, |world, site, glyphs| {
        each(
            world,
            site,
            |of| of.contact > 0.0,
            |id, centre_um, radius_um| {
                let axis = RandomKey(6).stream(id, 0, TURNED).direction();
                let (right, up) = axis.any_orthonormal_pair();
                let at = |k: usize| {
                    let turn = std::f32::consts::TAU * k as f32 / PIECES as f32;
                    let (sin, cos) = ops::sin_cos(turn);
                    centre_um + (right * cos + up * sin) * (1.22 * radius_um)
                };
                for k in 0..PIECES {
                    glyphs.add(
                        Capsule {
                            from_um: at(k),
                            to_um: at(k + 1),
                            radius_um: 0.14 * radius_um,
                        },
                        Tint::Layer,
                    );
                }
            },
        );
    });
    let lobes = Layer::new(
        "suppression.lobes",
        "The lobed nucleus by which myeloid-derived suppressor cells are told.",
    )
    .label("lobed nucleus of a myeloid cell")
    .part_of_cells()
    .colour([0.22, 0.20, 0.26, 1.0]);
    app.register_layer::<Sphere>(lobes, |world, site, glyphs| {
        each(
            world,
            site,
            |of| of.nearby > 0.0,
            |id, centre_um, radius_um| {
                let axis = RandomKey(7).stream(id, 0, TURNED).direction();
                let (right, up) = axis.any_orthonormal_pair();
                for k in 0..3 {
                    let turn = std::f32::consts::TAU * k as f32 / 3.0;
                    let (sin, cos) = ops::sin_cos(turn);
                    glyphs.add(
                        Sphere {
                            centre_um: centre_um + (right * cos + up * sin) * (0.62 * radius_um),
                            radius_um: 0.46 * radius_um,
                        },
                        Tint::Layer,
                    );
                }
            },
        );
    });
}
