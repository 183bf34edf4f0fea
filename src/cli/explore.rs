//! `tumorscape explore`: the 3D window. With no display, plain `tumorscape` records instead.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::record::{RecordArguments, record};
use super::run::SimulationArguments;
use super::{DEFAULT_SCENE, Failure, say};
use crate::core::parallel;
use crate::record::sink::check_picture;
use crate::sandbox::{self, ExploreOptions, SandboxError, SceneLoader, Screenshot};
use crate::simulation::Program;

/// Options of `explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// Render the whole window once to this PNG file and exit; needs no display.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// Replace a picture of that name.
    #[arg(long, requires = "screenshot")]
    replace: bool,
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
        simulation: SimulationArguments::of_scene(scene.clone()),
        screenshot: None,
        replace: false,
        after: 0,
    };
    // Asked first where it can be: a program that has made room for a window has given its threads away.
    if has_display() {
        match open(program, &arguments) {
            Err(Opening::NoDisplay(_)) => {}
            Ok(code) => return Ok(code),
            Err(Opening::Failed(failure)) => return Err(failure),
        }
    }
    super::complain(format_args!(
        "no display to open a window on: recording {DEFAULT_SCENE} instead"
    ));
    record(program, &RecordArguments::of_scene(scene))
}

/// Whether there may be a display: false only where it is known that there is none.
fn has_display() -> bool {
    let names = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos")))) || names("DISPLAY") || names("WAYLAND_DISPLAY")
}

/// Sets scenes up for the window: the first one as the command line says, others as they stand.
fn loader(program: Program, first: SimulationArguments) -> SceneLoader {
    SceneLoader::new(move |path| {
        let arguments = if path == first.scene {
            SimulationArguments {
                // The window has shared out the threads.
                threads: None,
                ..first.clone()
            }
        } else {
            SimulationArguments::of_scene(path.to_owned())
        };
        let prepared = arguments.prepare(&program);
        prepared.map_err(Failure::into_message)
    })
}

/// Why there is no window.
enum Opening {
    /// There is no display.
    NoDisplay(String),
    /// Anything else.
    Failed(Failure),
}

fn open(program: &Program, arguments: &ExploreArguments) -> Result<ExitCode, Opening> {
    if let Some(file) = &arguments.screenshot {
        check_picture(file, arguments.replace)
            .map_err(|error| Opening::Failed(Failure::input(error)))?;
    }
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
    options.scene_file.clone_from(&arguments.simulation.scene);
    options.loader = Some(loader(program.clone(), arguments.simulation.clone()));
    options.layout_file = sandbox::layout_file();
    match sandbox::explore(simulation, &options) {
        Ok(saved) => {
            for file in saved {
                let what = match file.extension() {
                    Some(end) if end == "mp4" => "the film",
                    _ => "what you changed",
                };
                say(format!("{what} is kept in {}", file.display()));
            }
        }
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
