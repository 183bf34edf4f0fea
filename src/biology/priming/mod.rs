//! Priming: how antigen gets from dead cancer cells to lymph nodes, and killers from there into the blood.
//!
//! Dendritic cells (capability `presentation`) take up antigen, mature, leave their tissue with the lymph and show the antigen in a lymph
//! node ([`presenting`]). T cells there that have not met it (capability `naive`) are primed by contact with one that shows it, divide for
//! some days, and their daughters go into the blood as cells of the type that has the capability `effector` ([`naive`]). These come out of
//! it at the doors of sites that let them in, those with the part `homing` ([`travel`]). In their tissue cells that show antigen, macrophages
//! as well, drive T cells that touch them to divide ([`restimulation`]).
//!
//! By which ways lymph takes dendritic cells, and to which site, is said by [`crate::cell::doors::lymph`]. Without a lymph node in a scene they keep what they
//! have taken up and leave for good; how many killers come is then said by the cell types themselves.
//!
//! | system | stage | does |
//! | --- | --- | --- |
//! | [`take_up_antigen`](presenting::take_up_antigen) | `Signal` | antigen is gained and lost |
//! | [`meet_shown`](restimulation::meet_shown) | `Signal` | T cells meet what is shown in their tissue |
//! | [`meet_antigen`](naive::meet_antigen) | `Act`, cycle | naive T cells are primed, and their clones grow |
//! | [`set_out`](travel::set_out) | `Act`, walk | dendritic cells leave with the lymph |
//! | [`arrive`](travel::arrive) | `Act`, walk | killers come out of the blood |

use bevy::prelude::*;

use crate::cell::order_act;

mod known;
pub mod naive;
mod picture;
pub mod presenting;
pub mod restimulation;
pub mod travel;

pub use naive::{EffectorParameters, Naive, NaiveParameters};
pub use presenting::{Presentation, PresentationParameters};
pub use restimulation::{Restimulation, RestimulationParameters};
pub use travel::Homing;

/// Priming of T cells.
pub struct PrimingPlugin;

impl Plugin for PrimingPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        presenting::register(app);
        restimulation::register(app);
        naive::register(app);
        travel::register(app);
        known::register(app);
        picture::register(app);
    }
}
