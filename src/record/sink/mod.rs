//! Where frames go: a film or stills, chosen by the name of the output.
//!
//! | name | what is written |
//! | --- | --- |
//! | `film.mp4` | H.264 in MP4, BT.709, 4:2:0, constant frame rate, header first so that it streams |
//! | `film.gif` | GIF, a palette per frame, no dithering, endless loop |
//! | `name_%05d.png` | PNG stills, numbered where the pattern says |
//! | `name.png` | PNG stills `name_00000.png`, `name_00001.png`, ... |
//! | `folder/` | PNG stills `folder/frame_00000.png`, ... |
//!
//! [`open`] hands out a [`FrameSink`] that encodes on a thread of its own, so that frames are drawn and
//! encoded at the same time. Nothing appears under the final name before [`FrameSink::finish`]; a sink
//! that is dropped or that fails leaves nothing behind.

mod background;
mod gif_film;
mod h264;
mod mp4_film;
mod palette;
mod png_stills;
mod staging;
mod yuv;

use std::path::{Path, PathBuf};

use thiserror::Error;

use background::BackgroundSink;
use gif_film::GifFilm;
use mp4_film::Mp4Film;
pub use png_stills::write_png;
use png_stills::{PngStills, StillNames};

/// Takes the frames of a film one by one.
pub trait FrameSink: Send {
    /// Adds a frame: sRGB with alpha (which is ignored), 8 bits a channel, rows from the top, no padding.
    ///
    /// Encoding goes on in the background, so an error may belong to an earlier frame.
    fn push(&mut self, rgba: &[u8]) -> Result<(), SinkError>;

    /// Waits for the encoder, completes the film and gives it its final name.
    fn finish(self: Box<Self>) -> Result<Summary, SinkError>;
}

/// Size and pace of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmFormat {
    /// Width of the frames pushed, pixels.
    pub width: u32,
    /// Height of the frames pushed, pixels.
    pub height: u32,
    /// Frames per second of film, 1 to 120.
    pub frames_per_second: u32,
}

impl FilmFormat {
    /// Bytes of one frame.
    pub const fn frame_bytes(&self) -> usize {
        self.width as usize * self.height as usize * 4
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The file, or the folder of the stills.
    pub output: PathBuf,
    /// Frames pushed.
    pub frames: u64,
    /// Width of the film, pixels.
    pub width: u32,
    /// Height of the film, pixels.
    pub height: u32,
    /// Length of the film, seconds.
    pub seconds: f64,
    /// Size on disk, bytes.
    pub bytes: u64,
    /// What differs from what was asked for and why, in words for a person.
    pub note: Option<String>,
}

/// Why a film could not be written.
#[derive(Debug, Error)]
pub enum SinkError {
    /// The name does not say what to write.
    #[error(
        "cannot tell from the name `{}` what to write; use a name that ends in .mp4, .gif or .png, \
         a pattern such as name_%05d.png, or a folder that ends in /",
        output.display()
    )]
    UnknownKind {
        /// The name given.
        output: PathBuf,
    },
    /// There is something of that name, and nobody said that it may be replaced.
    #[error(
        "`{}` is there already; choose another name with -o, or add --replace",
        file.display()
    )]
    Exists {
        /// What is there.
        file: PathBuf,
    },
    /// A name is that of a link, a folder or a device.
    #[error("`{}` is not a plain file, and is not replaced", file.display())]
    NotReplaced {
        /// What is there.
        file: PathBuf,
    },
    /// A picture of the window has a name that says something else.
    #[error("`{}` is to be a PNG file: give it a name that ends in .png", output.display())]
    NotPng {
        /// The name given.
        output: PathBuf,
    },
    /// The frame rate is out of range.
    #[error("a film has 1 to 120 frames per second, not {found}")]
    FrameRate {
        /// The rate asked for, 1/s.
        found: u32,
    },
    /// The frame size is out of range for the format.
    #[error("{width} x {height} pixels do not fit a {kind} file, which holds {limits}")]
    Size {
        /// Width asked for, pixels.
        width: u32,
        /// Height asked for, pixels.
        height: u32,
        /// Format, in words.
        kind: &'static str,
        /// What the format holds, in words.
        limits: &'static str,
    },
    /// A frame of the wrong length was pushed.
    #[error("a frame of {expected} bytes was expected, {found} bytes came")]
    FrameBytes {
        /// Bytes of a frame in this film.
        expected: usize,
        /// Bytes pushed.
        found: usize,
    },
    /// The file system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, in words.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The encoder refused.
    #[error("cannot encode `{}`: {message}", output.display())]
    Encoder {
        /// The film.
        output: PathBuf,
        /// What the encoder said.
        message: String,
    },
    /// The film was finished before it had a frame.
    #[error("`{}` would be a film without frames", output.display())]
    NoFrames {
        /// The film.
        output: PathBuf,
    },
    /// A frame was pushed after an error had been reported.
    #[error("the encoder stopped at an earlier error")]
    Stopped,
}

