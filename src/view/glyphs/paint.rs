//! What colour a glyph has: one answer for picture and legend.

use super::layers_shown;
use crate::core::layer::{FilledLayer, GlyphKind, LayerColours, NOBODY, Tint};
use crate::scene::ColourBy;
use crate::simulation::{SiteSnapshot, Snapshot};
use crate::view::ViewSettings;
use crate::view::colours::CellColours;
use crate::view::palette::{self, Scale, apart_from_all};
use crate::view::slice::slice_scale;

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

    /// The colours of all layers of a site that are shown, in their order. A scale is told apart from those of field plane
    /// and cells in the same picture, and from those of the layers before; the same quantity has one scale.
    pub fn of_site(
        snapshot: &Snapshot,
        site: &'a SiteSnapshot,
        settings: &'a ViewSettings,
        colour_by: &ColourBy,
    ) -> Vec<Self> {
        // What else is coloured by a scale is looked for only where a layer is.
        let others = || {
            let plane = slice_scale(site, settings);
            let colours = CellColours::new(snapshot, site, colour_by).beside(plane.as_ref());
            let of_cells = colours.scale().cloned();
            plane.into_iter().chain(of_cells).collect::<Vec<Scale>>()
        };
        let mut known: Option<Vec<Scale>> = None;
        let layers = layers_shown(site, &settings.look.layers);
        layers
            .map(|filled| {
                let mut paint = Self::new(filled);
                if let Some(scale) = &mut paint.scale {
                    let known = known.get_or_insert_with(others);
                    *scale = apart_from_all(scale, known);
                    known.push(scale.clone());
                }
                paint
            })
            .collect()
    }

    /// The layer and its glyphs.
    pub const fn filled(&self) -> &'a FilledLayer {
        self.filled
    }

    /// What the layer is made of.
    pub fn kind(&self) -> GlyphKind {
        self.filled.layer.kind
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

    /// Whether its glyphs stand for things that have an identity, rather than for pieces of a drawing.
    pub fn are_things(&self) -> bool {
        let glyphs = &self.filled.glyphs;
        glyphs.first().is_some_and(|glyph| glyph.id != NOBODY)
    }

    /// Whether its glyphs are parts of cells, which the legend explains already.
    pub fn is_part_of_cells(&self) -> bool {
        self.filled.layer.is_part_of_cells
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
    use crate::core::layer::{Glyph, Layer};
    use crate::core::quantity::{Category, CategoryValue, Quantity};
    use crate::view::colours::tests::{fish, quantity};

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
    fn no_layer_has_the_map_of_another_quantity_in_the_picture() {
        let mut snapshot = fish();
        let layer = |name: &str, of: &str| {
            let height = Quantity::new(of, "m", "It.");
            filled(
                Layer::new(name, "It.").by_quantity(height),
                &[Tint::Value(0.5)],
            )
        };
        snapshot.sites[0].layers = vec![layer("a", "height"), layer("b", "length")];
        let (site, settings) = (&snapshot.sites[0], ViewSettings::default());
        let colour_by = quantity("sea.depth");
        let of_cells = CellColours::new(&snapshot, site, &colour_by);
        let mut maps: Vec<_> = of_cells
            .scale()
            .map(|scale| scale.map)
            .into_iter()
            .collect();
        let paints = LayerPaint::of_site(&snapshot, site, &settings, &colour_by);
        maps.extend(paints.iter().filter_map(|paint| Some(paint.scale()?.map)));
        assert_eq!(maps.len(), 3);
        assert!(maps[0] != maps[1] && maps[1] != maps[2] && maps[0] != maps[2]);
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
