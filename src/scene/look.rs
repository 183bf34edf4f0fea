//! How a scene wants to be seen: camera, colours, slice and cut. Plain data, shared by scene files, film
//! and sandbox; the drawing itself lives on the view floor.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::Span;
use crate::core::layer::Layer;
use crate::tissue::MoleculeName;

/// Where the camera is: it looks at a point of the tissue from a direction and a distance.
///
/// Angles rather than positions, so that the way between two poses is an arc around the tissue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct CameraPose {
    /// The point looked at, site-local um.
    #[serde(default)]
    pub target_um: (f32, f32, f32),
    /// Distance from that point, um.
    pub distance_um: f32,
    /// Direction of the eye in the horizontal plane, degrees from the x axis towards y (z is up); -90 looks from the
    /// front.
    #[serde(default)]
    pub azimuth_deg: f32,
    /// Height of the eye above the horizontal plane, degrees, -89 to 89.
    #[serde(default)]
    pub elevation_deg: f32,
}

impl CameraPose {
    /// Position of the eye, um. z points up.
    pub fn eye_um(&self) -> Vec3 {
        let (sin_a, cos_a) = bevy::math::ops::sin_cos(self.azimuth_deg.to_radians());
        let (sin_e, cos_e) = bevy::math::ops::sin_cos(self.elevation_deg.to_radians());
        Vec3::from(self.target_um)
            + self.distance_um * Vec3::new(cos_e * cos_a, cos_e * sin_a, sin_e)
    }
}

/// What the camera looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Target {
    /// The middle of a site, by name.
    Site(String),
    /// The middle of all sites on their stage.
    Stage,
    /// A cell, by its identity, wherever it goes. It must be there from this keyframe to the next one of the same cell.
    Cell(u64),
    /// The place of an event of the run: `Event(kind: "division")`. A film in which it does not happen is refused.
    Event {
        /// Its kind, as in `events.csv`.
        kind: String,
        /// The site where it happens; any if left out.
        #[serde(default)]
        site: Option<String>,
        /// Which of them, 1 is the first.
        #[serde(default = "first")]
        nth: u32,
    },
    /// The cell from which the cell of an event will descend: `ForebearOf(kind: "colonisation.grows", site: "lung")`. For labels of films
    /// alone, which are made of a run that is over; not shown in one in which the event does not happen.
    ForebearOf {
        /// Kind of the event, as in `events.csv`.
        kind: String,
        /// The site where it happens; any if left out.
        #[serde(default)]
        site: Option<String>,
        /// Which of them, 1 is the first.
        #[serde(default = "first")]
        nth: u32,
    },
}

/// An event of a run that a picture refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventNamed<'a> {
    /// Its kind, as in `events.csv`.
    pub kind: &'a str,
    /// The site where it happens; any if there is none.
    pub site: Option<&'a str>,
    /// Which of them, 1 is the first.
    pub nth: u32,
}

impl Target {
    /// The event that has to happen for it to be there.
    pub fn event(&self) -> Option<EventNamed<'_>> {
        match self {
            Self::Event { kind, site, nth } | Self::ForebearOf { kind, site, nth } => {
                Some(EventNamed {
                    kind,
                    site: site.as_deref(),
                    nth: *nth,
                })
            }
            Self::Site(_) | Self::Stage | Self::Cell(_) => None,
        }
    }
}

/// The first of several.
const fn first() -> u32 {
    1
}

/// A point on the way of the camera.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CameraKey {
    /// What it looks at; the middle of the filmed site if left out.
    pub at: Option<Target>,
    /// How far from there the point looked at lies, um.
    pub target_um: (f32, f32, f32),
    /// Distance of the eye from the point looked at, um; so that the whole site or the whole stage is in the picture if
    /// left out, which needs one of these as target.
    pub distance_um: Option<f32>,
    /// Direction of the eye in the horizontal plane, degrees from the x axis towards y (z is up); -90 looks from the
    /// front.
    pub azimuth_deg: f32,
    /// Height of the eye above the horizontal plane, degrees, -89 to 89.
    pub elevation_deg: f32,
}

/// A word on the picture that points at a place and goes away again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// What is there, in a few words.
    pub text: String,
    /// What it points at; the middle of the filmed site if left out. A cell is pointed at as long as it is there, an event and a
    /// forebear only in films.
    #[serde(default)]
    pub at: Option<Target>,
    /// How far from there the place lies, um.
    #[serde(default)]
    pub off_um: (f32, f32, f32),
    /// How long it is shown.
    pub lasts: Span,
}

/// A plot in a corner of the picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct PlotShown {
    /// Its title, as metrics name it; empty for none.
    pub title: String,
    /// The site whose curves it shows; the filmed one if left out.
    #[serde(default)]
    pub site: Option<String>,
}

/// Which layers of glyphs are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum LayersShown {
    /// All that modules have registered, but for those that show the same in another way.
    #[default]
    All,
    /// These, by name: `Only(["matrix.fibres"])`.
    Only(Vec<String>),
    /// None.
    Nothing,
}

impl LayersShown {
    /// Whether a layer is shown.
    pub fn shows(&self, layer: &Layer) -> bool {
        match self {
            Self::All => !layer.is_on_request,
            Self::Only(names) => names.contains(&layer.name),
            Self::Nothing => false,
        }
    }
}

/// What the colour of a cell says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum ColourBy {
    /// Type of the cell; dying and dead cells in the colours of death.
    #[default]
    Type,
    /// A category of cells, by name: `Category("phase")`.
    Category(String),
    /// A quantity of cells, by name: `Quantity("hif.level")`.
    Quantity(String),
}

/// An axis of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Reflect)]
pub enum Axis {
    /// Left to right.
    X,
    /// Front to back.
    #[default]
    Y,
    /// Bottom to top.
    Z,
}

/// A plane through the site on which one molecule is shown, or a number of its voxels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Name of the molecule shown, which must be among the site's fields, or of what is known of its voxels: `matrix.density`.
    pub molecule: MoleculeName,
    /// The axis the plane is perpendicular to.
    #[serde(default)]
    pub axis: Axis,
    /// Where the plane cuts that axis, site-local um.
    #[serde(default)]
    pub at_um: f32,
}

/// A plane that takes away everything in front of it, so that one sees inside.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The axis the plane is perpendicular to.
    #[serde(default)]
    pub axis: Axis,
    /// Where the plane cuts that axis, site-local um.
    #[serde(default)]
    pub at_um: f32,
    /// `false` removes the side of smaller coordinates, `true` the side of larger ones.
    #[serde(default)]
    pub flip: bool,
}

/// How things are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Reflect)]
pub enum Style {
    /// Bodies with light and shade on a dark ground, as under a microscope.
    #[default]
    Rich,
    /// Flat colours with outlines on paper, as in a textbook.
    Plain,
}

/// What is shown, apart from the camera.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    /// What the colour of a cell says.
    pub colour_by: ColourBy,
    /// The field plane, if one is shown.
    pub slice: Option<Slice>,
    /// The cutting plane, if the tissue is cut open.
    pub cut: Option<Cut>,
    /// Which layers of glyphs are shown.
    pub layers: LayersShown,
    /// Types of cells that are not drawn, by name: `hidden_types: ["fibroblast"]`. They are there all the same.
    pub hidden_types: Vec<String>,
    /// How things are drawn: `Rich` or `Plain`.
    pub style: Style,
}
