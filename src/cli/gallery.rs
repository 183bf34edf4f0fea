//! `tumorscape gallery`: one picture and one sentence for every shipped scene, in the README.
//!
//! Of each picture a table beside them keeps what scene it shows: a number made from all of the scene that can change it.
//! A picture whose scene has another number is out of date; so is one of a time that the scene no longer names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::{Failure, complain, say};
use crate::core::files::{read_plain, write_whole};
use crate::scene::{ParsedScene, Scene};
use crate::simulation::Program;

/// Where the pictures lie, from the root of the project.
const PICTURES: &str = "assets/pictures";
/// What the pictures show, beside them.
const TABLE: &str = "gallery.csv";
/// The page that has the gallery.
const PAGE: &str = "README.md";
/// Between these lines of the page it stands.
const BEGINS: &str = "<!-- The gallery, made by `tumorscape gallery`. -->";
const ENDS: &str = "<!-- The end of the gallery. -->";
/// Pictures in a row.
const COLUMNS: usize = 4;
/// A sentence of fewer bytes says little.
const SHORT: usize = 60;
/// Bytes of the longest page or table.
const LONGEST: u64 = 4 << 20;
/// The scene whose picture is a poster, and of which there is a short film beside it.
const FLAGSHIP: &str = "metastatic_cascade";
/// The short film of it: its first third.
const PREVIEW: &str = "metastatic_cascade.gif";

/// Options of `gallery`.
#[derive(Debug, Args)]
pub(crate) struct GalleryArguments {
    /// Make the pictures of these scenes alone, by name (`spheroid`), whether or not they are out of date.
    scenes: Vec<String>,
    /// Make nothing: say what is out of date, and exit with 1 if anything is.
    #[arg(long, conflicts_with = "scenes")]
    check: bool,
    /// The folder of the project.
    #[arg(long, value_name = "DIR", default_value = ".")]
    of: PathBuf,
}

/// What the table says of a picture.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    /// The tissue time that it shows, hours.
    hours: f64,
    /// The number of the scene that it shows.
    scene: u64,
    /// The state of the simulation then, as `run` tells it.
    state: u64,
}

/// A shipped scene.
struct Entry {
    name: String,
    scene: ParsedScene,
}

pub(crate) fn gallery(
    program: &Program,
    arguments: &GalleryArguments,
) -> Result<ExitCode, Failure> {
    let folder = &arguments.of;
    let entries = shipped(program, folder)?;
    let mut table = read_table(&folder.join(PICTURES).join(TABLE))?;
    let stale: Vec<&Entry> = if arguments.scenes.is_empty() {
        let mut stale = Vec::new();
        for entry in &entries {
            if let Some(why) = out_of_date(folder, entry, &table) {
                complain(format_args!("{}: {why}", entry.name));
                stale.push(entry);
            }
        }
        stale
    } else {
        let named = |name: &String| {
            let found = entries.iter().find(|entry| entry.name == *name);
            found.ok_or_else(|| Failure::Input(format!("there is no scene `scenes/{name}.ron`")))
        };
        arguments
            .scenes
            .iter()
            .map(named)
            .collect::<Result<_, _>>()?
    };
    if arguments.check {
        let page = read_text(&folder.join(PAGE))?;
        let is_page_old = with_gallery(&page, &entries)? != page;
        if is_page_old {
            complain(format_args!(
                "{PAGE}: its gallery is not what the scenes say"
            ));
        }
        if stale.is_empty() && !is_page_old {
            say(format!(
                "the pictures of {} scenes are up to date",
                entries.len()
            ));
            return Ok(ExitCode::SUCCESS);
        }
        return Err(Failure::Run(
            "the gallery is out of date: `tumorscape gallery` makes it anew".into(),
        ));
    }
    for entry in stale {
        let shown = draw(folder, entry)?;
        table.insert(entry.name.clone(), shown);
        // Written each time: whoever breaks this off keeps what is done.
        write_table(&folder.join(PICTURES).join(TABLE), &table)?;
        say(format!("{PICTURES}/{}.png", entry.name));
    }
    table.retain(|name, _| entries.iter().any(|entry| entry.name == *name));
    write_table(&folder.join(PICTURES).join(TABLE), &table)?;
    let page = read_text(&folder.join(PAGE))?;
    write(
        &folder.join(PAGE),
        with_gallery(&page, &entries)?.as_bytes(),
    )?;
    say(PAGE);
    Ok(ExitCode::SUCCESS)
}

