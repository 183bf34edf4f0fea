//! Measurements of a site: the columns of `metrics.csv`.
//!
//! Radii are taken from the cells themselves. With `d` the distance of tumour cells from their centroid:
//!
//! - `tumour_radius_um`: the 95th percentile of `d`, divided by `0.95^(1/3)`, plus the mean radius of
//!   a cell. For a ball of evenly spread cells this is its radius, and unlike the radius of gyration it does not change when the core empties.
//! - `viable_rim_um`: their difference, once there is a core.
//! - `necrotic_radius_um`: the radius that best separates the dead core from the viable rim, that is the one
//!   at which the number of necrotic cells inside minus the number of viable cells inside is largest; 0
//!   while there is no necrosis.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::census::{CellRow, Census};
use crate::biology::metabolism::MetabolismChemistry;
use crate::cell::{Phase, State};
use crate::core::parameters::{CellTypeNames, Limits, Parameters};
use crate::simulation::SiteMetrics;
use crate::tissue::{FieldValues, Molecule, SiteId, Sites};

/// What counts as what in measurements.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct MetricsParameters {
    /// A living cell at or below this oxygen is hypoxic, mmHg (onset of the hypoxic response, Ghaffarizadeh
    /// et al. 2018).
    pub hypoxic_below_mmhg: f32,
}

impl Default for MetricsParameters {
    fn default() -> Self {
        Self {
            hypoxic_below_mmhg: 8.0,
        }
    }
}

impl Parameters for MetricsParameters {
    fn limits(_field: &str) -> Limits {
        Limits::NON_NEGATIVE
    }
}

/// Which cell types make up the tumour, by index of the type.
#[derive(Resource, Clone, Debug, Default)]
pub struct TumourTypes(pub Vec<bool>);

/// The names of all columns, for a scene with these cell types. The same for every site.
pub fn columns(cell_types: &[String]) -> Vec<String> {
    let mut names: Vec<String> = ["cells", "cells_alive", "cells_apoptotic", "cells_necrotic"]
        .map(Into::into)
        .into();
    names.extend(cell_types.iter().map(|name| format!("cells_{name}")));
    names.extend(
        Phase::ALL
            .iter()
            .map(|phase| format!("cells_in_{}", phase_name(*phase))),
    );
    names.extend(
        [
            "tumour_radius_um",
            "necrotic_radius_um",
            "viable_rim_um",
            "oxygen_mean_mmhg",
            "oxygen_min_mmhg",
            "oxygen_at_cells_mean_mmhg",
            "hypoxic_fraction",
            "hif_1a_mean",
            "hif_1a_max",
            "glucose_min_mm",
            "lactate_max_mm",
            "ph_min",
            "vegf_a_mean_nm",
            "vegf_a_max_nm",
            "pressure_mean",
            "cell_volume_mean_um3",
        ]
        .map(Into::into),
    );
    names
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::G0G1 => "g0g1",
        Phase::S => "s",
        Phase::G2 => "g2",
        Phase::M => "m",
    }
}

/// Measures every site of a world. Values that do not exist (oxygen where there is none) are NaN.
pub fn measure(world: &World, census: &Census) -> Vec<SiteMetrics> {
    let sites = world.resource::<Sites>();
    let names = world.resource::<CellTypeNames>();
    let columns = columns(&names.0);
    (0..sites.list.len())
        .map(|site| {
            let values = measure_site(world, SiteId(site as u16), census, names.0.len());
            SiteMetrics {
                columns: columns.iter().cloned().zip(values).collect(),
            }
        })
        .collect()
}

fn measure_site(world: &World, site: SiteId, census: &Census, types: usize) -> Vec<f64> {
    let parameters = world
        .get_resource::<MetricsParameters>()
        .copied()
        .unwrap_or_default();
    let tumour_types = world.get_resource::<TumourTypes>();
    let cells: Vec<&CellRow> = census
        .cells
        .iter()
        .filter(|cell| cell.site == site)
        .collect();
    let count =
        |test: &dyn Fn(&CellRow) -> bool| cells.iter().filter(|cell| test(cell)).count() as f64;
    let alive: Vec<&CellRow> = cells
        .iter()
        .filter(|cell| cell.state == State::Alive)
        .copied()
        .collect();
    let mean = |value: &dyn Fn(&CellRow) -> f32| {
        alive.iter().map(|cell| f64::from(value(cell))).sum::<f64>() / alive.len() as f64
    };
    let mut values = vec![
        cells.len() as f64,
        alive.len() as f64,
        count(&|cell| cell.state == State::Apoptotic),
        count(&|cell| cell.state.is_necrotic()),
    ];
    values.extend((0..types).map(|index| count(&|cell| usize::from(cell.cell_type) == index)));
    values.extend(
        Phase::ALL.map(|phase| count(&|cell| cell.state == State::Alive && cell.phase == phase)),
    );

    let is_tumour = |cell: &CellRow| {
        tumour_types.is_none_or(|types| {
            types
                .0
                .get(usize::from(cell.cell_type))
                .copied()
                .unwrap_or(false)
        })
    };
    let tumour: Vec<&CellRow> = cells
        .iter()
        .filter(|cell| is_tumour(cell))
        .copied()
        .collect();
    let (radius, necrotic) = tumour_radii(&tumour);
    let rim = if necrotic > 0.0 {
        radius - necrotic
    } else {
        f64::NAN
    };
    values.extend([radius, necrotic, rim]);

    let field = |molecule: Molecule| {
        world.resource::<Sites>().get(site).fields[molecule as usize]
            .and_then(|field| world.get::<FieldValues>(field))
            .map(|values| Spread::of(&values.0))
            .unwrap_or(Spread::NONE)
    };
    let (oxygen, glucose, lactate, vegf) = (
        field(Molecule::Oxygen),
        field(Molecule::Glucose),
        field(Molecule::Lactate),
        field(Molecule::VegfA),
    );
    values.extend([
        oxygen.mean,
        oxygen.min,
        mean(&|cell| cell.around.oxygen_mmhg),
        alive
            .iter()
            .filter(|cell| cell.around.oxygen_mmhg <= parameters.hypoxic_below_mmhg)
            .count() as f64
            / alive.len() as f64,
        mean(&|cell| cell.hif_1a),
        alive
            .iter()
            .map(|cell| f64::from(cell.hif_1a))
            .fold(f64::NAN, f64::max),
        glucose.min,
        lactate.max,
        f64::from(
            world
                .resource::<MetabolismChemistry>()
                .ph(lactate.max as f32),
        ),
        vegf.mean,
        vegf.max,
        mean(&|cell| cell.around.pressure),
        mean(&|cell| crate::core::units::ball_volume_um3(cell.radius_um)),
    ]);
    values
}

