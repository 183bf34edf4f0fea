//! Floor 2: the systems of tumour biology, one module each.
//!
//! Each module acts on whatever cell carries its component, so that a cell type is a list of capabilities and
//! not code.
//!
//! # Adding a capability
//!
//! It touches three places and no others:
//!
//! 1. a file or folder of its own here, with the parameters, the component, the systems and a plugin in which it
//!    registers all that is said about it: [`register_capability`] for the field of cell files, [`register_cell_state`]
//!    for what is saved, [`begin_cells`] and [`divide_cells`] for how cells begin and what daughters inherit,
//!    [`register_quantity`] and [`register_metric`] for what can be known, [`register_input`] for what rules can change,
//!    [`register_event`] for what happens, [`register_purpose`] for random numbers, [`register_hindrance`] and
//!    [`register_vessel_exchange`] for what it does to the medium of a site;
//! 2. one line for the plugin in [`BiologyPlugins`];
//! 3. one field in the file of each cell type that has it, under `assets/cells`, and the rules by which it acts on
//!    others.
//!
//! Tables, expectations, checkpoints, the window and `tumorscape describe` then know it. Who writes it outside this crate
//! adds the plugin to a [`Program`] instead of 2; `tests/extension` is one.
//!
//! [`register_capability`]: crate::core::parameters::RegisterParameters::register_capability
//! [`register_cell_state`]: crate::core::state::RegisterState::register_cell_state
//! [`begin_cells`]: crate::cell::life::RegisterLife::begin_cells
//! [`divide_cells`]: crate::cell::life::RegisterLife::divide_cells
//! [`register_quantity`]: crate::core::quantity::RegisterQuantities::register_quantity
//! [`register_metric`]: crate::core::metric::RegisterMetrics::register_metric
//! [`register_input`]: crate::core::input::RegisterInputs::register_input
//! [`register_event`]: crate::cell::event::RegisterEvent::register_event
//! [`register_purpose`]: crate::core::RegisterPurpose::register_purpose
//! [`register_hindrance`]: crate::tissue::RegisterMedium::register_hindrance
//! [`register_vessel_exchange`]: crate::tissue::RegisterMedium::register_vessel_exchange
//! [`Program`]: crate::simulation::Program

use bevy::prelude::*;

pub mod angiogenesis;
pub mod anoikis;
pub mod chaperone;
pub mod checkpoint;
pub mod dissemination;
pub mod emt;
pub mod exosome;
pub mod fibroblast;
pub mod hypoxia;
pub mod immunity;
pub mod junctions;
pub mod lymphatics;
pub mod matrix;
pub mod membrane;
pub mod metabolism;
pub mod niche;
pub mod phagocytosis;
pub mod polarisation;
pub mod polarity;
pub mod priming;
pub mod protease;
pub mod recruitment;
pub mod suppression;
pub mod therapy;
pub mod vasculature;
pub mod visibility;

pub use anoikis::AnoikisParameters;
pub use chaperone::{Chaperone, ChaperoneParameters, Chaperoned, ChaperonedParameters};
pub use checkpoint::{Checkpoint, CheckpointParameters, CheckpointsParameters};
pub use dissemination::{
    CirculationParameters, ColonisationParameters, Colonist, EscortParameters,
    IntravasationParameters, Voyage,
};
pub use emt::{EmtCircuit, EmtCircuitParameters, EmtParameters, EmtState};
pub use exosome::{ExosomeParameters, ExosomesParameters, Packets, UptakeParameters};
pub use fibroblast::{Fibroblast, FibroblastParameters, FibroblastState};
pub use hypoxia::{HifAxis, HifParameters, HypoxiaParameters};
pub use immunity::{
    Cytotoxic, CytotoxicParameters, ImmunityParameters, Killer, NaturalKiller,
    NaturalKillerParameters, Target, TargetParameters,
};
pub use junctions::{AdherensParameters, JunctionParameters, Junctions};
pub use lymphatics::{LymphEntryParameters, LymphaticDescription, Lymphatics};
pub use matrix::{Matrix, MatrixDescription, MatrixParameters, RemodellingParameters};
pub use membrane::{Around, MembraneDescription, MembraneParameters, MembranesParameters};
pub use metabolism::{Metabolism, MetabolismParameters};
pub use niche::{Niche, NicheDescription, NicheParameters};
pub use phagocytosis::{Edible, EdibleParameters, Phagocyte, PhagocytosisParameters};
pub use polarisation::{Polarisation, PolarisationParameters};
pub use polarity::{Polarity, PolarityParameters};
pub use priming::{
    EffectorParameters, Naive, NaiveParameters, Presentation, PresentationParameters,
    Restimulation, RestimulationParameters,
};
pub use protease::{Protease, ProteaseParameters, ProteasesParameters};
pub use recruitment::{RecruitParameters, Recruitment};
pub use suppression::{Suppressible, SuppressibleParameters, Suppressor, SuppressorParameters};
pub use vasculature::{Network, VesselDescription};
pub use visibility::{DeathReceptor, DeathReceptorParameters, Visibility, VisibilityParameters};

