//! H.264 encoding by OpenH264 (built from the source bundled with its crate).
//!
//! Quality is held rather than bitrate: all frames have one quantiser, so that a still gradient stays smooth, a busy frame stays
//! sharp, and the size follows from the content. The encoder's buffer-based mode does that, as it knows of no buffer. The bitrate
//! given below only has to pass the encoder's own checks.

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Level,
    QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;

use super::FilmFormat;
use super::yuv::Yuv420;

/// The quantiser, 0 (lossless) to 51. A 1280x720 film of tissue full of fibres and cells takes 33 Mbit/s with 18, about 20 with 26, where it
/// still keeps a PSNR of 38 dB; coarser ones put visible steps into dark gradients.
const QUANTISER: u8 = 26;

/// A film can be entered every two seconds.
const SECONDS_BETWEEN_KEYFRAMES: u32 = 2;

/// Kinds of NAL unit (H.264 table 7-1).
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;

/// An encoded frame.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// NAL units, each after its length as four big-endian bytes; parameter sets are not among them.
    pub data: Vec<u8>,
    /// Whether decoding can start here.
    pub keyframe: bool,
}

/// Turns pictures into packets.
pub(super) struct H264 {
    encoder: Encoder,
    picture: Yuv420,
    source_width: usize,
    /// Sequence and picture parameter sets, known once the first frame is encoded.
    sps: Vec<u8>,
    pps: Vec<u8>,
}

impl H264 {
    /// An encoder for the upper left `width` x `height` pixels of the frames of `format`.
    pub fn new(format: FilmFormat, width: usize, height: usize) -> Result<Self, String> {
        let rate = format.frames_per_second;
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Bufferbased)
            .bitrate(BitRate::from_bps(4_000_000))
            .qp(QpRange::new(QUANTISER, QUANTISER))
            .max_frame_rate(FrameRate::from_hz(rate as f32))
            .intra_frame_period(IntraFramePeriod::from_num_frames(
                rate * SECONDS_BETWEEN_KEYFRAMES,
            ))
            .skip_frames(false)
            .scene_change_detect(false)
            .background_detection(false)
            .adaptive_quantization(false)
            .complexity(Complexity::High)
            .level(level(width, height, rate))
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            encoder,
            picture: Yuv420::new(width, height),
            source_width: format.width as usize,
            sps: Vec::new(),
            pps: Vec::new(),
        })
    }

    /// Encodes a frame into `packet`.
    pub fn encode(&mut self, rgba: &[u8], packet: &mut Packet) -> Result<(), String> {
        self.picture.fill(rgba, self.source_width);
        let (width, height) = (self.picture.width, self.picture.height);
        let source = YUVSlices::new(
            (&self.picture.y, &self.picture.u, &self.picture.v),
            (width, height),
            (width, width / 2, width / 2),
        );
        let stream = self
            .encoder
            .encode(&source)
            .map_err(|error| error.to_string())?;
        packet.data.clear();
        packet.keyframe = stream.frame_type() == FrameType::IDR;
        for layer in (0..stream.num_layers()).filter_map(|index| stream.layer(index)) {
            for nal in (0..layer.nal_count()).filter_map(|index| layer.nal_unit(index)) {
                let nal = without_start_code(nal);
                match nal.first().map(|header| header & 0x1f) {
                    None => {}
                    Some(NAL_SPS) => keep_first(&mut self.sps, nal)?,
                    Some(NAL_PPS) => keep_first(&mut self.pps, nal)?,
                    Some(_) => {
                        let length = u32::try_from(nal.len()).map_err(|error| error.to_string())?;
                        packet.data.extend_from_slice(&length.to_be_bytes());
                        packet.data.extend_from_slice(nal);
                    }
                }
            }
        }
        if packet.data.is_empty() {
            return Err("the encoder dropped a frame".into());
        }
        Ok(())
    }

    /// Sequence parameter set and picture parameter set.
    pub fn parameter_sets(&self) -> (&[u8], &[u8]) {
        (&self.sps, &self.pps)
    }
}

/// Keeps the first parameter set; the encoder repeats it before each keyframe.
fn keep_first(kept: &mut Vec<u8>, nal: &[u8]) -> Result<(), String> {
    if kept.is_empty() {
        kept.extend_from_slice(nal);
    } else if kept != nal {
        return Err("the encoder changed its parameter sets within a film".into());
    }
    Ok(())
}

/// The NAL unit without the zeros and the one in front of it (H.264 annex B).
fn without_start_code(nal: &[u8]) -> &[u8] {
    match nal.iter().position(|byte| *byte != 0) {
        Some(at) if at >= 2 && nal[at] == 1 => &nal[at + 1..],
        _ => nal,
    }
}

