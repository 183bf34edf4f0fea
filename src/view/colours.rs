//! What colour a cell has, and why.
//!
//! One answer for the spheres and for the legend that counts them: [`CellColours::source`]. A category that prevails (a
//! cell is dead) comes first, unless what was chosen holds for the dead, too; cells that do not have what was chosen
//! are drawn and counted as such: striped where others of their type have it, dark where nobody of their type does, so that those
//! of whom it tells stand out.
//!
//! A snapshot holds what was asked for. Where something else is chosen, it comes with one of the next snapshots; until
//! then cells stay as they were ([`ColouredBy`]).

use bevy::prelude::*;

use crate::core::quantity::{Build, Category, CategoryValue, Quantity};
use crate::scene::ColourBy;
use crate::simulation::{CellGlyphs, SiteSnapshot, Snapshot};

use super::palette::{self, Scale, apart};
use super::{Shown, ViewSettings, ViewSystems};

/// What cells are coloured by: what the settings say, once the snapshot holds it.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct ColouredBy(pub ColourBy);

/// Whether waiting for a later snapshot would not help.
fn is_there(snapshot: &Snapshot, site: &SiteSnapshot, colour_by: &ColourBy) -> bool {
    let (catalogue, cells) = (&snapshot.catalogue, &site.cells);
    match colour_by {
        ColourBy::Type => true,
        ColourBy::Category(name) => {
            catalogue.category(name).is_none() || cells.category(name).is_some()
        }
        ColourBy::Quantity(name) => {
            catalogue.quantity(name).is_none() || cells.quantity(name).is_some()
        }
    }
}

