//! Inputs: what of a module can be changed by rules.
//!
//! A module offers an input from its plugin ([`RegisterInputs`]): `motility.speed`, based on a parameter of its
//! capability. Its systems ask for it through [`Regulated`], which hands out what the rules of the step made of it, or the base where
//! there is no rule. Inputs are no state: [`super::regulate`] works them out in every step, or in those in which they are asked for
//! ([`InputInfo::every_min()`]), from the quantities as the last step left them.
//!
//! Besides cells, sites can offer inputs, and so can whatever a site holds in arrays, voxels or vessel
//! segments: *elements* of a kind, all arrays of one kind and site being of one length. The members of other populations
//! are elements as well ([`crate::tissue::member_rules`]).

use std::ops::Range;

use bevy::ecs::entity::Entities;
use bevy::ecs::storage::TableId;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::numbers::{number_fields, read_number};
use super::parallel::ROWS;
use super::parameters::{Limits, Parameters, PerType};
use super::quantity::{LISTED, NamedTwice, Quantity};
use super::regulate::{Groundwork, SiteGroundwork};
use super::state::RegisterState;

/// What a person has to know about an input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputInfo {
    /// Name, unique among those of the same subject: `motility.speed`.
    pub name: String,
    /// Its unit; empty for a pure number.
    pub unit: String,
    /// What it is, in a sentence.
    pub about: String,
    /// What it may be; rules cannot lead beyond.
    pub limits: Limits,
    /// How often an input of elements is asked for, min: in the steps between it keeps its values. 0 is in every step.
    pub every_min: f64,
}

impl InputInfo {
    /// Limits lie within this on both sides of 0: beyond, no system that uses an input could reckon with it.
    pub const MOST: f64 = 1e12;

    /// An input of that name and unit that is not negative. One that is not based on the field of a parameter, whose
    /// limits it then has, says what it may be at most: [`Self::limits`].
    pub fn new(name: impl Into<String>, unit: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            about: about.into(),
            limits: Limits::NON_NEGATIVE,
            every_min: 0.0,
        }
    }

    /// Says how often an input of elements is asked for, min, by a system that runs when [`super::Clock::is_turn`] says so: only
    /// then is it worked out.
    #[must_use]
    pub const fn every_min(mut self, minutes: f64) -> Self {
        self.every_min = minutes;
        self
    }

    /// What it may be.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Asks for limits that mean something.
    ///
    /// # Panics
    /// When there are none.
    fn assert_limited(&self) {
        let Limits { min, max } = self.limits;
        assert!(
            -Self::MOST <= min && min <= max && max <= Self::MOST,
            "the input `{}` needs limits within {:e}, those of its parameter or its own, found {}",
            self.name,
            Self::MOST,
            self.limits.describe()
        );
    }
}

/// The base of an input for a cell type, by index; `None` for a type that lacks the capability.
type BaseOfType = Box<dyn Fn(&World, u16) -> Option<f32> + Send + Sync>;
/// The base of an input for a site, by its entity.
type BaseOfSite = Box<dyn Fn(&World, Entity) -> Option<f32> + Send + Sync>;
/// Writes the bases of an input, or the values of a quantity, for all elements of a site.
type OfElements = Box<dyn Fn(&World, Entity, &mut Vec<f32>) + Send + Sync>;

/// An input of cells.
pub struct CellInput {
    /// What a person has to know.
    pub info: InputInfo,
    pub(super) base: BaseOfType,
}

impl CellInput {
    /// Its base for a cell type, by index; none for a type that lacks the capability.
    pub fn base(&self, world: &World, cell_type: u16) -> Option<f32> {
        (self.base)(world, cell_type)
    }
}

/// An input of sites.
pub struct SiteInput {
    /// What a person has to know.
    pub info: InputInfo,
    pub(super) base: BaseOfSite,
}

/// An input of elements.
pub struct ElementInput {
    /// What kind of elements: `voxel`.
    pub kind: &'static str,
    /// What a person has to know.
    pub info: InputInfo,
    pub(super) base: OfElements,
}

/// A quantity of elements.
pub struct ElementQuantity {
    /// What kind of elements: `voxel`.
    pub kind: &'static str,
    /// What a person has to know.
    pub info: Quantity,
    pub(super) of: OfElements,
}

