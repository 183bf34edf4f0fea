//! Numbered PNG stills, for other programs to cut.
//!
//! They are written into a hidden folder beside the final place and moved when all are there. Stills of an
//! older, longer film of the same name that would follow on the new ones are removed, so that no player
//! runs on into them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use png::{BitDepth, ColorType, Compression, EncodingError, SrgbRenderingIntent};
use tempfile::TempDir;

use super::staging::{StagedFile, folder_of, io};
use super::{FilmFormat, FrameSink, SinkError, Summary};

/// Digits of a frame number where no pattern gives them.
const DIGITS: usize = 5;

/// What the stills of a film are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StillNames {
    /// Where they lie.
    folder: PathBuf,
    /// Whether the folder is the output itself, to be created if it is missing.
    owns_folder: bool,
    before: String,
    digits: usize,
    after: String,
}

impl StillNames {
    /// `folder/frame_00000.png` and so on.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            owns_folder: true,
            before: "frame_".into(),
            digits: DIGITS,
            after: ".png".into(),
        }
    }

    /// From `name_%05d.png` (or `%d`), or from `name.png`, which becomes `name_00000.png`.
    pub fn from_file_name(output: &Path) -> Option<Self> {
        let name = output.file_name()?.to_str()?;
        let (before, digits, after) = match name.split_once('%') {
            None => {
                let stem = output.file_stem()?.to_str()?;
                (format!("{stem}_"), DIGITS, name[stem.len()..].to_owned())
            }
            Some((before, rest)) => {
                let (count, after) = rest.split_once('d')?;
                let digits = match count {
                    "" => 1,
                    _ => count.strip_prefix('0')?.parse().ok()?,
                };
                if digits > 18 || after.contains('%') {
                    return None;
                }
                (before.to_owned(), digits, after.to_owned())
            }
        };
        Some(Self {
            folder: folder_of(output).to_path_buf(),
            owns_folder: false,
            before,
            digits,
            after,
        })
    }

    /// Where a still will lie.
    pub fn path(&self, index: u64) -> PathBuf {
        self.folder.join(self.name(index))
    }

    fn name(&self, index: u64) -> String {
        let Self {
            before,
            digits,
            after,
            ..
        } = self;
        format!("{before}{index:0digits$}{after}")
    }
}

/// Stills on their way.
pub(super) struct PngStills {
    names: StillNames,
    format: FilmFormat,
    staging: TempDir,
    rgb: Vec<u8>,
    frames: u64,
    bytes: u64,
}

impl PngStills {
    /// Starts a film.
    pub fn create(names: StillNames, format: FilmFormat) -> Result<Self, SinkError> {
        if format.width == 0 || format.height == 0 {
            return Err(SinkError::Size {
                width: format.width,
                height: format.height,
                kind: "PNG",
                limits: "at least one pixel",
            });
        }
        let beside = if names.folder.is_dir() {
            &names.folder
        } else {
            folder_of(&names.folder)
        };
        let staging = tempfile::Builder::new()
            .prefix(".stills.")
            .suffix(".part")
            .tempdir_in(beside)
            .map_err(io("write stills into", &names.folder))?;
        Ok(Self {
            names,
            format,
            staging,
            rgb: Vec::new(),
            frames: 0,
            bytes: 0,
        })
    }
}

impl FrameSink for PngStills {
    fn push(&mut self, rgba: &[u8]) -> Result<(), SinkError> {
        let name = self.names.name(self.frames);
        let staged = self.staging.path().join(&name);
        self.rgb.clear();
        self.rgb
            .extend(rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]));
        let png = encode_rgb(&self.rgb, self.format.width, self.format.height);
        let target = self.names.folder.join(name);
        let bytes = png.map_err(|error| SinkError::Encoder {
            output: target.clone(),
            message: error.to_string(),
        })?;
        std::fs::write(staged, &bytes).map_err(io("write", &target))?;
        self.bytes += bytes.len() as u64;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Summary, SinkError> {
        let folder = &self.names.folder;
        if self.frames == 0 {
            return Err(SinkError::NoFrames {
                output: folder.clone(),
            });
        }
        if self.names.owns_folder {
            std::fs::create_dir_all(folder).map_err(io("create", folder))?;
        }
        for index in 0..self.frames {
            let name = self.names.name(index);
            let target = folder.join(&name);
            std::fs::rename(self.staging.path().join(&name), &target)
                .map_err(io("write", &target))?;
        }
        let mut removed = 0;
        for index in self.frames.. {
            let stale = folder.join(self.names.name(index));
            if !is_png(&stale) {
                break;
            }
            std::fs::remove_file(&stale).map_err(io("remove the older still", &stale))?;
            removed += 1;
        }
        Ok(Summary {
            output: folder.clone(),
            frames: self.frames,
            width: self.format.width,
            height: self.format.height,
            seconds: self.frames as f64 / f64::from(self.format.frames_per_second),
            bytes: self.bytes,
            note: (removed > 0).then(|| {
                format!(
                    "removed {removed} stills of an older film that would have followed on these"
                )
            }),
        })
    }
}