/// Takes up what the settings say as soon as it can be shown.
fn choose_colours(
    shown: Res<Shown>,
    settings: Res<ViewSettings>,
    mut coloured: ResMut<ColouredBy>,
) {
    let wanted = &settings.look.colour_by;
    let has = |colour_by| {
        let site = shown.site(settings.site);
        site.is_none_or(|site| is_there(&shown.0, site, colour_by))
    };
    if coloured.0 != *wanted && (has(wanted) || !has(&coloured.0)) {
        coloured.0 = wanted.clone();
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ColouredBy>()
        .add_systems(PostUpdate, choose_colours.in_set(ViewSystems::Survey));
}

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
    /// It does not have what was chosen, though others of its type do.
    NoValue,
    /// Nobody of its type has what was chosen.
    Aside,
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
    /// By type, whether some of it have what was chosen, if anything was.
    told: Vec<bool>,
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
            told: Vec::new(),
            scale: None,
        };
        colours.told = colours.types_told();
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

    /// Chooses colours that go with those of a field plane in the same picture: the same quantity has one scale on cells
    /// and plane, another quantity another map.
    #[must_use]
    pub fn beside(mut self, plane: Option<&Scale>) -> Self {
        if let (Some(scale), Some(plane)) = (&mut self.scale, plane) {
            *scale = apart(scale, plane);
        }
        self
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

    /// By type, whether some of it have what was chosen; nothing where cells have the colours of their types.
    fn types_told(&self) -> Vec<bool> {
        if let Chosen::Type = self.chosen {
            return Vec::new();
        }
        let mut told = vec![false; self.snapshot.cell_types.len()];
        for (i, kind) in self.cells.cell_type.iter().enumerate() {
            let has = match &self.chosen {
                Chosen::Type => false,
                Chosen::Category(column) => value_of(column, i).is_some(),
                Chosen::Quantity(_, values) => values.get(i).is_some_and(|value| !value.is_nan()),
            };
            if has && let Some(told) = told.get_mut(usize::from(*kind)) {
                *told = true;
            }
        }
        told
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
        let without = if self.told.get(usize::from(kind)) == Some(&false) {
            ColourSource::Aside
        } else {
            ColourSource::NoValue
        };
        match &self.chosen {
            Chosen::Type => ColourSource::Type(kind),
            Chosen::Category(column) => match value_of(column, i) {
                // Who asks for the state wants to see who lives, not of which type they are.
                Some((number, value)) if value.colour.is_some() || column.0.prevails => {
                    ColourSource::Value(number)
                }
                Some(_) => ColourSource::Type(kind),
                None => without,
            },
            Chosen::Quantity(_, values) => match values.get(i) {
                Some(value) if !value.is_nan() => ColourSource::Number(*value),
                _ => without,
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
            ColourSource::Value(value) => {
                let colour = self.category().and_then(|info| of_value(info, value));
                Some(colour.unwrap_or(palette::PLAIN))
            }
            ColourSource::Number(value) => self.scale.as_ref().map(|scale| scale.colour(value)),
            ColourSource::NoValue => Some(palette::NO_VALUE),
            ColourSource::Aside => Some(palette::ASIDE),
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

    /// The colour of the rim of cell `i`, if it has one.
    pub fn rim(&self, i: usize) -> Option<[f32; 3]> {
        self.rim_value(i)?.1.rim
    }

    /// The value that gives cell `i` a rim, and its category, if it has one.
    pub fn rim_value(&self, i: usize) -> Option<(&'a Category, &'a CategoryValue)> {
        if self.others.is_empty() || self.death(i).is_some() {
            return None;
        }
        self.others.iter().find_map(|column| {
            let (_, value) = value_of(column, i)?;
            value.rim.map(|_| (column.0, value))
        })
    }
}

/// The value of cell `i` and its number, if it has one.
fn value_of<'a>((info, values): &Column<'a>, i: usize) -> Option<(u8, &'a CategoryValue)> {
    let number = *values.get(i)?;
    Some((number, info.values.get(usize::from(number))?))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::quantity::{NO_VALUE, NONE};
    use crate::simulation::{Catalogue, CellTypeStyle};

    const RED: [f32; 3] = [1.0, 0.0, 0.0];
    const BLUE: [f32; 3] = [0.0, 0.0, 1.0];
    const GREEN: [f32; 3] = [0.0, 1.0, 0.0];

    fn category(name: &str, values: Vec<CategoryValue>, prevails: bool) -> Category {
        Category {
            name: name.into(),
            label: name.into(),
            about: String::new(),
            values,
            prevails,
            of_the_living: !prevails,
        }
    }

    /// Four fish: sunny, sunny but eaten, gloomy, and one that has no moods and knows no depth. None of the names is
    /// known to the program.
    pub fn fish() -> Snapshot {
        let value = |key: &str| CategoryValue::new(key, key);
        let fate = vec![
            value("swims"),
            value("eaten").colour(RED).build(Build::Remains),
        ];
        let mood = vec![
            value("sunny").colour(BLUE).build(Build::Dividing),
            value("gloomy"),
        ];
        let depth = Quantity::new("sea.depth", "m", "How deep.").range(0.0, 10.0);
        let salt = Quantity::new("sea.salt", "", "How salty.");
        let values = |name: &str, values: &[f32]| (name.to_owned(), values.to_vec());
        Snapshot {
            cell_types: vec![CellTypeStyle {
                name: "small_fish".into(),
                colour: GREEN,
            }],
            sites: vec![SiteSnapshot {
                cells: CellGlyphs {
                    sphere_um: vec![[0.0; 4]; 4],
                    id: vec![1, 2, 3, 4],
                    cell_type: vec![0; 4],
                    categories: vec![
                        ("fate".into(), vec![0, 1, 0, 0]),
                        ("mood".into(), vec![0, 0, 1, NO_VALUE]),
                    ],
                    quantities: vec![
                        values("sea.depth", &[2.0, 7.0, 24.0, NONE]),
                        values("sea.salt", &[0.5, 0.9, 0.1, 0.2]),
                    ],
                },
                ..SiteSnapshot::default()
            }],
            catalogue: Arc::new(Catalogue {
                quantities: vec![depth, salt.of_the_living()],
                categories: vec![category("fate", fate, true), category("mood", mood, false)],
                ..Catalogue::default()
            }),
            ..Snapshot::default()
        }
    }

    pub fn quantity(name: &str) -> ColourBy {
        ColourBy::Quantity(name.into())
    }

    pub fn of_category(name: &str) -> ColourBy {
        ColourBy::Category(name.into())
    }

    fn colours(colour_by: &ColourBy) -> [[f32; 3]; 4] {
        let snapshot = fish();
        let colours = CellColours::new(&snapshot, &snapshot.sites[0], colour_by);
        [0, 1, 2, 3].map(|i| colours.of(i))
    }

    #[test]
    fn the_dead_look_dead_unless_what_was_chosen_holds_for_them_too() {
        assert_eq!(colours(&ColourBy::Type), [GREEN, RED, GREEN, GREEN]);
        let living = palette::PLAIN;
        let by_fate = [living, RED, living, living];
        assert_eq!(colours(&of_category("fate")), by_fate);
        let [_, dead, ..] = colours(&quantity("sea.salt"));
        assert_eq!(dead, RED);
        let [_, dead, ..] = colours(&quantity("sea.depth"));
        assert_ne!(dead, RED);
    }

    #[test]
    fn a_cell_without_a_value_says_so_and_a_value_without_a_colour_leaves_that_of_the_type() {
        let of_mood = colours(&of_category("mood"));
        assert_eq!(of_mood, [BLUE, RED, GREEN, palette::NO_VALUE]);
        assert_eq!(colours(&quantity("sea.depth"))[3], palette::NO_VALUE);
    }

    #[test]
    fn types_of_which_nobody_has_what_is_shown_stand_aside() {
        let mut snapshot = fish();
        snapshot.cell_types.push(CellTypeStyle {
            name: "stone".into(),
            colour: BLUE,
        });
        snapshot.sites[0].cells.cell_type[3] = 1;
        for colour_by in [of_category("mood"), quantity("sea.depth")] {
            let colours = CellColours::new(&snapshot, &snapshot.sites[0], &colour_by);
            assert_eq!(colours.of(3), palette::ASIDE);
        }
        let colours = CellColours::new(&snapshot, &snapshot.sites[0], &ColourBy::Type);
        assert_eq!(colours.of(3), BLUE);
    }

    #[test]
    fn a_scale_fits_the_values_that_it_colours() {
        let snapshot = fish();
        let max_of = |name: &str| {
            let colours = CellColours::new(&snapshot, &snapshot.sites[0], &quantity(name));
            colours.scale().map(|scale| scale.max)
        };
        assert!(max_of("sea.depth").is_some_and(|max| max >= 24.0));
        assert_eq!(max_of("sea.salt"), Some(1.0));
        assert_eq!(max_of("nobody.knows"), None);
    }

    #[test]
    fn how_a_cell_is_built_follows_its_death_before_anything_else_and_whatever_is_chosen() {
        let snapshot = fish();
        for chosen in [ColourBy::Type, quantity("sea.depth"), of_category("mood")] {
            let colours = CellColours::new(&snapshot, &snapshot.sites[0], &chosen);
            let builds = [0, 1, 2, 3].map(|i| colours.build(i));
            let expected = [Build::Dividing, Build::Remains, Build::Plain, Build::Plain];
            assert_eq!(builds, expected);
        }
    }
}