impl ElementQuantity {
    /// Appends the value of each element of a site, by its entity.
    pub fn read(&self, world: &World, site: Entity, to: &mut Vec<f32>) {
        (self.of)(world, site, to);
    }
}

/// All inputs, in the order of registration.
#[derive(Resource, Default)]
pub struct Inputs {
    /// Of cells.
    pub cells: Vec<CellInput>,
    /// Of sites.
    pub sites: Vec<SiteInput>,
    /// Of elements.
    pub elements: Vec<ElementInput>,
    /// What elements can be asked for.
    pub element_quantities: Vec<ElementQuantity>,
    /// What rules on elements of a kind read in the place of something else, by name.
    pub read_as: Vec<(&'static str, String, String)>,
}

impl Inputs {
    /// The input of cells of that name.
    pub fn of_cells(&self, name: &str) -> Option<&CellInput> {
        self.cells.iter().find(|known| known.info.name == name)
    }

    /// The names of all inputs of cells.
    pub fn cell_names(&self) -> Vec<&str> {
        let inputs = self.cells.iter();
        inputs.map(|known| known.info.name.as_str()).collect()
    }
}

/// What rules made of the inputs of this step.
#[derive(Resource, Default)]
pub struct InputValues {
    /// What inputs of cells are worked out from.
    pub(super) groundwork: Groundwork,
    /// What inputs of sites and elements are worked out from.
    pub(super) site_groundwork: SiteGroundwork,
    /// Of cells, in the order of [`Inputs::cells`].
    pub(super) cells: Vec<ValuesOfCells>,
    /// Inputs of the cells of a table, where any of them has a rule.
    pub(super) tables: Vec<TableValues>,
    /// Of each site, in the order of [`Inputs::sites`].
    pub(super) sites: Vec<Vec<(Entity, f32)>>,
    /// Of the elements of each site, in the order of [`Inputs::elements`].
    pub(super) elements: Vec<Vec<(Entity, Vec<f32>)>>,
    /// Quantities of sites and elements, filled again for each input.
    pub(super) columns: Vec<Vec<f32>>,
}

/// An input of cells.
#[derive(Default)]
pub(in crate::core) struct ValuesOfCells {
    pub name: String,
    /// By type; NaN for a type that lacks the capability.
    pub bases: Vec<f32>,
}

/// Inputs of the cells of a table: for each chunk of [`ROWS`] rows one such run for each input.
#[derive(Default)]
pub(super) struct TableValues {
    pub table: Option<TableId>,
    /// Which inputs, by their place in [`Inputs::cells`].
    pub inputs: Vec<usize>,
    pub values: Vec<f32>,
}

impl InputValues {
    /// An input of cells as the last `Regulate` left it, by name, for whoever looks at a world from outside; `None` where no module
    /// has registered it.
    pub fn of_cells<'a>(&'a self, world: &'a World, name: &str) -> Option<CellValues<'a>> {
        let place = self.cells.iter().position(|known| known.name == name)?;
        Some(CellValues {
            values: self,
            place,
            entities: world.entities(),
        })
    }
}

/// What systems ask for the inputs of this step.
#[derive(SystemParam)]
pub struct Regulated<'w> {
    values: Option<Res<'w, InputValues>>,
    entities: &'w Entities,
}

impl Regulated<'_> {
    /// An input of cells, by name.
    ///
    /// # Panics
    /// When no module has registered it.
    pub fn input(&self, name: &str) -> CellValues<'_> {
        let values = self.values.as_deref();
        let found = values.and_then(|values| {
            let place = values.cells.iter().position(|known| known.name == name)?;
            Some((values, place))
        });
        let Some((values, place)) = found else {
            panic!("the input `{name}` is registered by its module, and worked out in `Regulate`");
        };
        CellValues {
            values,
            place,
            entities: self.entities,
        }
    }

    /// An input of sites, by name: that of the site with this entity.
    pub fn of_site(&self, inputs: &Inputs, name: &str, site: Entity) -> Option<f32> {
        let place = inputs
            .sites
            .iter()
            .position(|known| known.info.name == name)?;
        let of_sites = self.values.as_deref()?.sites.get(place)?;
        let found = of_sites.iter().find(|(entity, _)| *entity == site);
        found.map(|(_, value)| *value)
    }

    /// An input of elements, by name: those of the site with this entity.
    pub fn of_elements(&self, inputs: &Inputs, name: &str, site: Entity) -> Option<&[f32]> {
        let place = inputs
            .elements
            .iter()
            .position(|known| known.info.name == name)?;
        let of_sites = self.values.as_deref()?.elements.get(place)?;
        let found = of_sites.iter().find(|(entity, _)| *entity == site);
        found.map(|(_, values)| values.as_slice())
    }
}

