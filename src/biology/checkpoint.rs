//! The PD-1 checkpoint of a killer: how much of its PD-1 the PD-L1 of its target holds.
//!
//! In the cleft between two cells receptor and ligand find each other as in a thin layer of water. With `P` and `L` the densities of
//! PD-1 and PD-L1 that are free to bind and `K` their dissociation constant there, the density of complexes is in balance at
//!
//! `C = (P + L + K - sqrt((P + L + K)^2 - 4 P L)) / 2`,
//!
//! with `K` = 8.2 uM in a layer of 3 nm, 14.8 in a um2 (Cheng et al. 2013, PMID 23417675). An antibody takes the share `RO` of PD-1
//! (`checkpoint.blocked`), one against PD-L1 a share of that (`checkpoint.ligand_blocked`); what is left binds. The balance
//! comes within seconds, so [`bind_pd_1`] takes it as reached.
//!
//! What PD-L1 a killer meets is said by a rule on `checkpoint.pd_l1`, what the complexes do by rules by `checkpoint.complexes`. It runs
//! in `Signal` and writes only [`Checkpoint`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Vital};
use crate::core::SimSchedule;
use crate::core::SimSystems;
use crate::core::colour_map::ColourMap;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{
    Category, CategoryValue, HELD_BY_A_DRUG, NONE, Quantity, RegisterQuantities,
};
use crate::core::state::RegisterState;

/// The PD-1 of cells of a type (capability `checkpoint`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointParameters {
    /// PD-1 on the surface, molecules/um2; 185: 2.8e4 on a T cell (Cheng et al. 2013, PMID 23417675) [Q].
    pub pd_1_per_um2: f32,
    /// PD-L1 that the cell meets without any rule, molecules/um2; 0: it meets that of its target.
    pub pd_l1_per_um2: f32,
    /// Share of PD-1 that a drug holds, `RO`, 0-1, without any rule; 0.
    pub blocked: f32,
    /// Share of the PD-L1 that it meets that a drug holds, 0-1, without any rule; 0.
    pub ligand_blocked: f32,
}

impl Default for CheckpointParameters {
    fn default() -> Self {
        Self {
            pd_1_per_um2: 185.0,
            pd_l1_per_um2: 0.0,
            blocked: 0.0,
            ligand_blocked: 0.0,
        }
    }
}

/// Most receptors or ligands, molecules/um2.
const MOST_PER_UM2: f64 = 1.0e5;

impl Parameters for CheckpointParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "blocked" | "ligand_blocked" => Limits::FRACTION,
            _ => Limits {
                min: 0.0,
                max: MOST_PER_UM2,
            },
        }
    }
}

/// How PD-1 and PD-L1 bind, the same in all cells (group `checkpoints`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsParameters {
    /// Dissociation constant of PD-1 and PD-L1 in the cleft, `K`, molecules/um2; 14.8: 8.2 uM in a layer of 3 nm (Cheng et al. 2013, PMID
    /// 23417675) [Q].
    pub dissociation_per_um2: f32,
}

impl Default for CheckpointsParameters {
    fn default() -> Self {
        Self {
            dissociation_per_um2: 14.8,
        }
    }
}

impl Parameters for CheckpointsParameters {
    fn limits(_field: &str) -> Limits {
        Limits {
            min: 1.0e-3,
            max: MOST_PER_UM2,
        }
    }
}

/// The PD-1 of a cell, as it is just now.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Checkpoint {
    /// PD-1 that PD-L1 holds, molecules/um2.
    pub complexes_per_um2: f32,
    /// All PD-1 on the surface, molecules/um2.
    pub pd_1_per_um2: f32,
    /// Share of it that a drug holds, 0-1.
    pub blocked: f32,
}

impl Checkpoint {
    /// Share of PD-1 that PD-L1 holds, 0-1; none where the cell has no PD-1.
    pub fn occupancy(&self) -> f32 {
        if self.pd_1_per_um2 > 0.0 {
            self.complexes_per_um2 / self.pd_1_per_um2
        } else {
            NONE
        }
    }
}

/// Complexes of `receptor` and `ligand` in balance, all in molecules/um2; `dissociation` is above 0.
pub fn complexes(receptor: f32, ligand: f32, dissociation: f32) -> f32 {
    let sum = receptor + ligand + dissociation;
    let product = receptor * ligand;
    // The other form of the smaller root: nothing cancels in it.
    2.0 * product / (sum + (sum * sum - 4.0 * product).max(0.0).sqrt())
}

