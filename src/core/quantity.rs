//! What can be known of a cell or of a site, by name.
//!
//! A module registers its quantities (a number with a unit: `hif.level`) and its categories (one of a few values:
//! `phase`) from its plugin, with what a person needs to know about them. Tables, measurements, expectations,
//! colours, legends, plots, the inspector and rules all read this one list; none of them names what a module holds.
//!
//! A quantity that a cell does not have is [`NONE`], never zero. Values come a piece of an ECS table at a time
//! ([`Columns`]), so that reading one costs as much as a loop over its component.

use std::ops::Range;

use bevy::prelude::*;

use super::clock::Clock;
use super::colour_map::ColourMap;
use super::columns::Columns;
use super::state::RegisterState;

/// The value of a quantity where there is none: NaN.
pub const NONE: f32 = f32::NAN;

/// The value of a category where there is none.
pub const NO_VALUE: u8 = u8::MAX;

/// The colour of a receptor or ligand that a drug holds: gold.
pub const HELD_BY_A_DRUG: [f32; 3] = [1.0, 0.84, 0.25];

/// What a person has to know about a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Name, unique among those of the same subject: `hif.level`.
    pub name: String,
    /// What it is called in a picture: `HIF-1α`.
    pub label: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// The values it usually takes, for colours and axes. Data beyond the upper end extend it.
    pub range: (f32, f32),
    /// What it is, in a sentence.
    pub about: String,
    /// Where the number comes from: an equation, a publication.
    pub source: String,
    /// Its column in tables; none if tables leave it out.
    pub column: Option<String>,
    /// The colour map that shows it.
    pub colours: ColourMap,
    /// Levels that mean something, drawn as contours.
    pub contours: Vec<f32>,
    /// Whether it says nothing of a dead cell.
    pub of_the_living: bool,
    /// Whether it is among the first that are offered where a person chooses among all.
    pub featured: bool,
    /// The molecule of which it is the concentration, if it is one.
    pub molecule: Option<String>,
    /// Whether the first step finds it out: before that nobody knows it, though rules take it for 0.
    pub found_in_step: bool,
}

impl Quantity {
    /// A number of that name and unit, from 0 to 1, in every table under its name with `_` for `.`.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, about: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            label: name.replace(['.', '_'], " "),
            column: Some(name.replace('.', "_")),
            name,
            unit: unit.into(),
            range: (0.0, 1.0),
            about: about.into(),
            source: String::new(),
            colours: ColourMap::Viridis,
            contours: Vec::new(),
            of_the_living: false,
            featured: false,
            molecule: None,
            found_in_step: false,
        }
    }

    /// Nobody knows it before the first step.
    #[must_use]
    pub const fn found_in_step(mut self) -> Self {
        self.found_in_step = true;
        self
    }

    /// It is the concentration of this molecule: offered and written only where some site carries it.
    #[must_use]
    pub fn of_molecule(mut self, molecule: &str) -> Self {
        self.molecule = Some(molecule.into());
        self
    }

    /// What it is called in a picture.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = label.into();
        self
    }

    /// Whether somebody said which values it usually takes; a pure number without a word is taken for a share.
    pub fn has_range(&self) -> bool {
        self.unit.is_empty() || self.range != (0.0, 1.0)
    }

    /// The values it usually takes.
    #[must_use]
    pub const fn range(mut self, from: f32, to: f32) -> Self {
        self.range = (from, to);
        self
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.source = source.into();
        self
    }

    /// Its column in tables.
    #[must_use]
    pub fn column(mut self, column: &str) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Leaves it out of tables.
    #[must_use]
    pub fn no_column(mut self) -> Self {
        self.column = None;
        self
    }

    /// The colour map that shows it.
    #[must_use]
    pub const fn colours(mut self, map: ColourMap) -> Self {
        self.colours = map;
        self
    }

    /// Levels that mean something.
    #[must_use]
    pub fn contours(mut self, levels: &[f32]) -> Self {
        self.contours = levels.to_vec();
        self
    }

    /// It says nothing of a dead cell.
    #[must_use]
    pub const fn of_the_living(mut self) -> Self {
        self.of_the_living = true;
        self
    }

    /// It is among the first that are offered where a person chooses among all.
    #[must_use]
    pub const fn featured(mut self) -> Self {
        self.featured = true;
        self
    }
}

