//! Floor 5: the explorable window.
//!
//! A person looks at a running tissue, turns it, cuts it open, clicks cells, follows curves and changes
//! parameters. The simulation runs on a thread of its own and is reached by orders and reports only, so the
//! window stays smooth however long a step takes, and everything done to the tissue can be repeated.
//!
//! - [`worker`]: the thread that owns the simulation; [`engine`]: what it needs of one
//! - [`session`]: what was changed, as a scene that repeats it; [`past`]: what is kept of the run, and the branches of time
//! - [`visit`]: the scene that is explored; [`state`]: what the window knows
//! - [`rig`], [`pick`]: the eye moved by hand, the cell under the pointer
//! - [`choices`]: what cells can be coloured by
//! - [`panels`], [`theme`]: what is drawn over the picture; [`input`]: keys and mouse
//! - [`arrival`], [`browser`], [`parting`]: other scenes, set up and left while the window stays open
//! - [`bookmarks`]: times and places to come back to; [`keepsakes`], [`filming`]: pictures, tables and films to take along
//! - [`layout`]: what is remembered from one time to the next
//! - [`window`]: the app around it; [`still`]: one picture of it, without a display

mod arrival;
mod bookmarks;
mod browser;
mod choices;
mod engine;
mod filming;
mod input;
mod keepsakes;
mod layout;
mod panels;
mod parting;
mod past;
mod pick;
mod rig;
mod session;
mod state;
mod still;
mod theme;
mod visit;
mod window;
mod worker;

use std::path::PathBuf;

use crate::record::StudioError;
use crate::record::sink::SinkError;
use crate::simulation::{SideBySide, Simulation};

use arrival::Arrival;
pub use arrival::SceneLoader;
pub use engine::{Engine, Knob};
pub use layout::layout_file;
pub use session::SaveError;

/// How to explore.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// Name of the scene's file without folder and ending; names the file of changes.
    pub name: String,
    /// Size of the window, points, where none is remembered.
    pub size: (u32, u32),
    /// Folder into which changes are saved.
    pub save_to: PathBuf,
    /// A picture to take instead of opening a window.
    pub screenshot: Option<Screenshot>,
    /// The file of the scene, beside which others are looked for.
    pub scene_file: PathBuf,
    /// Sets up other scenes, and this one anew; none can be opened without it.
    pub loader: Option<SceneLoader>,
    /// Where size and look of the window are remembered, if anywhere.
    pub layout_file: Option<PathBuf>,
}

impl ExploreOptions {
    /// A window for the scene of that name alone, its changes saved in the working folder; nothing is remembered of it.
    pub fn of_scene(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            size: (1360, 820),
            save_to: PathBuf::from("."),
            screenshot: None,
            scene_file: PathBuf::new(),
            loader: None,
            layout_file: None,
        }
    }
}

/// A picture of the window.
#[derive(Clone, Debug)]
pub struct Screenshot {
    /// The PNG file.
    pub file: PathBuf,
    /// Steps computed before it is taken.
    pub after_steps: u64,
}

/// Why a scene could not be explored.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no display to open a window on.
    #[error(
        "no display to open a window on ({reason}); `tumorscape record` makes a film without one"
    )]
    NoDisplay {
        /// What was missing.
        reason: String,
    },
    /// Nothing to draw with, or the driver failed.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// The window broke down.
    #[error("the window closed because of an error{}", kept_text(.0))]
    Window(Vec<String>),
    /// No thread for the simulation.
    #[error("cannot start a thread for the simulation: {0}")]
    Thread(String),
    /// The picture could not be written.
    #[error(transparent)]
    Picture(#[from] SinkError),
    /// The simulation broke down before the picture was taken.
    #[error("the simulation broke down after {steps} steps")]
    Simulation {
        /// Steps it had completed.
        steps: u64,
    },
    /// What was changed could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// What was kept when a window broke down.
fn kept_text(kept: &[String]) -> String {
    if kept.is_empty() {
        String::new()
    } else {
        format!("; what was computed before: {}", kept.join(", "))
    }
}

/// What a window shows.
pub enum Explored {
    /// A simulation.
    One(Box<Simulation>),
    /// The arms of a scene, side by side: what is changed is changed in all of them.
    Arms(SideBySide),
}

/// Opens the window on a simulation, or takes the picture asked for, and returns once it is closed: with the
/// files in which something is kept. Those of changes come first, one for each branch with some that time took in each scene
/// that was shown; then films.
///
/// # Errors
/// [`SandboxError::NoDisplay`] where no window can be opened; otherwise as the error says.
pub fn explore(explored: Explored, options: &ExploreOptions) -> Result<Vec<PathBuf>, SandboxError> {
    let arrival = Arrival::of(explored, options.name.clone());
    if let Some(screenshot) = &options.screenshot {
        still::take(arrival, options.size, screenshot)?;
        return Ok(Vec::new());
    }
    window::open(arrival, options)
}
