//! Colour maps: from a number to a colour whose lightness rises with it.
//!
//! All maps are perceptually uniform and can be read without colour vision. Viridis and magma: S. van der
//! Walt & N. Smith 2015, matplotlib, released to the public domain (CC0). Cividis: Nunez, Anderton &
//! Renslow 2018, PLoS ONE 13:e0199239, doi:10.1371/journal.pone.0199239. Each is kept as ten published
//! control points; between them colours are mixed in Oklab (Ottosson 2020), which keeps the lightness even.

use bevy::color::{Mix, Oklaba, Srgba};

use crate::core::ColourMap;

/// Entries of a colour table as the shaders see it.
pub const TABLE_LEN: usize = 256;

const VIRIDIS: [u32; 10] = [
    0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6DCD59, 0xB4DE2C,
    0xFDE725,
];
// Magma at 0.10, 0.18, ... 0.82.
const EMBER: [u32; 10] = [
    0x150E38, 0x2E1160, 0x4F127B, 0x6D1D81, 0x8D2981, 0xAC337C, 0xCD4071, 0xE65164, 0xF7725C,
    0xFE9F6D,
];
const CIVIDIS: [u32; 10] = [
    0x00204D, 0x00336F, 0x39486B, 0x575C6D, 0x707173, 0x8A8779, 0xA69D75, 0xC4B56C, 0xE4CF5B,
    0xFFEA46,
];

const fn unpack(hex: u32) -> [f32; 3] {
    [
        (hex >> 16 & 0xFF) as f32 / 255.0,
        (hex >> 8 & 0xFF) as f32 / 255.0,
        (hex & 0xFF) as f32 / 255.0,
    ]
}

impl ColourMap {
    const fn control_points(self) -> &'static [u32; 10] {
        match self {
            Self::Viridis => &VIRIDIS,
            Self::Ember => &EMBER,
            Self::Cividis => &CIVIDIS,
        }
    }

    /// The colour (sRGB, 0-1) at `at`, which is clamped to 0-1.
    pub fn sample(self, at: f32) -> [f32; 3] {
        let points = self.control_points();
        let scaled = if at.is_nan() { 0.0 } else { at.clamp(0.0, 1.0) } * (points.len() - 1) as f32;
        let low = (scaled as usize).min(points.len() - 2);
        let [from, to] = [low, low + 1].map(|i| {
            let [r, g, b] = unpack(points[i]);
            Oklaba::from(Srgba::rgb(r, g, b))
        });
        let mixed = Srgba::from(from.mix(&to, scaled - low as f32));
        [mixed.red, mixed.green, mixed.blue].map(|channel| channel.clamp(0.0, 1.0))
    }

    /// The whole map as [`TABLE_LEN`] sRGB bytes per channel, alpha full.
    pub fn table(self) -> Vec<[u8; 4]> {
        (0..TABLE_LEN)
            .map(|i| {
                let [r, g, b] = self
                    .sample(i as f32 / (TABLE_LEN - 1) as f32)
                    .map(|channel| (channel * 255.0 + 0.5) as u8);
                [r, g, b, 255]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ColourMap; 3] = [ColourMap::Viridis, ColourMap::Ember, ColourMap::Cividis];

    #[test]
    fn control_points_are_met_exactly() {
        for map in ALL {
            for (i, hex) in map.control_points().iter().enumerate() {
                let got = map.sample(i as f32 / 9.0);
                let want = unpack(*hex);
                for (g, w) in got.iter().zip(want) {
                    assert!((g - w).abs() < 2.0e-3, "{map:?} at point {i}: {got:?}");
                }
            }
        }
    }

    #[test]
    fn lightness_rises_all_the_way() {
        for map in ALL {
            let lightness: Vec<f32> = (0..=100)
                .map(|i| {
                    let [r, g, b] = map.sample(i as f32 / 100.0);
                    Oklaba::from(Srgba::rgb(r, g, b)).lightness
                })
                .collect();
            assert!(
                lightness.windows(2).all(|pair| pair[1] > pair[0] - 1.0e-4),
                "{map:?}: {lightness:?}"
            );
        }
    }

    #[test]
    fn values_outside_the_range_take_the_ends() {
        for map in ALL {
            assert_eq!(map.sample(-3.0), map.sample(0.0));
            assert_eq!(map.sample(9.0), map.sample(1.0));
            assert_eq!(map.sample(f32::NAN), map.sample(0.0));
        }
    }
}
