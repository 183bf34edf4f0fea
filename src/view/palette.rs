//! What colours mean, in one place, so that film, sandbox and legend always agree.
//!
//! Categories use hues that stay apart with any kind of colour vision (after Okabe & Ito 2008, "Color
//! universal design"): phases run from blue over yellow to vermilion, dead cells are browns and greys, never a hue
//! that a living cell can have. Quantities use the maps of [`super::colour_map`].

use crate::cell::{Phase, State};
use crate::core::ColourMap;
use crate::scene::ColourBy;
use crate::tissue::{Molecule, Molecules};

/// Colour of a phase of the cell cycle, sRGB.
pub const fn phase(phase: Phase) -> [f32; 3] {
    match phase {
        Phase::G0G1 => [0.34, 0.71, 0.91],
        Phase::S => [0.94, 0.89, 0.26],
        Phase::G2 => [0.90, 0.62, 0.10],
        Phase::M => [0.84, 0.32, 0.08],
    }
}

/// Colour of a dying or dead cell, sRGB; `None` for the living.
pub const fn state(state: State) -> Option<[f32; 3]> {
    match state {
        State::Alive => None,
        State::Apoptotic => Some([0.50, 0.20, 0.14]),
        State::NecroticSwelling => Some([0.72, 0.60, 0.44]),
        State::NecroticLysed => Some([0.37, 0.33, 0.31]),
    }
}

/// A quantity and the colours that stand for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// What is shown.
    pub name: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// Value at the lower end.
    pub min: f32,
    /// Value at the upper end.
    pub max: f32,
    /// The colours between.
    pub map: ColourMap,
    /// Levels drawn as contour lines.
    pub contours: Vec<f32>,
}

impl Scale {
    /// Position of a value between the ends, 0-1.
    pub fn position(&self, value: f32) -> f32 {
        ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }

    /// Colour of a value, sRGB.
    pub fn colour(&self, value: f32) -> [f32; 3] {
        self.map.sample(self.position(value))
    }

    /// The scale of a molecule whose largest value is `data_max`.
    pub fn of_molecule(molecule: &Molecule, data_max: f32) -> Self {
        let top = molecule.scale_max.filter(|top| data_max <= top * 1.02);
        Self {
            name: molecule.label.clone(),
            unit: molecule.unit.clone(),
            min: 0.0,
            max: top.unwrap_or_else(|| round_up(data_max)),
            map: molecule.colour_map,
            contours: molecule.contours.clone(),
        }
    }

    /// The scale of the colours of cells, if they show a quantity; `data_max` is the largest oxygen shown.
    pub fn of_cells(colour_by: ColourBy, molecules: &Molecules, data_max: f32) -> Option<Self> {
        match colour_by {
            ColourBy::Type | ColourBy::Phase => None,
            ColourBy::Oxygen => Some(Self::of_molecule(molecules.named("oxygen")?, data_max)),
            ColourBy::Hif => Some(Self {
                name: "HIF-1a".into(),
                unit: String::new(),
                min: 0.0,
                max: 1.0,
                map: ColourMap::Viridis,
                contours: Vec::new(),
            }),
        }
    }
}

/// The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten at or above `value`: steps that are rare enough for the
/// colours of a film to stay put.
pub fn round_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = bevy::math::ops::powf(10.0, bevy::math::ops::log10(value).floor());
    for step in [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0] {
        if value <= step * power * 1.000_01 {
            return step * power;
        }
    }
    10.0 * power
}

/// Round values between the ends of a scale, about `wanted` of them, ends included where they are round.
pub fn ticks(min: f32, max: f32, wanted: usize) -> Vec<f32> {
    let span = max - min;
    if !(span.is_finite() && span > 0.0) || wanted == 0 {
        return Vec::new();
    }
    let rough = span / wanted as f32;
    let power = bevy::math::ops::powf(10.0, bevy::math::ops::log10(rough).floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let first = (min / step - 1.0e-4).ceil() as i64;
    let last = (max / step + 1.0e-4).floor() as i64;
    (first..=last).map(|i| i as f32 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::molecules::shipped_molecules;

    #[test]
    fn round_numbers_are_never_below_the_value_and_at_most_a_half_above() {
        for i in 1..4000 {
            let value = i as f32 * 0.0137;
            let top = round_up(value);
            assert!(
                top >= value * 0.9999 && top <= value * 1.51,
                "{value} {top}"
            );
        }
        assert_eq!(round_up(0.0), 1.0);
    }

    #[test]
    fn ticks_lie_inside_the_scale_and_are_evenly_spaced() {
        for (min, max) in [(0.0, 38.0), (0.0, 1.0), (0.0, 5.6), (2.0, 160.0)] {
            let ticks = ticks(min, max, 5);
            assert!((3..=9).contains(&ticks.len()), "{ticks:?}");
            assert!(ticks.iter().all(|t| *t >= min - 1e-3 && *t <= max + 1e-3));
            let step = ticks[1] - ticks[0];
            assert!(
                ticks
                    .windows(2)
                    .all(|pair| (pair[1] - pair[0] - step).abs() < 1e-3)
            );
        }
    }

    #[test]
    fn the_oxygen_scale_grows_only_when_the_data_need_it() {
        let molecules = shipped_molecules().unwrap();
        let oxygen = molecules.named("oxygen").unwrap();
        assert_eq!(Scale::of_molecule(oxygen, 12.0).max, 38.0);
        assert!(Scale::of_molecule(oxygen, 90.0).max >= 90.0);
    }
}
