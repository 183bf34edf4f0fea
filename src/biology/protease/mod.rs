//! Proteases: what cells dissolve the matrix with, and lysyl oxidase, with which they bind it together.
//!
//! A cell secretes soluble MMP (MMP-2 and MMP-9) and LOX into the voxel of its leading edge, and carries MT1-MMP on its surface, from
//! none (0) to as much as a mesenchymal cell (1). Soluble MMP is a weapon of many: one cell makes 0.005 nM around it. MT1-MMP is that of
//! the single cell. An inhibitor of both leaves the share `1 - inhibited_share` of what is made active; what is not counts as not there.
//!
//! What raises them are rules on the inputs `protease.mmp`, `protease.mt1_mmp` and `protease.lox`; what they digest are rules by
//! the quantity `protease.mt1_mmp`, and the fields of the molecules `mmp` and `lox`. [`express`] runs in `Signal` and writes only
//! [`Protease`]; [`secrete`] books in `Act`. `picture` shows both.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::motility::LEADING_EDGE_UM;
use crate::cell::{
    ActSystems, Body, CellType, Living, Motility, Position, Resident, Vital, order_act,
};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::metric::{Measure, Metric, RegisterMetrics};
use crate::core::parallel::{IN_TABLES, for_each_row, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::{Bookings, RegisterMoleculeUse, Sites};

mod picture;

/// What inhibits proteases, the same in all tissues (group `proteases`).
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ProteasesParameters {
    /// Share of MMP and MT1-MMP that an inhibitor blocks, 0-1; a broad one, as marimastat, 0.9. Assumed.
    pub inhibited_share: f32,
}

impl Parameters for ProteasesParameters {
    fn limits(_: &str) -> Limits {
        Limits::FRACTION
    }
}

/// What cells of a type make (capability `protease`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct ProteaseParameters {
    /// Soluble MMP, molecules/s; 3 of an epithelial cancer cell in normoxia. Calibrated: 0.27 nM at the membrane of a duct of 100 um.
    pub mmp_molecules_per_s: f32,
    /// MT1-MMP on the surface over that of a mesenchymal cell, 0-1.
    pub mt1_mmp: f32,
    /// LOX, molecules/s. Assumed.
    pub lox_molecules_per_s: f32,
}

impl Parameters for ProteaseParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "mt1_mmp" => Limits::FRACTION,
            _ => Limits {
                min: 0.0,
                max: 1.0e6,
            },
        }
    }
}

/// What a cell makes just now.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Protease {
    /// Active soluble MMP, molecules/s.
    pub mmp_molecules_per_s: f32,
    /// Active MT1-MMP on its surface, 0-1.
    pub mt1_mmp: f32,
    /// LOX, molecules/s.
    pub lox_molecules_per_s: f32,
}

/// The inputs.
const MMP: &str = "protease.mmp";
const MT1_MMP: &str = "protease.mt1_mmp";
const LOX: &str = "protease.lox";

/// Living cells make proteases as rules say; dead ones none.
pub fn express(
    parameters: Res<PerType<ProteaseParameters>>,
    proteases: Res<ProteasesParameters>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Protease)>,
) {
    let parameters = &*parameters;
    let active = 1.0 - proteases.inhibited_share;
    let [mmp, mt1_mmp, lox] = [MMP, MT1_MMP, LOX].map(|name| inputs.input(name));
    for (entities, types, vitals, mut made) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let [mmp, mt1_mmp, lox] = [&mmp, &mt1_mmp, &lox].map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(made.bypass_change_detection(), |row, made| {
            *made = if let Some((cell_type, _)) = living.at(row) {
                Protease {
                    mmp_molecules_per_s: active * mmp.at(row, cell_type),
                    mt1_mmp: active * mt1_mmp.at(row, cell_type),
                    lox_molecules_per_s: lox.at(row, cell_type),
                }
            } else {
                Protease::default()
            };
        });
    }
}