/// Whether a file begins as PNG files do.
fn is_png(file: &Path) -> bool {
    const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
    let mut begin = [0; SIGNATURE.len()];
    let is_plain = file.symlink_metadata().is_ok_and(|found| found.is_file());
    let mut read =
        |file| std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    is_plain && read(file).is_ok() && begin == SIGNATURE
}

/// Writes one picture (RGBA as for [`FrameSink::push`]) as `file`; alpha is left out.
pub fn write_png(file: &Path, rgba: &[u8], width: u32, height: u32) -> Result<(), SinkError> {
    let rgb: Vec<u8> = rgba
        .chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    let mut staged = StagedFile::create(file)?;
    let png = encode_rgb(&rgb, width, height).map_err(|error| SinkError::Encoder {
        output: file.to_path_buf(),
        message: error.to_string(),
    })?;
    staged
        .write_all(&png)
        .map_err(|error| staged.error(error))?;
    staged.commit()?;
    Ok(())
}

/// A picture of RGB bytes as a PNG file.
fn encode_rgb(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    const FORMAT: FilmFormat = FilmFormat {
        width: 5,
        height: 3,
        frames_per_second: 10,
    };

    fn frame(index: u8) -> Vec<u8> {
        (0..15_u8)
            .flat_map(|at| [at * 16, index, 255 - at, 255])
            .collect()
    }

    fn write(output: &Path, frames: u8) -> Summary {
        let mut sink = open(output, FORMAT).unwrap();
        for index in 0..frames {
            sink.push(&frame(index)).unwrap();
        }
        sink.finish().unwrap()
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = folder
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn stills_hold_the_pixels_that_were_pushed() {
        let folder = tempfile::tempdir().unwrap();
        let summary = write(&folder.path().join("a.png"), 3);
        assert_eq!((summary.frames, summary.seconds), (3, 0.3));
        for index in 0..3 {
            let path = folder.path().join(format!("a_{index:05}.png"));
            let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (5, 3));
            let want: Vec<u8> = frame(index)
                .chunks_exact(4)
                .flat_map(|p| p[..3].to_vec())
                .collect();
            assert_eq!(pixels[..info.buffer_size()], want);
        }
    }

    #[test]
    fn a_single_picture_is_written_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        write_png(&folder.path().join("one.png"), &frame(3), 5, 3).unwrap();
        assert_eq!(names_in(folder.path()), ["one.png"]);
        let error = write_png(Path::new("/nowhere/at/all/one.png"), &frame(3), 5, 3);
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("/nowhere/at/all/one.png")
        );
    }

    #[test]
    fn names_follow_the_pattern() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("x%03dy.png"), 2);
        write(&folder.path().join("z%d.png"), 1);
        write(&folder.path().join("new/"), 1);
        assert_eq!(
            names_in(folder.path()),
            ["new", "x000y.png", "x001y.png", "z0.png"]
        );
        assert_eq!(names_in(&folder.path().join("new")), ["frame_00000.png"]);
        for bad in ["a%s.png", "a%5d.png", "a%0d%0d.png", "a%099d.png"] {
            assert_eq!(StillNames::from_file_name(Path::new(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_shorter_film_does_not_run_on_into_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        for mine in ["b_00000.png", "a_00005.png"] {
            std::fs::write(folder.path().join(mine), "mine").unwrap();
        }
        assert_eq!(write(&folder.path().join("a.png"), 5).note, None);
        let summary = write(&folder.path().join("a.png"), 2);
        assert!(summary.note.unwrap().contains("removed 3 stills"));
        // What is no picture is nobody's still.
        assert_eq!(
            names_in(folder.path()),
            ["a_00000.png", "a_00001.png", "a_00005.png", "b_00000.png"]
        );
    }

    #[test]
    fn dropped_stills_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "frames/"] {
            let mut sink = open(&folder.path().join(name), FORMAT).unwrap();
            sink.push(&frame(0)).unwrap();
            drop(sink);
        }
        assert!(names_in(folder.path()).is_empty());
    }
}
