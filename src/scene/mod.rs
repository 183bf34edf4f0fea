//! Floor 3: scenes, the files in which people say what to simulate, show and measure.

pub mod look;
pub mod schema;

pub use look::{Axis, CameraPose, ColourBy, Cut, Look, Slice};
pub use schema::Scene;
