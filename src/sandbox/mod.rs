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
//! - [`keepsakes`]: pictures and tables to take along
//! - [`window`]: the app around it; [`still`]: one picture of it, without a display

mod choices;
mod engine;
mod input;
mod keepsakes;
mod panels;
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
use crate::record::way::CameraWay;
use crate::scene::Stage;
use crate::simulation::{Simulation, drawn_site};

pub use engine::{Engine, Knob};
pub use session::SaveError;
use visit::Visit;

/// How to explore.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// Name of the scene's file without folder and ending; names the file of changes.
    pub name: String,
    /// Size of the window, points.
    pub size: (u32, u32),
    /// Folder into which changes are saved.
    pub save_to: PathBuf,
    /// A picture to take instead of opening a window.
    pub screenshot: Option<Screenshot>,
}

impl ExploreOptions {
    /// A window for the scene of that name, its changes saved in the working folder.
    pub fn of_scene(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            size: (1360, 820),
            save_to: PathBuf::from("."),
            screenshot: None,
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
    #[error("the window closed because of an error")]
    Window,
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

/// Shape of the picture for which the camera of a film is framed, width in heights.
const SHAPE: f32 = 1.3;

/// Opens the window on a simulation, or takes the picture asked for, and returns once it is closed: with the
/// files in which changes were saved, one for each branch that time took with some, the present one first.
///
/// # Errors
/// [`SandboxError::NoDisplay`] where no window can be opened; otherwise as the error says.
pub fn explore(
    simulation: Simulation,
    options: &ExploreOptions,
) -> Result<Vec<PathBuf>, SandboxError> {
    let scene = simulation.scene().scene.clone();
    let drawn = drawn_site(&Stage::of(&scene));
    let way = CameraWay::known_beforehand(&simulation, drawn, SHAPE);
    let seed = simulation.seed();
    let visit = Visit {
        way,
        ..Visit::new(scene, options.name.clone(), seed)
    };
    explore_engine(visit, simulation, options)
}

/// [`explore`] for anything that steps.
fn explore_engine(
    visit: Visit,
    engine: impl Engine,
    options: &ExploreOptions,
) -> Result<Vec<PathBuf>, SandboxError> {
    if let Some(screenshot) = &options.screenshot {
        still::take(visit, engine, options.size, screenshot)?;
        return Ok(Vec::new());
    }
    let mut saved = Vec::new();
    for session in window::open(
        visit.clone(),
        engine,
        (options.size, options.save_to.clone()),
    )? {
        saved.extend(session.save(&visit.scene, &visit.name, visit.seed, &options.save_to)?);
    }
    Ok(saved)
}
