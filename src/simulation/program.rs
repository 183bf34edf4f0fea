//! The program: the shipped plugins and those of others.
//!
//! Somebody who brings a mechanism of his own writes a plugin that registers it as the shipped modules do, and a `main`
//! of two lines:
//!
//! ```no_run
//! use tumorscape::simulation::Program;
//! # fn my_plugin(_: &mut bevy::app::App) {}
//!
//! fn main() -> std::process::ExitCode {
//!     tumorscape::cli::run(Program::default().with(my_plugin))
//! }
//! ```
//!
//! A scene remembers the program that has read it, so that [`Simulation::new`](super::Simulation::new) builds the right
//! world.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use bevy::prelude::*;

use super::{SimulationPlugins, spawn};
use crate::core::capability::CapabilityRegistry;
use crate::core::extension::Extensions;
use crate::core::{Clock, RandomKey};
use crate::measure::metrics;
use crate::scene::{self, Accepted, CellLibrary, ParsedScene, SceneContext, SceneReport};

/// What is simulated with: the shipped plugins, and plugins beside them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Program {
    extensions: Extensions,
    capabilities: Arc<OnceLock<CapabilityRegistry>>,
}

impl Program {
    /// The same with one more plugin: any function that adds to an app what it brings. It is called for each
    /// simulation and each scene that is checked, and must always add the same.
    #[must_use]
    pub fn with(self, plugin: impl Fn(&mut App) + Send + Sync + 'static) -> Self {
        Self::of(self.extensions.with(plugin))
    }

    /// The program with these plugins beside the shipped ones, as a [`ParsedScene`] remembers them.
    pub fn of(extensions: Extensions) -> Self {
        Self {
            extensions,
            capabilities: Arc::default(),
        }
    }

    /// A world with all plugins and no tissue.
    fn world(&self) -> World {
        let mut app = App::empty();
        app.insert_resource(Clock::new(1.0))
            .insert_resource(RandomKey(0))
            .add_plugins(SimulationPlugins);
        self.extensions.build(&mut app);
        std::mem::take(app.world_mut())
    }

    /// A world with all plugins and the cell types of a library, but no tissue: enough to know every parameter.
    pub fn prototype_world(&self, library: &CellLibrary) -> World {
        let mut world = self.world();
        spawn::install_cell_types(&mut world, library);
        world
    }

    /// Pairs of systems whose order matters but is not fixed, as Bevy reports them; must be none, or results would
    /// depend on chance.
    ///
    /// # Errors
    /// The report, when there are any.
    pub fn schedule_ambiguities(&self, library: &CellLibrary) -> Result<(), String> {
        super::ambiguities_in(self.prototype_world(library))
    }

    /// What cells can be able to do.
    pub fn capabilities(&self) -> &CapabilityRegistry {
        self.capabilities.get_or_init(|| {
            let world = self.world();
            let known = world.get_resource::<CapabilityRegistry>();
            known.cloned().unwrap_or_default()
        })
    }

    /// Hands on what a scene can refer to.
    fn in_context<T>(&self, folder: Option<&Path>, read: impl FnOnce(&SceneContext) -> T) -> T {
        read(&SceneContext {
            folder,
            metrics: Some(&|library| metrics::known(&self.prototype_world(library))),
            prototype: Some(&|library| self.prototype_world(library)),
            capabilities: Some(self.capabilities()),
            extensions: Some(&self.extensions),
            is_whole: false,
        })
    }

    /// Reads a scene and everything it refers to, and checks it against this program: its parameters, its
    /// measurements.
    ///
    /// # Errors
    /// When anything is wrong: everything that is.
    pub fn open_scene(&self, path: &Path) -> Result<ParsedScene, SceneReport> {
        self.in_context(None, |context| scene::load_scene(path, context))
    }

    /// Reads a scene from RON text and checks it. `name` is that of its file, for reports; `folder` that in which files
    /// it names are looked for, the folder of its name if left out.
    ///
    /// # Errors
    /// When anything is wrong: everything that is.
    pub fn parse_scene(
        &self,
        text: &str,
        name: &str,
        folder: Option<&Path>,
    ) -> Result<ParsedScene, SceneReport> {
        self.in_context(folder, |context| scene::parse_scene(text, name, context))
    }

