//! What a person takes along: pictures of the window and the curves as a table.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::render::view::window::screenshot::{Screenshot, save_to_disk};
use bevy::window::PrimaryWindow;

use crate::core::files::free_name;
use crate::view::history::History;

use super::state::Sandbox;

/// Pictures drawn before the first one is captured.
const UNTIL_DRAWN: u32 = 3;

/// Captures a picture that nobody sees soon after the start. What is drawn for a capture has pipelines of its own, which are
/// built when they are first needed: the first picture of all is empty.
pub(super) fn prepare_pictures(
    mut commands: Commands,
    mut drawn: Local<u32>,
    windows: Query<(), With<PrimaryWindow>>,
) {
    if *drawn <= UNTIL_DRAWN && !windows.is_empty() {
        *drawn += 1;
        if *drawn == UNTIL_DRAWN {
            commands.spawn(Screenshot::primary_window());
        }
    }
}

/// Takes the picture that was asked for.
pub(super) fn take_picture(
    mut commands: Commands,
    mut sandbox: ResMut<Sandbox>,
    windows: Query<(), With<PrimaryWindow>>,
) {
    if !sandbox.wants_picture {
        return;
    }
    sandbox.wants_picture = false;
    if windows.is_empty() {
        return;
    }
    let name = format!("explore_{}.png", sandbox.visit.name);
    let path = free_name(&sandbox.save_to.join(name));
    sandbox.notice = Some(format!("picture: {}", path.display()));
    commands
        .spawn(Screenshot::primary_window())
        .observe(save_to_disk(path));
}

/// Writes curves as a table, a row for each time and a column for each measurement, and says where.
///
/// # Errors
/// When the file cannot be written, in words.
pub(super) fn save_curves(history: &History, folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = free_name(&folder.join(format!("explore_{name}_curves.csv")));
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create_new(&path)?);
        let columns = history.columns();
        writeln!(file, "hours,{}", columns.join(","))?;
        for (hours, values) in history.rows() {
            write!(file, "{hours}")?;
            for value in values {
                // What has no value is left empty, as in the tables of a run.
                if value.is_finite() {
                    write!(file, ",{value}")?;
                } else {
                    write!(file, ",")?;
                }
            }
            writeln!(file)?;
        }
        file.flush()
    };
    match write() {
        Ok(()) => Ok(path),
        Err(error) => Err(format!("cannot write {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::SiteMetrics;

    #[test]
    fn curves_are_a_table_with_a_row_for_each_time() {
        let folder = tempfile::tempdir().expect("there is room");
        let mut history = History::default();
        for (hours, wind) in [(0.0, f64::NAN), (1.5, 2.0)] {
            let columns = vec![("warmth".into(), 20.0), ("wind".into(), wind)];
            history.push(hours, &SiteMetrics { columns });
        }
        let path = save_curves(&history, folder.path(), "dish").expect("it can be written");
        let text = std::fs::read_to_string(&path).expect("it was written");
        assert_eq!(text, "hours,warmth,wind\n0,20,\n1.5,20,2\n");
        let again = save_curves(&history, folder.path(), "dish").expect("it can be written");
        assert!(again.ends_with("explore_dish_curves-2.csv"));
        let nowhere = save_curves(&history, Path::new("/nowhere"), "dish");
        assert!(nowhere.is_err_and(|reason| reason.contains("/nowhere/explore_dish_curves.csv")));
    }
}
