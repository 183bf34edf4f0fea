//! MP4 (ISO/IEC 14496-12, -14, -15): one H.264 track at a constant rate.
//!
//! Packets are collected in a nameless scratch file. Only at the end, when their number and sizes are
//! known, is the film put together, index (`moov`) first, so that it starts to play while it is still
//! being downloaded.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use shiguredo_mp4::boxes::{Avc1Box, AvccBox, SampleEntry, UnknownBox, VisualSampleEntryFields};
use shiguredo_mp4::mux::{
    Mp4FileMuxer, Mp4FileMuxerOptions, MuxError, Sample, estimate_maximum_moov_box_size,
};
use shiguredo_mp4::{BoxSize, BoxType, TrackKind, Uint};

use super::h264::{H264, Packet};
use super::staging::{StagedFile, scratch_beside};
use super::{FilmFormat, FrameSink, SinkError, Summary};

/// Ticks per frame; the time scale of the track is this times the frame rate, as common tools have it.
const TICKS_PER_FRAME: u32 = 512;

/// An MP4 file on its way.
pub(super) struct Mp4Film {
    output: PathBuf,
    format: FilmFormat,
    width: u32,
    height: u32,
    encoder: H264,
    packet: Packet,
    /// The encoded frames, one after the other.
    scratch: BufWriter<File>,
    /// Length and keyframe flag of each.
    frames: Vec<(usize, bool)>,
    film: StagedFile,
}

impl Mp4Film {
    /// Starts a film. Odd sizes are rounded down: colour is stored at half size.
    pub fn create(output: &Path, format: FilmFormat) -> Result<Self, SinkError> {
        let (width, height) = (format.width & !1, format.height & !1);
        let longer = width.max(height);
        let shorter = width.min(height);
        if shorter < 16 || longer > 3840 || shorter > 2160 {
            return Err(SinkError::Size {
                width: format.width,
                height: format.height,
                kind: "H.264",
                limits: "16 x 16 to 3840 x 2160",
            });
        }
        let film = StagedFile::create(output)?;
        let scratch = BufWriter::with_capacity(1 << 18, scratch_beside(output)?);
        let encoder =
            H264::new(format, width as usize, height as usize).map_err(encoder_error(output))?;
        Ok(Self {
            output: output.to_path_buf(),
            format,
            width,
            height,
            encoder,
            packet: Packet::default(),
            scratch,
            frames: Vec::new(),
            film,
        })
    }

    fn sample_entry(&self) -> SampleEntry {
        let (sps, pps) = self.encoder.parameter_sets();
        // The three bytes after the NAL header: profile, constraints, level.
        let byte = |at: usize| sps.get(at).copied().unwrap_or_default();
        SampleEntry::Avc1(Avc1Box {
            visual: VisualSampleEntryFields {
                data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
                width: self.width as u16,
                height: self.height as u16,
                horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
                vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
                frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
                compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
                depth: VisualSampleEntryFields::DEFAULT_DEPTH,
            },
            avcc_box: AvccBox {
                avc_profile_indication: byte(1),
                profile_compatibility: byte(2),
                avc_level_indication: byte(3),
                length_size_minus_one: Uint::new(3),
                sps_list: vec![sps.to_vec()],
                pps_list: vec![pps.to_vec()],
                chroma_format: None,
                bit_depth_luma_minus8: None,
                bit_depth_chroma_minus8: None,
                sps_ext_list: Vec::new(),
            },
            unknown_boxes: vec![colour_box()],
        })
    }

    /// The index of the film, and the bytes that come before the packets.
    fn header(&self) -> Result<Vec<u8>, MuxError> {
        let mut muxer = Mp4FileMuxer::with_options(Mp4FileMuxerOptions {
            reserved_moov_box_size: estimate_maximum_moov_box_size(&[self.frames.len()]),
            ..Default::default()
        })?;
        let mut header = muxer.initial_boxes_bytes().to_vec();
        let timescale =
            NonZeroU32::MIN.saturating_add(self.format.frames_per_second * TICKS_PER_FRAME - 1);
        let mut data_offset = header.len() as u64;
        for (index, (data_size, keyframe)) in self.frames.iter().enumerate() {
            muxer.append_sample(&Sample {
                track_kind: TrackKind::Video,
                sample_entry: (index == 0).then(|| self.sample_entry()),
                keyframe: *keyframe,
                timescale,
                duration: TICKS_PER_FRAME,
                composition_time_offset: None,
                data_offset,
                data_size: *data_size,
            })?;
            data_offset += *data_size as u64;
        }
        for (offset, bytes) in muxer.finalize()?.offset_and_bytes_pairs() {
            let at = offset as usize;
            // Everything lies within the space reserved above: the reserve is an upper bound.
            let Some(place) = header.get_mut(at..at + bytes.len()) else {
                return Err(MuxError::Overflow);
            };
            place.copy_from_slice(bytes);
        }
        Ok(header)
    }
}

