//! Cells of the bone marrow that come into niches, and leave them (capability `marrow_derived`).

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Niche, NicheParameters};
use crate::cell::doors::SiteWays;
use crate::cell::event::EventKind;
use crate::cell::life::{Beginning, RegisterLife};
use crate::cell::turnover::{Passages, Recruit};
use crate::cell::{CellType, Living, Position, Resident, Vital};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::saturation::hill;
use crate::core::state::RegisterState;
use crate::core::units::UM3_PER_MM3;
use crate::core::{CellId, Purpose, RandomKey};
use crate::tissue::{SiteId, Sites, TissueBlock};

/// A cell of the bone marrow came out of the blood into a niche.
pub const MARROW_CELL_COMES: EventKind = EventKind::of("niche.marrow_cell_comes");
/// A cell of the bone marrow left a niche.
pub const MARROW_CELL_LEAVES: EventKind = EventKind::of("niche.marrow_cell_leaves");

/// When and where marrow cells come.
pub(super) const COMING: Purpose = Purpose::of("niche.coming");
/// Whether one leaves.
pub(super) const GOING: Purpose = Purpose::of("niche.going");

/// Most marrow cells that come into a patch in one turn.
const MOST_AT_ONCE: u32 = 100_000;

/// How cells of a type come from the bone marrow (capability `marrow_derived`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MarrowDerivedParameters {
    /// For so many there is room in a niche, in a mm3, `B_max`; 2000. Assumed.
    pub most_per_mm3: f32,
    /// Rate at which one leaves, 1/d; 0.2. Assumed.
    pub leaving_per_day: f32,
}

impl Default for MarrowDerivedParameters {
    fn default() -> Self {
        Self {
            most_per_mm3: 2000.0,
            leaving_per_day: 0.2,
        }
    }
}

impl Parameters for MarrowDerivedParameters {
    fn limits(_: &str) -> Limits {
        Limits {
            min: 0.0,
            max: 1.0e6,
        }
    }
}

/// A cell that came from the bone marrow, or would.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
pub struct MarrowDerived {
    /// How often a mother of it has divided since she came.
    pub generation: u32,
}

/// Marrow cells of a type that come.
pub(super) struct Recruiting {
    pub cell_type: u16,
    pub most_per_mm3: f32,
}

/// A site into which they come.
pub(super) struct Coming<'a> {
    pub site: SiteId,
    pub block: &'a TissueBlock,
    pub niche: &'a Niche,
    pub ways: Option<SiteWays<'a>>,
    pub parameters: &'a NicheParameters,
    /// The time, d, times how readily they come.
    pub days: f32,
    /// Those of each patch.
    pub counts: &'a [u32],
}

impl Coming<'_> {
    /// Asks for them, each at a moment and a place of its own.
    pub fn call(&self, of: &Recruiting, key: RandomKey, step: u64, passages: &Passages) {
        let patches = &self.niche.patches;
        let room = of.most_per_mm3 * (f64::from(patches.voxel_volume_um3()) / UM3_PER_MM3) as f32;
        for (patch, fibronectin) in self.niche.fibronectin.iter().enumerate() {
            let free = room - self.counts[patch] as f32;
            let called = hill(
                *fibronectin,
                self.parameters.half_fibronectin,
                self.parameters.fibronectin_exponent,
            );
            // However readily they come, in one turn no more are expected than there is room for.
            let called = self.parameters.recruitment_per_day * called * free * self.days;
            let expected = called.min(free);
            if expected <= 0.0 {
                continue;
            }
            let own = (self.site.0 as u64) << 40 | u64::from(of.cell_type) << 24 | patch as u64;
            let mut random = key.stream(CellId(own), step, COMING);
            let mut left = expected;
            for _ in 0..MOST_AT_ONCE {
                left -= random.exponential();
                if left <= 0.0 {
                    break;
                }
                let dice = Vec3::from_array([(); 3].map(|()| random.uniform()));
                let corner =
                    patches.min_um + patches.voxel(patch as u32).as_vec3() * patches.voxel_um;
                let Some(at_um) = self.door(corner + dice * patches.voxel_um) else {
                    continue;
                };
                passages.recruit(Recruit::new(
                    of.cell_type,
                    self.site,
                    at_um,
                    MARROW_CELL_COMES,
                ));
            }
        }
    }

    /// Where one comes out that is called to a place: at the nearest perfused wall where vessels are drawn, there where none are, as
    /// capillaries are everywhere.
    fn door(&self, near_um: Vec3) -> Option<Vec3> {
        let at_um = match &self.ways {
            Some(ways) if ways.has_vessels() => {
                let reach = self.niche.patches.voxel_um.max_element();
                ways.nearest(near_um, reach)?.outside_um(5.0)
            }
            _ => near_um,
        };
        Some(self.block.nearest_inside(at_um))
    }
}

/// Some marrow cells leave the sites that have niches.
pub(super) fn let_go(
    cells: &Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &MarrowDerived,
    )>,
    marrows: &PerType<MarrowDerivedParameters>,
    niches: &Query<&mut Niche>,
    sites: &Sites,
    key: RandomKey,
    step: u64,
    days: f32,
    passages: &Passages,
) {
    for (entities, ids, types, of_sites, _, vitals, _) in cells.contiguous_iter().expect(IN_TABLES)
    {
        let living = Living::of(types, vitals, marrows);
        for row in 0..ids.len() {
            let site = sites.find(of_sites[row].0);
            let in_niche = site.is_some_and(|site| niches.contains(site.entity));
            let Some((_, of)) = living.at(row).filter(|_| in_niche) else {
                continue;
            };
            let mut random = key.stream(ids[row], step, GOING);
            if random.chance(probability(of.leaving_per_day, days)) {
                passages.remove(ids[row], entities[row], MARROW_CELL_LEAVES, None);
            }
        }
    }
}

/// Registers the capability.
pub(super) fn register(app: &mut App) {
    app.register_capability::<MarrowDerivedParameters>("marrow_derived")
        .register_cell_state::<MarrowDerived>("marrow_derived")
        .begin_cells(|place| {
            place.parameters::<MarrowDerivedParameters>()?;
            Some(Beginning::settled(MarrowDerived::default()))
        })
        .divide_cells(|cell, _| {
            if let Some(mut of) = cell.get_mut::<MarrowDerived>() {
                of.generation = of.generation.saturating_add(1);
            }
        });
}