/// The lowest level (H.264 table A-1) that allows the frame size and the macroblocks per second.
///
/// Levels below 4.1 are left out: films of tissue have some 20 Mbit/s and more in single seconds, 4.1 is the first that allows 50,
/// and every decoder knows it.
fn level(width: usize, height: usize, frames_per_second: u32) -> Level {
    let macroblocks = (width.div_ceil(16) * height.div_ceil(16)) as u64;
    let per_second = macroblocks * u64::from(frames_per_second);
    let levels = [
        (8_192, 245_760, Level::Level_4_1),
        (8_704, 522_240, Level::Level_4_2),
        (22_080, 589_824, Level::Level_5_0),
        (36_864, 983_040, Level::Level_5_1),
    ];
    levels
        .into_iter()
        .find(|(size, rate, _)| macroblocks <= *size && per_second <= *rate)
        .map_or(Level::Level_5_2, |(_, _, level)| level)
}

#[cfg(test)]
mod tests {
    use openh264::decoder::Decoder;
    use openh264::formats::YUVSource;

    use super::*;

    #[test]
    fn start_codes_of_both_lengths_are_taken_off() {
        assert_eq!(without_start_code(&[0, 0, 0, 1, 0x67, 1]), [0x67, 1]);
        assert_eq!(without_start_code(&[0, 0, 1, 0x68]), [0x68]);
        assert_eq!(without_start_code(&[0x65, 0, 0, 1]), [0x65, 0, 0, 1]);
    }

    /// Dark ground that slowly grows lighter, below it threads a pixel wide in all directions.
    fn tissue(width: usize, height: usize, frame: usize) -> Vec<u8> {
        let mut rgba = Vec::with_capacity(4 * width * height);
        for y in 0..height {
            for x in 0..width {
                let ground = 12 + 30 * x / width;
                let along = [x + y, 2 * x + y, x + 3 * y].map(|at| (at + frame).is_multiple_of(23));
                let is_thread = y > height / 2 && along.contains(&true);
                let value = if is_thread { ground + 70 } else { ground } as u8;
                rgba.extend_from_slice(&[value, value, value, 255]);
            }
        }
        rgba
    }

    #[test]
    fn gradients_stay_smooth_and_threads_sharp_in_few_bytes() {
        let (width, height) = (320, 192);
        let format = FilmFormat {
            width: width as u32,
            height: height as u32,
            frames_per_second: 30,
        };
        let mut encoder = H264::new(format, width, height).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let (mut packet, mut bytes, mut squares) = (Packet::default(), 0, 0.0);
        for frame in 0..10 {
            let rgba = tissue(width, height, frame);
            encoder.encode(&rgba, &mut packet).unwrap();
            bytes += packet.data.len();
            let (sps, pps) = encoder.parameter_sets();
            let mut stream = Vec::new();
            let mut units = vec![sps, pps];
            let mut rest = &packet.data[..];
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let (unit, after) = after.split_at(u32::from_be_bytes(*length) as usize);
                units.push(unit);
                rest = after;
            }
            for unit in units {
                stream.extend_from_slice(&[0, 0, 0, 1]);
                stream.extend_from_slice(unit);
            }
            let picture = decoder.decode(&stream).unwrap().expect("a picture");
            let mut wanted = Yuv420::new(width, height);
            wanted.fill(&rgba, width);
            let (stride, _, _) = picture.strides();
            for (row, wanted) in wanted.y.chunks(width).enumerate() {
                let found = &picture.y()[row * stride..][..width];
                let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
                squares += wanted.iter().zip(found).map(square).sum::<f64>();
            }
        }
        let decibels = 10.0 * (255.0 * 255.0 / (squares / (10 * width * height) as f64)).log10();
        assert!(decibels > 38.0, "{decibels} dB");
        // Of 61 440 brightnesses in a picture.
        assert!(bytes / 10 < 12_000, "{} bytes a picture", bytes / 10);
    }

    #[test]
    fn common_films_get_the_level_of_the_standard() {
        let name = |w, h, rate| format!("{:?}", level(w, h, rate));
        assert_eq!(name(1280, 720, 30), "Level_4_1");
        assert_eq!(name(1920, 1080, 30), "Level_4_1");
        assert_eq!(name(1920, 1080, 60), "Level_4_2");
        assert_eq!(name(3840, 2160, 30), "Level_5_1");
        assert_eq!(name(3840, 2160, 60), "Level_5_2");
    }
}