/// The scenes of the project, by name.
fn shipped(program: &Program, folder: &Path) -> Result<Vec<Entry>, Failure> {
    let scenes = folder.join("scenes");
    let listed = std::fs::read_dir(&scenes)
        .map_err(|error| Failure::input(format!("{}: {error}", scenes.display())))?;
    let mut files: Vec<PathBuf> = listed
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|ending| ending == "ron"))
        .collect();
    files.sort();
    let entry = |file: &PathBuf| {
        let name = file.file_stem().unwrap_or_default();
        Ok(Entry {
            name: name.to_string_lossy().into_owned(),
            scene: program.open_scene(file).map_err(Failure::input)?,
        })
    };
    files.iter().map(entry).collect()
}

/// Why the picture of a scene is out of date, if it is.
fn out_of_date(folder: &Path, entry: &Entry, table: &BTreeMap<String, Shown>) -> Option<String> {
    let scene = &entry.scene.scene;
    let pictures = folder.join(PICTURES);
    let picture = pictures.join(format!("{}.png", entry.name));
    if !picture.is_file() {
        return Some("there is no picture of it".into());
    }
    if entry.name == FLAGSHIP && !pictures.join(PREVIEW).is_file() {
        return Some("there is no short film of it".into());
    }
    let Some(shown) = table.get(&entry.name) else {
        return Some("nobody knows what its picture shows".into());
    };
    if (shown.hours - scene.still_hours()).abs() > 1e-6 {
        return Some(format!(
            "its picture shows {} h, and {} h is asked for",
            shown.hours,
            scene.still_hours()
        ));
    }
    (shown.scene != number_of(scene)).then(|| "it has changed since its picture was made".into())
}

/// A number made from all of a scene that can change its picture. What is left at "none" or "nothing" does not count, so that
/// a new field of the language changes no number.
fn number_of(scene: &Scene) -> u64 {
    let mut value = serde_json::to_value(scene).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        for unseen in ["about", "arms", "trial", "output", "expect"] {
            fields.remove(unseen);
        }
        if let Some(Value::Object(recording)) = fields.get_mut("recording") {
            for unseen in ["still", "fps", "size"] {
                recording.remove(unseen);
            }
        }
    }
    prune(&mut value);
    xxh3_64(value.to_string().as_bytes())
}

/// Takes out what says nothing.
fn prune(value: &mut Value) {
    let says_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|_, value| !says_nothing(value));
        }
        _ => {}
    }
}

/// The page with the gallery of these scenes between its marks.
fn with_gallery(page: &str, entries: &[Entry]) -> Result<String, Failure> {
    let parts = page
        .split_once(BEGINS)
        .and_then(|(before, rest)| Some((before, rest.split_once(ENDS)?.1)));
    let Some((before, after)) = parts else {
        return Err(Failure::Input(format!(
            "{PAGE} has no place for the gallery: write the lines `{BEGINS}` and `{ENDS}`"
        )));
    };
    // In one line, for a page that is short where it is read as text.
    let mut text = String::from("<table>");
    for row in entries.chunks(COLUMNS) {
        text.push_str("<tr>");
        for Entry { name, scene } in row {
            let (title, sentence) = (
                plain(&scene.scene.title),
                plain(&opening(&scene.scene.about)),
            );
            let _written = write!(
                text,
                "<td width=\"25%\" valign=\"top\"><a href=\"scenes/{name}.ron\"><img src=\"{PICTURES}/{name}.png\" alt=\"{title}\"></a><br><b>{title}</b><br>{sentence}</td>"
            );
        }
        text.push_str("</tr>");
    }
    text.push_str("</table>");
    Ok(format!("{before}{BEGINS}\n{text}\n{ENDS}{after}"))
}

