//! What immune cells can see of a cell, and how it hides from them.
//!
//! A cell shows T cells its *antigen*, a property of its clone, by as much MHC-I as it has: what they recognise is the product of the
//! two ([`Visibility::presented`]). NK cells are told off by MHC-I and called by *stress ligands* (MICA, MICB). *PD-L1* holds back
//! whoever has found the cell. What each of these comes to in the long run is an input, raised and lowered by rules: IFN-gamma raises
//! PD-L1 six-fold with half of the way at 3 pM (Shin et al. 2017, PMID 27903500) and MHC-I, HIF-1a raises PD-L1, stress the stress ligands.
//! What is on the surface follows the input `x*` as it is made and lost, at a rate of its own,
//!
//! `dx/dt = (x* - x) / tau`,
//!
//! which is linear and advanced exactly; antigen is the clone's and has no delay. How many more hits a cell stands than others and
//! how much death ligand it carries against those who hit it are of the clone as well. All of them may be heritable and mutate
//! (`heritable: {"visibility.antigen": (spread: 0.5, mutation: 0.1)}`): then killers edit the tumour (Matsushita et al. 2012, Nature
//! 482:400, doi:10.1038/nature10755; DuPage et al. 2012, Nature 482:405).
//!
//! What follows for a target and for its killer is said by rules of the cell types. [`show_surface`] runs in `Signal` and writes only
//! [`Visibility`].

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::{CellType, Living, Vital};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::state::RegisterState;
use crate::core::{Clock, SimSchedule, SimSystems};

mod counterattack;
mod known;
#[cfg(test)]
mod tests;

pub use counterattack::{DeathReceptor, DeathReceptorParameters, feel_death_ligands};

/// How cells of a type show themselves to immune cells (capability `visibility`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct VisibilityParameters {
    /// Antigen that T cells of the scene know, of what there can be, 0-1; 1. It is of the clone.
    pub antigen: f32,
    /// MHC-I on the surface, over that of healthy cells; 1.
    pub mhc_1: f32,
    /// Stress ligands (MICA, MICB) on the surface, 0-1; 0.1: tumour cells always carry some. Assumed.
    pub stress_ligands: f32,
    /// PD-L1 on the surface, molecules/um2; 130: 1.2e5 on a cell (Shin et al. 2017, PMID 27903500) [Q].
    pub pd_l1_per_um2: f32,
    /// Share of its PD-L1 that a drug holds, 0-1, without any rule; 0. It is seen at its rim; what it does to killers is said where they
    /// meet PD-L1.
    pub pd_l1_blocked: f32,
    /// Hits that kill the cell, over those that kill one that does not resist; 1.
    pub resistance: f32,
    /// Death ligands (FasL, TRAIL) on the surface, over a cell that fights back with all it can, 0-1; 0.
    pub death_ligands: f32,
    /// Time in which MHC-I follows, `tau`, h; 24: it rises for one to two days under IFN-gamma. Assumed.
    pub mhc_1_hours: f32,
    /// Time in which stress ligands follow, `tau`, h; 6. Assumed.
    pub stress_ligand_hours: f32,
    /// Time in which PD-L1 follows, `tau`, h; 12: it rises for a day under IFN-gamma. Assumed.
    pub pd_l1_hours: f32,
}

impl Default for VisibilityParameters {
    fn default() -> Self {
        Self {
            antigen: 1.0,
            mhc_1: 1.0,
            stress_ligands: 0.1,
            pd_l1_per_um2: 130.0,
            pd_l1_blocked: 0.0,
            resistance: 1.0,
            death_ligands: 0.0,
            mhc_1_hours: 24.0,
            stress_ligand_hours: 6.0,
            pd_l1_hours: 12.0,
        }
    }
}

impl Parameters for VisibilityParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "mhc_1" => Limits {
                min: 0.0,
                max: MOST_MHC_1,
            },
            "pd_l1_per_um2" => Limits {
                min: 0.0,
                max: MOST_PD_L1,
            },
            "resistance" => Limits {
                min: 1.0,
                max: 100.0,
            },
            "mhc_1_hours" | "stress_ligand_hours" | "pd_l1_hours" => Limits {
                min: 1.0e-3,
                max: 1.0e4,
            },
            _ => Limits::FRACTION,
        }
    }
}

/// Most MHC-I, over that of healthy cells.
const MOST_MHC_1: f64 = 100.0;
/// Most PD-L1, molecules/um2: more than would find room.
const MOST_PD_L1: f64 = 1.0e5;

/// What a cell shows.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Visibility {
    /// Antigen of what there can be, 0-1.
    pub antigen: f32,
    /// MHC-I on the surface, over that of healthy cells.
    pub mhc_1: f32,
    /// Stress ligands on the surface, 0-1.
    pub stress_ligands: f32,
    /// PD-L1 on the surface, molecules/um2.
    pub pd_l1_per_um2: f32,
    /// Share of it that a drug holds, 0-1.
    pub pd_l1_blocked: f32,
    /// Hits that kill it, over those that kill a cell that does not resist.
    pub resistance: f32,
    /// Death ligands on the surface, 0-1.
    pub death_ligands: f32,
}

impl Visibility {
    /// A cell of that type that has been so for long, without any rule.
    pub const fn settled(parameters: &VisibilityParameters) -> Self {
        Self {
            antigen: parameters.antigen,
            mhc_1: parameters.mhc_1,
            stress_ligands: parameters.stress_ligands,
            pd_l1_per_um2: parameters.pd_l1_per_um2,
            pd_l1_blocked: parameters.pd_l1_blocked,
            resistance: parameters.resistance,
            death_ligands: parameters.death_ligands,
        }
    }