/// Opens a film under the name `output`; its ending chooses the format.
///
/// The place is tried at once, so an output that cannot be written fails here, before anything is drawn.
pub fn open(output: &Path, format: FilmFormat) -> Result<Box<dyn FrameSink>, SinkError> {
    if !(1..=120).contains(&format.frames_per_second) {
        return Err(SinkError::FrameRate {
            found: format.frames_per_second,
        });
    }
    let encoder: Box<dyn FrameSink> = match OutputKind::of(output)? {
        OutputKind::Mp4 => Box::new(Mp4Film::create(output, format)?),
        OutputKind::Gif => Box::new(GifFilm::create(output, format)?),
        OutputKind::Stills(names) => Box::new(PngStills::create(names, format)?),
    };
    Ok(Box::new(BackgroundSink::spawn(encoder, output, format)?))
}

/// Makes sure that nothing is lost to a film of so many frames: none of its files is there, unless they may be
/// replaced, and none has the name of a link or of anything else that is no plain file.
///
/// # Errors
/// When the name does not say what to write, or something is there.
pub fn check_place(output: &Path, frames: u64, may_replace: bool) -> Result<(), SinkError> {
    let check = |file: PathBuf| match file.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(found) if !found.is_file() => Err(SinkError::NotReplaced { file }),
        Ok(_) if may_replace => Ok(()),
        Ok(_) => Err(SinkError::Exists { file }),
    };
    match OutputKind::of(output)? {
        OutputKind::Mp4 | OutputKind::Gif => check(output.to_path_buf()),
        // One more than there will be: players would run on into what is left of another film.
        OutputKind::Stills(names) => (0..=frames).try_for_each(|index| check(names.path(index))),
    }
}

/// Checks that the name of a picture is that of a PNG file, and that nothing is lost to it.
///
/// # Errors
/// When it is not, or something is there that may not be replaced.
pub fn check_picture(output: &Path, may_replace: bool) -> Result<(), SinkError> {
    let ending = output.extension();
    if !ending.is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        let output = output.to_path_buf();
        return Err(SinkError::NotPng { output });
    }
    match output.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(SinkError::NotReplaced {
            file: output.to_path_buf(),
        }),
        Ok(_) if !may_replace => Err(SinkError::Exists {
            file: output.to_path_buf(),
        }),
        _ => Ok(()),
    }
}

/// Checks that the name of an output says what to write, without touching the disk's contents.
pub fn check_name(output: &Path) -> Result<(), SinkError> {
    OutputKind::of(output).map(drop)
}

/// What an output name asks for.
#[derive(Debug, PartialEq)]
enum OutputKind {
    Mp4,
    Gif,
    Stills(StillNames),
}

impl OutputKind {
    fn of(output: &Path) -> Result<Self, SinkError> {
        let unknown = || SinkError::UnknownKind {
            output: output.to_path_buf(),
        };
        let text = output.to_string_lossy();
        if text.is_empty() {
            return Err(unknown());
        }
        if text.ends_with('/') || text.ends_with(std::path::MAIN_SEPARATOR) {
            return Ok(Self::Stills(StillNames::in_folder(output)));
        }
        let ending = output
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("mp4") => Ok(Self::Mp4),
            Some("gif") => Ok(Self::Gif),
            Some("png") => StillNames::from_file_name(output)
                .map(Self::Stills)
                .ok_or_else(unknown),
            None if output.is_dir() => Ok(Self::Stills(StillNames::in_folder(output))),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_chooses_the_format() {
        let kind = |name: &str| OutputKind::of(Path::new(name));
        assert_eq!(kind("a/film.mp4").unwrap(), OutputKind::Mp4);
        assert_eq!(kind("FILM.GIF").unwrap(), OutputKind::Gif);
        for stills in ["a.png", "a_%05d.png", "%d.png", "new_folder/"] {
            assert!(
                matches!(kind(stills), Ok(OutputKind::Stills(_))),
                "{stills}"
            );
        }
        for bad in ["film", "film.avi", "", "film.mp4.txt", "a_%s.png"] {
            let error = kind(bad).unwrap_err().to_string();
            assert!(
                error.contains(".mp4") && error.contains(".gif") && error.contains(bad),
                "{error}"
            );
        }
    }

    #[test]
    fn a_rate_out_of_range_is_refused_before_anything_is_created() {
        let folder = tempfile::tempdir().unwrap();
        for rate in [0, 121] {
            let format = FilmFormat {
                width: 64,
                height: 64,
                frames_per_second: rate,
            };
            let result = open(&folder.path().join("a.mp4"), format);
            assert!(matches!(result, Err(SinkError::FrameRate { found }) if found == rate));
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_place_that_does_not_exist_is_named_at_once() {
        for name in [
            "/nowhere/at/all/a.mp4",
            "/nowhere/at/all/a.gif",
            "/nowhere/at/all/a.png",
        ] {
            let format = FilmFormat {
                width: 64,
                height: 64,
                frames_per_second: 10,
            };
            let error = open(Path::new(name), format).err().unwrap().to_string();
            assert!(error.contains("/nowhere/at/all"), "{error}");
        }
    }
}
