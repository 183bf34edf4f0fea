//! Vessels sprout: tip cells leave their wall, walk ahead, and the vessel grows behind them.
//!
//! A tip (capability `tip`) is a cell like others: it walks, follows molecules and fibres, digests matrix and dies as the file of its type
//! says. What makes it a tip is that a vessel follows it:
//!
//! - **Choice.** In a piece of vessel of 10 um one begins with the hazard that is the input of its segment (`vessel.tip_selection`, 1/h; none without a
//!   rule). It holds back others, as Notch does between neighbours: none begins within `inhibits_um` of a tip, none ever again within `apart_um` of where one has begun on the
//!   same vessel, and none where already `crowded_by` other vessels come within `crowded_um` (`choose`).
//! - **Stalk.** Every `piece_um` it leaves a node behind, joined to the last: a solid cord, without a lumen.
//! - **Meeting.** A tip that comes within the input `tip.reach` of another vessel joins it. Cords that lie on a loop by now open over
//!   `lumen_hours`; blood finds its way then by itself.
//! - **Withering.** One older than `patience_hours` that has met nobody dies where the input `tip.support` is below `least_support`; cords that lead to no tip
//!   are taken back. Vessels that end blindly by nature (lymphatics) open without a loop, and stay.
//!
//! Rates and distances: 8 um/h, two hours to a turn, 0.002 /h, 8 pieces apart, 80 um and 50 h are after models of angiogenesis [T] (Anderson and Chaplain
//! 1998, Bull Math Biol 60:857, for the assay of the cornea), calibrated to sprouts that grow 0.1-0.2 mm a day.
//!
//! Whoever keeps a kind of vessels says so with [`SproutingVessels`] and [`RegisterSprouting::add_sprouting`]. All of it runs every `sprouting.every_min`, in
//! `Transport`: vessels are added in [`NetworkSystems::Extend`] and taken back in [`NetworkSystems::Withdraw`].

use bevy::ecs::component::Mutable;
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::event::{EventKind, Passage, RegisterEvent};
use super::life::{Beginning, RegisterLife};
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::quantity::{Quantity, RegisterQuantities};
use crate::core::state::RegisterState;
use crate::core::{Clock, Purpose, RegisterPurpose, SimSchedule, SimSystems};
use crate::tissue::interstitium::FluidSystems;
use crate::tissue::network::{Network, NetworkSystems, NodeId, Sprouts};

pub mod choose;
mod grow;
pub mod stalk;

pub use grow::{sprout, withdraw};

/// Vessels of one kind that sprout; a component of sites.
pub trait SproutingVessels: Component<Mutability = Mutable> {
    /// Which.
    const KIND: SproutKind;
    /// The input of its segments that is the hazard of a tip, 1/h for 10 um.
    const SELECTION: &'static str;
    /// When and where tips begin.
    const CHOICE: Purpose;
    /// Whether its sprouts open without a loop, and stay where their tips die.
    const BLIND_ENDED: bool;

    /// The network.
    fn network(&self) -> &Network;
    /// The network, to change it.
    fn network_mut(&mut self) -> &mut Network;
}

/// A kind of vessels that sprout.
#[derive(
    SystemSet, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect,
)]
pub enum SproutKind {
    /// Blood vessels.
    #[default]
    Blood,
    /// Lymphatics.
    Lymph,
}

/// When vessels sprout (group `sprouting`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct SproutingParameters {
    /// Time between two looks at what grows, min; 60.
    pub every_min: f32,
}

impl Default for SproutingParameters {
    fn default() -> Self {
        Self { every_min: 60.0 }
    }
}

impl Parameters for SproutingParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 1.0,
            max: 1440.0,
        }
    }
}

/// How cells of a type lead sprouts (capability `tip`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct TipParameters {
    /// Of which vessels they are the tips: `Blood` or `Lymph`. The first type that says so is that of new tips.
    pub of: SproutKind,
    /// Length of the pieces of stalk that a tip leaves behind, um; 10 [T].
    pub piece_um: f32,
    /// Radius of the vessel that opens in the stalk, um; 4. Assumed: as other capillaries.
    pub radius_um: f32,
    /// Distance within which a tip holds back others, um; 80. Calibrated.
    pub inhibits_um: f32,
    /// Distance on one vessel within which two sprouts never begin, um; 45, eight pieces in all [T].
    pub apart_um: f32,
    /// How far around a place other vessels keep sprouts from beginning, um; 80. Calibrated.
    pub crowded_um: f32,
    /// How many of them do; 2. Calibrated.
    pub crowded_by: f32,
    /// How near another vessel must be for a tip to join it, um; 15 [T].
    pub reach_um: f32,
    /// Age before which a tip joins nobody, h; 6. Calibrated.
    pub young_hours: f32,
    /// Age before which it does not join the vessel it comes from, h; 12. Calibrated.
    pub leaving_hours: f32,
    /// What keeps it alive without any rule, 0-1.
    pub support: f32,
    /// Support below which it dies once it is older than that, 0-1; 0.15. Calibrated.
    pub least_support: f32,
    /// Age up to which a tip that has met nobody lives anyway, h; 50 [T].
    pub patience_hours: f32,
    /// Time in which a lumen opens, h; 12. Assumed.
    pub lumen_hours: f32,
}