/// The first sentence of a text; with the next one where it says little.
fn opening(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = text.match_indices(['.', '?', '!']).map(|(at, _)| at + 1);
    let is_end = |end: &usize| {
        let rest = text[*end..].strip_prefix(' ');
        let next = rest.and_then(|rest| rest.chars().next());
        next.is_some_and(|next| next.is_uppercase() || next.is_numeric())
    };
    let end = ends.filter(is_end).find(|end| *end >= SHORT);
    text[..end.unwrap_or(text.len())].to_owned()
}

/// A text as it may stand in HTML.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read_plain(path, LONGEST)
        .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    String::from_utf8(bytes).map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    write_whole(path, text).map_err(|error| Failure::run(format!("{}: {error}", path.display())))
}

fn read_table(path: &Path) -> Result<BTreeMap<String, Shown>, Failure> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = read_text(path)?;
    let row = |(number, line): (usize, &str)| {
        let fields: Vec<&str> = line.split(',').collect();
        let [name, hours, scene, state] = fields[..] else {
            return None;
        };
        let shown = Shown {
            hours: hours.parse().ok()?,
            scene: u64::from_str_radix(scene, 16).ok()?,
            state: u64::from_str_radix(state, 16).ok()?,
        };
        (number > 0).then_some((name.to_owned(), shown))
    };
    let lines = text.lines().enumerate().skip(1);
    lines
        .map(|line| {
            row(line).ok_or_else(|| {
                Failure::input(format!(
                    "{}: line {} is not scene,hours,scene_number,state",
                    path.display(),
                    line.0 + 1
                ))
            })
        })
        .collect()
}

fn write_table(path: &Path, table: &BTreeMap<String, Shown>) -> Result<(), Failure> {
    let mut text = String::from("scene,hours,scene_number,state\n");
    for (name, shown) in table {
        let Shown {
            hours,
            scene,
            state,
        } = shown;
        let _written = writeln!(text, "{name},{hours},{scene:016x},{state:016x}");
    }
    write(path, text.as_bytes())
}

#[cfg(not(feature = "view"))]
fn draw(_folder: &Path, entry: &Entry) -> Result<Shown, Failure> {
    Err(Failure::Input(format!(
        "this build cannot draw, and the picture of `{}` is to be made: take one with the feature `view`",
        entry.name
    )))
}

/// Makes the picture of a scene.
#[cfg(feature = "view")]
fn draw(folder: &Path, entry: &Entry) -> Result<Shown, Failure> {
    use crate::record::FilmOptions;

    /// Width and height of a picture, pixels.
    const SIZE: (u32, u32) = (480, 270);
    /// And of the poster.
    const POSTER: (u32, u32) = (1280, 720);

    let pictures = folder.join(PICTURES);
    let scene = &entry.scene.scene;
    let is_flagship = entry.name == FLAGSHIP;
    let still = FilmOptions {
        output: pictures.join(format!("{}_%d.png", entry.name)),
        size: if is_flagship { POSTER } else { SIZE },
        fps: 1,
        seconds: scene.recording.seconds,
        still_hours: Some(scene.still_hours()),
        style: None,
        may_replace: true,
    };
    let state = shoot(entry, None, still)?;
    let made = pictures.join(format!("{}_0.png", entry.name));
    let picture = pictures.join(format!("{}.png", entry.name));
    std::fs::rename(&made, &picture)
        .map_err(|error| Failure::run(format!("{}: {error}", picture.display())))?;
    if is_flagship {
        let third = Some(scene.duration.minutes() / 3.0);
        shoot(
            entry,
            third,
            FilmOptions {
                output: pictures.join(PREVIEW),
                size: (400, 224),
                fps: 6,
                seconds: 6.0,
                still_hours: None,
                style: None,
                may_replace: true,
            },
        )?;
    }
    Ok(Shown {
        hours: scene.still_hours(),
        scene: number_of(scene),
        state,
    })
}

