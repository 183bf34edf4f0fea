//! stub
pub mod biology;
pub mod cell;
pub mod core;
#[cfg(feature = "view")]
pub mod record;
#[cfg(feature = "view")]
pub mod sandbox;
pub mod scene;
pub mod simulation;
pub mod tissue;
#[cfg(feature = "view")]
pub mod view;