    /// Reads the shipped scene that is named like this file, `scenes/NAME.ron`, if there is one and no such file.
    ///
    /// # Errors
    /// When anything is wrong with it or the cell types at hand: everything that is.
    pub fn open_shipped_scene(&self, path: &Path) -> Option<Result<ParsedScene, SceneReport>> {
        let text = scene::shipped_scene(path).filter(|_| !path.exists())?;
        Some(self.parse_scene(text, &path.display().to_string(), None))
    }

    /// Checks a scene, the shipped one of that name where there is no such file, or a cell prefab or a molecule if it
    /// lies in a folder named `cells` or `molecules`, and says what it is.
    ///
    /// # Errors
    /// When anything is wrong: everything that is.
    pub fn check_file(&self, path: &Path) -> Result<Accepted<String>, SceneReport> {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = whole.parent().and_then(Path::file_name);
        if folder.is_some_and(|folder| folder == "cells") {
            let accepted = self.in_context(None, |context| scene::load_prefab(path, context))?;
            return Ok(Accepted {
                value: format!(
                    "cell type `{}`, {}",
                    accepted.value.name,
                    verdict(&accepted.warnings)
                ),
                warnings: accepted.warnings,
            });
        }
        if folder.is_some_and(|folder| folder == "molecules") {
            return scene::load_molecule(path).map(|molecule| Accepted {
                value: format!(
                    "molecule `{}`, {}",
                    molecule.name,
                    verdict(&SceneReport::default())
                ),
                warnings: SceneReport::default(),
            });
        }
        if folder.is_some_and(|folder| folder == "drugs") {
            return scene::load_drug(path).map(|drug| Accepted {
                value: format!("drug `{}`, {}", drug.name, verdict(&SceneReport::default())),
                warnings: SceneReport::default(),
            });
        }
        let shipped = self.open_shipped_scene(path);
        let parsed = shipped.unwrap_or_else(|| self.open_scene(path))?;
        Ok(Accepted {
            value: format!(
                "`{}`, {} of tissue time, {}",
                parsed.scene.title,
                parsed.scene.duration,
                verdict(&parsed.warnings)
            ),
            warnings: parsed.warnings,
        })
    }

    /// The cell types and molecules that a scene in a folder could use, each checked as [`Program::check_file`] does.
    ///
    /// # Errors
    /// When a file is wrong: everything that is.
    pub fn library_in(&self, folder: &Path) -> Result<Accepted<CellLibrary>, SceneReport> {
        self.in_context(None, |context| scene::load_library(folder, context))
    }

    /// Reads a scene that a simulation has written with everything it refers to, and checks it against this program.
    ///
    /// # Errors
    /// When anything is wrong, in words.
    pub(crate) fn scene_from_ron(&self, name: &str, text: &str) -> Result<ParsedScene, String> {
        self.in_context(None, |context| {
            let parsed = ParsedScene::from_ron_with(name, text, context)?;
            let whole = SceneContext {
                is_whole: true,
                ..*context
            };
            match scene::parse_scene(text, name, &whole) {
                Ok(_) => Ok(parsed),
                Err(report) => Err(report.headlines().into_iter().next().unwrap_or_default()),
            }
        })
    }
}

/// What is said of a file that can be used.
fn verdict(warnings: &SceneReport) -> &'static str {
    if warnings.is_empty() {
        "no problem found"
    } else {
        "no mistake found but for these warnings"
    }
}

/// Reads and checks a scene as the program with the shipped plugins does, see [`Program::open_scene`].
///
/// # Errors
/// When anything is wrong: everything that is.
pub fn open_scene(path: &Path) -> Result<ParsedScene, SceneReport> {
    Program::default().open_scene(path)
}

/// A world of the program with the shipped plugins, see [`Program::prototype_world`].
pub fn prototype_world(library: &CellLibrary) -> World {
    Program::default().prototype_world(library)
}
