//! `tumorscape explore`: the 3D window. With no display, plain `tumorscape` records instead.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::record::{RecordArguments, record};
use super::run::SimulationArguments;
use super::{DEFAULT_SCENE, Failure, say};
use crate::core::parallel;
use crate::sandbox::{self, ExploreOptions, SandboxError, Screenshot};
use crate::simulation::Program;

/// Options of `explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// Render the whole window once to this PNG file and exit; needs no display.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// Steps to compute before the screenshot.
    #[arg(
        long,
        value_name = "STEPS",
        default_value_t = 0,
        requires = "screenshot"
    )]
    after: u64,
}

pub(crate) fn explore(
    program: &Program,
    arguments: &ExploreArguments,
) -> Result<ExitCode, Failure> {
    open(program, arguments).map_err(|error| match error {
        Opening::Failed(failure) => failure,
        Opening::NoDisplay(message) => Failure::Run(message),
    })
}

/// Opens the default scene; without a display, says so and records it.
pub(crate) fn open_default(program: &Program) -> Result<ExitCode, Failure> {
    let scene = PathBuf::from(DEFAULT_SCENE);
    let arguments = ExploreArguments {
        simulation: SimulationArguments {
            scene: scene.clone(),
            seed: None,
            until: None,
            threads: None,
        },
        screenshot: None,
        after: 0,
    };
    match open(program, &arguments) {
        Ok(code) => Ok(code),
        Err(Opening::NoDisplay(_)) => {
            super::complain(format_args!(
                "no display to open a window on: recording {DEFAULT_SCENE} instead"
            ));
            record(program, &RecordArguments::of_scene(scene))
        }
        Err(Opening::Failed(failure)) => Err(failure),
    }
}

/// Why there is no window.
enum Opening {
    /// There is no display.
    NoDisplay(String),
    /// Anything else.
    Failed(Failure),
}

fn open(program: &Program, arguments: &ExploreArguments) -> Result<ExitCode, Opening> {
    parallel::set_threads_beside_window(arguments.simulation.threads.map(usize::from));
    let simulation = arguments
        .simulation
        .prepare(program)
        .map_err(Opening::Failed)?;
    let mut options = ExploreOptions::of_scene(arguments.simulation.name());
    options.screenshot = arguments.screenshot.clone().map(|file| Screenshot {
        file,
        after_steps: arguments.after,
    });
    match sandbox::explore(simulation, &options) {
        Ok(None) => {}
        Ok(Some(saved)) => say(format!("what you changed is kept in {}", saved.display())),
        Err(error @ SandboxError::NoDisplay { .. }) => {
            return Err(Opening::NoDisplay(error.to_string()));
        }
        Err(error @ SandboxError::Picture(_)) => {
            return Err(Opening::Failed(Failure::input(error)));
        }
        Err(error) => return Err(Opening::Failed(Failure::run(error))),
    }
    Ok(ExitCode::SUCCESS)
}
