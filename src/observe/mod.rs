//! Floor 3: measurements. What a simulation says about itself in numbers: rows of cells, metrics of sites,
//! events, the state hash and the run folder they are written to.

pub mod census;
pub mod events;
pub mod hash;
pub mod journal;
pub mod metrics;
pub mod run_folder;

pub use census::{CellRow, Census};
pub use events::{EventKind, EventRecord, StepEvents};
pub use journal::{Journal, Measurement};
