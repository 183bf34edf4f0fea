//! Floor 0: what every other floor stands on.
//!
//! Nothing here knows biology. [`clock`] holds tissue time and the order of a step, [`random`] the
//! counter-based random numbers, [`identity`] the names of cells, [`units`] the few conversions between
//! the units of the field, [`parallel`] the helpers that split work into pieces whose number does not
//! depend on the number of threads, [`state`] and [`invariant`] the lists of what is state and of what must
//! always be true, [`capability`] what cells of a type can do, [`clones`] what
//! they inherit with changes, [`dialect`] how files are written, [`extension`] what
//! others add to the program, [`layout`] how state lies in a file, [`stages`] how long the parts of a step take.

pub mod capability;
pub mod clock;
pub mod clones;
pub mod dialect;
pub mod extension;
pub mod identity;
pub mod invariant;
pub mod layout;
pub mod limits;
pub mod numbers;
pub mod parallel;
pub mod parameters;
pub mod random;
pub mod stages;
pub mod state;
mod team;
pub mod units;

pub use clock::{Clock, SimSchedule, SimSystems};
pub use identity::{CellId, CellIdCounter};
pub use random::{Purpose, Random, RandomKey, RegisterPurpose};
