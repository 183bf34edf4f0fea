//! Why there is no film.

use thiserror::Error;

use super::sink::SinkError;
use super::studio::StudioError;
use crate::journal::run_folder::RunFolderError;

/// Why there is no film.
#[derive(Debug, Error)]
pub enum FilmError {
    /// The picture could not be drawn.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// The film could not be encoded or written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The run folder could not be written.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// The camera looks at an event that does not happen, or a label points at it.
    #[error(
        "the camera or a label looks at event {nth} of the kind `{kind}`, but in this run there {} of it",
        if *.seen == 1 { "is only 1".to_owned() } else { format!("are only {}", .seen) }
    )]
    NoSuchEvent {
        /// Its kind.
        kind: String,
        /// Which of them is looked at.
        nth: u32,
        /// How many there are.
        seen: u32,
    },
    /// The camera follows a cell that is not there.
    #[error("the camera looks at cell {id} at {hours:.2} h, but in this run it is not there then")]
    NoSuchCell {
        /// Its identity.
        id: u64,
        /// When it was looked for.
        hours: f64,
    },
    /// It was asked to end before there was a frame.
    #[error("the film was broken off before its first frame, and is not there")]
    BrokenOff,
    /// The run before the film could not be set up.
    #[error("cannot rehearse the film: {0}")]
    Rehearsal(String),
    /// The arm beside the scene could not go on from where that is.
    #[error("cannot film the arm beside the scene: {0}")]
    Twin(String),
}
