//! Dissemination: cells leave a tumour by blood or lymph, and few of them grow elsewhere.
//!
//! | step | module | capability |
//! | --- | --- | --- |
//! | they enter vessels, alone or in clusters | [`intravasation`] | `intravasation` |
//! | others that touch them help them in | [`escort`] | `escort` |
//! | the blood carries them; most die; capillaries hold the others | [`circulation`], by the numbers of a [`species`] | `circulation` |
//! | they cross the wall, die, sleep or grow | [`colonisation`]; where no site is drawn by the [`soil`] of its organ | `colonisation` |
//! | who descends from whom, by which way | [`ancestry`] | |
//!
//! A scene that has a circulation says so: `body: (circulation: (species: Mouse))`. The sites of the scene are then organs of one body.
//!
//! | input | what rules change by it |
//! | --- | --- |
//! | `intravasation.rate` | how fast a cell at a wall enters the blood: EMT, macrophages, proteases |
//! | `intravasation.cohesion` | whether others go with it: E-cadherin |
//! | `intravasation.lymph`, `.ccr7` | how fast it enters lymph: CCL21, times the CCR7 by which it is felt |
//! | `escort.help` | how strongly a macrophage helps those that it touches |
//! | `circulation.nk`, `.shear`, `.anoikis` | how fast it dies in the blood: clusters, platelets, EMT |
//! | `circulation.platelets` | how much of it platelets cover |
//! | `circulation.diameter`, `.arrest` | how easily it is held in capillaries |
//! | `circulation.hold`, of sites | how well the capillaries of an organ hold cells: niche |
//! | `colonisation.extravasation`, `.arrested_death` | whether it crosses: permeability, niche, killers |
//! | `colonisation.growth`, `.switch`, `.colony_death` | whether it grows, and goes on: soil, niche, MET |
//! | `colonisation.solitary_death`, `.dormant_death`, `.awakening` | how it sleeps, and wakes: stroma, vessels, niche |
//!
//! Whoever has the capability `circulation` and leaves a site by lymph, by whichever capability, is carried as those are that `intravasation.lymph` takes.
//!
//! A step: in `Act` lodged cells meet their fate, cells enter vessels, and the blood carries those that are in it; cells come and go in `Turnover`, where the
//! books are kept.

use bevy::prelude::*;

pub mod ancestry;
pub mod circuit;
pub mod circulation;
pub mod colonisation;
mod diagrams;
pub mod escort;
mod inputs;
pub mod intravasation;
mod known;
mod picture;
pub mod soil;
pub mod species;
mod tables;

pub use ancestry::{Journey, Journeys, TransitBooks};
pub use circuit::{CellInjection, Circuit, Circulation, CirculationDescription, EntryRoute};
pub use circulation::{CirculationParameters, Voyage};
pub use colonisation::{ColonisationParameters, Colonist, ColonyStage};
pub use escort::{Escort, EscortParameters, Escorted};
pub use intravasation::IntravasationParameters;
pub use species::Species;

use self::ancestry::{LastJourneys, Notes, keep_books, unbalanced};
use self::circuit::OrganOfBody;
use self::circulation::circulate;
use self::colonisation::colonise;
use self::intravasation::{Leaders, enter_vessels, leave_with_others};
use self::tables::{ancestry_newick, journeys_csv};
use crate::cell::compartment::{Compartments, RegisterCompartments};
use crate::cell::doors::lymph::{CarriedByBlood, RegisterLymphRoute};
use crate::cell::event::{Passage, RegisterEvent};
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::turnover::{Passages, TurnoverSystems};
use crate::cell::{ActSystems, order_act};
use crate::core::body_part::RegisterBodyPart;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{RegisterInvariant, outside};
use crate::core::parameters::{PerType, RegisterParameters};
use crate::core::run_file::RegisterRunFile;
use crate::core::state::{Owner, RegisterState};
use crate::core::{RegisterPurpose, SimSchedule, SimSystems};

/// Cells that leave a tumour, and where they come to.
pub struct DisseminationPlugin;

