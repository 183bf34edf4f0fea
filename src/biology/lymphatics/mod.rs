//! Lymphatics: vessels of a site (part `lymphatics`) that begin blindly, take up the fluid between the cells, and lead it and cells that enter them away.
//!
//! - They are a [`Network`] of their own, which sprouts as blood vessels do ([`crate::cell::sprouting`]), but for what calls it (rules on `lymph.tip_selection`,
//!   in `assets/lymphatics/rules.ron`) and for its sprouts: they open without a loop, and stay blind.
//! - **Drainage** (`drain`): walls let water in at `L_p S (p - p_L)` and never out, for flaps of their wall close then; what comes in goes towards the
//!   outlet, past valves that let it go no other way. Drawn lymphatics take the place of the linear drainage of host tissue
//!   ([`crate::tissue::interstitium`]). One that is cut off from every outlet drains nothing.
//! - **Calling**: their wall gives off CCL21, by which cells with CCR7 find them; they follow it as they do other molecules.
//! - **Ways out** (`escape`): who leaves with the lymph does so by them alone where they are drawn ([`crate::cell::doors::lymph`]). A cell with the capability
//!   `lymph_entry` that touches one enters it at the rate of an input.
//!
//! | file | holds |
//! | --- | --- |
//! | `description` | how a scene says what lymphatics there are |
//! | `drain` | water, and CCL21 |
//! | `escape` | cells that enter, and where they can |
//! | `known` | what can be known of them |
//! | `picture` | how they look |
//!
//! Compression by tissue around them is left out: lymphatics within tumours mostly do not drain (Padera 2002, doi:10.1126/science.1071420), and a scene says
//! so by where it draws them.

use bevy::prelude::*;

use crate::cell::ActSystems;
use crate::cell::doors::lymph::SiteLymph;
use crate::cell::sprouting::{RegisterSprouting, SproutKind, SproutingVessels};
use crate::core::parameters::RegisterParameters;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Kept, Owner, RegisterState};
use crate::core::{Purpose, SimSchedule};
use crate::tissue::interstitium::{DrawnLymph, FluidSystems, order_fluid};
use crate::tissue::network::{Network, NetworkState, NetworkSystems};
use crate::tissue::{RegisterMoleculeUse, TissueBlock};

pub mod description;
pub mod drain;
pub mod escape;
mod known;
mod picture;

pub use description::{LymphaticDescription, LymphaticParameters};
pub use escape::LymphEntryParameters;

/// Input of segments: how often a tip cell begins in 10 um of it, 1/h.
pub const TIP_SELECTION: &str = "lymph.tip_selection";
/// Input of segments: how much CCL21 a micrometre of it gives off, molecules/s.
pub const CALLING: &str = "lymph.ccl21";
/// What lymphatics give off.
const CCL21: &str = "ccl21";

/// The lymphatics of a site; a component of it.
#[derive(Component, Clone, Debug)]
pub struct Lymphatics {
    network: Network,
    /// Cells that have entered so far.
    entered: u64,
}

impl Lymphatics {
    /// Their network.
    pub const fn vessels(&self) -> &Network {
        &self.network
    }

    /// Cells that have entered so far.
    pub const fn entered(&self) -> u64 {
        self.entered
    }
}

impl Kept for Lymphatics {
    type State = (NetworkState, u64);

    fn keep(&self) -> Self::State {
        (self.network.keep(), self.entered)
    }

    fn restore(&mut self, (network, entered): Self::State) -> Result<(), String> {
        self.entered = entered;
        self.network.restore(network)
    }
}

impl SproutingVessels for Lymphatics {
    const KIND: SproutKind = SproutKind::Lymph;
    const SELECTION: &'static str = TIP_SELECTION;
    const CHOICE: Purpose = Purpose::of("lymphatics.choice");
    const BLIND_ENDED: bool = true;

    fn network(&self) -> &Network {
        &self.network
    }

    fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }
}

/// Lymphatics.
pub struct LymphaticsPlugin;

impl Plugin for LymphaticsPlugin {
    fn build(&self, app: &mut App) {
        order_fluid(app);
        app.register_group::<LymphaticParameters>("lymphatics")
            .register_kept::<Lymphatics>(Owner::Site, "lymphatics")
            .register_molecule_use("lymphatics", CCL21)
            .register_site_part::<Vec<LymphaticDescription>>("lymphatics", |world, site, list| {
                let Some(block) = world.get::<TissueBlock>(site).cloned() else {
                    return;
                };
                let mut network = Network::empty(&block);
                description::place(&mut network, list);
                world.entity_mut(site).insert((
                    Lymphatics {
                        network,
                        entered: 0,
                    },
                    DrawnLymph::default(),
                    SiteLymph::default(),
                ));
            })
            .give_site_part_rules(
                "lymphatics",
                include_str!("../../../assets/lymphatics/rules.ron"),
            )
            .add_sprouting::<Lymphatics>()
            .add_systems(
                SimSchedule,
                (
                    drain::give_off_ccl21.in_set(ActSystems::Exchange),
                    drain::drain
                        .in_set(FluidSystems::Walls)
                        .after(NetworkSystems::Withdraw),
                ),
            );
        escape::register(app);
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