/// Cells secrete into the voxel of their leading edge; those that do not walk into their own.
pub fn secrete(
    sites: Res<Sites>,
    bookings: Bookings,
    cells: Query<(&Resident, &Position, &Body, Option<&Motility>, &Protease)>,
) {
    let [mmp, lox] = ["mmp", "lox"].map(|name| bookings.of(name));
    if mmp.is_nowhere() && lox.is_nowhere() {
        return;
    }
    for (residents, positions, bodies, walks, proteases) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        for_each_row(residents.len(), |row| {
            let site = residents[row].0;
            let Some(entry) = sites.find(site) else {
                return;
            };
            let ahead = walks.map_or(Vec3::ZERO, |walks| walks[row].direction);
            let edge = positions[row].0 + ahead * (bodies[row].radius_um + LEADING_EDGE_UM);
            let voxel = entry.block.voxel_at(edge);
            let made = &proteases[row];
            // What is never booked is solved in a simpler way.
            if made.mmp_molecules_per_s > 0.0 {
                mmp.secrete(site, voxel, made.mmp_molecules_per_s);
            }
            if made.lox_molecules_per_s > 0.0 {
                lox.secrete(site, voxel, made.lox_molecules_per_s);
            }
        });
    }
}

/// Proteases and lysyl oxidase.
pub struct ProteasePlugin;

impl Plugin for ProteasePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_molecule_use("protease", "mmp")
            .register_molecule_use("protease", "lox")
            .register_group::<ProteasesParameters>("proteases")
            .register_capability::<ProteaseParameters>("protease")
            .register_cell_state::<Protease>("protease")
            .register_input::<ProteaseParameters>(
                InputInfo::new(MMP, "molecules/s", "Secretion of soluble MMP."),
                "mmp_molecules_per_s",
            )
            .register_input::<ProteaseParameters>(
                InputInfo::new(MT1_MMP, "", "MT1-MMP on the surface of a cell, 0-1."),
                "mt1_mmp",
            )
            .register_input::<ProteaseParameters>(
                InputInfo::new(LOX, "molecules/s", "Secretion of lysyl oxidase."),
                "lox_molecules_per_s",
            );
        picture::register(app);
        register_what_can_be_known(app);
        app.begin_cells(|place| {
            let parameters = place.parameters::<ProteaseParameters>()?;
            let active = 1.0
                - place
                    .world
                    .resource::<ProteasesParameters>()
                    .inhibited_share;
            Some(Beginning::settled(Protease {
                mmp_molecules_per_s: active * parameters.mmp_molecules_per_s,
                mt1_mmp: active * parameters.mt1_mmp,
                lox_molecules_per_s: parameters.lox_molecules_per_s,
            }))
        })
        .register_cell_invariant::<Protease>(SimSystems::Signal, "express", |made| {
            outside("its MT1-MMP", made.mt1_mmp, 0.0, 1.0)
        })
        .while_in_transit(
            express,
            InTransit::Runs,
            "it makes what rules say, wherever it is",
        )
        .while_in_transit(secrete, InTransit::Pauses, "there is no voxel to book in")
        .add_systems(
            SimSchedule,
            (
                express.in_set(SimSystems::Signal),
                secrete.in_set(ActSystems::Exchange),
            ),
        );
    }
}