/// The inputs.
const PD_1: &str = "checkpoint.pd_1";
const PD_L1: &str = "checkpoint.pd_l1";
const BLOCKED: &str = "checkpoint.blocked";
const LIGAND_BLOCKED: &str = "checkpoint.ligand_blocked";

/// PD-1 of living cells binds the PD-L1 that they meet.
pub fn bind_pd_1(
    parameters: Res<PerType<CheckpointParameters>>,
    constants: Res<CheckpointsParameters>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Checkpoint)>,
) {
    let parameters = &*parameters;
    let dissociation = constants.dissociation_per_um2;
    let inputs = [PD_1, PD_L1, BLOCKED, LIGAND_BLOCKED].map(|name| inputs.input(name));
    for (entities, types, vitals, mut checkpoints) in cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        let inputs = inputs.map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(checkpoints.bypass_change_detection(), |row, checkpoint| {
            let Some((cell_type, _)) = living.at(row) else {
                checkpoint.complexes_per_um2 = 0.0;
                return;
            };
            let [pd_1, pd_l1, blocked, ligand_blocked] =
                inputs.map(|input| input.at(row, cell_type));
            *checkpoint = Checkpoint {
                complexes_per_um2: complexes(
                    pd_1 * (1.0 - blocked),
                    pd_l1 * (1.0 - ligand_blocked),
                    dissociation,
                ),
                pd_1_per_um2: pd_1,
                blocked,
            };
        });
    }
}

/// The PD-1 checkpoint.
pub struct CheckpointPlugin;

impl Plugin for CheckpointPlugin {
    fn build(&self, app: &mut App) {
        app.register_group::<CheckpointsParameters>("checkpoints")
            .register_capability::<CheckpointParameters>("checkpoint")
            .register_cell_state::<Checkpoint>("checkpoint");
        for (name, unit, about, field) in [
            (
                PD_1,
                "1/um2",
                "PD-1 on the surface of a cell.",
                "pd_1_per_um2",
            ),
            (PD_L1, "1/um2", "PD-L1 that a cell meets.", "pd_l1_per_um2"),
            (
                BLOCKED,
                "",
                "Share of a cell's PD-1 that a drug holds (receptor occupancy).",
                "blocked",
            ),
            (
                LIGAND_BLOCKED,
                "",
                "Share of the PD-L1 that a cell meets that a drug holds.",
                "ligand_blocked",
            ),
        ] {
            app.register_input::<CheckpointParameters>(InputInfo::new(name, unit, about), field);
        }
        register_what_can_be_known(app);
        app.begin_cells(|place| {
            let parameters = place.parameters::<CheckpointParameters>()?;
            Some(Beginning::settled(Checkpoint {
                pd_1_per_um2: parameters.pd_1_per_um2,
                ..Checkpoint::default()
            }))
        })
        .register_cell_invariant::<Checkpoint>(SimSystems::Signal, "bind_pd_1", |checkpoint| {
            let most = checkpoint.pd_1_per_um2 * 1.000_01;
            outside(
                "its PD-1",
                checkpoint.pd_1_per_um2,
                0.0,
                MOST_PER_UM2 as f32,
            )
            .or_else(|| outside("its held PD-1", checkpoint.complexes_per_um2, 0.0, most))
        })
        .while_in_transit(bind_pd_1, InTransit::Runs, "what it meets is said by rules")
        .add_systems(SimSchedule, bind_pd_1.in_set(SimSystems::Signal));
    }
}

/// Share of PD-1 from which it counts as held by a drug.
const HELD_FROM: f32 = 0.5;