/// How a cell of some value of a category is built, for whoever draws it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Build {
    /// Like any other.
    #[default]
    Plain = 0,
    /// Shrunken, its nucleus dense.
    Shrunken = 1,
    /// Swollen, its nucleus faded.
    Swollen = 2,
    /// What is left of a cell.
    Remains = 3,
    /// Its chromosomes in a plate.
    Dividing = 4,
}

/// One value of a category.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryValue {
    /// As written in tables.
    pub key: String,
    /// As shown to a person.
    pub label: String,
    /// Its colour, sRGB, each channel 0-1; `None` for cells that keep the colour of something else.
    pub colour: Option<[f32; 3]>,
    /// How such a cell is built.
    pub build: Build,
    /// Colour of the rim that such a cell has, whatever colours it; sRGB.
    pub rim: Option<[f32; 3]>,
}

impl CategoryValue {
    /// A value of that key and label, without colour.
    pub fn new(key: &str, label: &str) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            colour: None,
            build: Build::Plain,
            rim: None,
        }
    }

    /// Whether such a cell looks different from others, whatever colours it.
    pub fn tells_by_its_looks(&self) -> bool {
        self.build != Build::Plain || self.rim.is_some()
    }

    /// Its colour, sRGB.
    #[must_use]
    pub const fn colour(mut self, colour: [f32; 3]) -> Self {
        self.colour = Some(colour);
        self
    }

    /// How such a cell is built.
    #[must_use]
    pub const fn build(mut self, build: Build) -> Self {
        self.build = build;
        self
    }

    /// It has a rim of this colour, sRGB, whatever colours the cell.
    #[must_use]
    pub const fn rim(mut self, colour: [f32; 3]) -> Self {
        self.rim = Some(colour);
        self
    }
}

/// What a person has to know about a choice among a few values.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    /// Name, unique; also that of its column in tables.
    pub name: String,
    /// What it is called in a picture.
    pub label: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Its values, by their number; at most 255.
    pub values: Vec<CategoryValue>,
    /// Whether its colours come before those of whatever else colours a cell: dead cells look dead.
    pub prevails: bool,
    /// Whether it says nothing of a dead cell.
    pub of_the_living: bool,
}

/// Hands out values of a piece of a table.
pub type Reader<'w, T> = Box<dyn Fn(&Columns<'w>, Range<usize>, &mut [T]) + Send + Sync + 'w>;

/// Makes a [`Reader`] for a world: looks up once what all values depend on.
type MakeReader<T> = Box<dyn for<'w> Fn(&'w World) -> Reader<'w, T> + Send + Sync>;

/// A registered quantity of cells.
pub struct CellQuantity {
    /// What a person has to know.
    pub info: Quantity,
    /// Whether tables hold it and pictures offer it in this world; rules can ask for it in any case.
    pub is_offered: bool,
    make: MakeReader<f32>,
    /// Whether a cell has it at all, as far as that follows from its components.
    has: Option<HasQuantity>,
}

/// Whether a cell has the component that a quantity is read from.
type HasQuantity = fn(EntityRef) -> bool;

impl CellQuantity {
    /// Whether a cell lacks what it is read from, so that it has no value ever.
    pub fn is_lacked_by(&self, cell: EntityRef) -> bool {
        self.has.is_some_and(|has| !has(cell))
    }

    /// Prepares to read values in a world; [`NONE`] where cells have none.
    pub fn reader<'w>(&self, world: &'w World) -> Reader<'w, f32> {
        (self.make)(world)
    }

    /// The same for tables, measurements and pictures: [`NONE`] also where nobody knows the values yet.
    pub fn reader_of_the_known<'w>(&self, world: &'w World) -> Reader<'w, f32> {
        let is_begun = world
            .get_resource::<Clock>()
            .is_none_or(|clock| clock.step > 0);
        if is_begun || !self.info.found_in_step {
            return self.reader(world);
        }
        Box::new(|_, _, values| values.fill(NONE))
    }
}

/// A registered category of cells.
pub struct CellCategory {
    /// What a person has to know.
    pub info: Category,
    make: MakeReader<u8>,
}

impl CellCategory {
    /// Prepares to read values in a world; [`NO_VALUE`] where cells have none.
    pub fn reader<'w>(&self, world: &'w World) -> Reader<'w, u8> {
        (self.make)(world)
    }
}

/// Makes the value of a site.
type OfSite = Box<dyn Fn(&World, Entity) -> f32 + Send + Sync>;

/// A registered quantity of sites.
pub struct SiteQuantity {
    /// What a person has to know.
    pub info: Quantity,
    of: OfSite,
}

