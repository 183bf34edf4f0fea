//! Cells that begin: put into the scene, or recruited while it runs.
//!
//! One template for each type and site carries all components; cells are copies of it, so that a cell is written into
//! its table once.

use bevy::prelude::*;

use super::copier::CellCopier;
use crate::cell::life::{CellLife, Draws};
use crate::cell::{CellType, Position, Resident, Surroundings};
use crate::core::{CellId, CellIdCounter, Clock, RandomKey};
use crate::tissue::SiteId;

/// Lets cells begin, as many as one likes in a row; [`Nursery::close`] takes its templates out of the world again.
pub struct Nursery<'a> {
    copier: &'a mut CellCopier,
    templates: Vec<Template>,
}

/// A cell that is copied for all of a type that begin in a site, and what is drawn for each.
struct Template {
    cell_type: u16,
    site: SiteId,
    cell: Entity,
    draws: Draws,
}

impl<'a> Nursery<'a> {
    /// An empty one.
    pub const fn new(copier: &'a mut CellCopier) -> Self {
        Self {
            copier,
            templates: Vec::new(),
        }
    }

    /// A new cell of a type, with the next identity and in a random state of its life.
    pub fn begin(
        &mut self,
        world: &mut World,
        cell_type: u16,
        site: SiteId,
        at_um: Vec3,
    ) -> (CellId, Entity) {
        let key = *world.resource::<RandomKey>();
        let step = world.resource::<Clock>().step;
        let mut known = self.templates.iter();
        let known = known.position(|known| known.cell_type == cell_type && known.site == site);
        let place = known.unwrap_or_else(|| {
            self.templates.push(Template::new(world, cell_type, site));
            self.templates.len() - 1
        });
        let template = &self.templates[place];
        let id = world.resource_mut::<CellIdCounter>().take();
        let entity = self.copier.spawn(world, template.cell);
        let mut cell = world.entity_mut(entity);
        cell.insert((id, Position(at_um)));
        template.draws.draw(&mut cell, id, step, key);
        (id, entity)
    }

    /// Removes the templates.
    pub fn close(self, world: &mut World) {
        for template in self.templates {
            world.despawn(template.cell);
        }
    }
}

impl Template {
    fn new(world: &mut World, cell_type: u16, site: SiteId) -> Self {
        let cell = world
            .spawn((
                CellId(u64::MAX),
                CellType(cell_type),
                Resident(site),
                Position::default(),
                Surroundings::default(),
            ))
            .id();
        let draws = CellLife::settle(world, cell, cell_type, site);
        Self {
            cell_type,
            site,
            cell,
            draws,
        }
    }
}

/// Spawns cells in a site, in the order given (centre in um and type of each), each in a random state of its life.
pub fn spawn_cells(world: &mut World, site: SiteId, cells: &[(Vec3, u16)]) {
    let mut copier = CellCopier::default();
    let mut nursery = Nursery::new(&mut copier);
    for (at_um, cell_type) in cells {
        nursery.begin(world, *cell_type, site, *at_um);
    }
    nursery.close(world);
}
