//! What a picture shows besides cells: layers of glyphs, filled by the module that owns what they stand for.
//!
//! A module registers a layer from its plugin with [`RegisterLayer::register_layer`]: a name, what it is called in the
//! legend, the kind of its glyphs, and a function that reads a world and adds the glyphs of one site. The function is
//! called when a snapshot is taken for a picture that shows the layer, and never otherwise; it cannot change anything.
//! Glyphs are plain data: places are site-local micrometres, colours are said by a [`Tint`]. How they are drawn is
//! the view's.

use std::marker::PhantomData;
use std::sync::Arc;

use bevy::prelude::*;

use super::quantity::{Category, Quantity};
use super::state::RegisterState;

/// The identity of a glyph that stands for nothing in particular and cannot be picked.
pub const NOBODY: u64 = u64::MAX;

/// What a layer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GlyphKind {
    /// [`Sphere`]s.
    Spheres,
    /// [`Capsule`]s.
    Capsules,
    /// [`Tube`]s.
    Tubes,
    /// [`Strand`]s.
    Strands,
    /// [`Sheet`]s.
    Sheets,
    /// [`Grain`]s.
    Grains,
    /// [`Voxel`]s.
    Voxels,
}

impl GlyphKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Spheres,
        Self::Capsules,
        Self::Tubes,
        Self::Strands,
        Self::Sheets,
        Self::Grains,
        Self::Voxels,
    ];
}

/// What the colour of a glyph says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tint {
    /// The colour of the layer.
    Layer,
    /// This colour, sRGB, each channel 0-1, and its opacity, 0-1.
    Colour([f32; 4]),
    /// A value of the quantity that colours the layer; what has none (NaN) is drawn as such.
    Value(f32),
    /// A value of the category that colours the layer, by number.
    Class(u8),
}

/// One glyph of any kind: up to three places with a size at each. What they are depends on the kind, see [`Shape`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyph {
    /// Its places, site-local um.
    pub points_um: [Vec3; 3],
    /// The size at each place.
    pub sizes: [f32; 3],
    /// Its colour.
    pub tint: Tint,
    /// Who it is; [`NOBODY`] if it cannot be picked.
    pub id: u64,
}

impl Glyph {
    /// The same glyph, shifted.
    #[must_use]
    pub fn moved(mut self, by_um: Vec3) -> Self {
        for point in &mut self.points_um {
            *point += by_um;
        }
        self
    }
}

/// A ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sphere {
    /// Its centre, um.
    pub centre_um: Vec3,
    /// Its radius, um.
    pub radius_um: f32,
}

/// A cylinder with round ends: a long cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capsule {
    /// Centre of one round end, um.
    pub from_um: Vec3,
    /// Centre of the other, um.
    pub to_um: Vec3,
    /// Radius, um.
    pub radius_um: f32,
}

impl Capsule {
    /// A spindle of the volume of a ball of `radius_um`, `aspect` times as long as it is thick (1 is the ball), along an
    /// axis.
    ///
    /// A cylinder of radius `r` and length `2 h` with round ends has the volume `pi r^3 (4/3 + 2 h/r)` and the aspect
    /// `1 + h/r`.
    pub fn spindle(centre_um: Vec3, axis: Vec3, radius_um: f32, aspect: f32) -> Self {
        let longer = (aspect - 1.0).max(0.0);
        let thin = radius_um * bevy::math::ops::cbrt(4.0 / (4.0 + 6.0 * longer));
        let half = axis.normalize_or(Vec3::X) * (thin * longer);
        Self {
            from_um: centre_um - half,
            to_um: centre_um + half,
            radius_um: thin,
        }
    }
}

/// A piece of a vessel. Its ends are round, so that pieces that share a place and a radius there join without a gap,
/// however they turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tube {
    /// One end of its axis, um.
    pub from_um: Vec3,
    /// The other end, um.
    pub to_um: Vec3,
    /// Radius at each end, um.
    pub radius_um: [f32; 2],
}

/// A fine straight fibre. Where it is thinner than a pixel it gets fainter instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strand {
    /// One end, um.
    pub from_um: Vec3,
    /// The other end, um.
    pub to_um: Vec3,
    /// Thickness, um.
    pub width_um: f32,
}

/// A triangle of a thin translucent sheet, with ragged holes where it has lost its integrity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sheet {
    /// Its corners, um.
    pub corners_um: [Vec3; 3],
    /// How much of the sheet is left at each corner: 1 is whole, 0 is gone. Neighbours that agree at shared corners have
    /// holes that go on from one to the other.
    pub integrity: [f32; 3],
}

/// A glowing point of constant size in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grain {
    /// Its place, um.
    pub at_um: Vec3,
    /// Its diameter, pixels of a picture 720 pixels high.
    pub pixels: f32,
}

/// A translucent box along the axes of the site. The opacity of its tint is that along an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Voxel {
    /// Its lower corner, um.
    pub min_um: Vec3,
    /// Its upper corner, um.
    pub max_um: Vec3,
}

