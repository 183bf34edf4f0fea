//! What colours mean, in one place, so that film, sandbox and legend always agree.
//!
//! Who declares a category declares the colours of its values, with hues that stay apart with any kind of colour vision
//! (Okabe & Ito 2008, "Color universal design"). Quantities use the maps of [`super::colour_map`]. Cells that do not
//! have what is shown are light grey, and dark where nobody of their type has it.

use crate::core::ColourMap;
use crate::core::quantity::Quantity;
use crate::tissue::Molecule;

/// Colour of cells that do not have what is shown, sRGB: a grey lighter than any that a scale or a dead cell has,
/// but not so light that it draws the eye.
pub const NO_VALUE: [f32; 3] = [0.66, 0.66, 0.66];

/// Colour of cells of types of which nobody has what is shown, sRGB: a dark grey, before which the others stand out.
pub const ASIDE: [f32; 3] = [0.25, 0.26, 0.28];

/// Colour of a value of a category that has none of its own, as of living cells among the dead, sRGB.
pub const PLAIN: [f32; 3] = [0.45, 0.70, 0.60];

/// Colour of cells of an unknown type, sRGB.
pub const UNKNOWN: [f32; 3] = [0.7, 0.7, 0.7];

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

    /// The scale of a quantity of cells whose largest value is `data_max`: its usual range, unless the data go beyond.
    pub fn of_quantity(quantity: &Quantity, data_max: f32) -> Self {
        let (min, top) = quantity.range;
        let fits = data_max <= top + 0.02 * (top - min);
        Self {
            name: quantity.label.clone(),
            unit: quantity.unit.clone(),
            min,
            max: if fits { top } else { round_up(data_max) },
            map: quantity.colours,
            contours: quantity.contours.clone(),
        }
    }
}

/// The scale of cells beside that of a plane: the plane's own where both show the same, the map that the plane does not
/// use where it would be taken for the plane's.
pub fn apart(cells: &Scale, plane: &Scale) -> Scale {
    if cells.name == plane.name && cells.unit == plane.unit {
        return plane.clone();
    }
    let mut own = cells.clone();
    if own.map == plane.map {
        // Cells that are told apart from their ground by hue and by lightness.
        own.map = match plane.map {
            ColourMap::Viridis => ColourMap::Ember,
            ColourMap::Ember | ColourMap::Cividis => ColourMap::Viridis,
        };
    }
    own
}

/// The scale of something beside those of others in the same picture: that of the other which shows the same, a map that no
/// other has where there is one.
pub fn apart_from_all(own: &Scale, others: &[Scale]) -> Scale {
    let same = |other: &&Scale| other.name == own.name && other.unit == own.unit;
    if let Some(same) = others.iter().find(same) {
        return same.clone();
    }
    let is_free = |map: &ColourMap| others.iter().all(|other| other.map != *map);
    let all = [
        own.map,
        ColourMap::Viridis,
        ColourMap::Ember,
        ColourMap::Cividis,
    ];
    Scale {
        map: all.into_iter().find(is_free).unwrap_or(own.map),
        ..own.clone()
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
    use bevy::color::{Oklaba, Srgba};

    use super::*;
    use crate::scene::CellLibrary;
    use crate::scene::molecules::shipped_molecules;
    use crate::simulation::{Catalogue, prototype_world};

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
    fn a_scale_keeps_its_range_and_grows_only_when_the_data_need_it() {
        let depth = Quantity::new("sea.depth", "m", "How deep.")
            .range(0.0, 38.0)
            .colours(ColourMap::Cividis)
            .contours(&[5.0]);
        let of = |data_max| Scale::of_quantity(&depth, data_max);
        assert_eq!((of(12.0).min, of(12.0).max), (0.0, 38.0));
        assert_eq!(of(38.5).max, 38.0, "a little beyond is no reason");
        assert!(of(90.0).max >= 90.0);
        assert_eq!(of(12.0).map, ColourMap::Cividis);
        assert_eq!(of(12.0).contours, [5.0]);
        let molecules = shipped_molecules().unwrap();
        let oxygen = molecules.named("oxygen").unwrap();
        assert_eq!(Scale::of_molecule(oxygen, 12.0).max, 38.0);
        assert!(Scale::of_molecule(oxygen, 90.0).max >= 90.0);
    }

    #[test]
    fn two_quantities_of_a_picture_never_share_a_map_and_one_quantity_has_one_scale() {
        let scale = |name: &str, max, map| Scale {
            name: name.into(),
            unit: String::new(),
            min: 0.0,
            max,
            map,
            contours: Vec::new(),
        };
        let maps = [ColourMap::Viridis, ColourMap::Ember, ColourMap::Cividis];
        for of_plane in maps {
            let plane = scale("salt", 3.0, of_plane);
            for of_cells in maps {
                assert_ne!(apart(&scale("fear", 1.0, of_cells), &plane).map, of_plane);
                assert_eq!(apart(&scale("salt", 2.0, of_cells), &plane), plane);
            }
        }
    }

    #[test]
    fn three_quantities_of_a_picture_have_three_maps() {
        let scale = |name: &str| Scale {
            name: name.into(),
            unit: String::new(),
            min: 0.0,
            max: 1.0,
            map: ColourMap::Viridis,
            contours: Vec::new(),
        };
        let mut all: Vec<Scale> = Vec::new();
        for name in ["salt", "fear", "wind"] {
            all.push(apart_from_all(&scale(name), &all));
        }
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a.map != b.map), "{}", a.name);
        }
        assert_eq!(apart_from_all(&scale("fear"), &all), all[1]);
    }

    #[test]
    fn every_quantity_of_the_program_has_a_range() {
        let world = prototype_world(&CellLibrary::shipped().unwrap());
        let catalogue = Catalogue::of(&world);
        assert!(!catalogue.quantities.is_empty());
        for quantity in &catalogue.quantities {
            assert!(quantity.range.0 < quantity.range.1, "{}", quantity.name);
        }
    }

    #[test]
    fn cells_without_a_value_look_like_no_value_of_any_scale() {
        let lab = |[r, g, b]: [f32; 3]| Oklaba::from(Srgba::rgb(r, g, b));
        let maps = [ColourMap::Viridis, ColourMap::Ember, ColourMap::Cividis];
        for (none, map) in [NO_VALUE, ASIDE]
            .iter()
            .flat_map(|of| maps.map(|map| (lab(*of), map)))
        {
            let nearest = (0..=200)
                .map(|i| {
                    let here = lab(map.sample(i as f32 / 200.0));
                    let (l, a, b) = (
                        here.lightness - none.lightness,
                        here.a - none.a,
                        here.b - none.b,
                    );
                    (l * l + a * a + b * b).sqrt()
                })
                .fold(f32::INFINITY, f32::min);
            assert!(nearest > 0.05, "{map:?}: {nearest}");
        }
    }
}
