//! Measurements of a site: the columns of `metrics.csv`.
//!
//! Radii are taken from the cells themselves. With `d` the distance of tumour cells from their centroid:
//!
//! - `tumour_radius_um`: the 95th percentile of `d`, divided by `0.95^(1/3)`, plus the mean radius of
//!   a cell. For a ball of evenly spread cells this is its radius, and unlike the radius of gyration it does not
//!   change when the core empties.
//! - `viable_rim_um`: their difference, once there is a core.
//! - `necrotic_radius_um`: the radius that best separates the dead core from the viable rim, that is the one
//!   at which the number of necrotic cells inside minus the number of viable cells inside is largest; 0
//!   while there is no necrosis.

use bevy::math::DVec3;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::tally::{ExactSum, Questions, Tally};
use crate::biology::metabolism::MetabolismChemistry;
use crate::cell::{Phase, State};
use crate::core::parallel::for_each_chunk_mut;
use crate::core::parameters::{CellTypeNames, Limits, Parameters};
use crate::simulation::SiteMetrics;
use crate::tissue::{FieldValues, Molecules, SiteId, Sites};

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
pub fn measure(world: &World) -> Vec<SiteMetrics> {
    let sites = world.resource::<Sites>();
    let names = world.resource::<CellTypeNames>();
    let columns = columns(&names.0);
    let questions = Questions {
        sites: sites.list.len(),
        tumour: world
            .get_resource::<TumourTypes>()
            .map(|types| types.0.as_slice()),
        types: names.0.len(),
        hypoxic_below_mmhg: world
            .get_resource::<MetricsParameters>()
            .copied()
            .unwrap_or_default()
            .hypoxic_below_mmhg,
    };
    (0..)
        .map(SiteId)
        .zip(questions.tally(world))
        .map(|(site, tally)| {
            let radii = tumour_radii(&tally, |word| questions.of_tumour(world, site, word));
            let values = measure_site(world, site, &tally, radii);
            SiteMetrics {
                columns: columns.iter().cloned().zip(values).collect(),
            }
        })
        .collect()
}

