//! Exosomes: vesicles by which cells send proteins and RNA to others, near and far.
//!
//! In sites with the part `exosomes`, cells with the capability `exosome` set vesicles free, in packets of a stated number
//! that carry cargo (TGF-beta, MIF, MET, PD-L1, RNA) and integrins, each as its cell is then; a tenth of the share that packed tissue leaves comes into the
//! blood, or with the fluid that lymphatics drain into a lymph node first. Packets walk between the fibres, and cells with the capability `uptake` take them up. What reaches the blood is cleared within minutes, most
//! of it by the liver; integrins turn it to the lung, the liver or the brain, where it binds to residents (Hoshino et al. 2015,
//! doi:10.1038/nature15756).
//!
//! What a cell took up acts for a day. What it then does is said by rules: quantities of vesicles of each cargo that act
//! (`exosome.held_tgf_beta` wakes fibroblasts, `exosome.held_pd_l1` dims T cells, `exosome.held_rna` hands on how to move), and of what bound to a
//! resident (`exosome.dose`). What makes cells set more free, or load them otherwise, is said by rules on `exosome.release`, `exosome.rab27a` and the
//! loads; so is a block of Rab27a or of the integrins.
//!
//! | file | holds |
//! | --- | --- |
//! | `parameters` | how cells make vesicles and take them up, how these move |
//! | `packets` | the packets of a site, and its books |
//! | `release` | cells set them free (in `Act`) |
//! | `travel` | they walk, are taken up, come into vessels (in `Transport`) |
//! | `uptake` | what a cell took up |
//! | `organs` | where those in the blood go |
//! | `blood` | those in the blood (in `Transport`) |
//! | `known` | what can be known of them |
//! | `picture` | how they look |
//!
//! The books balance in every step: what was set free and came is in the tissue, was taken up or went into blood or lymph, and what came there is there or
//! was taken up by an organ or a lymph node.

use bevy::prelude::*;

use crate::cell::order_act;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::RegisterInvariant;
use crate::core::parameters::RegisterParameters;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::medium::{MediumSystems, WalksThroughMedium};

pub mod blood;
mod known;
pub mod organs;
pub mod packets;
pub mod parameters;
mod picture;
mod release;
pub mod travel;
mod uptake;

pub use blood::{BloodVesicles, circulate};
pub use packets::{Packet, Packets};
pub use parameters::{
    Cargo, ExosomeParameters, ExosomesParameters, Integrins, SourceParameters, UptakeParameters,
    VesiclesDescription,
};
pub use release::{Secretor, release};
pub use travel::travel;
pub use uptake::{FIRST_UPTAKE, UPTAKE, Uptake};

/// Exosomes.
pub struct ExosomePlugin;

impl Plugin for ExosomePlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        release::register(app);
        uptake::register(app);
        app.register_group::<ExosomesParameters>("exosomes")
            .register_group::<SourceParameters>("exosome_source")
            .init_resource::<BloodVesicles>()
            .register_kept::<BloodVesicles>(Owner::Simulation, "blood_vesicles")
            .register_kept::<Packets>(Owner::Site, "packets")
            .register_purpose(travel::WALK)
            .register_purpose(travel::BINDS)
            .register_purpose(blood::ARRIVALS)
            .register_purpose(blood::LYMPH)
            .register_site_part::<VesiclesDescription>("exosomes", |world, site, part| {
                let radius_nm = world.resource::<ExosomesParameters>().radius_nm;
                let packets = Packets {
                    stands_for: part.stands_for,
                    reach: part.reach,
                    ..Packets::default()
                };
                world
                    .entity_mut(site)
                    .insert((packets, WalksThroughMedium(radius_nm)));
            })
            .register_invariant(SimSystems::Transport, "travel", blood::wrong_books)
            .while_in_transit(
                travel,
                InTransit::Runs,
                "what a cell holds fades wherever it is; nothing reaches it in transit",
            )
            .add_systems(
                SimSchedule,
                (
                    travel::tell_radius.in_set(SimSystems::Perceive),
                    (travel, circulate)
                        .chain()
                        .in_set(SimSystems::Transport)
                        .after(MediumSystems),
                ),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
