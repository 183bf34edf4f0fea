//! Blood vessels: a network of nodes and segments in each site that has the part `vessels`, the blood that flows in it, and what becomes of it.
//!
//! | file | holds |
//! | --- | --- |
//! | `description`, `drawn`, `table` | how a scene says what vessels there are, by itself and in files |
//! | `organs` | what is said for each organ where a scene says nothing |
//! | `placing`, `tree` | how vessels are put into a site |
//! | `rheology`, `solver`, `flow` | how blood flows: viscosity and red cells, pressures, the network as a whole |
//! | `life` | what becomes of vessels |
//! | `exchange` | what passes their walls: oxygen, water, proteins, cells |
//! | `known` | what can be known of them |
//! | `picture` | how they look |
//!
//! Nodes and segments themselves are [`crate::tissue::network`]'s.
//!
//! To rules the segments of a site are elements of the kind `vessel segment`. The rules that all sites with vessels have stand in
//! `assets/vessels/rules.ron`.

use bevy::prelude::*;

use crate::cell::perception::perceive;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::invariant::{Breach, Refused, RegisterInvariant, Violation};
use crate::core::parameters::RegisterParameters;
use crate::core::random::RegisterPurpose;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{RandomKey, SimSchedule, SimSystems};
use crate::tissue::medium::MediumSystems;
use crate::tissue::network::NetworkSystems;
use crate::tissue::population::RegisterPopulation;
use crate::tissue::{SiteId, TissueBlock};

pub mod description;
pub mod drawn;
pub mod exchange;
pub mod flow;
mod known;
pub mod life;
pub mod organs;
mod parameters;
mod picture;
mod placing;
pub mod rheology;
pub mod solver;
pub mod table;
mod tree;

pub use crate::tissue::network::{
    self, BLOOD_SEGMENT as SEGMENT, Crossing, Crossings, Growth, Held, Network, NetworkError,
    NewSegment, Node, NodeId, Port, Segment, SegmentId, VesselKind,
};
pub use description::{Along, DrawnNode, DrawnSegment, VesselDescription, VesselPlace};
pub use flow::FlowWork;
pub use life::SolidStress;
pub use organs::{OrganVessels, VesselsLike};
pub use parameters::{VesselParameters, aimed_at_dyn_per_cm2};

/// Input of segments: by how much the wall leaks more than a normal one.
pub const PERMEABILITY: &str = "vessel.permeability";
/// Input of segments: how much the wall bears for leukocytes to hold on to, over a normal one.
pub const ADHESION: &str = "vessel.adhesion";
/// Input of segments: what presses on it from outside, mmHg.
pub const COMPRESSION: &str = "vessel.compression";
/// Input of segments: how fast pericytes cover it, 1/d.
pub const MATURATION: &str = "vessel.maturation";
/// Input of segments: how fast they leave it, 1/d.
pub const PERICYTE_LOSS: &str = "vessel.pericyte_loss";
/// Input of segments: how often one without pericytes is taken back where blood hardly moves, 1/h.
pub const PRUNING: &str = "vessel.pruning";

/// Input of segments: how often a new one without pericytes dies back though blood flows in it, 1/d for 200 um.
pub const REGRESSION: &str = "vessel.regression";

/// Where vessels live and blood flows, within `Transport` and before the fields are solved.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BloodFlowSystems;

/// Notes that there can be no such vessels, so that the run ends.
fn refuse(world: &mut World, found: String) {
    let mut refused = world.get_resource_or_init::<Refused>();
    refused.0.get_or_insert(Violation {
        step: 0,
        hours: 0.0,
        stage: SimSystems::Timeline,
        system: "place_vessels",
        breach: Breach::new(found),
    });
}

/// Blood vessels.
pub struct VasculaturePlugin;

impl Plugin for VasculaturePlugin {
    fn build(&self, app: &mut App) {
        app.register_group::<VesselParameters>("vessels")
            .register_purpose(placing::PLACEMENT)
            .register_purpose(life::PRUNED)
            .register_purpose(life::REGRESSED)
            .register_kept::<Network>(Owner::Site, "vessels")
            .declare_remade::<FlowWork>("found from the network")
            .declare_remade::<SolidStress>("measured where it is used")
            .register_site_part::<Vec<VesselDescription>>("vessels", |world, site, list| {
                let Some(block) = world.get::<TissueBlock>(site).cloned() else {
                    return;
                };
                let number = world.get::<SiteId>(site).map_or(0, |site| site.0);
                let key = *world.resource::<RandomKey>();
                let mut network = Network::empty(&block);
                for (place, description) in list.iter().enumerate() {
                    let ground = placing::Ground {
                        block: &block,
                        number: u64::from(number) << 16 | place as u64,
                        key,
                    };
                    if let Err(error) = placing::place(&mut network, description, &ground) {
                        let found = format!("vessels {place} of site {number}: {error}");
                        refuse(world, found);
                    }
                }
                world.entity_mut(site).insert((
                    network,
                    FlowWork::default(),
                    SolidStress::new(&block),
                ));
                exchange::install(world, site);
            })
            .read_site_part_files::<Vec<VesselDescription>>("vessels", |list, text_of| {
                table::read_files(list, text_of)
            })
            .give_site_part_rules("vessels", include_str!("../../../assets/vessels/rules.ron"))
            .configure_sets(
                SimSchedule,
                BloodFlowSystems
                    .after(NetworkSystems::Extend)
                    .before(NetworkSystems::Withdraw),
            )
            .begin_sites(life::begin)
            .register_invariant(life::CHECKED_AFTER, "live", life::wrong_network)
            .while_in_transit(
                life::measure_stress,
                InTransit::Pauses,
                "there are no vessels to press on",
            )
            .add_systems(
                SimSchedule,
                (
                    life::measure_stress
                        .in_set(SimSystems::Perceive)
                        .after(perceive)
                        .run_if(life::is_due),
                    life::live
                        .in_set(BloodFlowSystems)
                        .in_set(SimSystems::Transport)
                        .before(MediumSystems)
                        .run_if(life::is_due),
                ),
            );
        known::register(app);
        picture::register(app);
        exchange::register(app);
    }
}

#[cfg(test)]
mod tests;
