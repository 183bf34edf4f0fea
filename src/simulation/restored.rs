//! Whether a state that comes from a file can be one of a simulation: a checksum says only that it is what somebody wrote.
//!
//! First what everything else takes for granted: that a cell is of a type there is, in a site there is, at a place. Then
//! those promises of the modules that hold between steps ([`crate::core::invariant`]), as `--verify` asks for them in each step.

use bevy::prelude::*;

use crate::cell::surroundings::Surroundings;
use crate::cell::{CellType, Position, Resident};
use crate::core::clones::Clones;
use crate::core::invariant::Invariants;
use crate::core::parameters::CellTypeNames;
use crate::core::{CellId, CellIdCounter, Clock};
use crate::scene::{MAX_STEPS, Scene};
use crate::tissue::Sites;

/// What is wrong with the clock, the clones or the cells of a world of this scene.
pub(super) fn wrong_with_cells(world: &World, scene: &Scene) -> Option<String> {
    let clock = world.resource::<Clock>();
    if clock.step_minutes != scene.step.minutes() || clock.step as f64 > MAX_STEPS {
        return Some(format!(
            "it is at step {} of {} min, and a step of its scene takes {} min",
            clock.step,
            clock.step_minutes,
            scene.step.minutes()
        ));
    }
    let types = world.resource::<CellTypeNames>().0.len();
    let clones = world.resource::<Clones>();
    let mut rows = clones.types_of_rows();
    if clones.numbers().len() - rows.size_hint().0 != types
        || rows.any(|of| usize::from(of) >= types)
    {
        return Some("its clones are of other cell types than its scene has".into());
    }
    let known = clones.numbers().len();
    let next = world
        .get_resource::<CellIdCounter>()
        .map(CellIdCounter::taken);
    let sites = world.resource::<Sites>();
    let mut cells = world.try_query::<(
        &CellId,
        Option<(&CellType, &Resident, &Position)>,
        Option<&Surroundings>,
    )>()?;
    for (id, placed, around) in cells.iter(world) {
        let Some((of, resident, position)) = placed else {
            return Some(format!("cell {} has no type, no site or no place", id.0));
        };
        let voxels = match sites.find(resident.0) {
            Some(site) => site.block.voxels(),
            None if resident.0.is_transit() => usize::MAX,
            None => return Some(format!("cell {} is in a site that its scene has not", id.0)),
        };
        if usize::from(of.0) >= known {
            return Some(format!("cell {} is of a type that its scene has not", id.0));
        }
        if next.is_some_and(|next| id.0 >= next) {
            return Some(format!("cell {} was never born", id.0));
        }
        if !position.0.is_finite() || around.is_some_and(|around| around.voxel as usize >= voxels) {
            return Some(format!("cell {} is nowhere", id.0));
        }
    }
    None
}

/// The first promise of a module that a state breaks.
pub(super) fn broken_promise(world: &World) -> Option<String> {
    let promises = world.get_resource::<Invariants>();
    let promises = promises.into_iter().flat_map(|all| &all.0);
    let mut promises = promises.filter(|promise| promise.holds_between_steps());
    promises.find_map(|promise| {
        let breach = (promise.check)(world)?;
        let cell = breach
            .cell
            .map_or_else(String::new, |cell| format!("cell {}: ", cell.0));
        Some(format!("{cell}{}", breach.found))
    })
}