/// Quantities and metrics.
fn register_what_can_be_known(app: &mut App) {
    app.register_quantity::<Protease>(
        Quantity::new(
            "protease.mmp",
            "molecules/s",
            "Active soluble MMP that the cell secretes.",
        )
        .label("MMP secretion")
        .column("mmp_molecules_per_s")
        .range(0.0, 45.0)
        .source("3 (1 + 4 N) (1 + 2 H), calibrated to the opening of a duct of 100 um in 2-5 d")
        .of_the_living(),
        |made| made.mmp_molecules_per_s,
    )
    .register_quantity::<Protease>(
        Quantity::new(
            "protease.mt1_mmp",
            "",
            "Active MT1-MMP on the surface of the cell over that of a mesenchymal one.",
        )
        .label("MT1-MMP")
        .column("mt1_mmp")
        .range(0.0, 1.0)
        .source("Wolf et al. 2013, doi:10.1083/jcb.201210152")
        .of_the_living()
        .featured(),
        |made| made.mt1_mmp,
    )
    .register_quantity::<Protease>(
        Quantity::new(
            "protease.lox",
            "molecules/s",
            "Lysyl oxidase that the cell secretes.",
        )
        .label("LOX secretion")
        .range(0.0, 3.0)
        .source("HIF-1a raises LOX, Erler et al. 2006, doi:10.1038/nature04695")
        .of_the_living()
        .no_column(),
        |made| made.lox_molecules_per_s,
    )
    .register_metric(
        Metric::new(
            "mt1_mmp_mean",
            "",
            "Mean MT1-MMP on the surface of living cells that have proteases.",
        ),
        Measure::Mean("protease.mt1_mmp".into()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::testing::shipped_input;
    use crate::cell::testing::*;
    use crate::cell::{BodyParameters, State, Surroundings};
    use crate::tissue::{Ledger, TissueBlock};

    /// A bench with two voxels side by side along x, and the ledger of MMP.
    fn bench_with_ledger() -> (App, Entity) {
        let mut app = bench(1.0);
        app.add_plugins(ProteasePlugin);
        let ledger = app.world_mut().spawn(Ledger::new(2)).id();
        let block = TissueBlock {
            name: "block".into(),
            min_um: Vec3::ZERO,
            dims: UVec3::new(2, 1, 1),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        };
        add_site(&mut app, block, &[("mmp", ledger)]);
        set(
            &mut app,
            ProteaseParameters {
                mmp_molecules_per_s: 3.0,
                mt1_mmp: 0.5,
                lox_molecules_per_s: 1.0,
            },
        );
        (app, ledger)
    }

    #[test]
    fn mmp_comes_out_at_the_leading_edge_and_an_inhibitor_takes_its_share() {
        for inhibited_share in [0.0, 0.9] {
            let (mut app, ledger) = bench_with_ledger();
            app.insert_resource(ProteasesParameters { inhibited_share });
            let walk = Motility {
                direction: Vec3::X,
                speed_um_per_min: 0.0,
                mean_direction: Vec3::X,
            };
            let dead = Vital {
                state: State::NecroticLysed,
                ..Vital::default()
            };
            let at = Position(Vec3::new(15.0, 10.0, 10.0));
            let body = BodyParameters::default().resting_body();
            for (id, vital) in [(0, Vital::default()), (1, dead)] {
                let bundle = cell(id, Surroundings::default());
                app.world_mut()
                    .spawn(bundle)
                    .insert((vital, walk, at, body, Protease::default()));
            }
            step(&mut app);
            let ledger = app.world().get::<Ledger>(ledger).expect("it was spawned");
            // Only the living one, 3 molecules a second into 8e-12 L, in front of it.
            let nm_per_min = 3.0 * 60.0 / 6.022_140_76e23 / 8e-12 * 1e9;
            let found = f64::from(ledger.source().sum(1));
            let expected = nm_per_min * (1.0 - f64::from(inhibited_share));
            assert!((found / expected - 1.0).abs() < 1e-4, "{found}");
            assert_eq!(ledger.source().sum(0), 0.0);
        }
    }

    #[test]
    fn hypoxia_and_mesenchymal_cells_raise_proteases_as_published() {
        // 3 (1 + 4 N) (1 + 2 H): 3, 9, 15 and 45 molecules/s.
        for (n_cadherin, hif, expected) in [
            (0.0, 0.0, 3.0),
            (0.0, 1.0, 9.0),
            (1.0, 0.0, 15.0),
            (1.0, 1.0, 45.0),
        ] {
            let at = [("emt.n_cadherin", n_cadherin), ("hif.level", hif)];
            let found = shipped_input(MMP, &at);
            assert!((found / expected - 1.0).abs() < 1e-5, "{found}, {expected}");
        }
        for (n_cadherin, expected) in [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)] {
            let found = shipped_input(MT1_MMP, &[("emt.n_cadherin", n_cadherin)]);
            assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
        }
        let fold = shipped_input(LOX, &[("hif.level", 1.0)]) / shipped_input(LOX, &[]);
        assert!((fold - 3.0).abs() < 1e-5, "{fold}");
    }
}
