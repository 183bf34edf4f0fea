//! Blood vessels: a network of nodes and segments in each site, the blood that flows in it, and what becomes of it.
//!
//! | file | holds |
//! | --- | --- |
//! | `network` | nodes and segments, their numbers, and how a network grows and loses some |
//! | `crossings` | which voxels it crosses |
//! | `description` | how a scene says what vessels there are |
//! | `drawn` | networks that are drawn node by node |
//! | `organs` | what is said for each organ where a scene says nothing |
//! | `placing` | how vessels are put into a site |

use bevy::prelude::*;

use crate::core::invariant::{Breach, Refused, Violation};
use crate::core::random::RegisterPurpose;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState};
use crate::core::{RandomKey, SimSystems};
use crate::tissue::{SiteId, TissueBlock};

pub mod crossings;
pub mod description;
pub mod drawn;
pub mod network;
pub mod organs;
mod placing;

pub use crossings::{Crossing, Crossings};
pub use description::{Along, DrawnNode, DrawnSegment, VesselDescription, VesselPlace};
pub use network::{
    Growth, Held, Network, NetworkError, NewSegment, Node, NodeId, Port, Segment, SegmentId,
    VesselKind,
};
pub use organs::{OrganVessels, VesselsLike};

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
        app.register_purpose(placing::PLACEMENT)
            .register_kept::<Network>(Owner::Site, "vessels")
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
                world.entity_mut(site).insert(network);
            });
    }
}
