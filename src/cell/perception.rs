//! Cells notice what surrounds them: the `Perceive` stage.
//!
//! Each cell finds its voxel and reads the fields there; where host vessels may have to give way, its volume
//! is booked for the voxel. Pressure and contacts are those of the last `Move`. Values are those of the voxel,
//! not interpolated, so that a cell takes up what it perceives.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::body::{Body, Position, Resident};
use super::surroundings::Surroundings;
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, ROWS, for_each_chunk_mut};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::transport::CellVolume;
use crate::tissue::{FieldValues, Molecule, Sites, TissueBlock};

/// What cells perceive of molecules that a site does not simulate.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct BackgroundParameters {
    /// Oxygen, mmHg: well supplied tissue, 5 % O2 (Ghaffarizadeh et al. 2018).
    pub oxygen_mmhg: f32,
    /// Glucose, mM: that of blood.
    pub glucose_mm: f32,
    /// Lactate, mM: low end of blood.
    pub lactate_mm: f32,
}

impl Default for BackgroundParameters {
    fn default() -> Self {
        Self {
            oxygen_mmhg: 38.0,
            glucose_mm: 5.5,
            lactate_mm: 1.0,
        }
    }
}

impl Parameters for BackgroundParameters {
    fn limits(_field: &str) -> Limits {
        Limits::NON_NEGATIVE
    }
}

/// Adds the `Perceive` stage.
pub struct PerceptionPlugin;

/// Title of the plot of the oxygen that cells find.
const OXYGEN_PLOT: &str = "Oxygen at living cells";

impl Plugin for PerceptionPlugin {
    fn build(&self, app: &mut App) {
        app.register_group::<BackgroundParameters>("background")
            .register_quantity::<Surroundings>(
                Quantity::new("oxygen", "mmHg", "Oxygen at the cell.")
                    .column("oxygen_mmhg")
                    .range(0.0, 38.0)
                    .colours("ember")
                    .contours(&[5.0, 13.0])
                    .featured(),
                |around| around.oxygen_mmhg,
            )
            .register_quantity::<Surroundings>(
                Quantity::new("glucose", "mM", "Glucose at the cell.")
                    .column("glucose_mm")
                    .range(0.0, 5.5)
                    .colours("cividis"),
                |around| around.glucose_mm,
            )
            .register_quantity::<Surroundings>(
                Quantity::new("lactate", "mM", "Lactate at the cell.")
                    .column("lactate_mm")
                    .range(0.0, 12.0),
                |around| around.lactate_mm,
            )
            .register_metric(
                Metric::new(
                    "oxygen_at_cells_mean_mmhg",
                    "mmHg",
                    "Mean oxygen at living cells.",
                )
                .label("mean")
                .plot(OXYGEN_PLOT)
                .colour([0.337, 0.706, 0.914]),
                Measure::Mean("oxygen".into()),
            )
            .register_metric(
                Metric::new(
                    "oxygen_at_cells_min_mmhg",
                    "mmHg",
                    "Lowest oxygen at a living cell.",
                )
                .label("lowest")
                .plot(OXYGEN_PLOT)
                .colour([0.902, 0.624, 0.0]),
                Measure::Least("oxygen".into()),
            )
            .register_cell_invariant::<Surroundings>(SimSystems::Perceive, "perceive", |around| {
                outside(
                    "the oxygen around it, mmHg,",
                    around.oxygen_mmhg,
                    0.0,
                    f32::MAX,
                )
                .or_else(|| outside("the glucose, mM,", around.glucose_mm, 0.0, f32::MAX))
                .or_else(|| outside("the lactate, mM,", around.lactate_mm, 0.0, f32::MAX))
            })
            .add_systems(
                SimSchedule,
                (clear_volumes, perceive)
                    .chain()
                    .in_set(SimSystems::Perceive),
            );
    }
}

fn clear_volumes(mut volumes: Query<&mut CellVolume>) {
    for mut volume in &mut volumes {
        volume.0.clear();
    }
}

/// Finds each cell's voxel and reads the fields in it.
fn perceive(
    background: Res<BackgroundParameters>,
    sites: Res<Sites>,
    volumes: Query<&CellVolume>,
    fields: Query<&FieldValues>,
    mut cells: Query<(&Resident, &Position, &Body, &mut Surroundings)>,
) {
    struct Readable<'a> {
        block: &'a TissueBlock,
        /// Where volumes are booked; none in a site without vessels.
        volume: Option<&'a CellVolume>,
        fields: [Option<&'a [f32]>; Molecule::ALL.len()],
    }
    let readable: Vec<Readable> = sites
        .list
        .iter()
        .map(|site| Readable {
            block: &site.block,
            volume: site
                .block
                .perfusion_length_um
                .and_then(|_| volumes.get(site.entity).ok()),
            fields: site.fields.map(|field| {
                field
                    .and_then(|field| fields.get(field).ok())
                    .map(|field| field.0.as_slice())
            }),
        })
        .collect();
    for (residents, positions, bodies, mut around) in cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        for_each_chunk_mut(around.bypass_change_detection(), ROWS, |start, around| {
            for (row, around) in (start..).zip(around) {
                let site = &readable[usize::from(residents[row].0.0)];
                let voxel = site.block.voxel_at(positions[row].0);
                if let Some(volume) = site.volume {
                    volume.0.add(voxel, bodies[row].volume_um3());
                }
                let read = |molecule: Molecule, otherwise: f32| {
                    site.fields[molecule as usize]
                        .map_or(otherwise, |values| values[voxel as usize])
                };
                around.voxel = voxel;
                around.oxygen_mmhg = read(Molecule::Oxygen, background.oxygen_mmhg);
                around.glucose_mm = read(Molecule::Glucose, background.glucose_mm);
                around.lactate_mm = read(Molecule::Lactate, background.lactate_mm);
            }
        });
    }
}
