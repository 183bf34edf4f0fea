//! Floor 5: films and stills.
//!
//! - [`studio`]: pictures of snapshots, drawn without a window
//! - [`way`]: where the camera is when
//! - [`film`]: steps a simulation and draws it frame by frame
//! - [`filmed`]: what can be filmed
//! - `twin`: an arm of the scene that is filmed beside it
//! - [`sink`]: finished frames become files (MP4, GIF, PNG)

pub mod film;
pub mod filmed;
pub mod sink;
pub mod studio;
mod twin;
pub mod way;

pub use film::{Film, FilmError, FilmOptions};
pub use filmed::Filmed;
pub use studio::{Studio, StudioError};
pub use way::CameraWay;
