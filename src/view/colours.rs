//! What colour a cell has, and why.
//!
//! One answer for the spheres and for the legend that counts them: [`CellColours::source`]. A category that prevails (a
//! cell is dead) comes first, unless what was chosen holds for the dead, too; cells that do not have what was chosen
//! are drawn and counted as such.

use crate::core::quantity::{Build, Category, CategoryValue, Quantity};
use crate::scene::ColourBy;
use crate::simulation::{CellGlyphs, SiteSnapshot, Snapshot};

use super::palette::{self, Scale};

/// What gives a cell its colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColourSource {
    /// The value of a category whose colours prevail, by its place among those: the cell is dying or dead.
    Prevailing(usize, u8),
    /// Its type.
    Type(u16),
    /// The value of the category chosen.
    Value(u8),
    /// The value of the quantity chosen.
    Number(f32),
    /// It does not have what was chosen.
    NoValue,
}

/// A category of the catalogue and its value in each cell.
type Column<'a> = (&'a Category, &'a [u8]);

/// What was chosen to colour cells by.
enum Chosen<'a> {
    Type,
    Category(Column<'a>),
    Quantity(&'a Quantity, &'a [f32]),
}

/// Colours and builds of all cells of a site under a [`ColourBy`].
pub struct CellColours<'a> {
    snapshot: &'a Snapshot,
    cells: &'a CellGlyphs,
    chosen: Chosen<'a>,
    prevailing: Vec<Column<'a>>,
    others: Vec<Column<'a>>,
    scale: Option<Scale>,
}

impl<'a> CellColours<'a> {
    /// Prepares the colours; scales are fitted to the data of the site. What a snapshot does not hold colours nothing:
    /// cells then have the colours of their types.
    pub fn new(snapshot: &'a Snapshot, site: &'a SiteSnapshot, colour_by: &ColourBy) -> Self {
        let (catalogue, cells) = (&snapshot.catalogue, &site.cells);
        let column = |info: &'a Category| Some((info, cells.category(&info.name)?));
        let chosen = match colour_by {
            ColourBy::Type => None,
            ColourBy::Category(name) => catalogue
                .category(name)
                .and_then(column)
                .map(Chosen::Category),
            ColourBy::Quantity(name) => catalogue
                .quantity(name)
                .and_then(|info| Some(Chosen::Quantity(info, cells.quantity(name)?))),
        };
        let (prevailing, others) = catalogue
            .categories
            .iter()
            .filter_map(column)
            .partition(|(info, _)| info.prevails);
        let mut colours = Self {
            snapshot,
            cells,
            chosen: chosen.unwrap_or(Chosen::Type),
            prevailing,
            others,
            scale: None,
        };
        if let Chosen::Quantity(info, _) = colours.chosen {
            let top = (0..cells.len())
                .map(|i| match colours.source(i) {
                    ColourSource::Number(value) => value,
                    _ => f32::NEG_INFINITY,
                })
                .fold(f32::NEG_INFINITY, f32::max);
            colours.scale = Some(Scale::of_quantity(info, top));
        }
        colours
    }

    /// The cells.
    pub const fn cells(&self) -> &'a CellGlyphs {
        self.cells
    }

    /// The scale of the colours, if they show a quantity.
    pub const fn scale(&self) -> Option<&Scale> {
        self.scale.as_ref()
    }

    /// The category chosen, if there is one.
    pub const fn category(&self) -> Option<&'a Category> {
        match self.chosen {
            Chosen::Category((info, _)) => Some(info),
            _ => None,
        }
    }

    /// The categories whose colours prevail, in the order of [`ColourSource::Prevailing`].
    pub fn prevailing(&self) -> impl Iterator<Item = &'a Category> {
        self.prevailing.iter().map(|(info, _)| *info)
    }

    /// The value that makes cell `i` look dead, and the place of its category among those that prevail.
    fn death(&self, i: usize) -> Option<(usize, u8)> {
        let mut columns = self.prevailing.iter().enumerate();
        columns.find_map(|(place, column)| {
            let (number, value) = value_of(column, i)?;
            value.colour.map(|_| (place, number))
        })
    }

    /// What gives cell `i` its colour.
    pub fn source(&self, i: usize) -> ColourSource {
        let of_all = match &self.chosen {
            Chosen::Type => false,
            Chosen::Category((info, _)) => !info.of_the_living && !info.prevails,
            Chosen::Quantity(info, _) => !info.of_the_living,
        };
        if !of_all && let Some((place, value)) = self.death(i) {
            return ColourSource::Prevailing(place, value);
        }
        let kind = self.cells.cell_type.get(i).copied().unwrap_or(u16::MAX);
        match &self.chosen {
            Chosen::Type => ColourSource::Type(kind),
            Chosen::Category(column) => match value_of(column, i) {
                Some((number, value)) if value.colour.is_some() => ColourSource::Value(number),
                Some(_) => ColourSource::Type(kind),
                None => ColourSource::NoValue,
            },
            Chosen::Quantity(_, values) => match values.get(i) {
                Some(value) if !value.is_nan() => ColourSource::Number(*value),
                _ => ColourSource::NoValue,
            },
        }
    }

    /// Colour of cell `i`, sRGB.
    pub fn of(&self, i: usize) -> [f32; 3] {
        let of_value = |info: &Category, value: u8| {
            let value = info.values.get(usize::from(value));
            value.and_then(|value| value.colour)
        };
        let colour = match self.source(i) {
            ColourSource::Prevailing(place, value) => of_value(self.prevailing[place].0, value),
            ColourSource::Type(kind) => {
                let style = self.snapshot.cell_types.get(usize::from(kind));
                style.map(|style| style.colour)
            }
            ColourSource::Value(value) => self.category().and_then(|info| of_value(info, value)),
            ColourSource::Number(value) => self.scale.as_ref().map(|scale| scale.colour(value)),
            ColourSource::NoValue => Some(palette::NO_VALUE),
        };
        colour.unwrap_or(palette::UNKNOWN)
    }

    /// How cell `i` is built: what is dead looks dead, whatever else it is.
    pub fn build(&self, i: usize) -> Build {
        if let Some((place, value)) = self.death(i) {
            return self.prevailing[place].0.values[usize::from(value)].build;
        }
        let columns = self.prevailing.iter().chain(&self.others);
        columns
            .filter_map(|column| Some(value_of(column, i)?.1.build))
            .find(|build| *build != Build::Plain)
            .unwrap_or_default()
    }
}

/// The value of cell `i` and its number, if it has one.
fn value_of<'a>((info, values): &Column<'a>, i: usize) -> Option<(u8, &'a CategoryValue)> {
    let number = *values.get(i)?;
    Some((number, info.values.get(usize::from(number))?))
}
