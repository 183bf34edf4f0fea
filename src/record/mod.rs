//! Floor 5: films and stills.
//!
//! - [`studio`]: pictures of snapshots, drawn without a window
//! - [`way`]: where the camera is when
//! - `rehearsal`: what is known only when the scene has been simulated once
//! - `plan`: what each frame shows
//! - [`film`]: steps a simulation and draws it frame by frame
//! - [`filmed`]: what can be filmed
//! - [`error`]: why there is no film
//! - `twin`: an arm of the scene that is filmed beside it
//! - [`sink`]: finished frames become files (MP4, GIF, PNG)

pub mod error;
pub mod film;
pub mod filmed;
mod plan;
mod rehearsal;
pub mod sink;
pub mod studio;
mod twin;
pub mod way;

pub use error::FilmError;
pub use film::{Film, FilmOptions};
pub use filmed::Filmed;
pub use studio::{Studio, StudioError};
pub use way::CameraWay;