/// Mean, smallest and largest value of a field.
struct Spread {
    mean: f64,
    min: f64,
    max: f64,
}

impl Spread {
    const NONE: Self = Self {
        mean: f64::NAN,
        min: f64::NAN,
        max: f64::NAN,
    };

    fn of(values: &[f32]) -> Self {
        let pieces = crate::core::parallel::map_chunks(values.len(), 65_536, |_, range| {
            values[range]
                .iter()
                .fold((0.0, f32::MAX, f32::MIN), |(sum, min, max), value| {
                    (sum + f64::from(*value), min.min(*value), max.max(*value))
                })
        });
        let (sum, min, max) = pieces
            .into_iter()
            .fold((0.0, f32::MAX, f32::MIN), |all, piece| {
                (all.0 + piece.0, all.1.min(piece.1), all.2.max(piece.2))
            });
        Self {
            mean: sum / values.len() as f64,
            min: min.into(),
            max: max.into(),
        }
    }
}

/// Radius of the tumour and of its necrotic core, um; see the module's page for the definitions.
fn tumour_radii(cells: &[&CellRow]) -> (f64, f64) {
    if cells.is_empty() {
        return (0.0, 0.0);
    }
    let centroid = cells
        .iter()
        .map(|cell| cell.position_um.as_dvec3())
        .sum::<bevy::math::DVec3>()
        / cells.len() as f64;
    let mut from_centre: Vec<(f64, State)> = cells
        .iter()
        .map(|cell| (cell.position_um.as_dvec3().distance(centroid), cell.state))
        .collect();
    from_centre.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    const SHARE: f64 = 0.95;
    /// Cube root of [`SHARE`].
    const CBRT_SHARE: f64 = 0.983_047_572_5;
    let last = from_centre.len() - 1;
    let percentile = from_centre[(SHARE * last as f64).round() as usize].0;
    let cell_radius = cells
        .iter()
        .map(|cell| f64::from(cell.radius_um))
        .sum::<f64>()
        / cells.len() as f64;
    let radius = percentile / CBRT_SHARE + cell_radius;
    let (mut balance, mut best, mut necrotic) = (0_i64, 0_i64, 0.0);
    for (distance, state) in from_centre {
        balance += if state.is_necrotic() { 1 } else { -1 };
        if balance > best {
            (best, necrotic) = (balance, distance);
        }
    }
    (radius, necrotic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Surroundings;
    use crate::core::{CellId, Purpose, RandomKey};

    #[test]
    fn radii_of_an_even_ball_with_a_dead_core_are_found() {
        let (outer, inner) = (250.0_f32, 120.0_f32);
        let cells: Vec<CellRow> = (0..40_000)
            .map(|id| {
                let mut random = RandomKey(1).stream(CellId(id), 0, Purpose::Placement);
                let distance = (outer - 8.4) * bevy::math::ops::cbrt(random.uniform());
                CellRow {
                    id: CellId(id),
                    cell_type: 0,
                    site: SiteId(0),
                    position_um: distance * random.direction() + Vec3::new(30.0, -20.0, 5.0),
                    radius_um: 8.4,
                    nucleus_radius_um: 5.0,
                    phase: Phase::G0G1,
                    state: if distance < inner {
                        State::NecroticLysed
                    } else {
                        State::Alive
                    },
                    around: Surroundings::default(),
                    hif_1a: 0.0,
                }
            })
            .collect();
        let (radius, necrotic) = tumour_radii(&cells.iter().collect::<Vec<_>>());
        assert!((radius / 250.0 - 1.0).abs() < 0.01, "{radius}");
        assert!((necrotic / 120.0 - 1.0).abs() < 0.02, "{necrotic}");
    }
}
