//! Floor 3: the simulation as a value.
//!
//! [`snapshot`] is what leaves a simulation for the eye.

pub mod snapshot;

pub use snapshot::{CellGlyphs, CellTypeStyle, FieldSnapshot, SiteMetrics, SiteSnapshot, Snapshot};
