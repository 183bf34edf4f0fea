//! Floor 5: films and stills.
//!
//! - [`studio`]: pictures of snapshots, drawn without a window
//! - [`sink`]: finished frames become files (MP4, GIF, PNG)

pub mod sink;
pub mod studio;

pub use studio::{Studio, StudioError};
