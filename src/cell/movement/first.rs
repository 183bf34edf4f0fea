//! What cells notice of their surroundings before the first step: as they lie when they are put into the scene.

use bevy::prelude::*;

use super::{MovementParameters, SiteMechanics, contact_radius_um, crowding};
use crate::cell::contact::ContactParameters;
use crate::cell::mechanics::{self, Mechanics};
use crate::cell::{Body, CellType, Position, Resident, Surroundings};
use crate::core::CellId;
use crate::core::parameters::PerType;
use crate::tissue::Sites;

/// Gives every cell its voxel, its pressure and its neighbours as it lies. Rules have not spoken yet: contacts are as strong as the
/// types of cells say.
pub(crate) fn feel_surroundings(world: &mut World) {
    let movement = world.get_resource::<MovementParameters>().cloned();
    let movement = movement.unwrap_or_default();
    let contacts = world.get_resource::<PerType<ContactParameters>>().cloned();
    let contacts = contacts.unwrap_or_default();
    let mut cells = world.query::<(
        &CellId,
        &Resident,
        &CellType,
        &Body,
        &Position,
        &mut Surroundings,
    )>();
    let sites = world.resource::<Sites>().list.iter();
    let sites: Vec<_> = sites
        .map(|site| (site.entity, site.block.clone()))
        .collect();
    for (number, (site, block)) in sites.into_iter().enumerate() {
        let is_here = |resident: &Resident| usize::from(resident.0.0) == number;
        let mechanics = world.get_mut::<SiteMechanics>(site);
        let Some(mut mechanics) = mechanics.map(|mut of| std::mem::take(&mut *of)) else {
            continue;
        };
        let kernel = &mut mechanics.kernel;
        kernel.set_parameters(movement.of_kernel());
        kernel.bodies_mut().clear();
        kernel.second_adhesion_mut().clear();
        for (id, _, cell_type, body, position, _) in cells
            .iter(world)
            .filter(|(_, resident, ..)| is_here(resident))
        {
            let contact = contacts.get(cell_type.0);
            let channel = |level: fn(&ContactParameters) -> f32| {
                contact.map_or(0.0, |of| of.adhesion_um_per_min * level(of))
            };
            kernel.bodies_mut().push(mechanics::ContactBody {
                id: *id,
                position: position.0.to_array(),
                radius: contact_radius_um(movement.law, body.radius_um),
                adhesion: channel(|of| of.e_cadherin),
                repulsion: contact.map_or(movement.law.repulsion(), |of| of.repulsion_um_per_min),
            });
            let second = channel(|of| of.n_cadherin);
            kernel.second_adhesion_mut().push(second);
        }
        if kernel.second_adhesion_mut().iter().all(|held| *held == 0.0) {
            kernel.second_adhesion_mut().clear();
        }
        kernel.sort();
        kernel.evaluate(&mechanics::Influences::default());
        let here = cells.iter_mut(world);
        let here = here.filter(|(_, resident, ..)| is_here(resident));
        for (row, (.., position, mut around)) in here.enumerate() {
            around.voxel = block.voxel_at(position.0);
            if let Some(outcome) = kernel.outcome(row) {
                around.pressure = outcome.pressure;
                around.crowding = crowding(movement.law, outcome.crowding);
                around.contacts = outcome.contacts;
            }
        }
        forget(kernel);
        if let Some(mut known) = world.get_mut::<SiteMechanics>(site) {
            *known = mechanics;
        }
    }
}

/// The first step begins as if nothing had been looked at.
fn forget(kernel: &mut Mechanics) {
    kernel.bodies_mut().clear();
    kernel.second_adhesion_mut().clear();
}
