//! Components of many entities, read as slices, whatever their types.
//!
//! Who registers a quantity knows its component; who reads quantities knows neither. Between them stand the
//! [`Columns`] of an ECS table: a component that all its entities have is one slice. [`tables_with`] visits the
//! tables of a world in the order in which they came to be, empty ones left out.

use std::any::TypeId;

use bevy::ecs::storage::{Table, TableId};
use bevy::prelude::*;

/// The entities of one table of a world, with their components as slices.
#[derive(Clone, Copy)]
pub struct Columns<'w> {
    world: &'w World,
    id: TableId,
}

impl<'w> Columns<'w> {
    fn table(&self) -> &'w Table {
        // A table itself must not be shared between threads; the world may be.
        &self.world.storages().tables[self.id]
    }

    /// Number of entities.
    pub fn len(&self) -> usize {
        self.table().entity_count() as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which table it is, unique in its world.
    pub const fn id(&self) -> TableId {
        self.id
    }

    /// The entities, row by row.
    pub fn entities(&self) -> &'w [Entity] {
        self.table().entities()
    }

    /// A component, row by row; `None` where these entities do not have it, or it is not stored in tables.
    pub fn get<C: Component>(&self) -> Option<&'w [C]> {
        let id = self.world.components().get_id(TypeId::of::<C>())?;
        // SAFETY: `id` is that of `C` in this world. The world is borrowed for `'w`, so nothing writes to its
        // components as long as the slice lives, and each `UnsafeCell<C>` may be read as a `C`.
        unsafe {
            let cells = self.table().get_data_slice_for::<C>(id)?;
            Some(std::slice::from_raw_parts(
                cells.as_ptr().cast::<C>(),
                cells.len(),
            ))
        }
    }
}

/// The tables whose entities have `Marker`, those without entities left out.
pub fn tables_with<Marker: Component>(world: &World) -> impl Iterator<Item = Columns<'_>> {
    let marker = world.components().get_id(TypeId::of::<Marker>());
    let tables = &world.storages().tables;
    tables.iter().enumerate().filter_map(move |(index, table)| {
        let present = !table.is_empty() && table.has_column(marker?);
        present.then(|| Columns {
            world,
            id: TableId::from_u32(index as u32),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Component, Debug, PartialEq)]
    struct Length(f32);

    #[derive(Component)]
    struct Red;

    #[derive(Component)]
    #[component(storage = "SparseSet")]
    struct Sparse(#[expect(dead_code, reason = "never read")] f32);

    #[test]
    fn tables_give_their_components_in_the_order_of_their_entities() {
        let mut world = World::new();
        for k in 0..5 {
            world.spawn(Length(k as f32));
            world.spawn((Length(-(k as f32)), Red, Sparse(1.0)));
            world.spawn(Red);
        }
        let mut seen = Vec::new();
        for table in tables_with::<Length>(&world) {
            let lengths = table.get::<Length>().unwrap();
            assert_eq!(lengths.len(), table.len());
            for (entity, length) in table.entities().iter().zip(lengths) {
                assert_eq!(world.get::<Length>(*entity), Some(length));
                seen.push(length.0);
            }
            assert!(table.get::<Sparse>().is_none());
        }
        seen.sort_by(f32::total_cmp);
        assert_eq!(seen, [-4.0, -3.0, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(tables_with::<Sparse>(&world).count(), 0, "no table has it");
    }
}