/// An input of all cells.
#[derive(Clone, Copy)]
pub struct CellValues<'a> {
    values: &'a InputValues,
    place: usize,
    entities: &'a Entities,
}

impl<'a> CellValues<'a> {
    /// The input of the cells of a table, given its entities, as a contiguous query hands them out.
    pub fn in_table(&self, entities: &[Entity]) -> InputColumn<'a> {
        let bases = self.values.cells[self.place].bases.as_slice();
        let table = entities
            .first()
            .and_then(|first| self.entities.get_spawned(*first).ok())
            .map(|location| location.table_id);
        let ruled = self.values.tables.iter().find_map(|known| {
            let at = known.inputs.iter().position(|input| *input == self.place)?;
            (known.table == table).then_some((known.values.as_slice(), at, known.inputs.len()))
        });
        match ruled {
            None => InputColumn {
                bases,
                values: &[],
                at: 0,
                stride: 0,
            },
            Some((values, at, inputs)) => InputColumn {
                bases,
                values,
                at: at * ROWS,
                stride: inputs * ROWS,
            },
        }
    }

    /// Its base for each row of the tables of parameters, by index; NaN where the type lacks it.
    pub fn bases(&self) -> &'a [f32] {
        &self.values.cells[self.place].bases
    }

    /// Its base for a type.
    pub fn base(&self, cell_type: u16) -> f32 {
        let bases = &self.values.cells[self.place].bases;
        bases
            .get(usize::from(cell_type))
            .copied()
            .unwrap_or(f32::NAN)
    }
}

/// An input of the cells of a table.
#[derive(Clone, Copy)]
pub struct InputColumn<'a> {
    bases: &'a [f32],
    values: &'a [f32],
    at: usize,
    stride: usize,
}

impl InputColumn<'_> {
    /// The input of the cell in a row, which is of that type.
    #[inline]
    pub fn at(&self, row: usize, cell_type: u16) -> f32 {
        if self.stride == 0 {
            self.bases[usize::from(cell_type)]
        } else {
            self.values[row / ROWS * self.stride + self.at + row % ROWS]
        }
    }

    /// Whether rules make cells of a type differ from each other.
    pub const fn is_ruled(&self) -> bool {
        self.stride > 0
    }
}

/// Registration, from a module's plugin.
pub trait RegisterInputs {
    /// Registers an input of cells, given its base for a type; this hangs on nothing but parameters.
    fn register_input_with(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, u16) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self;

    /// Registers an input of cells whose base is a parameter of a capability, the field at a dotted path inside its
    /// struct. It may be what the parameter may be.
    ///
    /// # Panics
    /// When the struct has no such number, or nothing keeps the number from growing without end.
    fn register_input<P: Parameters>(&mut self, info: InputInfo, field: &'static str) -> &mut Self {
        assert!(
            number_fields(P::type_info())
                .iter()
                .any(|known| known == field),
            "the input `{}` is based on `{field}`, which is no number of its capability",
            info.name
        );
        self.register_input_with(info.limits(P::limits(field)), move |world, cell_type| {
            let parameters = world.get_resource::<PerType<P>>()?.get(cell_type)?;
            Some(read_number(parameters.as_partial_reflect(), field)? as f32)
        })
    }

    /// Registers an input of cells with a capability that is relative to what their module makes it: its base is 1.
    ///
    /// # Panics
    /// When it says no limits of its own.
    fn register_relative_input<P: Parameters>(&mut self, info: InputInfo) -> &mut Self {
        self.register_input_with(info, |world, cell_type| {
            world.get_resource::<PerType<P>>()?.get(cell_type)?;
            Some(1.0)
        })
    }

