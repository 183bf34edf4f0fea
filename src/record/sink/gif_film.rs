//! GIF: 255 colours a frame, endless loop.
//!
//! GIF counts time in hundredths of a second and viewers do not go below two of them, so delays are rounded
//! against the running time (they never drift) and frames that would last too short are left out. Pixels
//! that stay as they are become transparent, and only the rectangle that changed is stored.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::palette::{MOST_COLOURS, Palette};
use super::staging::StagedFile;
use super::{FilmFormat, FrameSink, SinkError, Summary};

/// Shortest delay that viewers respect, 1/100 s.
const SHORTEST_DELAY: u64 = 2;
/// Longest delay a frame can carry, 1/100 s.
const LONGEST_DELAY: u64 = u16::MAX as u64;
/// Index of the transparent colour.
const AS_BEFORE: u8 = MOST_COLOURS as u8;

/// A GIF on its way.
pub(super) struct GifFilm {
    output: PathBuf,
    format: FilmFormat,
    encoder: Encoder<StagedFile>,
    palette: Palette,
    /// Frames pushed.
    pushed: u64,
    /// Frames left out because they would have been too short.
    left_out: u64,
    /// The picture of the frame that waits for its delay; empty before the first one.
    shown: Vec<u8>,
    /// The frame that waits, and when it starts, 1/100 s.
    waiting: Option<(Frame<'static>, u64)>,
}

impl GifFilm {
    /// Starts a film.
    pub fn create(output: &Path, format: FilmFormat) -> Result<Self, SinkError> {
        let (Ok(width @ 1..), Ok(height @ 1..)) =
            (u16::try_from(format.width), u16::try_from(format.height))
        else {
            return Err(SinkError::Size {
                width: format.width,
                height: format.height,
                kind: "GIF",
                limits: "1 x 1 to 65535 x 65535",
            });
        };
        let file = StagedFile::create(output)?;
        let mut encoder = Encoder::new(file, width, height, &[]).map_err(encoder_error(output))?;
        encoder
            .set_repeat(Repeat::Infinite)
            .map_err(encoder_error(output))?;
        Ok(Self {
            output: output.to_path_buf(),
            format,
            encoder,
            palette: Palette::new(),
            pushed: 0,
            left_out: 0,
            shown: Vec::new(),
            waiting: None,
        })
    }

    /// When frame `index` starts, 1/100 s.
    fn start(&self, index: u64) -> u64 {
        let rate = u64::from(self.format.frames_per_second);
        (index * 100 + rate / 2) / rate
    }

    /// Writes the frame that waits, now that it is known when it ends.
    fn write_waiting(&mut self, end: u64) -> Result<(), SinkError> {
        if let Some((mut frame, start)) = self.waiting.take() {
            frame.delay = (end - start).min(LONGEST_DELAY) as u16;
            self.encoder
                .write_frame(&frame)
                .map_err(encoder_error(&self.output))?;
        }
        Ok(())
    }

    /// The part of the picture that differs from what is shown, as an indexed frame.
    fn difference(&mut self, rgba: &[u8]) -> Option<Frame<'static>> {
        let width = self.format.width as usize;
        let height = self.format.height as usize;
        let (left, top, right, bottom) = if self.shown.is_empty() {
            (0, 0, width, height)
        } else {
            changed_rectangle(&self.shown, rgba, width)?
        };
        let shown = &self.shown;
        let changes = |at: usize| shown.is_empty() || shown[at..at + 3] != rgba[at..at + 3];
        let places = move || {
            (top..bottom).flat_map(move |y| (left..right).map(move |x| (y * width + x) * 4))
        };
        let pixel = |at: usize| [rgba[at], rgba[at + 1], rgba[at + 2]];
        self.palette
            .choose(places().filter(|at| changes(*at)).map(pixel));
        let palette = &self.palette;
        let buffer: Vec<u8> = places()
            .map(|at| {
                if changes(at) {
                    palette.index(pixel(at))
                } else {
                    AS_BEFORE
                }
            })
            .collect();
        let mut colours = palette.colours.clone();
        colours.resize(3 * (MOST_COLOURS + 1), 0);
        Some(Frame {
            left: left as u16,
            top: top as u16,
            width: (right - left) as u16,
            height: (bottom - top) as u16,
            transparent: (!shown.is_empty()).then_some(AS_BEFORE),
            dispose: DisposalMethod::Keep,
            palette: Some(colours),
            buffer: Cow::Owned(buffer),
            ..Frame::default()
        })
    }
}

