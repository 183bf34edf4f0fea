//! `tumorscape explore`: the 3D window. With no display, plain `tumorscape` records instead.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::record::{RecordArguments, record};
use super::run::SimulationArguments;
use super::{DEFAULT_SCENE, Failure, say};
use crate::core::parallel;
use crate::record::sink::check_picture;
use crate::sandbox::{self, ExploreOptions, Explored, SandboxError, SceneLoader, Screenshot};
use crate::simulation::Program;

/// Options of `explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// Show all arms of the scene side by side, with one camera, one clock and a curve for each in the plots; as the scene says
    /// if left out.
    #[arg(long, conflicts_with = "arm")]
    side_by_side: bool,
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
        side_by_side: false,
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
fn loader(program: Program, first: SimulationArguments, side_by_side: bool) -> SceneLoader {
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
        prepare(&program, &arguments, side_by_side && path == first.scene)
            .map_err(Failure::into_message)
    })
}

/// Sets up what the window shows: a scene or an arm of it, or all its arms where that is asked for or said by the scene.
fn prepare(
    program: &Program,
    of: &SimulationArguments,
    side_by_side: bool,
) -> Result<Explored, Failure> {
    let scene = of.open(program)?;
    if side_by_side || (of.arm.is_none() && scene.scene.recording.side_by_side) {
        Ok(Explored::Arms(of.set_up_arms(&scene)?))
    } else {
        Ok(Explored::One(Box::new(of.set_up(scene)?)))
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
    if let Some(file) = &arguments.screenshot {
        check_picture(file, arguments.replace)
            .map_err(|error| Opening::Failed(Failure::input(error)))?;
    }
    parallel::set_threads_beside_window(arguments.simulation.threads.map(usize::from));
    let mut options = ExploreOptions::of_scene(arguments.simulation.name());
    options.screenshot = arguments.screenshot.clone().map(|file| Screenshot {
        file,
        after_steps: arguments.after,
    });
    options.scene_file.clone_from(&arguments.simulation.scene);
    options.loader = Some(loader(
        program.clone(),
        arguments.simulation.clone(),
        arguments.side_by_side,
    ));
    options.layout_file = sandbox::layout_file();
    let explored =
        prepare(program, &arguments.simulation, arguments.side_by_side).map_err(Opening::Failed)?;
    match sandbox::explore(explored, &options) {
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