/// Quantities, a category and metrics.
fn register_what_can_be_known(app: &mut App) {
    const SOURCE: &str = "Cheng et al. 2013, PMID 23417675";
    app.register_quantity::<Checkpoint>(
        Quantity::new(
            "checkpoint.complexes",
            "1/um2",
            "PD-1 of the cell that PD-L1 holds.",
        )
        .label("PD-1 held")
        .column("pd_1_complexes_per_um2")
        .range(0.0, 185.0)
        .source(SOURCE)
        .of_the_living(),
        |checkpoint| checkpoint.complexes_per_um2,
    )
    .register_quantity::<Checkpoint>(
        Quantity::new(
            "checkpoint.occupancy",
            "",
            "Share of the cell's PD-1 that PD-L1 holds.",
        )
        .label("PD-1 occupancy")
        .column("pd_1_occupancy")
        .range(0.0, 1.0)
        .colours(ColourMap::Ember)
        .source(SOURCE)
        .of_the_living()
        .featured(),
        Checkpoint::occupancy,
    )
    .register_quantity::<Checkpoint>(
        Quantity::new(
            "checkpoint.blocked",
            "",
            "Share of the cell's PD-1 that a drug holds.",
        )
        .label("PD-1 blocked")
        .range(0.0, 1.0)
        .of_the_living()
        .no_column(),
        |checkpoint| checkpoint.blocked,
    )
    .register_category::<Checkpoint>(
        Category {
            name: "pd_1_drug".into(),
            label: "PD-1".into(),
            about: "Whether a drug holds at least half of the cell's PD-1.".into(),
            values: vec![
                CategoryValue::new("free", "PD-1 free of drugs").colour([0.62, 0.62, 0.62]),
                CategoryValue::new("held", "PD-1 held by a drug")
                    .colour(HELD_BY_A_DRUG)
                    .rim(HELD_BY_A_DRUG),
            ],
            prevails: false,
            of_the_living: true,
        },
        |checkpoint| u8::from(checkpoint.blocked >= HELD_FROM),
    )
    .register_metric(
        Metric::new(
            "pd_1_occupancy_mean",
            "",
            "Mean share of PD-1 that PD-L1 holds, of living cells that have it.",
        )
        .label("PD-1 occupancy")
        .plot("PD-1 occupancy"),
        Measure::Mean("checkpoint.occupancy".into()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Surroundings;
    use crate::cell::testing::{bench, cell, set, step};

    /// The smaller root of `C^2 - (P + L + K) C + P L = 0`, by bisection in double precision.
    fn balance(receptor: f64, ligand: f64, dissociation: f64) -> f64 {
        let (mut low, mut high) = (0.0, receptor.min(ligand));
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if (receptor - middle) * (ligand - middle) > dissociation * middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    #[test]
    fn complexes_are_in_the_balance_of_mass_action() {
        for receptor in [0.0, 1.0e-3, 18.5, 185.0, 1.0e5] {
            for ligand in [0.0, 0.1, 130.0, 780.0, 1.0e5] {
                for dissociation in [1.0e-3, 14.8, 1.0e4] {
                    let expected = balance(receptor, ligand, dissociation);
                    let found = complexes(receptor as f32, ligand as f32, dissociation as f32);
                    let slack = 1.0e-3 * expected + 1.0e-9;
                    assert!(
                        (f64::from(found) - expected).abs() <= slack,
                        "{receptor}, {ligand}, {dissociation}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_drug_takes_its_share_of_the_receptor_and_the_dead_hold_nothing() {
        for (blocked, ligand_blocked) in [(0.0, 0.0), (0.9, 0.0), (0.0, 0.9), (1.0, 0.0)] {
            let mut app = bench(1.0);
            app.add_plugins(CheckpointPlugin);
            set(
                &mut app,
                CheckpointParameters {
                    pd_l1_per_um2: 130.0,
                    blocked,
                    ligand_blocked,
                    ..CheckpointParameters::default()
                },
            );
            let around = Surroundings::default();
            let alive = (cell(1, around), Checkpoint::default());
            let alive = app.world_mut().spawn(alive).id();
            let vital = Vital {
                state: crate::cell::State::Apoptotic,
                ..Vital::default()
            };
            let dead = (cell(2, around), Checkpoint::default(), vital);
            let dead = app.world_mut().spawn(dead).id();
            step(&mut app);
            let of = |cell| *app.world().get::<Checkpoint>(cell).expect("it has one");
            let free = 185.0 * (1.0 - f64::from(blocked));
            let expected = balance(free, 130.0 * (1.0 - f64::from(ligand_blocked)), 14.8);
            let found = f64::from(of(alive).complexes_per_um2);
            assert!((found - expected).abs() < 1.0e-3 * expected + 1.0e-6);
            assert!((f64::from(of(alive).occupancy()) - expected / 185.0).abs() < 1.0e-3);
            assert_eq!(of(dead).complexes_per_um2, 0.0);
        }
    }
}