impl FrameSink for GifFilm {
    fn push(&mut self, rgba: &[u8]) -> Result<(), SinkError> {
        let start = self.start(self.pushed);
        let end = self.start(self.pushed + 1);
        self.pushed += 1;
        if let Some((_, waits_since)) = &self.waiting {
            if start < waits_since + SHORTEST_DELAY {
                self.left_out += 1;
                return Ok(());
            }
            // A picture that stays lasts longer, as far as one delay reaches.
            let same = self.shown == rgba && end - waits_since <= LONGEST_DELAY;
            if same {
                return Ok(());
            }
        }
        let Some(frame) = self.difference(rgba).or_else(|| {
            // Nothing changed, yet the delay is used up: one pixel starts the next one.
            (self.shown == rgba).then(|| Frame {
                width: 1,
                height: 1,
                transparent: Some(0),
                dispose: DisposalMethod::Keep,
                palette: Some(vec![0; 6]),
                buffer: Cow::Owned(vec![0]),
                ..Frame::default()
            })
        }) else {
            return Ok(());
        };
        self.write_waiting(start)?;
        self.waiting = Some((frame, start));
        self.shown.clear();
        self.shown.extend_from_slice(rgba);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, SinkError> {
        if self.pushed == 0 {
            return Err(SinkError::NoFrames {
                output: self.output.clone(),
            });
        }
        let end = self.start(self.pushed);
        self.write_waiting(end)?;
        let note = (self.left_out > 0).then(|| {
            format!(
                "GIF viewers show at most 50 frames per second: {} of {} frames were left out",
                self.left_out, self.pushed
            )
        });
        let file = self
            .encoder
            .into_inner()
            .map_err(|error| SinkError::Encoder {
                output: self.output.clone(),
                message: error.to_string(),
            })?;
        Ok(Summary {
            output: self.output,
            frames: self.pushed,
            width: self.format.width,
            height: self.format.height,
            seconds: self.pushed as f64 / f64::from(self.format.frames_per_second),
            bytes: file.commit()?,
            note,
        })
    }
}

/// The smallest rectangle (left, top, right, bottom) outside which two pictures agree.
fn changed_rectangle(
    before: &[u8],
    after: &[u8],
    width: usize,
) -> Option<(usize, usize, usize, usize)> {
    let rows = |picture| <[u8]>::chunks_exact(picture, width * 4);
    let mut rectangle: Option<(usize, usize, usize, usize)> = None;
    for (y, (before, after)) in rows(before).zip(rows(after)).enumerate() {
        if before == after {
            continue;
        }
        let differs = |x: &usize| before[x * 4..x * 4 + 3] != after[x * 4..x * 4 + 3];
        let Some(first) = (0..width).find(differs) else {
            continue;
        };
        let last = (first..width).rev().find(differs).unwrap_or(first);
        let (left, top, right, _) = rectangle.unwrap_or((first, y, last + 1, y));
        rectangle = Some((left.min(first), top, right.max(last + 1), y + 1));
    }
    rectangle
}

fn encoder_error(output: &Path) -> impl FnOnce(gif::EncodingError) -> SinkError + use<> {
    let output = output.to_path_buf();
    move |error| match error {
        gif::EncodingError::Io(source) => SinkError::Io {
            action: "write",
            path: output,
            source,
        },
        other => SinkError::Encoder {
            output,
            message: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    fn format(frames_per_second: u32) -> FilmFormat {
        FilmFormat {
            width: 40,
            height: 30,
            frames_per_second,
        }
    }

    /// A dark ground with a bright square that moves to the right.
    fn frame(index: usize) -> Vec<u8> {
        (0..40 * 30)
            .flat_map(|at| {
                let (x, y) = (at % 40, at / 40);
                if (index..index + 8).contains(&x) && (10..18).contains(&y) {
                    [250, 200, 40, 255]
                } else {
                    [12, 20, (y * 4) as u8, 255]
                }
            })
            .collect()
    }

    /// Plays a GIF: each picture with its delay, 1/100 s.
    fn play(path: &Path) -> Vec<(Vec<u8>, u16)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options
            .read_info(std::fs::File::open(path).unwrap())
            .unwrap();
        let width = usize::from(decoder.width());
        let mut canvas = vec![0; width * usize::from(decoder.height()) * 4];
        let mut pictures = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            for (y, row) in frame
                .buffer
                .chunks_exact(usize::from(frame.width) * 4)
                .enumerate()
            {
                for (x, pixel) in row.chunks_exact(4).enumerate() {
                    let at = (y + usize::from(frame.top)) * width + x + usize::from(frame.left);
                    if pixel[3] != 0 {
                        canvas[at * 4..at * 4 + 4].copy_from_slice(pixel);
                    }
                }
            }
            pictures.push((canvas.clone(), frame.delay));
        }
        pictures
    }

    fn write(rate: u32, frames: impl Iterator<Item = Vec<u8>>) -> (Summary, Vec<(Vec<u8>, u16)>) {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("film.gif");
        let mut sink = open(&output, format(rate)).unwrap();
        for frame in frames {
            sink.push(&frame).unwrap();
        }
        let summary = sink.finish().unwrap();
        (summary, play(&output))
    }

    #[test]
    fn pictures_and_length_come_back() {
        let (summary, pictures) = write(30, (0..30).map(frame));
        assert_eq!((summary.frames, pictures.len()), (30, 30));
        assert_eq!(
            pictures.iter().map(|(_, d)| u64::from(*d)).sum::<u64>(),
            100
        );
        for (index, (picture, delay)) in pictures.iter().enumerate() {
            assert!((3..=4).contains(delay));
            for (got, want) in picture.iter().zip(frame(index)) {
                assert!(got.abs_diff(want) <= 2, "frame {index}");
            }
        }
    }

    #[test]
    fn more_than_fifty_frames_a_second_are_thinned_and_the_summary_says_so() {
        let (summary, pictures) = write(100, (0..30).map(frame));
        assert_eq!(pictures.len(), 15);
        assert!(pictures.iter().all(|(_, delay)| *delay == 2));
        assert!(summary.note.unwrap().contains("15 of 30"));
    }

    #[test]
    fn a_still_is_stored_once_and_lasts() {
        let (_, pictures) = write(10, std::iter::repeat_n(frame(0), 20));
        assert_eq!(pictures.len(), 1);
        assert_eq!(pictures[0].1, 200);
    }

    #[test]
    fn a_still_longer_than_a_delay_goes_on() {
        let (_, pictures) = write(1, std::iter::repeat_n(frame(0), 700));
        let total: u64 = pictures.iter().map(|(_, delay)| u64::from(*delay)).sum();
        assert_eq!(total, 70_000);
        assert!(
            pictures
                .iter()
                .all(|(picture, _)| *picture == pictures[0].0)
        );
    }

    #[test]
    fn a_dropped_film_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = open(&folder.path().join("a.gif"), format(10)).unwrap();
        sink.push(&frame(0)).unwrap();
        drop(sink);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
