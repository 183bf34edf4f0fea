//! Cells notice what surrounds them: the `Perceive` stage.
//!
//! Each cell finds its voxel, in which it reads and books molecules in this step; where host vessels may have to give
//! way, the volume of tissue that it makes up is booked for the voxel. Pressure and contacts are those of the last `Move`. Concentrations are those
//! of the voxel, not interpolated, so that a cell takes up what it perceives.

use bevy::prelude::*;

use super::body::{Body, Position, Resident};
use super::contact::CONFLUENT_SHARE;
use super::surroundings::Surroundings;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::parallel::{IN_TABLES, for_each_row_mut};
use crate::core::{SimSchedule, SimSystems};
use crate::tissue::host_vessels::CellShare;
use crate::tissue::transport::CellVolume;
use crate::tissue::{Sites, TissueBlock};

/// Adds the `Perceive` stage.
pub struct PerceptionPlugin;

impl Plugin for PerceptionPlugin {
    fn build(&self, app: &mut App) {
        app.while_in_transit(perceive, InTransit::Pauses, "there is no voxel to be in")
            .add_systems(
                SimSchedule,
                (clear_volumes, perceive)
                    .chain()
                    .in_set(SimSystems::Perceive),
            );
    }
}

fn clear_volumes(mut volumes: Query<&mut CellVolume>) {
    for mut volume in &mut volumes {
        volume.0.clear();
    }
}

/// Finds each cell's voxel. Who reads it in `Perceive` already comes after.
pub fn perceive(
    sites: Res<Sites>,
    volumes: Query<&CellVolume, With<CellShare>>,
    mut cells: Query<(&Resident, &Position, &Body, &mut Surroundings)>,
) {
    /// The block, and where volumes are booked; nowhere in a site in which nobody asks how much of it is cells.
    type Ground<'a> = (&'a TissueBlock, Option<&'a CellVolume>);
    let grounds: Vec<Ground> = sites
        .list
        .iter()
        .map(|site| {
            let volume = volumes.get(site.entity).ok();
            (&site.block, volume)
        })
        .collect();
    for (residents, positions, bodies, mut around) in cells.contiguous_iter_mut().expect(IN_TABLES)
    {
        for_each_row_mut(around.bypass_change_detection(), |row, around| {
            // One in transit is nowhere.
            let Some((block, volume)) = grounds.get(usize::from(residents[row].0.0)) else {
                return;
            };
            let voxel = block.voxel_at(positions[row].0);
            if let Some(volume) = volume {
                let at_rest_um3 = bodies[row].volume_um3() / CONFLUENT_SHARE;
                volume.0.add(voxel, around.pressed_um3(at_rest_um3));
            }
            around.voxel = voxel;
        });
    }
}
