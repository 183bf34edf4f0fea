//! New blood vessels: tip cells leave the walls of those that there are where something calls, and vessels grow behind them.
//!
//! How vessels sprout is said in [`crate::cell::sprouting`]; here it is said of blood vessels, the [`Network`] of a site with the part `vessels`. What calls is
//! said by rules: on `vessel.tip_selection` of segments, in `assets/vessels/rules.ron`, and on the speed, the support and the reach of tip cells, in the file of
//! their type.
//!
//! | file | holds |
//! | --- | --- |
//! | `known` | inputs of segments, and what can be known of sprouts |
//! | `picture` | filopodia |

use bevy::prelude::*;

use crate::cell::sprouting::{RegisterSprouting, SproutKind, SproutingVessels};
use crate::core::Purpose;
use crate::tissue::network::Network;

mod known;
mod picture;

/// Input of segments: how often a tip cell begins in 10 um of it, 1/h.
pub const TIP_SELECTION: &str = "vessel.tip_selection";

impl SproutingVessels for Network {
    const KIND: SproutKind = SproutKind::Blood;
    const SELECTION: &'static str = TIP_SELECTION;
    const CHOICE: Purpose = Purpose::of("angiogenesis.choice");
    const BLIND_ENDED: bool = false;

    fn network(&self) -> &Network {
        self
    }

    fn network_mut(&mut self) -> &mut Network {
        self
    }
}

/// Sprouting of blood vessels.
pub struct AngiogenesisPlugin;

impl Plugin for AngiogenesisPlugin {
    fn build(&self, app: &mut App) {
        app.add_sprouting::<Network>();
        known::register(app);
        picture::register(app);
    }
}
