//! Floor 5: films and stills.
//!
//! - [`studio`]: pictures of snapshots, drawn without a window
//! - [`way`]: where the camera is when
//! - [`film`]: steps a simulation and draws it frame by frame
//! - [`sink`]: finished frames become files (MP4, GIF, PNG)

pub mod film;
pub mod sink;
pub mod studio;
pub mod way;

pub use film::{Film, FilmError, FilmOptions};
pub use studio::{Studio, StudioError};
pub use way::CameraWay;
