//! Floor 3: measurements. What a simulation says about itself in numbers: rows of cells, metrics of sites,
//! events, the state hash, the run folder they are written to and the checkpoints from which a run goes on.

pub mod census;
pub mod checkpoint;
pub mod hash;
pub mod journal;
pub mod metrics;
pub mod run_folder;
mod summed;
pub mod tally;
mod world_state;

pub use census::{Census, Wanted};
pub use journal::{Journal, JournalState};