/// The shape of the glyphs of a layer.
pub trait Shape: Copy + Send + Sync + 'static {
    /// Its kind.
    const KIND: GlyphKind;

    /// Its places and the sizes there, as [`Glyph`] holds them.
    fn places(self) -> ([Vec3; 3], [f32; 3]);
}

impl Shape for Sphere {
    const KIND: GlyphKind = GlyphKind::Spheres;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        ([self.centre_um; 3], [self.radius_um; 3])
    }
}

impl Shape for Capsule {
    const KIND: GlyphKind = GlyphKind::Capsules;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        ([self.from_um, self.to_um, self.to_um], [self.radius_um; 3])
    }
}

impl Shape for Tube {
    const KIND: GlyphKind = GlyphKind::Tubes;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        let [from, to] = self.radius_um;
        ([self.from_um, self.to_um, self.to_um], [from, to, to])
    }
}

impl Shape for Strand {
    const KIND: GlyphKind = GlyphKind::Strands;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        let points = [self.from_um, self.to_um, self.to_um];
        (points, [self.width_um * 0.5; 3])
    }
}

impl Shape for Sheet {
    const KIND: GlyphKind = GlyphKind::Sheets;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        (self.corners_um, self.integrity)
    }
}

impl Shape for Grain {
    const KIND: GlyphKind = GlyphKind::Grains;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        ([self.at_um; 3], [self.pixels * 0.5; 3])
    }
}

impl Shape for Voxel {
    const KIND: GlyphKind = GlyphKind::Voxels;

    fn places(self) -> ([Vec3; 3], [f32; 3]) {
        ([self.min_um, self.max_um, self.max_um], [0.0; 3])
    }
}

/// What the colours of a layer mean, for [`Tint::Value`] and [`Tint::Class`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LayerColours {
    /// Nothing more than the legend says.
    #[default]
    Plain,
    /// A quantity, with its range and its colour map.
    Quantity(Quantity),
    /// A category, with the colours of its values.
    Category(Category),
}

/// What a person has to know about a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name: `matrix.fibres`.
    pub name: String,
    /// What one of its glyphs is called in legend and inspector: `collagen fibre`.
    pub label: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// What it is made of; registration fills it in.
    pub kind: GlyphKind,
    /// Colour of what has no other, sRGB and opacity, 0-1.
    pub colour: [f32; 4],
    /// What its colours mean.
    pub colours: LayerColours,
    /// Whether it is shown only where it is asked for by name: it shows what another layer does, in another way.
    pub is_on_request: bool,
    /// Whether its glyphs are parts of cells that the legend explains by themselves: it has no line for them.
    pub is_part_of_cells: bool,
    /// Whether each of its glyphs stands for a cell that is in no site, and has its identity.
    pub stands_for_cells: bool,
}

impl Layer {
    /// A layer of that name.
    pub fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            label: name.replace(['.', '_'], " "),
            name,
            about: about.into(),
            kind: GlyphKind::Spheres,
            colour: [0.7, 0.7, 0.7, 1.0],
            colours: LayerColours::Plain,
            is_on_request: false,
            is_part_of_cells: false,
            stands_for_cells: false,
        }
    }

    /// Its glyphs are parts of cells, which need no line of the legend beside that of the cell.
    #[must_use]
    pub const fn part_of_cells(mut self) -> Self {
        self.is_part_of_cells = true;
        self
    }

    /// Each of its glyphs stands for a cell that is in no site, and has its identity: it can be picked and followed as a cell.
    #[must_use]
    pub const fn of_cells(mut self) -> Self {
        self.stands_for_cells = true;
        self
    }

    /// It is shown only where it is asked for by name.
    #[must_use]
    pub const fn on_request(mut self) -> Self {
        self.is_on_request = true;
        self
    }

    /// What one of its glyphs is called in legend and inspector.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = label.into();
        self
    }

    /// The colour of what has no other, sRGB and opacity, 0-1.
    #[must_use]
    pub const fn colour(mut self, colour: [f32; 4]) -> Self {
        self.colour = colour;
        self
    }

    /// Its glyphs are coloured by values of a quantity.
    #[must_use]
    pub fn by_quantity(mut self, quantity: Quantity) -> Self {
        self.colours = LayerColours::Quantity(quantity);
        self
    }

    /// Its glyphs are coloured by values of a category.
    #[must_use]
    pub fn by_category(mut self, category: Category) -> Self {
        self.colours = LayerColours::Category(category);
        self
    }
}

/// The glyphs of a layer in one site, while they are added.
pub struct Glyphs<'a, S> {
    list: &'a mut Vec<Glyph>,
    shape: PhantomData<S>,
}