    /// Registers an input of sites, given its base for a site.
    fn register_site_input(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, Entity) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self;

    /// Registers an input of the elements of a kind that sites hold: `base` writes their bases.
    fn register_element_input(
        &mut self,
        kind: &'static str,
        info: InputInfo,
        base: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self;

    /// Registers a quantity of the elements of a kind that sites hold: `of` writes their values, or none for a site that
    /// has it not.
    fn register_element_quantity(
        &mut self,
        kind: &'static str,
        info: Quantity,
        of: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self;
}

impl RegisterInputs for World {
    fn register_input_with(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, u16) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self {
        info.assert_limited();
        let mut known = self.get_resource_or_init::<Inputs>();
        if known.of_cells(&info.name).is_some() {
            self.get_resource_or_init::<NamedTwice>().0.push(info.name);
            return self;
        }
        known.cells.push(CellInput {
            info,
            base: Box::new(base),
        });
        self
    }

    fn register_site_input(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, Entity) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self {
        info.assert_limited();
        let mut known = self.get_resource_or_init::<Inputs>();
        assert!(
            known.sites.iter().all(|other| other.info.name != info.name),
            "the input `{}` of sites is registered twice",
            info.name
        );
        known.sites.push(SiteInput {
            info,
            base: Box::new(base),
        });
        self
    }

    fn register_element_input(
        &mut self,
        kind: &'static str,
        info: InputInfo,
        base: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self {
        info.assert_limited();
        let mut known = self.get_resource_or_init::<Inputs>();
        assert!(
            known
                .elements
                .iter()
                .all(|other| other.info.name != info.name),
            "the input `{}` of elements is registered twice",
            info.name
        );
        known.elements.push(ElementInput {
            kind,
            info,
            base: Box::new(base),
        });
        self
    }

    fn register_element_quantity(
        &mut self,
        kind: &'static str,
        info: Quantity,
        of: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self {
        let mut known = self.get_resource_or_init::<Inputs>();
        let is_other = |other: &ElementQuantity| other.kind != kind || other.info.name != info.name;
        assert!(
            known.element_quantities.iter().all(is_other),
            "the quantity `{}` of elements is registered twice",
            info.name
        );
        known.element_quantities.push(ElementQuantity {
            kind,
            info,
            of: Box::new(of),
        });
        self
    }
}

/// Makes sure that inputs are worked out, for a module that registers its own later, on the world.
pub trait Regulate {
    /// Adds the `Regulate` stage; doing so twice is harmless.
    fn regulate(&mut self) -> &mut Self;
}

impl Regulate for App {
    fn regulate(&mut self) -> &mut Self {
        super::regulate::plugin(self);
        self
    }
}

impl RegisterInputs for App {
    fn register_input_with(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, u16) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self {
        super::regulate::plugin(self);
        self.world_mut().register_input_with(info, base);
        NamedTwice::refuse(self.world());
        self
    }

    fn register_site_input(
        &mut self,
        info: InputInfo,
        base: impl Fn(&World, Entity) -> Option<f32> + Send + Sync + 'static,
    ) -> &mut Self {
        super::regulate::plugin(self);
        self.world_mut().register_site_input(info, base);
        self
    }

    fn register_element_input(
        &mut self,
        kind: &'static str,
        info: InputInfo,
        base: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self {
        super::regulate::plugin(self);
        self.world_mut().register_element_input(kind, info, base);
        self
    }

    fn register_element_quantity(
        &mut self,
        kind: &'static str,
        info: Quantity,
        of: impl Fn(&World, Entity, &mut Vec<f32>) + Send + Sync + 'static,
    ) -> &mut Self {
        super::regulate::plugin(self);
        self.world_mut().register_element_quantity(kind, info, of);
        self
    }
}

/// Declares what inputs keep in a world as no state.
pub(super) fn declare(app: &mut App) {
    app.init_resource::<Inputs>()
        .init_resource::<InputValues>()
        .declare_remade::<Inputs>(LISTED)
        .declare_remade::<InputValues>("worked out in every `Regulate`");
}

/// The piece of a table's values that a chunk of rows has for one of `inputs` inputs.
pub(super) const fn run_of(input: usize, rows: usize) -> Range<usize> {
    input * ROWS..input * ROWS + rows
}
