//! Floor 5: films. [`sink`] turns finished frames into files.

pub mod sink;
