//! Dendritic cells in the picture: their arms, greener when they carry antigen.

use bevy::prelude::*;

use super::{Presentation, PresentationParameters};
use crate::cell::mechanics::ContactLaw;
use crate::cell::{Body, CellType, Position, Resident, Vital};
use crate::core::clones::Clones;
use crate::core::columns::tables_with;
use crate::core::layer::{Capsule, Layer, RegisterLayer, Tint};
use crate::core::parameters::PerType;
use crate::core::random::RandomKey;
use crate::core::{CellId, Purpose, RegisterPurpose};

/// Where arms lie; it is for the eye and changes nothing.
const ARMS: Purpose = Purpose::of("priming.arms");

/// Radius of a body as it is drawn, of that which mechanics has.
const DRAWN: f32 = ContactLaw::Cohesive.contact_per_body();
/// Arms of a dendritic cell.
const COUNT: usize = 9;

/// Registers the layer.
pub(super) fn register(app: &mut App) {
    app.register_purpose(ARMS);
    let arms = Layer::new(
        "priming.arms",
        "The arms with which a dendritic cell samples its tissue and shows antigen.",
    )
    .label("arm of a dendritic cell")
    .part_of_cells()
    .colour([0.30, 0.58, 0.22, 1.0]);
    app.register_layer::<Capsule>(arms, |world, site, glyphs| {
        let Some(parameters) = world.get_resource::<PerType<PresentationParameters>>() else {
            return;
        };
        let clones = world.get_resource::<Clones>();
        for table in tables_with::<Presentation>(world) {
            let (
                Some(ids),
                Some(types),
                Some(residents),
                Some(positions),
                Some(bodies),
                Some(states),
            ) = (
                table.get::<CellId>(),
                table.get::<CellType>(),
                table.get::<Resident>(),
                table.get::<Position>(),
                table.get::<Body>(),
                table.get::<Presentation>(),
            )
            else {
                continue;
            };
            let vitals = table.get::<Vital>();
            for row in 0..table.len() {
                let lives = vitals.is_none_or(|vitals| vitals[row].is_alive());
                if usize::from(residents[row].0.0) != site || !lives {
                    continue;
                }
                // Those that never travel, macrophages, have no arms.
                let cell_type = types[row].0;
                let cell_type = clones.map_or(cell_type, |clones| clones.type_of(cell_type));
                if parameters
                    .get(cell_type)
                    .is_none_or(|of| of.leaving_per_hour <= 0.0)
                {
                    continue;
                }
                let radius_um = bodies[row].radius_um * DRAWN;
                let a = states[row].antigen;
                let tint = Tint::Colour([0.55 - 0.40 * a, 0.72 - 0.20 * a, 0.40 - 0.30 * a, 1.0]);
                let mut random = RandomKey(8).stream(ids[row], 0, ARMS);
                for _ in 0..COUNT {
                    let way = random.direction();
                    let length = 1.5 + 0.8 * random.uniform();
                    let centre_um = positions[row].0;
                    glyphs.add(
                        Capsule {
                            from_um: centre_um + way * (0.7 * radius_um),
                            to_um: centre_um + way * (length * radius_um),
                            radius_um: 0.13 * radius_um,
                        },
                        tint,
                    );
                }
            }
        }
    });
}