impl SiteQuantity {
    /// The value of a site, by its entity; [`NONE`] where it has none.
    pub fn of(&self, world: &World, site: Entity) -> f32 {
        (self.of)(world, site)
    }
}

/// All that is registered, in the order of registration.
#[derive(Resource, Default)]
pub struct Quantities {
    /// Numbers of cells.
    pub cells: Vec<CellQuantity>,
    /// Categories of cells.
    pub categories: Vec<CellCategory>,
    /// Numbers of sites.
    pub sites: Vec<SiteQuantity>,
    /// Numbers of cells that rules read in the place of others, by name: what a cell perceives of a molecule in place of its concentration.
    pub read_as: Vec<(String, String)>,
}

impl Quantities {
    /// The quantity of cells of that name.
    pub fn of_cells(&self, name: &str) -> Option<&CellQuantity> {
        self.cells.iter().find(|known| known.info.name == name)
    }

    /// The category of that name.
    pub fn category(&self, name: &str) -> Option<&CellCategory> {
        self.categories.iter().find(|known| known.info.name == name)
    }

    /// The quantity of sites of that name.
    pub fn of_sites(&self, name: &str) -> Option<&SiteQuantity> {
        self.sites.iter().find(|known| known.info.name == name)
    }

    /// The names of all quantities of cells.
    pub fn cell_names(&self) -> Vec<&str> {
        self.cells
            .iter()
            .map(|known| known.info.name.as_str())
            .collect()
    }
}

/// Names that were registered although they were there already. Those of plugins are refused at once; a scene may bring
/// cell types and molecules whose names are, or make, such a one, which its check tells.
#[derive(Resource, Clone, Debug, Default)]
pub struct NamedTwice(pub Vec<String>);

impl NamedTwice {
    /// For registration by a plugin.
    ///
    /// # Panics
    /// When something has been registered twice.
    pub(super) fn refuse(world: &World) {
        let found = world
            .get_resource::<Self>()
            .and_then(|twice| twice.0.first());
        if let Some(name) = found {
            panic!("`{name}` is registered twice");
        }
    }
}

/// Which quantities the cells of each type lack, by index of the type: those read from components that such a cell does
/// not begin with. Only a world made for checking has it.
#[derive(Resource, Clone, Debug, Default)]
pub struct LackedQuantities(pub Vec<Vec<String>>);

impl LackedQuantities {
    /// Whether the cells of a type are known to lack a quantity.
    pub(super) fn contain(world: &World, cell_type: u16, name: &str) -> bool {
        let lacked = world.get_resource::<Self>();
        let lacked = lacked.and_then(|lacked| lacked.0.get(usize::from(cell_type)));
        lacked.is_some_and(|lacked| lacked.iter().any(|known| known == name))
    }
}

/// Registration, from a module's plugin, which panics if another has registered the name; or of what a scene brings, in
/// a world: a name that is there already is then noted in [`NamedTwice`].
pub trait RegisterQuantities {
    /// Registers a number that a component of a cell holds.
    fn register_quantity<C: Component>(
        &mut self,
        info: Quantity,
        get: impl Fn(&C) -> f32 + Send + Sync + Copy + 'static,
    ) -> &mut Self {
        self.register_quantity_with::<C, _>(info, move |_| get)
    }

    /// Registers a number that follows from a component of a cell and something that is the same for all cells:
    /// `prepare` looks that up and returns how to make a number of a component.
    fn register_quantity_with<C: Component, G: Fn(&C) -> f32 + Send + Sync + 'static>(
        &mut self,
        info: Quantity,
        prepare: impl Fn(&World) -> G + Send + Sync + 'static,
    ) -> &mut Self {
        self.register_reader_of(info, Some(|cell| cell.contains::<C>()), move |world| {
            let get = prepare(world);
            Box::new(move |table, rows, values| read(table, rows, values, NONE, &get))
        })
    }

    /// Registers a number of a cell that follows from several of its components.
    fn register_cell_reader(
        &mut self,
        info: Quantity,
        make: impl for<'w> Fn(&'w World) -> Reader<'w, f32> + Send + Sync + 'static,
    ) -> &mut Self {
        self.register_reader_of(info, None, make)
    }

    /// Registers a number of a cell and, where that is known, how to tell whether a cell has it at all.
    fn register_reader_of(
        &mut self,
        info: Quantity,
        has: Option<fn(EntityRef) -> bool>,
        make: impl for<'w> Fn(&'w World) -> Reader<'w, f32> + Send + Sync + 'static,
    ) -> &mut Self;

    /// Registers a category that a component of a cell holds, as the number of its value.
    fn register_category<C: Component>(
        &mut self,
        info: Category,
        get: impl Fn(&C) -> u8 + Send + Sync + Copy + 'static,
    ) -> &mut Self;

    /// Registers a number of a site, given its entity.
    fn register_site_quantity(
        &mut self,
        info: Quantity,
        of: impl Fn(&World, Entity) -> f32 + Send + Sync + 'static,
    ) -> &mut Self;
}