/// All systems of tumour biology.
pub struct BiologyPlugins;

impl Plugin for BiologyPlugins {
    fn build(&self, app: &mut App) {
        // Tuples of plugins end at fifteen.
        app.add_plugins((
            angiogenesis::AngiogenesisPlugin,
            anoikis::AnoikisPlugin,
            chaperone::ChaperonePlugin,
            checkpoint::CheckpointPlugin,
            dissemination::DisseminationPlugin,
            emt::EmtPlugin,
            exosome::ExosomePlugin,
            fibroblast::FibroblastPlugin,
            hypoxia::HypoxiaPlugin,
            immunity::ImmunityPlugin,
            junctions::JunctionsPlugin,
            lymphatics::LymphaticsPlugin,
            matrix::MatrixPlugin,
        ))
        .add_plugins((
            membrane::MembranePlugin,
            metabolism::MetabolismPlugin,
            niche::NichePlugin,
            phagocytosis::PhagocytosisPlugin,
            polarisation::PolarisationPlugin,
            polarity::PolarityPlugin,
            priming::PrimingPlugin,
            protease::ProteasePlugin,
            recruitment::RecruitmentPlugin,
            suppression::SuppressionPlugin,
            therapy::TherapyPlugin,
            vasculature::VasculaturePlugin,
            visibility::VisibilityPlugin,
        ));
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the rules of the shipped cell types say.

    use crate::core::input::Inputs;
    use crate::core::rule::{BLOCK, RuleProgram};
    use crate::scene::CellLibrary;
    use crate::simulation::prototype_world;

    /// An input of the shipped cancer cell where these quantities have these values, and all others none.
    pub fn shipped_input(name: &str, quantities: &[(&str, f32)]) -> f32 {
        shipped_input_of("cancer", name, quantities)
    }

    /// The same of a shipped cell of that type.
    pub fn shipped_input_of(of: &str, name: &str, quantities: &[(&str, f32)]) -> f32 {
        let library = CellLibrary::shipped().unwrap();
        let cell_type = library.index_of(of).unwrap();
        let world = prototype_world(&library);
        let input = world.resource::<Inputs>().of_cells(name).unwrap();
        let mut value = [input.base(&world, cell_type).unwrap()];
        let limits = (f32::NEG_INFINITY, f32::INFINITY);
        let mut columns: Vec<[f32; 1]> = Vec::new();
        let book = library.get(of).unwrap().rule_book();
        let program = RuleProgram::new(&book, name, limits, |by| {
            let known = quantities.iter().find(|(known, _)| *known == by);
            columns.push([known.map_or(f32::NAN, |(_, value)| *value)]);
            columns.len() - 1
        });
        if let Some(program) = program {
            program.apply(
                &mut value,
                |column| &columns[column],
                &mut [[0.0; BLOCK]; 2],
            );
        }
        value[0]
    }
}

#[cfg(test)]
mod tests {
    use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings};

    use super::*;
    use crate::cell::body::BodyPlugin;
    use crate::cell::bonds::BondsPlugin;
    use crate::cell::cycle::CyclePlugin;
    use crate::cell::death::DeathPlugin;
    use crate::cell::growth::GrowthPlugin;
    use crate::cell::motility::MotilityPlugin;
    use crate::cell::sprouting::SproutingPlugin;
    use crate::cell::testing::*;
    use crate::core::SimSchedule;

    #[test]
    fn defaults_lie_within_their_limits() {
        let mut app = bench(1.0);
        app.add_plugins(BiologyPlugins);
        set(&mut app, HifParameters::default());
        set(&mut app, MetabolismParameters::default());
        assert_defaults_within_limits(&app);
    }

    #[test]
    fn no_two_systems_of_cells_and_biology_race_for_data() {
        let mut app = bench(1.0);
        app.add_plugins((
            BodyPlugin,
            BondsPlugin,
            CyclePlugin,
            DeathPlugin,
            GrowthPlugin,
            MotilityPlugin,
            SproutingPlugin,
            BiologyPlugins,
        ))
        .edit_schedule(SimSchedule, |schedule| {
            schedule.set_build_settings(ScheduleBuildSettings {
                ambiguity_detection: LogLevel::Error,
                ..ScheduleBuildSettings::default()
            });
        });
        // It cannot be built where the order of two systems is left open.
        app.world_mut()
            .schedule_scope(SimSchedule, |world, schedule| {
                let built = schedule.initialize(world).map(|_| ());
                let report = built
                    .err()
                    .map(|error| error.to_string(schedule.graph(), world));
                assert_eq!(report, None);
            });
    }
}