impl<S: Shape> Glyphs<'_, S> {
    /// Adds a glyph that stands for nothing in particular.
    pub fn add(&mut self, shape: S, tint: Tint) {
        self.add_known(shape, tint, NOBODY);
    }

    /// Adds a glyph that can be picked; a picture then names it by its identity.
    pub fn add_known(&mut self, shape: S, tint: Tint, id: u64) {
        let (points_um, sizes) = shape.places();
        self.list.push(Glyph {
            points_um,
            sizes,
            tint,
            id,
        });
    }
}

/// Adds the glyphs of the site with this index.
type Fill = Box<dyn Fn(&World, usize, &mut Vec<Glyph>) + Send + Sync>;

/// All registered layers, in the order of registration, which is that in the legend.
#[derive(Resource, Default)]
pub struct Layers {
    list: Vec<(Arc<Layer>, Fill)>,
}

impl Layers {
    /// What is known of each.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.list.iter().map(|(layer, _)| layer)
    }

    /// The glyphs of a site in those layers that are wanted; a layer without any is left out.
    pub fn fill(
        &self,
        world: &World,
        site: usize,
        is_wanted: impl Fn(&Layer) -> bool,
    ) -> Vec<FilledLayer> {
        let wanted = self.list.iter().filter(|(layer, _)| is_wanted(layer));
        wanted
            .filter_map(|(layer, fill)| {
                let mut glyphs = Vec::new();
                fill(world, site, &mut glyphs);
                (!glyphs.is_empty()).then(|| FilledLayer {
                    layer: layer.clone(),
                    glyphs,
                })
            })
            .collect()
    }
}

/// A layer and its glyphs in one site at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledLayer {
    /// What is known of it.
    pub layer: Arc<Layer>,
    /// Its glyphs, in the order in which its module added them.
    pub glyphs: Vec<Glyph>,
}

/// Registration, from a module's plugin.
pub trait RegisterLayer {
    /// Registers a layer and the function that adds its glyphs of the site with a given index. It must add them in an order
    /// that does not depend on chance.
    ///
    /// # Panics
    /// When another module has registered that name.
    fn register_layer<S: Shape>(
        &mut self,
        layer: Layer,
        fill: impl Fn(&World, usize, &mut Glyphs<S>) + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterLayer for App {
    fn register_layer<S: Shape>(
        &mut self,
        mut layer: Layer,
        fill: impl Fn(&World, usize, &mut Glyphs<S>) + Send + Sync + 'static,
    ) -> &mut Self {
        self.init_resource::<Layers>()
            .declare_remade::<Layers>("a list of what the program knows");
        layer.kind = S::KIND;
        let mut layers = self.world_mut().resource_mut::<Layers>();
        assert!(
            layers.iter().all(|known| known.name != layer.name),
            "there are two layers called `{}`",
            layer.name
        );
        let fill: Fill = Box::new(move |world, site, list| {
            let shape = PhantomData;
            fill(world, site, &mut Glyphs { list, shape });
        });
        layers.list.push((Arc::new(layer), fill));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spindle_has_the_volume_of_its_ball_and_the_aspect_asked_for() {
        for aspect in [1.0, 1.5, 4.0, 9.0] {
            let spindle = Capsule::spindle(Vec3::ONE, Vec3::new(0.0, 3.0, 4.0), 8.0, aspect);
            let (r, length) = (spindle.radius_um, spindle.from_um.distance(spindle.to_um));
            let volume = std::f32::consts::PI * r * r * (length + 4.0 / 3.0 * r);
            let ball = crate::core::units::ball_volume_um3(8.0);
            assert!((volume / ball - 1.0).abs() < 1e-5, "{volume} {ball}");
            assert!(((length + 2.0 * r) / (2.0 * r) - aspect).abs() < 1e-5);
        }
    }

    #[test]
    fn only_layers_that_are_wanted_are_filled() {
        let mut app = App::empty();
        for name in ["sea.boats", "sea.nets"] {
            app.register_layer::<Sphere>(Layer::new(name, "Afloat."), move |_, site, glyphs| {
                assert_eq!(name, "sea.boats", "nobody asked for it");
                let boat = Sphere {
                    centre_um: Vec3::X * site as f32,
                    radius_um: 1.0,
                };
                glyphs.add_known(boat, Tint::Layer, 7);
            });
        }
        let layers = app.world().resource::<Layers>();
        let filled = layers.fill(app.world(), 3, |layer| layer.name == "sea.boats");
        assert_eq!(filled.len(), 1);
        assert_eq!(filled[0].layer.kind, GlyphKind::Spheres);
        assert_eq!(filled[0].glyphs[0].points_um[0], Vec3::X * 3.0);
        assert_eq!(filled[0].glyphs[0].id, 7);
    }

    #[test]
    #[should_panic(expected = "two layers called `sea.boats`")]
    fn a_name_stands_for_one_layer() {
        let mut app = App::empty();
        for _ in 0..2 {
            app.register_layer::<Sphere>(Layer::new("sea.boats", "Afloat."), |_, _, _| {});
        }
    }
}
