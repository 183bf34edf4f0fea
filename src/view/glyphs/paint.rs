//! What colour a glyph has: one answer for picture and legend.

use crate::core::layer::{FilledLayer, LayerColours, Tint};
use crate::view::palette::{self, Scale};

/// The colours of a layer's glyphs in one site.
pub struct LayerPaint<'a> {
    filled: &'a FilledLayer,
    scale: Option<Scale>,
}

impl<'a> LayerPaint<'a> {
    /// Prepares the colours; a scale is fitted to the data of the site.
    pub fn new(filled: &'a FilledLayer) -> Self {
        let scale = match &filled.layer.colours {
            LayerColours::Quantity(quantity) => {
                let values = filled.glyphs.iter().map(|glyph| match glyph.tint {
                    Tint::Value(value) => value,
                    _ => f32::NEG_INFINITY,
                });
                let top = values.fold(f32::NEG_INFINITY, f32::max);
                Some(Scale::of_quantity(quantity, top))
            }
            _ => None,
        };
        Self { filled, scale }
    }

    /// The scale of the colours, if they show a quantity.
    pub const fn scale(&self) -> Option<&Scale> {
        self.scale.as_ref()
    }

    /// Colour of a tint, sRGB, and opacity.
    pub fn of(&self, tint: Tint) -> [f32; 4] {
        let layer = &self.filled.layer;
        let [.., opacity] = layer.colour;
        let with = |[r, g, b]: [f32; 3]| [r, g, b, opacity];
        match (tint, &layer.colours) {
            (Tint::Colour(colour), _) => colour,
            (Tint::Value(value), LayerColours::Quantity(_)) => match &self.scale {
                Some(scale) if !value.is_nan() => with(scale.colour(value)),
                _ => with(palette::NO_VALUE),
            },
            (Tint::Class(number), LayerColours::Category(category)) => {
                let value = category.values.get(usize::from(number));
                match value {
                    Some(value) => value.colour.map_or(layer.colour, with),
                    None => with(palette::NO_VALUE),
                }
            }
            (Tint::Layer | Tint::Value(_) | Tint::Class(_), _) => layer.colour,
        }
    }

    /// What the legend says of it: colour, name and number of each thing there is.
    pub fn entries(&self) -> Vec<([f32; 3], String, usize)> {
        let layer = &self.filled.layer;
        let opaque = |[r, g, b, _]: [f32; 4]| [r, g, b];
        let LayerColours::Category(category) = &layer.colours else {
            let first = self.filled.glyphs.first();
            // A layer whose glyphs bring colours of their own is shown in that of the first.
            let colour = match first.map(|glyph| glyph.tint) {
                Some(tint @ Tint::Colour(_)) => self.of(tint),
                _ => layer.colour,
            };
            return vec![(
                opaque(colour),
                layer.label.clone(),
                self.filled.glyphs.len(),
            )];
        };
        let mut counts = vec![0_usize; category.values.len()];
        let mut others = 0;
        for glyph in &self.filled.glyphs {
            match glyph.tint {
                Tint::Class(number) if usize::from(number) < counts.len() => {
                    counts[usize::from(number)] += 1;
                }
                _ => others += 1,
            }
        }
        let mut entries = vec![(opaque(layer.colour), layer.label.clone(), others)];
        for (number, (value, count)) in category.values.iter().zip(counts).enumerate() {
            let colour = opaque(self.of(Tint::Class(number as u8)));
            entries.push((colour, format!("{}: {}", layer.label, value.label), count));
        }
        entries.retain(|(.., count)| *count > 0);
        entries
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bevy::math::Vec3;

    use super::*;
    use crate::core::layer::{Glyph, Layer, NOBODY};
    use crate::core::quantity::{Category, CategoryValue, Quantity};

    fn filled(layer: Layer, tints: &[Tint]) -> FilledLayer {
        let glyph = |tint: &Tint| Glyph {
            points_um: [Vec3::ZERO; 3],
            sizes: [1.0; 3],
            tint: *tint,
            id: NOBODY,
        };
        FilledLayer {
            layer: Arc::new(layer),
            glyphs: tints.iter().map(glyph).collect(),
        }
    }

    #[test]
    fn a_value_has_the_colour_of_its_scale_and_nothing_has_its_own() {
        let layer =
            Layer::new("sea.waves", "Waves.").by_quantity(Quantity::new("height", "m", "High."));
        let waves = filled(layer, &[Tint::Value(0.5), Tint::Value(1.0)]);
        let paint = LayerPaint::new(&waves);
        let scale = paint.scale().expect("it shows a quantity");
        let [r, g, b, opacity] = paint.of(Tint::Value(0.5));
        assert_eq!(([r, g, b], opacity), (scale.colour(0.5), 1.0));
        let [r, g, b, _] = paint.of(Tint::Value(f32::NAN));
        assert_eq!([r, g, b], palette::NO_VALUE);
    }

    #[test]
    fn the_legend_counts_the_values_of_a_category() {
        let value = |key: &str| CategoryValue::new(key, key);
        let kinds = Category {
            name: "rig".into(),
            label: "Rig".into(),
            about: "Its rig.".into(),
            values: vec![value("sloop").colour([1.0, 0.0, 0.0]), value("ketch")],
            prevails: false,
            of_the_living: false,
        };
        let layer = Layer::new("sea.boats", "Boats.")
            .label("boat")
            .by_category(kinds);
        let boats = filled(layer, &[Tint::Class(0), Tint::Class(0), Tint::Layer]);
        let paint = LayerPaint::new(&boats);
        let told: Vec<String> = paint
            .entries()
            .into_iter()
            .map(|(_, name, count)| format!("{name} {count}"))
            .collect();
        assert_eq!(told, ["boat 1", "boat: sloop 2"]);
        assert_eq!(paint.of(Tint::Class(0)), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(paint.of(Tint::Class(1)), paint.of(Tint::Layer));
    }
}