impl FrameSink for Mp4Film {
    fn push(&mut self, rgba: &[u8]) -> Result<(), SinkError> {
        self.encoder
            .encode(rgba, &mut self.packet)
            .map_err(encoder_error(&self.output))?;
        self.scratch
            .write_all(&self.packet.data)
            .map_err(|error| self.film.error(error))?;
        self.frames
            .push((self.packet.data.len(), self.packet.keyframe));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Summary, SinkError> {
        if self.frames.is_empty() {
            return Err(SinkError::NoFrames {
                output: self.output.clone(),
            });
        }
        let header = self
            .header()
            .map_err(|error| encoder_error(&self.output)(error.to_string()))?;
        let Self {
            output,
            format,
            width,
            height,
            scratch,
            frames,
            mut film,
            ..
        } = *self;
        let copy = || -> std::io::Result<()> {
            let mut packets = scratch.into_inner().map_err(|error| error.into_error())?;
            packets.seek(SeekFrom::Start(0))?;
            film.write_all(&header)?;
            std::io::copy(&mut packets, &mut film)?;
            Ok(())
        };
        copy().map_err(|error| film.error(error))?;
        let note = ((width, height) != (format.width, format.height)).then(|| {
            format!(
                "H.264 wants even sides: {} x {} became {width} x {height}",
                format.width, format.height
            )
        });
        Ok(Summary {
            output,
            frames: frames.len() as u64,
            width,
            height,
            seconds: frames.len() as f64 / f64::from(format.frames_per_second),
            bytes: film.commit()?,
            note,
        })
    }
}

/// Says that the samples are BT.709 in limited range (ISO/IEC 14496-12, 12.1.5), as the H.264 stream does;
/// some players look only here.
fn colour_box() -> UnknownBox {
    let payload = b"nclx\x00\x01\x00\x01\x00\x01\x00".to_vec();
    UnknownBox {
        box_type: BoxType::Normal(*b"colr"),
        box_size: BoxSize::U32(8 + payload.len() as u32),
        payload,
    }
}

fn encoder_error(output: &Path) -> impl FnOnce(String) -> SinkError + use<> {
    let output = output.to_path_buf();
    move |message| SinkError::Encoder { output, message }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use openh264::decoder::Decoder;
    use openh264::formats::YUVSource;
    use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};

    use super::super::yuv::tests::rgb_of;
    use super::super::{FilmFormat, open};
    use super::*;

    const FORMAT: FilmFormat = FilmFormat {
        width: 320,
        height: 180,
        frames_per_second: 30,
    };

    /// A frame in quarters of plain colour, with a white square that wanders.
    fn frame(index: u32) -> Vec<u8> {
        let mut rgba = Vec::with_capacity(FORMAT.frame_bytes());
        for y in 0..FORMAT.height {
            for x in 0..FORMAT.width {
                let quarter = quarter_colour(usize::from(x >= 160) + 2 * usize::from(y >= 90));
                let in_square = (150..170).contains(&x) && y.abs_diff(20 + index) < 10;
                let colour = if in_square { [255; 3] } else { quarter };
                rgba.extend_from_slice(&[colour[0], colour[1], colour[2], 255]);
            }
        }
        rgba
    }

    fn quarter_colour(quarter: usize) -> [u8; 3] {
        [[200, 30, 40], [20, 160, 70], [30, 60, 190], [90, 90, 90]][quarter]
    }

    fn write_film(output: &Path, frames: u32) -> Summary {
        let mut sink = open(output, FORMAT).unwrap();
        for index in 0..frames {
            sink.push(&frame(index)).unwrap();
        }
        sink.finish().unwrap()
    }

    /// Mean colour over a block of a decoded picture.
    fn mean_rgb(picture: &impl YUVSource, x: usize, y: usize, side: usize) -> [f64; 3] {
        let mean = |plane: &[u8], stride: usize, x: usize, y: usize, side: usize| {
            let sum: u64 = (y..y + side)
                .flat_map(|row| plane[row * stride + x..][..side].iter())
                .map(|value| u64::from(*value))
                .sum();
            sum as f64 / (side * side) as f64
        };
        let (sy, su, sv) = picture.strides();
        rgb_of(
            mean(picture.y(), sy, x, y, side),
            mean(picture.u(), su, x / 2, y / 2, side / 2),
            mean(picture.v(), sv, x / 2, y / 2, side / 2),
        )
    }

    #[test]
    fn a_film_has_the_size_rate_length_and_colours_that_were_pushed() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("film.mp4");
        let summary = write_film(&output, 60);
        let bytes = std::fs::read(&output).unwrap();
        assert_eq!((summary.frames, summary.bytes), (60, bytes.len() as u64));
        assert_eq!(summary.seconds, 2.0);
        assert_eq!(summary.note, None);

