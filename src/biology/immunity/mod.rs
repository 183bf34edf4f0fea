//! Immunity: cells that kill other cells, and what they see of them.
//!
//! Cytotoxic T cells ([`t_cell`]) and natural killer cells ([`natural_killer`]) walk, take hold of cells that they recognise and kill
//! them through a synapse ([`synapse`]); what they have in common is in [`killer`]. What can be killed has the capability of a
//! [`target`]: it shows what killers go by and bears their hits.
//!
//! How a cancer cell comes to be seen, how it holds killers back, and where these are called to is said by rules on the inputs of both
//! sides:
//!
//! | input | of | what |
//! | --- | --- | --- |
//! | `target.recognition` | a target | antigen on MHC-I, 0-1: share of the hits that a T cell would strike at full antigen |
//! | `target.stress` | a target | ligands of stress, 0-1, by which natural killer cells know it |
//! | `target.mhc_1` | a target | MHC-I over that of a normal cell, which holds natural killer cells back |
//! | `target.pd_l1` | a target | PD-L1, molecules/um2; a killer that holds it knows it as the quantity `killer.met_pd_l1` |
//! | `target.resistance` | a target | hits that kill when they are there at once |
//! | `killer.function` | a killer | what suppression leaves of its hits, 1 without any |
//! | `cytotoxic.exhaustion` | a T cell | exhaustion by full antigen, 1/d |
//! | `cytotoxic.recovery` | a T cell | recovery from it, 1/d |
//! | `natural_killer.kill_chance` | a natural killer cell | mean chance to kill a cell of all ligands of stress |
//! | `immigrant.leaving` | a killer | rate at which it leaves by a door that is near, 1/h |
//! | `immigration.scale` | a site | how many killers come, over what their types say |
//!
//! A step: targets show what they are and killers heed what suppresses them in `Signal`; who is held is struck, and who is free takes hold
//! of a target, in `Act`; synapses form and end in `Move`.

use bevy::prelude::*;

use crate::cell::order_act;

pub mod comings;
pub mod killer;
mod known;
pub mod natural_killer;
mod picture;
pub mod synapse;
pub mod t_cell;
mod tally;
pub mod target;

pub use comings::{ImmigrantParameters, Immigration};
pub use killer::{Doing, ImmunityParameters, Killer};
pub use natural_killer::{Bent, NaturalKiller, NaturalKillerParameters};
pub use synapse::{HIT, KILL, LYSIS_KILL, SYNAPSE, SynapseParameters};
pub use t_cell::{Cytotoxic, CytotoxicParameters};
pub use tally::ImmunityTally;
pub use target::{Target, TargetParameters};

/// Killers and their targets.
pub struct ImmunityPlugin;

impl Plugin for ImmunityPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        target::register(app);
        killer::register(app);
        t_cell::register(app);
        natural_killer::register(app);
        synapse::register(app);
        comings::register(app);
        tally::register(app);
        known::register(app);
        picture::register(app);
    }
}