fn measure_site(world: &World, site: SiteId, tally: &Tally, radii: (f64, f64)) -> Vec<f64> {
    let living = &tally.living;
    let mean = |sum: ExactSum| sum.value() / living.cells as f64;
    let state = |state: State| tally.states[state as usize] as f64;
    let mut values = vec![
        tally.cells() as f64,
        living.cells as f64,
        state(State::Apoptotic),
        state(State::NecroticSwelling) + state(State::NecroticLysed),
    ];
    values.extend(tally.types.iter().map(|count| *count as f64));
    values.extend(living.phases.map(|count| count as f64));
    let (radius, necrotic) = radii;
    let rim = if necrotic > 0.0 {
        radius - necrotic
    } else {
        f64::NAN
    };
    values.extend([radius, necrotic, rim]);

    let field = |name: &str| {
        let molecule = world.resource::<Molecules>().id(name)?;
        let field = world.resource::<Sites>().get(site).field(molecule)?;
        let values = world.get::<FieldValues>(field.entity)?;
        Some(Spread::of(&values.0))
    };
    let [oxygen, glucose, lactate, vegf] =
        ["oxygen", "glucose", "lactate", "vegf_a"].map(|name| field(name).unwrap_or(Spread::NONE));
    values.extend([
        oxygen.mean,
        oxygen.min,
        mean(living.oxygen_mmhg),
        living.hypoxic as f64 / living.cells as f64,
        mean(living.hif_1a),
        if living.cells > 0 {
            f64::from(living.hif_1a_max)
        } else {
            f64::NAN
        },
        glucose.min,
        lactate.max,
        f64::from(
            world
                .resource::<MetabolismChemistry>()
                .ph(lactate.max as f32),
        ),
        vegf.mean,
        vegf.max,
        mean(living.pressure),
        mean(living.volume_um3),
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

/// Distances sorted in one piece of a parallel loop.
const RUN: usize = 65_536;

/// Radius of the tumour and of its necrotic core, um; see the module's page for the definitions. `collect` hands
/// back what the function it is given makes of place and state of each of its cells.
fn tumour_radii(
    tally: &Tally,
    collect: impl FnOnce(&(dyn Fn(Vec3, State) -> u32 + Sync)) -> Vec<u32>,
) -> (f64, f64) {
    if tally.tumour == 0 {
        return (0.0, 0.0);
    }
    let cells = tally.tumour as f64;
    let centroid = DVec3::from(tally.tumour_centres_um.map(ExactSum::value)) / cells;
    // A distance and whether the cell is necrotic, in one word: distances are not negative, so their bits are in
    // their order, and the last one can be spared.
    let mut from_centre = collect(&|at, state| {
        let distance = at.as_dvec3().distance(centroid) as f32;
        distance.to_bits() & !1 | u32::from(state.is_necrotic())
    });
    // The stable sort finds the sorted runs and joins them.
    for_each_chunk_mut(&mut from_centre, RUN, |_, run| run.sort_unstable());
    from_centre.sort();
    let distance = |word: u32| f64::from(f32::from_bits(word & !1));
    const SHARE: f64 = 0.95;
    /// Cube root of [`SHARE`].
    const CBRT_SHARE: f64 = 0.983_047_572_5;
    let last = from_centre.len() - 1;
    let percentile = distance(from_centre[(SHARE * last as f64).round() as usize]);
    let radius = percentile / CBRT_SHARE + tally.tumour_radii_um.value() / cells;
    let (mut balance, mut best, mut necrotic) = (0_i64, 0_i64, 0.0);
    for word in from_centre {
        balance += if word & 1 == 1 { 1 } else { -1 };
        if balance > best {
            (best, necrotic) = (balance, distance(word));
        }
    }
    (radius, necrotic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::hypoxia::HifAxis;
    use crate::cell::{
        Body, BodyParameters, CellType, Cycle, Position, Resident, Surroundings, Vital,
    };
    use crate::core::{CellId, Purpose, RandomKey};

    #[test]
    fn radii_of_an_even_ball_with_a_dead_core_are_found_in_any_order() {
        let (outer, inner) = (250.0_f32, 120.0_f32);
        let n = 40_000;
        let mut measured = Vec::new();
        for stride in [1, 7_919] {
            let mut world = World::new();
            world.init_resource::<Sites>();
            world.register_component::<Cycle>();
            world.register_component::<HifAxis>();
            for k in 0..n {
                let id = CellId(k * stride % n);
                let mut random = RandomKey(1).stream(id, 0, Purpose::Placement);
                let distance = (outer - 8.4) * bevy::math::ops::cbrt(random.uniform());
                let at = distance * random.direction() + Vec3::new(30.0, -20.0, 5.0);
                let state = if distance < inner {
                    State::NecroticLysed
                } else {
                    State::Alive
                };
                world.spawn((
                    (id, CellType(0), Resident(SiteId(0)), Position(at)),
                    Body {
                        radius_um: 8.4,
                        ..BodyParameters::default().resting_body()
                    },
                    Surroundings {
                        pressure: 0.1 * random.uniform(),
                        ..Surroundings::default()
                    },
                    Vital {
                        state,
                        ..Vital::default()
                    },
                ));
            }
            let questions = Questions {
                sites: 1,
                tumour: None,
                types: 1,
                hypoxic_below_mmhg: 8.0,
            };
            let tally = questions.tally(&world).remove(0);
            assert_eq!(tally.cells(), n);
            let site = SiteId(0);
            let radii = tumour_radii(&tally, |word| questions.of_tumour(&world, site, word));
            let (radius, necrotic) = radii;
            assert!((radius / 250.0 - 1.0).abs() < 0.01, "{radius}");
            assert!((necrotic / 120.0 - 1.0).abs() < 0.02, "{necrotic}");
            measured.push((tally, radii));
        }
        assert_eq!(measured[0], measured[1]);
    }
}
