//! Floor 1: measurements. What a world of cells and sites says about itself in numbers: rows of cells, metrics of
//! sites, the state hash, and the state as a stream of sections. Nothing here knows of scenes or files.

mod at_vessels;
pub mod census;
pub mod hash;
pub mod masses;
pub mod metrics;
pub mod shares;
pub mod tally;
pub(crate) mod world_state;

pub use census::{Census, Wanted};