/// Reads what `get` makes of a component of each row, or `none` for all where they lack it.
fn read<C: Component, T: Copy>(
    table: &Columns,
    rows: Range<usize>,
    values: &mut [T],
    none: T,
    get: impl Fn(&C) -> T,
) {
    match table.get::<C>() {
        Some(column) => {
            for (value, component) in values.iter_mut().zip(&column[rows]) {
                *value = get(component);
            }
        }
        None => values.fill(none),
    }
}

impl RegisterQuantities for World {
    fn register_reader_of(
        &mut self,
        info: Quantity,
        has: Option<fn(EntityRef) -> bool>,
        make: impl for<'w> Fn(&'w World) -> Reader<'w, f32> + Send + Sync + 'static,
    ) -> &mut Self {
        let mut known = self.get_resource_or_init::<Quantities>();
        if known.of_cells(&info.name).is_some() {
            self.get_resource_or_init::<NamedTwice>().0.push(info.name);
            return self;
        }
        known.cells.push(CellQuantity {
            info,
            is_offered: true,
            make: Box::new(make),
            has,
        });
        self
    }

    fn register_category<C: Component>(
        &mut self,
        info: Category,
        get: impl Fn(&C) -> u8 + Send + Sync + Copy + 'static,
    ) -> &mut Self {
        let mut known = self.get_resource_or_init::<Quantities>();
        if known.category(&info.name).is_some() {
            self.get_resource_or_init::<NamedTwice>().0.push(info.name);
            return self;
        }
        known.categories.push(CellCategory {
            info,
            make: Box::new(move |_| {
                Box::new(move |table, rows, values| read(table, rows, values, NO_VALUE, get))
            }),
        });
        self
    }

    fn register_site_quantity(
        &mut self,
        info: Quantity,
        of: impl Fn(&World, Entity) -> f32 + Send + Sync + 'static,
    ) -> &mut Self {
        let mut known = self.get_resource_or_init::<Quantities>();
        if known.of_sites(&info.name).is_some() {
            self.get_resource_or_init::<NamedTwice>().0.push(info.name);
            return self;
        }
        known.sites.push(SiteQuantity {
            info,
            of: Box::new(of),
        });
        self
    }
}

impl RegisterQuantities for App {
    fn register_reader_of(
        &mut self,
        info: Quantity,
        has: Option<fn(EntityRef) -> bool>,
        make: impl for<'w> Fn(&'w World) -> Reader<'w, f32> + Send + Sync + 'static,
    ) -> &mut Self {
        self.declare_remade::<Quantities>(LISTED);
        self.world_mut().register_reader_of(info, has, make);
        NamedTwice::refuse(self.world());
        self
    }

    fn register_category<C: Component>(
        &mut self,
        info: Category,
        get: impl Fn(&C) -> u8 + Send + Sync + Copy + 'static,
    ) -> &mut Self {
        self.declare_remade::<Quantities>(LISTED);
        self.world_mut().register_category(info, get);
        NamedTwice::refuse(self.world());
        self
    }

    fn register_site_quantity(
        &mut self,
        info: Quantity,
        of: impl Fn(&World, Entity) -> f32 + Send + Sync + 'static,
    ) -> &mut Self {
        self.declare_remade::<Quantities>(LISTED);
        self.world_mut().register_site_quantity(info, of);
        NamedTwice::refuse(self.world());
        self
    }
}

/// The column of that name among those asked for.
pub fn named<'a, T>(columns: &'a [(String, Vec<T>)], name: &str) -> Option<&'a [T]> {
    let found = columns.iter().find(|(known, _)| known == name);
    found.map(|(_, values)| values.as_slice())
}

/// Why lists of what the program knows are no state.
pub const LISTED: &str = "a list of what the program knows";

#[cfg(test)]
mod tests;