/// Films a scene, up to a time in minutes if one is given, and says in what state the simulation then is.
#[cfg(feature = "view")]
fn shoot(
    entry: &Entry,
    until: Option<f64>,
    options: crate::record::FilmOptions,
) -> Result<u64, Failure> {
    use std::sync::Arc;

    use crate::simulation::{SideBySide, Simulation};

    let seed = entry.scene.scene.seed;
    if entry.scene.scene.recording.side_by_side {
        let mut arms = SideBySide::new(&entry.scene, seed).map_err(Failure::Input)?;
        if let Some(until) = until {
            arms.simulations_mut().for_each(|arm| arm.set_end(until));
        }
        return shoot_all(arms, options);
    }
    let scene = Arc::new(entry.scene.clone());
    let mut simulation = Simulation::new(scene, seed).map_err(Failure::input)?;
    if let Some(until) = until {
        simulation.set_end(until);
    }
    shoot_all(simulation, options)
}

/// Films what is set up, and says in what state it then is.
#[cfg(feature = "view")]
fn shoot_all(
    mut filmed: impl crate::record::Filmed + Send,
    options: crate::record::FilmOptions,
) -> Result<u64, Failure> {
    use std::ops::ControlFlow;

    use crate::journal::Journal;
    use crate::record::Film;

    let mut journal = [Journal::new(filmed.first(), None)];
    super::interruption::listen();
    let film = Film::open(options).map_err(Failure::run)?;
    let mut is_cut_short = false;
    let summary = film.shoot(&mut filmed, &mut journal, |_, _| {
        if super::interruption::is_asked() {
            is_cut_short = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    summary.map_err(Failure::run)?;
    if is_cut_short {
        return Err(Failure::Run("stopped".into()));
    }
    let all = (0..).map_while(|number| Some(filmed.simulation(number)?.state_hash()));
    // That of one simulation is its own.
    Ok(all.fold(0, |sum: u64, hash| sum.rotate_left(1) ^ hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(rest: &str) -> Scene {
        let text = format!(
            r#"(title: "A <title>", about: "It grows, 0.5 um an hour. Then it stops.", pace: Illustrative, duration: Hours(8),
            sites: [(name: "a", organ: Breast, size_um: (100, 100, 100))], {rest})"#
        );
        ron::from_str(&text).expect("it makes sense")
    }

    #[test]
    fn a_picture_is_out_of_date_when_what_it_shows_has_changed() {
        let number = |rest: &str| number_of(&scene(rest));
        let plain = number("");
        assert_eq!(plain, number("seed: 1, expect: [], arms: []"));
        assert_eq!(plain, number(r#"recording: (fps: 12, size: (320, 180))"#));
        assert_ne!(plain, number("seed: 2"));
        assert_ne!(
            plain,
            number(r#"timeline: [At(Hours(1), Caption("a cell"))]"#)
        );
        assert_eq!(scene("").still_hours(), 6.0);
        assert_eq!(
            scene("recording: (still: Some(Hours(2)))").still_hours(),
            2.0
        );
    }

    #[test]
    fn the_page_keeps_what_stands_around_the_gallery() {
        let long =
            "It grows, 0.5 um an hour, as long as it finds what it needs there. Then it stops.";
        assert_eq!(opening(long), &long[..66]);
        assert_eq!(opening("One only"), "One only");
        assert_eq!(
            opening("It grows. Then it stops."),
            "It grows. Then it stops."
        );
        let page = format!("before\n{BEGINS}\nold\n{ENDS}\nafter\n");
        let made = with_gallery(&page, &[]).expect("it has a place");
        assert!(made.starts_with("before\n") && made.ends_with("after\n") && !made.contains("old"));
        assert_eq!(with_gallery(&made, &[]).expect("again"), made);
        assert!(with_gallery("nothing", &[]).is_err());
        assert_eq!(plain("A <title>"), "A &lt;title&gt;");
    }
}
