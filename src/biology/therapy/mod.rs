//! Therapy: drugs as data, through the body and the vessels into the tissue; radiation, surgery, cells that are given.
//!
//! - A drug is a file ([`drug`]): how it goes through a body ([`kinetics`]), how it moves in tissue, what it binds or turns into there
//!   ([`reactions`]), what it hides ([`perceived`]) and what else it changes ([`effects`]). The drugs that a scene gives, or has on call, are its
//!   [`Drugs`]; no other costs anything.
//! - A dose is a line of the timeline, `Give(drug: "anti_pd_1", mg_per_kg: 10, every: Days(3), times: 4)`. What is in blood ([`pharmacy`]) is the level
//!   that vessels bring into the tissue: through drawn vessels where they are perfused, through those of the host elsewhere ([`supply`]). In the tissue a
//!   drug is a molecule as any other: it diffuses, is hindered, decays and can be drawn.
//! - Cells die of drugs as they are sensitive ([`chemosensitivity`]) and of radiation by the linear-quadratic law ([`radiosensitivity`]); they are cut
//!   out, or given ([`procedures`]).
//!
//! Where no drug is, rules by drugs multiply by 1 and add 0: the tissue is the same to the bit.

use bevy::prelude::*;

pub mod chemosensitivity;
pub mod drug;
pub mod effects;
pub mod kinetics;
mod known;
mod perceived;
pub mod pharmacy;
pub mod procedures;
pub mod radiosensitivity;
pub mod reactions;
pub mod supply;
pub mod tally;

pub use chemosensitivity::ChemosensitivityParameters;
pub use drug::{Drug, Drugs, Patient};
pub use kinetics::{Absorption, Amounts, Kinetics, Route};
pub use pharmacy::{Course, CourseError, Dose, Pharmacy, prescribe, prescribe_drug};
pub use procedures::{Transfer, Transfers};
pub use radiosensitivity::{Irradiated, RadiosensitivityParameters};

use crate::cell::molecules::ReceptorBlocks;
use crate::core::invariant::RegisterInvariant;
use crate::core::state::{Owner, RegisterState};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::interstitium::{FluidSystems, order_fluid};
use crate::tissue::medium::{MediumSystems, RegisterMedium};

/// Cells die of therapy: after they have died of themselves, and before others kill them.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TherapyDeaths;

/// Puts the drugs of a simulation into force, once its cell types and molecules are.
pub fn install(world: &mut World, drugs: Drugs, types: u16) {
    let mut pharmacy = world.get_resource_or_init::<Pharmacy>();
    let count = drugs.list.len();
    pharmacy.amounts.resize_with(count, Default::default);
    world.insert_resource(drugs);
    effects::install(world, types);
    perceived::install(world, types);
    known::install(world);
}

/// Puts into the sites what brings drugs into them and finds what becomes of these there, once they are there.
pub fn install_in_sites(world: &mut World) {
    reactions::install(world);
    supply::install(world);
}

/// Therapy.
pub struct TherapyPlugin;

impl Plugin for TherapyPlugin {
    fn build(&self, app: &mut App) {
        const FROM_SCENE: &str = "made from the scene";
        order_fluid(app);
        radiosensitivity::register(app);
        chemosensitivity::register(app);
        procedures::register(app);
        tally::register(app);
        app.init_resource::<Drugs>()
            .init_resource::<Pharmacy>()
            .init_resource::<reactions::Reactions>()
            .init_resource::<ReceptorBlocks>()
            .declare_remade::<Drugs>(FROM_SCENE)
            .declare_remade::<reactions::Reactions>(FROM_SCENE)
            .declare_remade::<ReceptorBlocks>(FROM_SCENE)
            .declare_remade::<supply::HostSupply>("worked out when the field of the drug is due")
            .register_kept::<Pharmacy>(Owner::Simulation, "pharmacy")
            .register_vessel_exchange::<supply::HostSupply>()
            .register_invariant(SimSystems::Transport, "take_doses", pharmacy::wrong_books)
            .add_systems(
                SimSchedule,
                (
                    pharmacy::take_doses
                        .in_set(SimSystems::Transport)
                        .before(FluidSystems::Carry),
                    (supply::bring, reactions::offer).in_set(FluidSystems::Carry),
                    reactions::settle
                        .in_set(SimSystems::Transport)
                        .after(MediumSystems),
                ),
            );
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Drugs for tests.

    use super::*;
    use crate::biology::therapy::drug::InTissue;

    /// A drug of that name that does nothing.
    pub fn drug(name: &str) -> Drug {
        Drug {
            name: name.into(),
            label: name.into(),
            about: "for a test".into(),
            molar_mass_g_per_mol: 1000.0,
            mouse: None,
            human: None,
            tissue: InTissue {
                diffusivity_um2_per_min: 612.0,
                radius_nm: 0.0,
                loss_per_min: 0.003,
                crosses_vessel_walls: false,
                wall_permeability_um_per_min: 0.02,
                wall_reflection: 0.9,
                every_minutes: 5.0,
                coarsen: 1,
                scale_max_nm: None,
                contours_nm: Vec::new(),
            },
            binds: None,
            becomes: None,
            hides: std::collections::BTreeMap::new(),
            effects: std::collections::BTreeMap::new(),
            source: "a test".into(),
        }
    }
}
