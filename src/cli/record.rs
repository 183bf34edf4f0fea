//! `tumorscape record`: simulate and make a film.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::interruption;
use super::progress::Progress;
use super::run::{self, SimulationArguments};
use super::span::{describe_hours, parse_span};
use super::{Failure, say};
use crate::core::files::free_name;
use crate::journal::Journal;
use crate::journal::run_folder::RunFolder;
use crate::record::{Film, FilmOptions, Filmed};
use crate::scene::look::Style;
use crate::scene::schema::Span;
use crate::simulation::Program;

/// Options of `record`.
#[derive(Debug, Args)]
pub(crate) struct RecordArguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// The film: a name ending in .mp4, .gif or .png (a sequence of stills). `<scene>.mp4` if left out, or the first of
    /// `<scene>-2.mp4`, `<scene>-3.mp4`... that is free.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Width and height in pixels, such as 1280x720; the scene's if left out.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Option<(u32, u32)>,
    /// Frames a second; the scene's if left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: Option<u32>,
    /// Length of the film in seconds; the scene's if left out.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    seconds: Option<f64>,
    /// One picture of this tissue time, such as 36h, as it stands in the film; a name ending in .png makes it `NAME_00000.png`.
    #[arg(long, value_name = "TIME", value_parser = parse_span, conflicts_with_all = ["fps", "seconds"])]
    still: Option<Span>,
    /// Draw everything `rich` (bodies with light and shade) or `plain` (flat, with outlines); as the scene says if left
    /// out.
    #[arg(long, value_name = "STYLE", value_parser = parse_style)]
    style: Option<Style>,
    /// Replace a film of that name.
    #[arg(long)]
    replace: bool,
    /// Film all arms of the scene side by side, with one camera and one clock; as the scene says if left out.
    #[arg(long, conflicts_with_all = ["arm", "out"])]
    side_by_side: bool,
    /// Also write a run folder, as `run` does.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

impl RecordArguments {
    /// The arguments that record a scene with all defaults.
    pub fn of_scene(scene: PathBuf) -> Self {
        Self {
            simulation: SimulationArguments {
                scene,
                arm: None,
                seed: None,
                until: None,
                threads: None,
            },
            output: None,
            size: None,
            fps: None,
            seconds: None,
            still: None,
            style: None,
            replace: false,
            side_by_side: false,
            out: None,
            quiet: false,
        }
    }
}

pub(crate) fn record(program: &Program, arguments: &RecordArguments) -> Result<ExitCode, Failure> {
    let of = &arguments.simulation;
    let scene = of.open(program)?;
    let is_usual = of.arm.is_none() && arguments.out.is_none();
    if arguments.side_by_side || (is_usual && scene.scene.recording.side_by_side) {
        let arms = of.set_up_arms(&scene)?;
        let names: Vec<String> = arms.arms().map(|(name, _)| name.to_owned()).collect();
        return shoot(arguments, arms, &names);
    }
    shoot(arguments, of.set_up(scene)?, &[])
}