        let mut demuxer = Mp4FileDemuxer::new();
        demuxer.handle_input(Input {
            position: 0,
            data: &bytes,
        });
        let tracks = demuxer.tracks().unwrap();
        assert_eq!(tracks.len(), 1);
        assert_eq!(tracks[0].kind, TrackKind::Video);
        assert_eq!(
            tracks[0].duration as f64 / f64::from(tracks[0].timescale.get()),
            2.0
        );

        let mut decoder = Decoder::new().unwrap();
        let mut decoded = 0;
        let mut index = 0;
        while let Some(sample) = demuxer.next_sample().unwrap() {
            let seconds = sample.timestamp as f64 / f64::from(sample.track.timescale.get());
            assert!((seconds - f64::from(index) / 30.0).abs() < 1e-9);
            let mut stream = Vec::new();
            if let Some(entry) = sample.sample_entry {
                let SampleEntry::Avc1(avc1) = entry else {
                    panic!("an avc1 track is expected, {entry:?} found");
                };
                assert_eq!((avc1.visual.width, avc1.visual.height), (320, 180));
                assert_eq!(avc1.visual.data_reference_index, NonZeroU16::MIN);
                assert!(sample.keyframe);
                for set in avc1.avcc_box.sps_list.iter().chain(&avc1.avcc_box.pps_list) {
                    stream.extend_from_slice(&[0, 0, 0, 1]);
                    stream.extend_from_slice(set);
                }
            }
            let mut rest = &bytes[sample.data_offset as usize..][..sample.data_size];
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let (nal, after) = after.split_at(u32::from_be_bytes(*length) as usize);
                stream.extend_from_slice(&[0, 0, 0, 1]);
                stream.extend_from_slice(nal);
                rest = after;
            }
            if let Some(picture) = decoder.decode(&stream).unwrap() {
                decoded += 1;
                assert_eq!(picture.dimensions(), (320, 180));
                for (quarter, (x, y)) in [(20, 20), (200, 20), (20, 110), (200, 110)]
                    .into_iter()
                    .enumerate()
                {
                    let mean = mean_rgb(&picture, x, y, 60);
                    for (want, got) in quarter_colour(quarter).into_iter().zip(mean) {
                        assert!(
                            (f64::from(want) - got).abs() < 3.0,
                            "frame {index}, quarter {quarter}: {mean:?}"
                        );
                    }
                }
            }
            index += 1;
        }
        decoded += decoder.flush_remaining().unwrap().len();
        assert_eq!((index, decoded), (60, 60));
    }

    #[test]
    fn the_index_comes_before_the_frames() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("film.mp4");
        write_film(&output, 3);
        let bytes = std::fs::read(&output).unwrap();
        let find = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
        assert!(find(b"moov") < find(b"mdat"));
    }

    #[test]
    fn odd_sizes_lose_a_pixel_and_the_summary_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let format = FilmFormat {
            width: 65,
            height: 33,
            frames_per_second: 1,
        };
        let mut sink = open(&folder.path().join("odd.mp4"), format).unwrap();
        sink.push(&vec![9; format.frame_bytes()]).unwrap();
        let summary = sink.finish().unwrap();
        assert_eq!((summary.width, summary.height), (64, 32));
        assert!(summary.note.unwrap().contains("65 x 33"));
    }

    #[test]
    fn every_frame_rate_from_1_to_120_makes_a_film_of_the_right_length() {
        let folder = tempfile::tempdir().unwrap();
        for rate in [1, 7, 24, 25, 60, 119, 120] {
            let format = FilmFormat {
                width: 32,
                height: 32,
                frames_per_second: rate,
            };
            let output = folder.path().join("rate.mp4");
            let mut sink = open(&output, format).unwrap();
            for index in 0..5 {
                sink.push(&vec![index * 20; format.frame_bytes()]).unwrap();
            }
            sink.finish().unwrap();
            let bytes = std::fs::read(&output).unwrap();
            let mut demuxer = Mp4FileDemuxer::new();
            demuxer.handle_input(Input {
                position: 0,
                data: &bytes,
            });
            let track = &demuxer.tracks().unwrap()[0];
            assert_eq!(
                track.duration * u64::from(rate),
                5 * u64::from(track.timescale.get()),
                "{rate} frames per second"
            );
        }
    }

    #[test]
    fn a_dropped_film_leaves_nothing_and_an_empty_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("film.mp4");
        let mut sink = open(&output, FORMAT).unwrap();
        sink.push(&frame(0)).unwrap();
        drop(sink);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let error = open(&output, FORMAT).unwrap().finish().unwrap_err();
        assert!(matches!(error, SinkError::NoFrames { .. }));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn an_older_film_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("film.mp4");
        std::fs::write(&output, b"old").unwrap();
        let mut sink = open(&output, FORMAT).unwrap();
        sink.push(&frame(0)).unwrap();
        assert_eq!(std::fs::read(&output).unwrap(), b"old");
        sink.finish().unwrap();
        assert_ne!(std::fs::read(&output).unwrap(), b"old");
    }
}
