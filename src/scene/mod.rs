//! Floor 3: scenes, the files in which people say what to simulate, show and measure.

pub mod look;

pub use look::{CameraPose, ColourBy, Cut, Look, Slice};
