//! The parameters of clones: those of their type times a factor, see [`crate::core::clones`].

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::{At, Entry, ParameterRegistry, Target, below};
use crate::core::numbers::{read_number, write_number};

impl Entry {
    /// What a number of a clone is: that of its type times a factor, held within the limits.
    fn in_clone(&self, world: &World, at: At, field: &str, factor: f32) -> Option<f64> {
        let of_type = read_number((self.get)(world, at)?, field)?;
        let limits = (self.limits)(field);
        Some((of_type * f64::from(factor)).clamp(limits.min, limits.max))
    }

    /// Sets a number of a clone.
    pub(super) fn set_in_clone(
        &self,
        world: &mut World,
        at: At,
        row: usize,
        field: &str,
        factor: f32,
    ) {
        let clone = At {
            cell_type: row,
            ..at
        };
        if let Some(value) = self.in_clone(world, at, field, factor)
            && let Some(mut target) = (self.get_mut)(world, clone)
        {
            write_number(&mut *target, field, value);
        }
    }
}

/// Where a path without its cell type leads.
fn find_of_type<'a>(
    world: &World,
    registry: &'a ParameterRegistry,
    cell_type: u16,
    path: &'a str,
) -> Option<Target<'a>> {
    let of_types = registry.entries.iter().filter(|entry| entry.per_type);
    of_types.into_iter().find_map(|entry| {
        let rest = below(entry.name, path)?;
        let (at, field) = entry.inside(world, usize::from(cell_type), rest)?;
        Some(Target { entry, at, field })
    })
}

/// The least and the largest factor with which a parameter of a cell type (path without the type) stays within its
/// limits; none where it is 0, which no factor changes.
pub(in crate::core) fn factor_range(
    world: &World,
    cell_type: u16,
    path: &str,
) -> Option<(f32, f32)> {
    let registry = world.get_resource::<ParameterRegistry>()?;
    let Target { entry, at, field } = find_of_type(world, registry, cell_type, path)?;
    let of_type = read_number((entry.get)(world, at)?, field)?;
    if of_type == 0.0 {
        return None;
    }
    let limits = (entry.limits)(field);
    let (one, other) = (limits.min / of_type, limits.max / of_type);
    let (least, most) = (one.min(other) as f32, one.max(other) as f32);
    Some((least.max(f32::MIN_POSITIVE), most.min(f32::MAX)))
}

/// What a parameter of a cell type (path without the type) is in a clone with that factor.
pub(in crate::core) fn value_in_clone(
    world: &World,
    cell_type: u16,
    path: &str,
    factor: f32,
) -> Option<f32> {
    let registry = world.get_resource::<ParameterRegistry>()?;
    let Target { entry, at, field } = find_of_type(world, registry, cell_type, path)?;
    let value = entry.in_clone(world, at, field, factor)?;
    Some(value as f32)
}

/// What a parameter (path without the type) is in a row of the tables, that of a type or of a clone.
pub(in crate::core) fn value_in_row(world: &World, row: u16, path: &str) -> Option<f32> {
    let registry = world.get_resource::<ParameterRegistry>()?;
    let Target { entry, at, field } = find_of_type(world, registry, row, path)?;
    Some(read_number((entry.get)(world, at)?, field)? as f32)
}

/// Whether parameters of a clone with these factors would contradict each other.
pub(in crate::core) fn contradict_in_clone(
    world: &World,
    cell_type: u16,
    factors: &[(&str, f32)],
) -> bool {
    let Some(registry) = world.get_resource::<ParameterRegistry>() else {
        return false;
    };
    let cell_type = usize::from(cell_type);
    let of_types = registry.entries.iter().filter(|entry| entry.per_type);
    of_types.into_iter().any(|entry| {
        let mut items: BTreeMap<usize, Vec<(&str, f64)>> = BTreeMap::new();
        for (path, factor) in factors {
            let inside = below(entry.name, path);
            if let Some((at, field)) = inside.and_then(|rest| entry.inside(world, cell_type, rest))
                && let Some(value) = entry.in_clone(world, at, field, *factor)
            {
                items.entry(at.item).or_default().push((field, value));
            }
        }
        let mut items = items.into_iter();
        items.any(|(item, values)| (entry.contradicts)(world, At { cell_type, item }, &values))
    })
}

/// Gives a clone the parameters of its type, each heritable one times the clone's factor.
pub(in crate::core) fn make_row(
    world: &mut World,
    row: u16,
    cell_type: u16,
    factors: &[(String, f32)],
) {
    world.init_resource::<ParameterRegistry>();
    let (row, cell_type) = (usize::from(row), usize::from(cell_type));
    world.resource_scope(|world, registry: Mut<ParameterRegistry>| {
        for entry in registry.entries.iter().filter(|entry| entry.per_type) {
            (entry.copy_row)(world, cell_type, row);
            for (path, factor) in factors {
                let inside = below(entry.name, path);
                if let Some((at, field)) =
                    inside.and_then(|rest| entry.inside(world, cell_type, rest))
                {
                    entry.set_in_clone(world, at, row, field, *factor);
                }
            }
        }
    });
}
