//! A scene that has been set up and waits to be shown.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::record::filmed::way_around;
use crate::record::way::CameraWay;
use crate::scene::Stage;
use crate::simulation::{SideBySide, Simulation, SnapshotRequest, drawn_site};

use super::Explored;
use super::engine::Engine;
use super::visit::Visit;
use super::worker::Worker;

/// Shape of the picture for which the camera of a film is framed, width in heights.
const SHAPE: f32 = 1.3;

/// Sets up the scene of a file; why not, in words, if it cannot. Called on a thread of its own.
#[derive(Clone)]
pub struct SceneLoader(Arc<dyn Fn(&Path) -> Result<Explored, String> + Send + Sync>);

impl SceneLoader {
    /// One that does this.
    pub fn new(load: impl Fn(&Path) -> Result<Explored, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(load))
    }
}

impl fmt::Debug for SceneLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SceneLoader")
    }
}

/// Lets the window know that there is something new, and whether it is the last before an order comes.
pub(super) type Wake = Arc<dyn Fn(bool) + Send + Sync>;

/// Starts the thread of a simulation; its reports hold what is asked for.
type Start = Box<dyn FnOnce(SnapshotRequest, Wake) -> std::io::Result<Worker> + Send>;

/// A scene that has been set up, of whatever kind its engine is.
pub(super) struct Arrival {
    /// The scene.
    pub visit: Visit,
    start: Start,
}

impl Arrival {
    /// A scene with what steps it.
    pub fn new(visit: Visit, engine: impl Engine) -> Self {
        Self {
            visit,
            start: Box::new(move |request, wake| {
                Worker::spawn(engine, request, move |is_last| wake(is_last))
            }),
        }
    }

    /// What is to be shown of a scene of that name.
    pub fn of(explored: Explored, name: String) -> Self {
        match explored {
            Explored::One(simulation) => Self::of_simulation(*simulation, name),
            Explored::Arms(arms) => Self::of_arms(arms, name),
        }
    }

    fn of_simulation(simulation: Simulation, name: String) -> Self {
        let parsed = Arc::clone(simulation.scene());
        let drawn = drawn_site(&Stage::of(&parsed.scene));
        let visit = Visit {
            way: CameraWay::known_beforehand(&simulation, drawn, SHAPE),
            ..Visit::new(parsed, name, simulation.seed())
        };
        Self::new(visit, simulation)
    }

    fn of_arms(arms: SideBySide, name: String) -> Self {
        // What is changed is kept as a change of the scene that all arms share.
        let parsed = Arc::clone(arms.scene());
        let visit = Visit {
            way: way_around(&arms, SHAPE),
            stage: arms.stage().clone(),
            ..Visit::new(parsed, name, arms.first().seed())
        };
        Self::new(visit, arms)
    }

    /// Starts its thread, paused.
    pub fn start(self, request: SnapshotRequest, wake: Wake) -> std::io::Result<(Visit, Worker)> {
        let worker = (self.start)(request, wake)?;
        Ok((self.visit, worker))
    }
}

/// What loads scenes for the window.
pub(super) type Load = Arc<dyn Fn(&Path) -> Result<Arrival, String> + Send + Sync>;

/// Loads simulations.
pub(super) fn load_simulations(loader: SceneLoader) -> Load {
    Arc::new(move |path| Ok(Arrival::of((loader.0)(path)?, name_of(path))))
}

/// The name of a scene's file without folder and ending.
pub(super) fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "scene".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