impl Plugin for DisseminationPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.init_resource::<Circulation>()
            .init_resource::<Leaders>()
            .init_resource::<Notes>()
            .init_resource::<Journeys>()
            .init_resource::<LastJourneys>()
            .declare_remade::<LastJourneys>("made from the journeys")
            .init_resource::<TransitBooks>()
            .init_resource::<Passages>()
            .declare_remade::<Circulation>("made from the scene")
            .declare_remade::<Leaders>("emptied in every `Act`")
            .declare_remade::<Notes>("emptied in every `Turnover`")
            .register_kept::<Journeys>(Owner::Simulation, "journeys")
            .register_kept::<TransitBooks>(Owner::Simulation, "transit_books")
            .register_body_part::<CirculationDescription>("circulation", |world, of| {
                let circulation = Circulation::of(world, of);
                if let Some(circuit) = circulation.get() {
                    let organs = circuit.organs.iter();
                    let mut compartments = world.get_resource_or_init::<Compartments>();
                    compartments.furnish(organs.map(OrganOfBody::soil));
                }
                world.insert_resource(circulation);
                let types = &world.resource::<PerType<CirculationParameters>>().0;
                let carried = types.iter().map(Option::is_some).collect();
                world.insert_resource(CarriedByBlood(carried));
            })
            .register_compartments::<Voyage>(|voyage| voyage.organ.map(usize::from))
            .register_capability::<IntravasationParameters>("intravasation")
            .register_capability::<CirculationParameters>("circulation")
            .register_capability::<ColonisationParameters>("colonisation")
            .register_cell_state::<Voyage>("voyage")
            .register_cell_state::<Colonist>("colonist")
            .begin_cells(|place| {
                place.parameters::<CirculationParameters>()?;
                Some(Beginning::settled(Voyage::default()))
            })
            .begin_cells(|place| {
                place.parameters::<ColonisationParameters>()?;
                Some(Beginning::settled(Colonist::default()))
            });
        for purpose in [
            circulation::LODGING,
            circulation::DEATH,
            colonisation::FATE,
            intravasation::ENTRY,
            intravasation::JOINING,
        ] {
            app.register_purpose(purpose);
        }
        app.register_lymph_route(intravasation::BY_LYMPH);
        register_events(app);
        diagrams::register(app);
        escort::register(app);
        inputs::register(app);
        known::register(app);
        picture::register(app);
        app.register_run_file(
            "journeys.csv",
            "Every journey of a cell through blood or lymph: from where, how, with how many, how long, where to, and what came of it.",
            journeys_csv,
        )
        .register_run_file(
            "ancestry.nwk",
            "The tree of journeys that ended in an organ, by first cells, in the Newick format.",
            ancestry_newick,
        )
        .register_cell_invariant::<Colonist>(SimSystems::Act, "colonise", |colonist| {
            outside(
                "the time since it came so far, h,",
                colonist.hours,
                0.0,
                colonisation::COUNTED_HOURS,
            )
        })
        .register_invariant(SimSystems::Turnover, "keep_books", unbalanced)
        .while_in_transit(
            colonise,
            InTransit::Runs,
            "what lodged in an organ without a site goes on there",
        )
        .while_in_transit(
            enter_vessels,
            InTransit::Pauses,
            "who is in the blood does not enter it",
        )
        .while_in_transit(
            leave_with_others,
            InTransit::Pauses,
            "who is in the blood does not enter it",
        )
        .while_in_transit(
            circulate,
            InTransit::Runs,
            "it is what carries them",
        )
        .while_in_transit(
            keep_books,
            InTransit::Runs,
            "it books who comes on the way and who leaves it",
        )
        .add_systems(
            SimSchedule,
            (
                (colonise, enter_vessels, leave_with_others, circulate)
                    .chain()
                    .in_set(ActSystems::Walk),
                keep_books
                    .in_set(TurnoverSystems::Tell)
                    .in_set(SimSystems::Turnover),
            ),
        );
    }
}

fn register_events(app: &mut App) {
    use circulation::{DIES, INJECTED, LODGES, LODGES_ELSEWHERE};
    use colonisation::{CROSSES, DIES_THERE, GROWS, SHED, SLEEPS, WAKES};
    use intravasation::{ENTERS, ENTERS_LYMPH, LEAVES_BY_LYMPH};
    for (kind, passage, about) in [
        (
            ENTERS,
            Passage::Departure,
            "A cell entered the blood; the other is the one that led its cluster.",
        ),
        (
            ENTERS_LYMPH,
            Passage::Departure,
            "A cell entered the lymph.",
        ),
        (
            LEAVES_BY_LYMPH,
            Passage::Removal,
            "A cell entered the lymph, and left the tissues of the scene with it.",
        ),
        (
            INJECTED,
            Passage::Recruitment,
            "A cell was injected into the blood.",
        ),
        (
            SHED,
            Passage::Recruitment,
            "A colony in an organ without a site shed a cell into the blood; the other stands for the colony.",
        ),
        (DIES, Passage::Removal, "A cell died in the blood."),
        (
            DIES_THERE,
            Passage::Removal,
            "A cell that had lodged in an organ without a site died, or the last one of a colony there.",
        ),
        (
            LODGES,
            Passage::Arrival,
            "A cell that the blood carried is held in a capillary of the site.",
        ),
    ] {
        app.register_passage(kind, passage, about);
    }
    for (kind, about) in [
        (
            LODGES_ELSEWHERE,
            "A cell that the blood carried is held in an organ of which the scene has no site.",
        ),
        (CROSSES, "A lodged cell crossed the wall of its capillary."),
        (
            SLEEPS,
            "A cell that had crossed a wall does not divide there.",
        ),
        (
            GROWS,
            "A cell that had crossed a wall begins to divide there.",
        ),
        (WAKES, "A dormant cell begins to divide."),
    ] {
        app.register_event(kind, about);
    }
}