    /// Antigen that T cells find, 0-1: of what there is, by as much MHC-I as shows it, and no more than healthy cells would.
    pub const fn presented(&self) -> f32 {
        self.antigen * self.mhc_1.min(1.0)
    }
}

/// The inputs, and the parameters on which they are based.
const ANTIGEN: &str = "visibility.antigen";
const MHC_1: &str = "visibility.mhc_1";
const STRESS_LIGANDS: &str = "visibility.stress_ligands";
const PD_L1: &str = "visibility.pd_l1";
const PD_L1_BLOCKED: &str = "visibility.pd_l1_blocked";
const RESISTANCE: &str = "visibility.resistance";
const DEATH_LIGANDS: &str = "visibility.death_ligands";

/// What living cells show follows what rules make of it.
pub fn show_surface(
    clock: Res<Clock>,
    parameters: Res<PerType<VisibilityParameters>>,
    inputs: Regulated,
    mut cells: Query<(Entity, &CellType, Option<&Vital>, &mut Visibility)>,
) {
    let parameters = &*parameters;
    let hours = clock.dt_hours();
    // How far each of the three comes in a step, by row of the table of parameters.
    let ways: Vec<Option<[f32; 3]>> = parameters
        .0
        .iter()
        .map(|parameters| {
            let of = parameters.as_ref()?;
            let times = [of.mhc_1_hours, of.stress_ligand_hours, of.pd_l1_hours];
            Some(times.map(|time| probability(1.0 / time, hours)))
        })
        .collect();
    let inputs = [
        ANTIGEN,
        MHC_1,
        STRESS_LIGANDS,
        PD_L1,
        PD_L1_BLOCKED,
        RESISTANCE,
        DEATH_LIGANDS,
    ]
    .map(|name| inputs.input(name));
    for (entities, types, vitals, mut shown) in cells.contiguous_iter_mut().expect(IN_TABLES) {
        let inputs = inputs.map(|input| input.in_table(entities));
        let living = Living::of(types, vitals, parameters);
        for_each_row_mut(shown.bypass_change_detection(), |row, shown| {
            let Some((cell_type, _)) = living.at(row) else {
                return;
            };
            let Some(Some([mhc_1_way, stress_way, pd_l1_way])) = ways.get(usize::from(cell_type))
            else {
                return;
            };
            let [antigen, mhc_1, stress, pd_l1, blocked, resistance, death] =
                inputs.map(|input| input.at(row, cell_type));
            shown.antigen = antigen;
            shown.mhc_1 += mhc_1_way * (mhc_1 - shown.mhc_1);
            shown.stress_ligands += stress_way * (stress - shown.stress_ligands);
            shown.pd_l1_per_um2 += pd_l1_way * (pd_l1 - shown.pd_l1_per_um2);
            shown.pd_l1_blocked = blocked;
            shown.resistance = resistance;
            shown.death_ligands = death;
        });
    }
}

/// What immune cells can see of others.
pub struct VisibilityPlugin;

impl Plugin for VisibilityPlugin {
    fn build(&self, app: &mut App) {
        app.register_capability::<VisibilityParameters>("visibility")
            .register_cell_state::<Visibility>("visibility");
        for (name, unit, about, field) in [
            (
                ANTIGEN,
                "",
                "Antigen of a cell that T cells know, of what there can be.",
                "antigen",
            ),
            (
                MHC_1,
                "",
                "MHC-I that a cell comes to show, over that of healthy cells.",
                "mhc_1",
            ),
            (
                STRESS_LIGANDS,
                "",
                "Stress ligands that a cell comes to show.",
                "stress_ligands",
            ),
            (
                PD_L1,
                "1/um2",
                "PD-L1 that a cell comes to show.",
                "pd_l1_per_um2",
            ),
            (
                PD_L1_BLOCKED,
                "",
                "Share of a cell's PD-L1 that a drug holds.",
                "pd_l1_blocked",
            ),
            (
                RESISTANCE,
                "",
                "Hits that kill a cell, over those that kill one that does not resist.",
                "resistance",
            ),
            (
                DEATH_LIGANDS,
                "",
                "Death ligands of a cell, of what there can be.",
                "death_ligands",
            ),
        ] {
            app.register_input::<VisibilityParameters>(InputInfo::new(name, unit, about), field);
        }
        known::register(app);
        counterattack::register(app);
        app.begin_cells(|place| {
            let parameters = place.parameters::<VisibilityParameters>()?;
            Some(Beginning::settled(Visibility::settled(parameters)))
        })
        .register_cell_invariant::<Visibility>(SimSystems::Signal, "show_surface", |shown| {
            let within = |what, value, most| outside(what, value, 0.0, most);
            within("its antigen", shown.antigen, 1.0)
                .or_else(|| within("its MHC-I", shown.mhc_1, MOST_MHC_1 as f32))
                .or_else(|| within("its stress ligands", shown.stress_ligands, 1.0))
                .or_else(|| within("its PD-L1", shown.pd_l1_per_um2, MOST_PD_L1 as f32))
                .or_else(|| within("its held PD-L1", shown.pd_l1_blocked, 1.0))
                .or_else(|| outside("its resistance", shown.resistance, 1.0, 100.0))
                .or_else(|| within("its death ligands", shown.death_ligands, 1.0))
        })
        .while_in_transit(
            show_surface,
            InTransit::Runs,
            "what it shows needs no place; rules find the background of molecules",
        )
        .add_systems(SimSchedule, show_surface.in_set(SimSystems::Signal));
    }
}
