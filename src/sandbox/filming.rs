//! A film of the window: what it shows, a frame for each report of the simulation.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bevy::prelude::*;
use bevy::render::view::window::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::PrimaryWindow;

use crate::core::files::free_name;
use crate::record::sink::{FilmFormat, FrameSink, SinkError, open};
use crate::simulation::Snapshot;
use crate::view::Shown;

use super::state::Sandbox;

/// Frames per second of film.
const FRAMES_PER_SECOND: u32 = 24;

/// A film that is being made. A window that changes its size ends a file and begins another.
#[derive(Default)]
pub(super) struct Film {
    /// The file that frames go into: its size, pixels, and its encoder.
    reel: Option<((u32, u32), Mutex<Box<dyn FrameSink>>)>,
    /// Frames of all files.
    frames: u64,
    /// The files that are complete.
    files: Vec<PathBuf>,
    /// The report whose frame was asked for last.
    filmed: Option<Arc<Snapshot>>,
}

impl Film {
    /// Frames so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Adds a frame: sRGB with alpha, rows from the top. The first one, and one of another size, begins a file in `folder`
    /// that is named after the scene.
    pub fn push(
        &mut self,
        rgba: &[u8],
        size: (u32, u32),
        folder: &Path,
        name: &str,
    ) -> Result<(), SinkError> {
        if self.reel.as_ref().is_some_and(|(of, _)| *of != size) {
            self.end_reel()?;
        }
        if self.reel.is_none() {
            let path = free_name(&folder.join(format!("explore_{name}.mp4")));
            let format = FilmFormat {
                width: size.0,
                height: size.1,
                frames_per_second: FRAMES_PER_SECOND,
            };
            self.reel = Some((size, Mutex::new(open(&path, format)?)));
        }
        if let Some((_, sink)) = &mut self.reel {
            let sink = sink.get_mut().unwrap_or_else(PoisonError::into_inner);
            sink.push(rgba)?;
            self.frames += 1;
        }
        Ok(())
    }

    fn end_reel(&mut self) -> Result<(), SinkError> {
        if let Some((_, sink)) = self.reel.take() {
            let sink = sink.into_inner().unwrap_or_else(PoisonError::into_inner);
            self.files.push(sink.finish()?.output);
        }
        Ok(())
    }

    /// Completes the film, and says which files it has.
    pub fn finish(mut self) -> Result<Vec<PathBuf>, SinkError> {
        self.end_reel()?;
        Ok(self.files)
    }
}

impl Sandbox {
    /// Begins a film of the window, or ends the one that is being made.
    pub fn set_filming(&mut self, films: bool) {
        match (films, self.film.take()) {
            (true, None) => self.film = Some(Film::default()),
            (true, film) => self.film = film,
            (false, None) => {}
            (false, Some(film)) => self.notice = Some(self.end_film(film)),
        }
    }

    /// Completes a film; what is to be said of it.
    fn end_film(&mut self, film: Film) -> String {
        match film.finish() {
            Ok(files) if files.is_empty() => "the film has no frames: nothing moved".to_owned(),
            Ok(files) => {
                let names: Vec<String> = files
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect();
                self.films.extend(files);
                format!("film: {}", names.join(", "))
            }
            Err(error) => error.to_string(),
        }
    }

    /// Adds a picture of the window to the film.
    fn film(&mut self, picture: &Image) {
        let Some(mut film) = self.film.take() else {
            return;
        };
        // Formats are few, and those of windows are among them.
        let Ok(picture) = picture.clone().try_into_dynamic() else {
            self.notice =
                Some("this window cannot be filmed: its pixels are of no known kind".into());
            return;
        };
        let picture = picture.to_rgba8();
        let size = picture.dimensions();
        match film.push(&picture, size, &self.save_to, &self.visit.name) {
            Ok(()) => self.film = Some(film),
            Err(error) => self.notice = Some(error.to_string()),
        }
    }
}

/// Asks for a picture of the window where a film is made and the simulation has gone on.
pub(super) fn film_window(
    mut commands: Commands,
    mut sandbox: ResMut<Sandbox>,
    shown: Res<Shown>,
    windows: Query<(), With<PrimaryWindow>>,
) {
    let Some(film) = &mut sandbox.film else {
        return;
    };
    let is_filmed = film.filmed.as_ref();
    if windows.is_empty() || is_filmed.is_some_and(|filmed| Arc::ptr_eq(filmed, &shown.0)) {
        return;
    }
    film.filmed = Some(Arc::clone(&shown.0));
    commands.spawn(Screenshot::primary_window()).observe(
        |captured: On<ScreenshotCaptured>, mut sandbox: ResMut<Sandbox>| {
            sandbox.film(&captured.image);
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_a_file_for_each_size_that_the_window_has() {
        let folder = tempfile::tempdir().expect("there is room");
        let mut film = Film::default();
        for (size, frames) in [((64, 48), 3), ((48, 32), 2)] {
            for frame in 0..frames {
                let rgba = vec![40 * frame as u8; 4 * size.0 as usize * size.1 as usize];
                let pushed = film.push(&rgba, size, folder.path(), "dish");
                pushed.expect("there is room");
            }
        }
        assert_eq!(film.frames(), 5);
        let files = film.finish().expect("there is room");
        let names = ["explore_dish.mp4", "explore_dish-2.mp4"].map(|name| folder.path().join(name));
        assert_eq!(files, names);
        for file in &files {
            let written = file.metadata().expect("it is there");
            assert!(written.len() > 100);
        }
        let nothing = Film::default().finish().expect("nothing is written");
        assert!(nothing.is_empty());
        let nowhere = Film::default().push(&[0; 64 * 64 * 4], (64, 64), Path::new("/nowhere"), "x");
        assert!(nowhere.is_err());
    }
}