impl Default for TipParameters {
    fn default() -> Self {
        Self {
            of: SproutKind::Blood,
            piece_um: 10.0,
            radius_um: 4.0,
            inhibits_um: 80.0,
            apart_um: 45.0,
            crowded_um: 80.0,
            crowded_by: 2.0,
            reach_um: 15.0,
            young_hours: 6.0,
            leaving_hours: 12.0,
            support: 0.0,
            least_support: 0.15,
            patience_hours: 50.0,
            lumen_hours: 12.0,
        }
    }
}

impl Parameters for TipParameters {
    fn limits(field: &str) -> Limits {
        let between = |min, max| Limits { min, max };
        match field {
            "support" | "least_support" => Limits::FRACTION,
            "piece_um" | "radius_um" => between(1.0, 100.0),
            "lumen_hours" => between(0.01, 1.0e4),
            _ => between(0.0, 1.0e4),
        }
    }
}

/// What a tip is at the end of.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct Tip {
    /// Number of its sprout; [`Sprouts::NONE`] for a cell that leads none.
    pub sprout: u32,
    /// Number of the sprout that this one comes from.
    pub parent: u32,
    /// Number of the last node of its stalk.
    pub last: u32,
    /// The step in which it began.
    pub since_step: u64,
}

impl Tip {
    /// The last node of its stalk, if it leads one.
    pub const fn node(&self) -> Option<NodeId> {
        if self.sprout == Sprouts::NONE {
            None
        } else {
            Some(NodeId(self.last))
        }
    }
}

/// Input: how near another vessel must be for a tip to join it, um.
pub const REACH: &str = "tip.reach";
/// Input: what keeps a tip alive.
pub const SUPPORT: &str = "tip.support";

/// A tip left the wall of a vessel.
pub const BEGINS: EventKind = EventKind::of("sprouting.begins");
/// A tip met a vessel and became part of it.
pub const JOINS: EventKind = EventKind::of("sprouting.joins");
/// A tip died before it met one.
pub const WITHERS: EventKind = EventKind::of("sprouting.withers");

/// Whether it is time to look at what grows.
fn is_due(clock: Res<Clock>, parameters: Res<SproutingParameters>) -> bool {
    clock.step > 0 && clock.is_turn(f64::from(parameters.every_min))
}

/// Puts the sets of [`NetworkSystems`] in their order; doing so twice is harmless.
fn order_networks(app: &mut App) {
    app.configure_sets(
        SimSchedule,
        (NetworkSystems::Extend, NetworkSystems::Withdraw)
            .chain()
            .before(FluidSystems::Walls)
            .in_set(SimSystems::Transport),
    )
    .configure_sets(
        SimSchedule,
        (SproutKind::Blood, SproutKind::Lymph)
            .chain()
            .in_set(NetworkSystems::Extend),
    );
}

/// Registration, from the plugin of the module that keeps the vessels.
pub trait RegisterSprouting {
    /// Lets vessels of a kind sprout.
    fn add_sprouting<V: SproutingVessels>(&mut self) -> &mut Self;
}

impl RegisterSprouting for App {
    fn add_sprouting<V: SproutingVessels>(&mut self) -> &mut Self {
        order_networks(self);
        self.register_purpose(V::CHOICE)
            .while_in_transit(
                sprout::<V>,
                InTransit::Pauses,
                "a tip that is carried away leads no vessel",
            )
            .while_in_transit(
                withdraw::<V>,
                InTransit::Pauses,
                "a tip that is carried away holds no stalk",
            )
            .add_systems(
                SimSchedule,
                (
                    // Each kind has tips of its own; that they come one after the other is for the schedule alone.
                    sprout::<V>.in_set(V::KIND).run_if(is_due),
                    withdraw::<V>
                        .in_set(NetworkSystems::Withdraw)
                        .run_if(is_due),
                ),
            )
    }
}

/// Tips, of whatever vessels.
pub struct SproutingPlugin;

impl Plugin for SproutingPlugin {
    fn build(&self, app: &mut App) {
        order_networks(app);
        app.register_group::<SproutingParameters>("sprouting")
            .register_capability::<TipParameters>("tip")
            .register_cell_state::<Tip>("tip")
            .register_input::<TipParameters>(
                InputInfo::new(
                    REACH,
                    "um",
                    "How near another vessel must be for a tip to join it.",
                ),
                "reach_um",
            )
            .register_input::<TipParameters>(
                InputInfo::new(
                    SUPPORT,
                    "",
                    "What keeps a tip alive that has met no vessel for long, 0-1.",
                ),
                "support",
            )
            .register_quantity::<Tip>(
                Quantity::new("tip.leads", "", "1 for a cell that leads a sprout, else 0.")
                    .of_the_living()
                    .no_column(),
                |tip| f32::from(u8::from(tip.sprout != Sprouts::NONE)),
            )
            .register_passage(
                BEGINS,
                Passage::Recruitment,
                "A tip cell left the wall of a vessel, and a sprout began.",
            )
            .register_passage(
                JOINS,
                Passage::Removal,
                "A tip cell met a vessel and became part of its wall.",
            )
            .register_passage(
                WITHERS,
                Passage::Removal,
                "A tip cell that had met no vessel died, and its sprout was taken back.",
            )
            .begin_cells(|place| {
                place.parameters::<TipParameters>()?;
                Some(Beginning::settled(Tip::default()))
            });
    }
}

#[cfg(test)]
mod tests;