/// Makes the film of what is set up, and says what came of it; `names` are those of the arms, if there are any.
fn shoot(
    arguments: &RecordArguments,
    mut filmed: impl Filmed + Send,
    names: &[String],
) -> Result<ExitCode, Failure> {
    let scene = Arc::clone(filmed.first().scene());
    let recording = &scene.scene.recording;
    let options = FilmOptions {
        output: arguments.output.clone().unwrap_or_else(|| {
            let ending = if arguments.still.is_some() {
                "png"
            } else {
                "mp4"
            };
            let plain = PathBuf::from(format!("{}.{ending}", arguments.simulation.name()));
            if arguments.replace {
                plain
            } else {
                free_name(&plain)
            }
        }),
        size: arguments.size.unwrap_or(recording.size),
        fps: arguments.fps.unwrap_or(recording.fps),
        seconds: arguments.seconds.unwrap_or(recording.seconds),
        still_hours: arguments.still.map(Span::hours),
        style: arguments.style,
        may_replace: arguments.replace,
    };
    let end_hours = filmed.first().end_minutes() / 60.0;
    if options
        .still_hours
        .is_some_and(|hours| hours > end_hours + 1e-9)
    {
        let end = describe_hours(end_hours);
        return Err(Failure::Input(format!(
            "--still: the scene ends at {end}; name a time before that, or let it run on with --until"
        )));
    }
    let frames = options.frames();
    // The film begins a file under another name, which a signal must not leave behind.
    interruption::listen();
    let film = Film::open(options).map_err(Failure::input)?;
    let folder = match &arguments.out {
        Some(path) => Some(RunFolder::create(path, filmed.first()).map_err(Failure::input)?),
        None => None,
    };
    let mut journals = vec![Journal::new(filmed.first(), folder)];
    while let Some(next) = filmed.simulation(journals.len()) {
        journals.push(Journal::new(next, None));
    }
    let mut progress = Progress::new(0, frames, arguments.quiet);
    let mut is_cut_short = false;
    let summary = film.shoot(&mut filmed, &mut journals, |frame, simulation| {
        progress.reached(frame, || {
            let hours = describe_hours(simulation.hours());
            let cells = simulation.cell_count();
            format!("frame {frame} of {frames}, {hours}, {cells} cells")
        });
        if interruption::is_asked() && frame < frames {
            is_cut_short = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    progress.end();
    let summary = summary.map_err(Failure::run)?;
    if is_cut_short {
        return Err(Failure::Run(format!(
            "stopped at {}; the film as far as it was drawn is `{}`: {} of {frames} frames",
            describe_hours(filmed.first().hours()),
            summary.output.display(),
            summary.frames,
        )));
    }
    let mut code = ExitCode::SUCCESS;
    for (number, journal) in journals.iter().enumerate() {
        let Some(simulation) = filmed.simulation(number) else {
            continue;
        };
        if let Some(name) = names.get(number) {
            say(format!("{name}:"));
        }
        let pace = run::Pace {
            steps: simulation.steps(),
            elapsed: progress.elapsed(),
        };
        let of_this = run::report(simulation, journal, pace);
        if of_this != ExitCode::SUCCESS {
            code = of_this;
        }
    }
    if let Some(note) = &summary.note {
        say(format!("note: {note}"));
    }
    let (width, height) = (summary.width, summary.height);
    let (frames, megabytes) = (summary.frames, summary.bytes as f64 / 1e6);
    say(if summary.output.is_dir() {
        let pictures = if frames == 1 { "picture" } else { "pictures" };
        let folder = summary.output.display();
        format!("{frames} {pictures} in {folder}: {width}x{height}, {megabytes:.1} MB")
    } else {
        let (film, seconds) = (summary.output.display(), summary.seconds);
        format!("film {film}: {width}x{height}, {seconds:.1} s, {frames} frames, {megabytes:.1} MB")
    });
    Ok(code)
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let wrong =
        || format!("`{text}` is not a size: write width x height in pixels, such as 1280x720");
    let (width, height) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
    let side = |text: &str| match text.trim().parse::<u32>() {
        Ok(pixels) if (16..=8192).contains(&pixels) && pixels % 2 == 0 => Ok(pixels),
        Ok(pixels) => Err(format!(
            "a side has an even number of pixels from 16 to 8192, not {pixels}"
        )),
        Err(_) => Err(wrong()),
    };
    Ok((side(width)?, side(height)?))
}

fn parse_style(text: &str) -> Result<Style, String> {
    match text {
        "rich" => Ok(Style::Rich),
        "plain" => Ok(Style::Plain),
        _ => Err(format!("`{text}` is not a style: write rich or plain")),
    }
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err(format!(
            "`{text}` is not a length of a film: write seconds, more than 0, at most 3600"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers_with_a_cross() {
        assert_eq!(parse_size("1280x720"), Ok((1280, 720)));
        for wrong in [
            "1280",
            "x",
            "0x10",
            "-4x7",
            "99999x720",
            "1280x720x3",
            "641x361",
        ] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
