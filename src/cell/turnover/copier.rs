//! A second cell like the first: how a daughter gets her mother's components.
//!
//! Bevy's own cloning asks every component how it wants to be cloned and takes memory for it, a few
//! microseconds a cell. What a cell carries is plain data ([`crate::core::state`] asks for `Copy`), so here
//! a row of a table is copied as it lies, into memory that is reused: [`CellCopier`] takes none once it has met
//! each kind of cell.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use bevy::ecs::archetype::ArchetypeId;
use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use bevy::ptr::OwningPtr;

use crate::core::CellId;
use crate::core::state::StateRegistry;

/// Makes cells like others; for one world.
#[derive(Default)]
pub struct CellCopier {
    plans: Vec<Plan>,
    row: Vec<Line>,
}

/// How a kind of cell is copied.
struct Plan {
    archetype: ArchetypeId,
    /// Its components; none if it carries something that is not known to be plain data.
    components: Vec<ComponentId>,
    /// Size of each component, bytes.
    sizes: Vec<usize>,
}

/// A piece of the row being copied; no component needs a coarser alignment.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Line(
    #[expect(dead_code, reason = "written and read through pointers")] [MaybeUninit<u8>; 16],
);

/// [`CellId`] is no registered state, but copied like one.
const fn assert_plain<C: Copy>() {}
const _: () = assert_plain::<CellId>();

impl Line {
    const EMPTY: Self = Self([MaybeUninit::uninit(); 16]);
}

impl CellCopier {
    /// Spawns a cell with the components of `cell`, its identity among them, which the caller replaces.
    pub fn spawn(&mut self, world: &mut World, cell: Entity) -> Entity {
        let archetype = world.entity(cell).archetype().id();
        let known = self
            .plans
            .iter()
            .position(|plan| plan.archetype == archetype);
        let index = known.unwrap_or_else(|| {
            self.plans.push(Plan::of(world, cell));
            self.plans.len() - 1
        });
        let Plan {
            components, sizes, ..
        } = &self.plans[index];
        if components.is_empty() {
            return world.entity_mut(cell).clone_and_spawn();
        }
        let lines = |size: &usize| size.div_ceil(size_of::<Line>());
        self.row.resize(sizes.iter().map(lines).sum(), Line::EMPTY);
        let mother = world.entity(cell);
        let mut rest = self.row.as_mut_slice();
        for (component, size) in components.iter().zip(sizes) {
            let place = rest
                .split_off_mut(..lines(size))
                .expect("the sum was taken");
            let value = mother
                .get_by_id(*component)
                .expect("all cells of an archetype have its components");
            // SAFETY: both sides have `size` bytes, and the buffer is no part of the world.
            unsafe {
                std::ptr::copy_nonoverlapping(value.as_ptr(), place.as_mut_ptr().cast(), *size);
            }
        }
        let mut twin = world.spawn_empty();
        let mut rest = self.row.as_mut_slice();
        let values = sizes.iter().map(|size| {
            let place = rest
                .split_off_mut(..lines(size))
                .expect("the sum was taken");
            let place = NonNull::from(place).cast::<u8>();
            // SAFETY: the place holds a copy of a component, aligned as `Plan::of` has made sure of. The
            // component is `Copy`, so the copy is as good as the original, which nothing invalidates.
            unsafe { OwningPtr::new(place) }
        });
        // SAFETY: the components are those of a cell of this world, and the values come in their order.
        unsafe { twin.insert_by_ids(components, values) };
        twin.id()
    }
}

impl Plan {
    fn of(world: &World, cell: Entity) -> Self {
        let cell = world.entity(cell);
        let archetype = cell.archetype();
        let plain: Vec<ComponentId> = world
            .get_resource::<StateRegistry>()
            .map(|registry| registry.cells.iter().map(|state| state.id).collect())
            .unwrap_or_default();
        let identity = world.component_id::<CellId>();
        let size_if_plain = |id: &ComponentId| {
            let layout = world.components().get_info(*id)?.layout();
            let is_plain = plain.contains(id) || Some(*id) == identity;
            (is_plain && layout.align() <= align_of::<Line>()).then(|| layout.size())
        };
        let mut components = archetype.components().to_vec();
        components.sort_unstable();
        // A size for each component, or none for any.
        let sizes: Option<Vec<usize>> = components.iter().map(size_if_plain).collect();
        if sizes.is_none() {
            components.clear();
        }
        Self {
            archetype: archetype.id(),
            sizes: sizes.unwrap_or_default(),
            components,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::core::state::RegisterState;

    #[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Small(u8);

    #[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Large([f64; 5], bool);

    #[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Mark;

    /// Too coarsely aligned to be copied through the buffer.
    #[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[repr(align(64))]
    struct Aligned(u8);

    #[derive(Component, Clone, Debug, PartialEq)]
    struct Unknown(String);

    fn app() -> App {
        let mut app = App::empty();
        app.register_cell_state::<Small>("small")
            .register_cell_state::<Large>("large")
            .register_cell_state::<Mark>("mark")
            .register_cell_state::<Aligned>("aligned");
        app
    }

    #[test]
    fn a_twin_has_every_component_of_its_origin() {
        let mut app = app();
        let world = app.world_mut();
        let mut copier = CellCopier::default();
        for k in 0..5 {
            let parts = (CellId(k), Small(k as u8), Large([k as f64; 5], true));
            let cell = world.spawn(parts).id();
            let plain = world.spawn((CellId(100 + k), Small(9))).id();
            for origin in [cell, plain] {
                let twin = copier.spawn(world, origin);
                assert_ne!(twin, origin);
                assert_eq!(world.get::<CellId>(twin), world.get::<CellId>(origin));
                assert_eq!(world.get::<Small>(twin), world.get::<Small>(origin));
                assert_eq!(world.get::<Large>(twin), world.get::<Large>(origin));
                assert_eq!(
                    world.entity(twin).archetype().id(),
                    world.entity(origin).archetype().id()
                );
            }
        }
    }

    #[test]
    fn components_without_size_and_those_of_coarse_alignment_are_inherited_too() {
        let mut app = app();
        let world = app.world_mut();
        let mut copier = CellCopier::default();
        let marked = world.spawn((CellId(1), Mark, Large([0.5; 5], false))).id();
        let aligned = world
            .spawn((CellId(2), Aligned(7), Large([2.0; 5], true)))
            .id();
        for origin in [marked, aligned] {
            let twin = copier.spawn(world, origin);
            assert_eq!(world.get::<CellId>(twin), world.get::<CellId>(origin));
            assert_eq!(world.get::<Large>(twin), world.get::<Large>(origin));
            assert_eq!(world.get::<Mark>(twin), world.get::<Mark>(origin));
            assert_eq!(world.get::<Aligned>(twin), world.get::<Aligned>(origin));
        }
        let of = |archetype| {
            let plan = copier.plans.iter().find(|plan| plan.archetype == archetype);
            plan.map(|plan| (plan.components.len(), plan.sizes.len()))
        };
        assert_eq!(of(world.entity(marked).archetype().id()), Some((3, 3)));
        assert_eq!(of(world.entity(aligned).archetype().id()), Some((0, 0)));
    }

    #[test]
    fn what_is_not_known_to_be_plain_data_is_cloned_properly() {
        let mut app = app();
        let world = app.world_mut();
        let cell = world
            .spawn((CellId(1), Small(1), Unknown("on the heap".into())))
            .id();
        let twin = CellCopier::default().spawn(world, cell);
        world.despawn(cell);
        assert_eq!(
            world.get::<Unknown>(twin),
            Some(&Unknown("on the heap".into()))
        );
    }
}
