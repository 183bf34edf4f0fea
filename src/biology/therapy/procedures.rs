//! What is done to tissue by hand: cells are cut out, given into blood, a drug is injected into the tissue.
//!
//! Each acts at the start of a step. Cells that are given come through the doors of their site ([`crate::cell::doors`]) over the time that is
//! said, as many in each step as fall into it: [`come_by_transfer`], among the decisions of `Act`.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::body::BodyParameters;
use crate::cell::doors::{Extravasation, Ways};
use crate::cell::event::{EventKind, Passage, RegisterEvent};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{ActSystems, CellType, Position, Resident};
use crate::core::parameters::PerType;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{CellId, Clock, Purpose, RandomKey, RegisterPurpose, SimSchedule};
use crate::tissue::placed::Region;
use crate::tissue::{FieldValues, Molecules, SiteId, Sites};

/// A cell was cut out by a surgeon.
pub const RESECTED: EventKind = EventKind::of("therapy.resected");
/// A cell came that was given into blood.
pub const TRANSFERRED: EventKind = EventKind::of("therapy.transferred");

/// Where cells come in that were given.
const DOOR: Purpose = Purpose::of("therapy.transfer_door");

/// Removes the cells of a site, of a region of it if one is given, and of these types if any is named.
pub fn resect(world: &mut World, site: SiteId, region: Option<&Region>, types: &[u16]) {
    let mut query = world.query::<(Entity, &CellId, &CellType, &Resident, &Position)>();
    let mut found: Vec<(CellId, Entity)> = query
        .iter(world)
        .filter(|(_, _, of, resident, position)| {
            resident.0 == site
                && region.is_none_or(|region| region.holds(position.0))
                && (types.is_empty() || types.contains(&of.0))
        })
        .map(|(entity, id, ..)| (*id, entity))
        .collect();
    found.sort_unstable_by_key(|(id, _)| *id);
    let passages = world.resource::<Passages>();
    for (id, entity) in found {
        passages.remove(id, entity, RESECTED, None);
    }
}

/// Puts so much of a molecule into a region of a site, fmol, spread evenly over its voxels.
pub fn inject(world: &mut World, site: SiteId, region: &Region, molecule: &str, fmol: f64) {
    let found = || {
        let molecules = world.get_resource::<Molecules>()?;
        let id = molecules.id(molecule)?;
        let field = world.get_resource::<Sites>()?.find(site)?.field(id)?;
        let block = &field.grid.block;
        let voxels = region.voxels(block);
        // A nM is 1e-9 mol/L, and a um3 1e-15 L.
        let litres = f64::from(block.voxel_volume_um3()) * voxels.len() as f64 * 1e-15;
        let nm = fmol * 1e-15 / litres * 1e9;
        Some((
            field.entity,
            voxels,
            (nm / f64::from(molecules.get(id).nm_per_unit)) as f32,
        ))
    };
    let Some((field, voxels, level)) = found() else {
        return;
    };
    if let Some(mut values) = world.get_mut::<FieldValues>(field) {
        for voxel in voxels {
            values.0[voxel as usize] += level;
        }
    }
}

/// Cells that are given into blood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// Their type.
    pub cell_type: u16,
    /// The site in which they come in.
    pub site: SiteId,
    /// How many in all.
    pub cells: u32,
    /// How many have come.
    pub come: u32,
    /// When it began, min.
    pub start_minutes: f64,
    /// Over which time they come, min.
    pub over_minutes: f64,
}

/// All transfers that are not over.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfers(pub Vec<Transfer>);

impl WhollyKept for Transfers {}

/// Cells that were given come in.
pub fn come_by_transfer(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    (sites, ways): (Res<Sites>, Ways),
    bodies: Res<PerType<BodyParameters>>,
    passages: Res<Passages>,
    mut transfers: ResMut<Transfers>,
) {
    if transfers.0.is_empty() {
        return;
    }
    let now = clock.minutes() + clock.step_minutes;
    let transfers = transfers.bypass_change_detection();
    for (number, transfer) in transfers.0.iter_mut().enumerate() {
        let share = if transfer.over_minutes > 0.0 {
            ((now - transfer.start_minutes) / transfer.over_minutes).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let due = (f64::from(transfer.cells) * share).floor() as u32;
        let (Some(ways), Some(entry)) = (ways.of(transfer.site), sites.find(transfer.site)) else {
            continue;
        };
        let radius_um = bodies
            .get(transfer.cell_type)
            .map_or(0.0, BodyParameters::resting_radius_um);
        while transfer.come < due {
            let own = CellId((number as u64) << 32 | u64::from(transfer.come));
            let mut random = key.stream(own, clock.step, DOOR);
            let dice = [(); 3].map(|()| random.uniform());
            // Where vessels are drawn and none is perfused they wait in blood.
            let Some(door) = ways.pick(Extravasation::Adhesion, dice) else {
                break;
            };
            let at_um = door.beside_um(&entry.block, radius_um);
            passages.recruit(Recruit::new(
                transfer.cell_type,
                transfer.site,
                at_um,
                TRANSFERRED,
            ));
            transfer.come += 1;
        }
    }
    transfers.0.retain(|of| of.come < of.cells);
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.init_resource::<Transfers>()
        .register_kept::<Transfers>(Owner::Simulation, "transfers")
        .register_purpose(DOOR)
        .register_passage(
            RESECTED,
            Passage::Removal,
            "A cell was cut out by a surgeon.",
        )
        .register_passage(
            TRANSFERRED,
            Passage::Recruitment,
            "A cell came that was given into blood.",
        )
        .add_systems(SimSchedule, come_by_transfer.in_set(ActSystems::Walk));
}
