//! How cells begin and how they divide, said by each module about its own components.
//!
//! A module registers from its plugin how a cell with its capability *begins*: the components of a settled cell, and
//! what is drawn for each, from a stream of random numbers of its own: a module more or less changes nobody else's draws.
//! It is asked once for all cells of a type that are put into a site together, in the order of registration. It registers what happens to its component when a cell
//! *divides*: the daughter has got a copy of all components of her mother, then both are told. A component about which
//! nothing is said is inherited as it is.

use std::sync::Arc;

use bevy::prelude::*;

use crate::core::parameters::{Parameters, PerType};
use crate::core::random::PurposeRegistry;
use crate::core::{CellId, Purpose, Random, RandomKey};
use crate::tissue::transport::FieldSupply;
use crate::tissue::{Molecules, SiteId, Sites};

/// Where new cells of a type begin.
pub struct Birthplace<'w> {
    /// The world they are put into.
    pub world: &'w World,
    /// Their type, by index.
    pub cell_type: u16,
    /// Their site.
    pub site: SiteId,
}

impl<'w> Birthplace<'w> {
    /// The parameters of a capability that are in force for them; none if they lack it.
    pub fn parameters<P: Parameters>(&self) -> Option<&'w P> {
        self.world.get_resource::<PerType<P>>()?.get(self.cell_type)
    }

    /// The level at which the site is supplied with a molecule: what cells find there before anything has changed it.
    pub fn level(&self, molecule: &str) -> f32 {
        let Some(molecules) = self.world.get_resource::<Molecules>() else {
            return 0.0;
        };
        let supply = || {
            let site = self.world.get_resource::<Sites>()?.find(self.site)?;
            let field = site.field(molecules.id(molecule)?)?;
            self.world.get::<FieldSupply>(field.entity)
        };
        match supply() {
            Some(supply) => supply.level,
            None => molecules
                .named(molecule)
                .map_or(0.0, |molecule| molecule.background),
        }
    }
}

type Settle = Box<dyn FnOnce(&mut EntityWorldMut)>;
type Draw = Box<dyn Fn(&mut EntityWorldMut, &mut Random)>;
type Give = Box<dyn Fn(&mut EntityWorldMut)>;

/// What is done for each new cell.
enum ForEach {
    Draw(Purpose, Draw),
    Give(Give),
}

/// How new cells begin, as far as one module is concerned.
pub struct Beginning {
    settle: Settle,
    for_each: Option<ForEach>,
}

impl Beginning {
    /// All begin with these components.
    pub fn settled(components: impl Bundle) -> Self {
        Self {
            settle: Box::new(|cell| {
                cell.insert(components);
            }),
            for_each: None,
        }
    }

    /// Each is then given what is drawn for it; it has its [`CellId`] and [`super::Position`] already. The numbers are
    /// those of a purpose that the module has registered, and that nothing else draws for in the step.
    #[must_use]
    pub fn and_draw(
        mut self,
        purpose: Purpose,
        draw: impl Fn(&mut EntityWorldMut, &mut Random) + 'static,
    ) -> Self {
        self.for_each = Some(ForEach::Draw(purpose, Box::new(draw)));
        self
    }

    /// Each is then given what follows from what it is, with nothing drawn; it has its [`CellId`] and
    /// [`super::Position`] already.
    #[must_use]
    pub fn and_give(mut self, give: impl Fn(&mut EntityWorldMut) + 'static) -> Self {
        self.for_each = Some(ForEach::Give(Box::new(give)));
        self
    }
}

/// The two cells that a division leaves.
#[derive(Clone, Copy, Debug)]
pub struct Division {
    /// The cell that divided. She goes on as one of the two.
    pub mother: CellId,
    /// The new one.
    pub daughter: CellId,
    /// The axis of the division, of length 1.
    pub axis: Vec3,
    /// On which side of it the cell lies that is told: -1 for her who was the mother, 1 for the new one.
    pub side: f32,
    /// The step in which it happens.
    pub step: u64,
}

type Begin = fn(&Birthplace) -> Option<Beginning>;
type Divide = fn(&mut EntityWorldMut, &Division);

/// How cells begin and divide, in the order of registration. Cheap to clone.
#[derive(Resource, Clone, Default)]
pub struct CellLife {
    begin: Arc<Vec<Begin>>,
    divide: Arc<Vec<Divide>>,
}

impl CellLife {
    /// Makes a template of new cells: gives it the components of a settled cell. What is returned is drawn for each.
    ///
    /// # Panics
    /// When a module draws for a purpose that it has not registered.
    pub fn settle(world: &mut World, template: Entity, cell_type: u16, site: SiteId) -> Draws {
        let life = world.get_resource::<Self>().cloned().unwrap_or_default();
        let place = Birthplace {
            world,
            cell_type,
            site,
        };
        let beginnings: Vec<Beginning> = life
            .begin
            .iter()
            .filter_map(|begin| begin(&place))
            .collect();
        if let Some(known) = world.get_resource::<PurposeRegistry>() {
            for beginning in &beginnings {
                if let Some(ForEach::Draw(purpose, _)) = &beginning.for_each {
                    assert!(
                        known.iter().any(|other| other == *purpose),
                        "the random numbers for `{}` are registered by its module",
                        purpose.name()
                    );
                }
            }
        }
        let mut cell = world.entity_mut(template);
        let draws = beginnings.into_iter().filter_map(|beginning| {
            (beginning.settle)(&mut cell);
            beginning.for_each
        });
        Draws(draws.collect())
    }

    /// Tells a cell that she comes from a division.
    pub fn divide(&self, cell: &mut EntityWorldMut, division: &Division) {
        for divide in &*self.divide {
            divide(cell, division);
        }
    }
}

/// What is drawn for each new cell of a type.
#[derive(Default)]
pub struct Draws(Vec<ForEach>);

impl Draws {
    /// Draws it for a cell that begins in a step, and has the components of its template.
    pub fn draw(&self, cell: &mut EntityWorldMut, id: CellId, step: u64, key: RandomKey) {
        for each in &self.0 {
            match each {
                ForEach::Draw(purpose, draw) => draw(cell, &mut key.stream(id, step, *purpose)),
                ForEach::Give(give) => give(cell),
            }
        }
    }
}

/// Registration, from a module's plugin.
pub trait RegisterLife {
    /// Says how cells begin; nothing if they lack the capability.
    fn begin_cells(&mut self, begin: fn(&Birthplace) -> Option<Beginning>) -> &mut Self;
    /// Says what becomes of a component when a cell divides.
    fn divide_cells(&mut self, divide: fn(&mut EntityWorldMut, &Division)) -> &mut Self;
}

/// The registry of an app.
fn life(app: &mut App) -> Mut<'_, CellLife> {
    app.init_resource::<CellLife>();
    app.world_mut().resource_mut()
}

impl RegisterLife for App {
    fn begin_cells(&mut self, begin: fn(&Birthplace) -> Option<Beginning>) -> &mut Self {
        Arc::make_mut(&mut life(self).begin).push(begin);
        self
    }

    fn divide_cells(&mut self, divide: fn(&mut EntityWorldMut, &Division)) -> &mut Self {
        Arc::make_mut(&mut life(self).divide).push(divide);
        self
    }
}
