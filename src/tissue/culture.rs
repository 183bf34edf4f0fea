//! Culture medium: what stands over the cells of a dish, is used up, and is renewed (part `medium` of a site).
//!
//! The block lies in medium of the depth `d` that is well mixed: the level at the faces of the block, and of the stirred medium in
//! it, is that of the medium, which follows from what the block has taken from it. With the volume `V = d` times the footprint of the block,
//! over a solve of the length `dt`:
//!
//! `V (L' - L) = dt (secretion - uptake - decay) - (what the block holds now - what it held before) - dt k V L'`.
//!
//! Molecules that air brings (`in_air`: oxygen) keep their level. Where a molecule has a diffusivity in medium of its own
//! (`diffusivity_in_medium_um2_per_min`), what cells leave free of a voxel counts with it: `D_m + (D - D_m) min(1, s)`, `s` being
//! the share of space around the voxel that is tissue, over `CONFLUENT`; it is looked at anew every few minutes ([`FOLLOWED_EVERY_MIN`]).
//! When medium is renewed, its level and what is between the cells are fresh.
//!
//! [`follow_medium`] runs in `Transport` right before media are read; the level is booked when a field has been solved.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::host_vessels::{CellShare, lose_host_vessels};
use super::medium::{Diffusing, Hinders, MediumSteps, MediumSystems, RegisterMedium};
use super::transport::FieldSupply;
use super::{FieldValues, Molecules, Sites};
use crate::core::parameters::{Contradiction, Limits, Parameters};
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::{Clock, SimSchedule};

/// Time between two looks at where medium is, min of tissue time; renewal looks at once.
pub const FOLLOWED_EVERY_MIN: f64 = 10.0;
/// A change of the share of tissue that is not worth fitting solvers anew. Assumed.
const LEAST_CHANGE: f32 = 0.02;
/// Share of the space around a voxel that is tissue, 1 where it is relaxed and confluent, from which on the voxel diffuses as tissue
/// does. A cell of 2494 um3 makes up 4860 um3 of tissue, 0.61 of a voxel of 20 um: one that has the centre of a cell in it is
/// tissue, though others have two.
const CONFLUENT: f32 = 0.6;

/// The culture medium of a site: `tissue: (medium: (depth_um: 3000, renew_every_hours: 48))`.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct CultureMedium {
    /// Depth of the medium over the block, um, which has the footprint of the block; at least the height of the block. 0: there is so
    /// much that it is never used up.
    pub depth_um: f32,
    /// Times at which it is renewed, h.
    pub renewed_at_hours: Vec<f32>,
    /// Time between two renewals, h; 0: none but those at given times.
    pub renew_every_hours: f32,
}

impl Parameters for CultureMedium {
    fn limits(field: &str) -> Limits {
        match field {
            "depth_um" => Limits { min: 0.0, max: 1e6 },
            _ => Limits::NON_NEGATIVE,
        }
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let wrong = self
            .renewed_at_hours
            .iter()
            .find(|hours| !(hours.is_finite() && **hours >= 0.0));
        let wrong = wrong.map(|hours| Contradiction {
            field: "renewed_at_hours",
            other: "renew_every_hours",
            message: format!("holds times from 0 h on, found {hours}"),
        });
        wrong.into_iter().collect()
    }
}

impl CultureMedium {
    /// Whether it is renewed in the step that begins now.
    fn is_renewed(&self, clock: &Clock) -> bool {
        let is_now = |hours: f64| clock.step_at(hours * 60.0) == clock.step;
        let every = f64::from(self.renew_every_hours);
        let again = every > 0.0 && clock.step > 0 && {
            let number = (clock.hours() / every).round();
            number >= 1.0 && is_now(number * every)
        };
        let at = self.renewed_at_hours.iter();
        again || at.map(|hours| f64::from(*hours)).any(is_now)
    }
}

/// Level of a molecule in the medium over a block that can be used up, unit of the molecule.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediumLevel {
    /// The level.
    pub level: f32,
    /// Volume of the medium, um3.
    pub volume_um3: f64,
}

impl WhollyKept for MediumLevel {}

/// What a solve of a field did, as far as the medium over it is concerned; amounts in unit um3, rates per minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchanged {
    /// Held before.
    pub before: f64,
    /// Held after.
    pub after: f64,
    /// Secreted in a minute.
    pub secreted: f64,
    /// Taken up, decay in the block included, in a minute.
    pub taken: f64,
}

impl MediumLevel {
    /// Books a solve of that length.
    pub fn book(&mut self, exchanged: &Exchanged, decay_per_min: f32, dt_minutes: f32) {
        let dt = f64::from(dt_minutes);
        let from_block =
            dt * (exchanged.secreted - exchanged.taken) - (exchanged.after - exchanged.before);
        let level = f64::from(self.level) + from_block / self.volume_um3;
        self.level = (level / (1.0 + dt * f64::from(decay_per_min))).max(0.0) as f32;
    }
}

/// How far each voxel of a site diffuses as tissue does, 0-1; the rest of it is medium.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TissueShare(Vec<f32>);

impl WhollyKept for TissueShare {}

impl Hinders for TissueShare {
    fn hinder(&self, molecule: Diffusing, shares: &mut [f32]) {
        let in_medium = molecule.in_medium;
        for (kept, tissue) in shares.iter_mut().zip(&self.0) {
            *kept *= in_medium + (1.0 - in_medium) * tissue;
        }
    }
}

/// Looks where cells leave medium free, and renews medium when it is time.
pub fn follow_medium(
    clock: Res<Clock>,
    sites: Res<Sites>,
    mut media: Query<(&CultureMedium, &CellShare, &mut TissueShare)>,
    mut fields: Query<(&FieldSupply, &mut FieldValues, Option<&mut MediumLevel>)>,
) {
    let is_turn = clock.is_turn(FOLLOWED_EVERY_MIN);
    for site in &sites.list {
        let Ok((medium, cells, mut tissue)) = media.get_mut(site.entity) else {
            continue;
        };
        let is_renewed = medium.is_renewed(&clock);
        if is_renewed || tissue.0.is_empty() || is_turn {
            let now = |share: &f32| (share / CONFLUENT).min(1.0);
            let shares = cells.shares();
            let is_new = tissue.0.len() != shares.len();
            let differs = |(known, share): (&f32, &f32)| (known - now(share)).abs() > LEAST_CHANGE;
            if is_new || tissue.0.iter().zip(shares).any(differs) {
                tissue.0.clear();
                tissue.0.extend(shares.iter().map(now));
            }
        }
        if !is_renewed {
            continue;
        }
        for field in &site.fields {
            let Ok((supply, mut values, level)) = fields.get_mut(field.entity) else {
                continue;
            };
            if let Some(mut level) = level {
                level.level = supply.level;
            }
            let mut means = Vec::new();
            let kept = field.grid.means(&tissue.0, &mut means);
            for (value, kept) in values.0.iter_mut().zip(kept) {
                *value = kept * *value + (1.0 - kept) * supply.level;
            }
        }
    }
}

/// Registers all of it.
pub(super) fn register(app: &mut App) {
    app.register_kept::<MediumLevel>(Owner::Field, "medium_level")
        .register_kept::<TissueShare>(Owner::Site, "tissue_share")
        .declare_remade::<CultureMedium>("made from the scene")
        .register_hindrance::<TissueShare>()
        .register_site_part::<CultureMedium>("medium", install)
        .add_systems(
            SimSchedule,
            follow_medium
                .in_set(MediumSystems)
                .after(lose_host_vessels)
                .before(MediumSteps::Mark),
        );
}

/// Puts medium into a site.
fn install(world: &mut World, site: Entity, medium: &CultureMedium) {
    let molecules = world.resource::<Molecules>().clone();
    let sites = &world.resource::<Sites>().list;
    let Some(entry) = sites.iter().find(|entry| entry.entity == site) else {
        return;
    };
    let (block, fields) = (entry.block.clone(), entry.fields.clone());
    let size = block.max_um() - block.min_um;
    let volume_um3 = f64::from(medium.depth_um) * f64::from(size.x) * f64::from(size.y);
    for field in fields {
        let is_used_up = volume_um3 > 0.0 && !molecules.get(field.molecule).in_air;
        if let (true, Some(supply)) = (is_used_up, world.get::<FieldSupply>(field.entity)) {
            let level = supply.level;
            world
                .entity_mut(field.entity)
                .insert(MediumLevel { level, volume_um3 });
        }
    }
    let mut site = world.entity_mut(site);
    if !site.contains::<CellShare>() {
        site.insert(CellShare::new(true));
    }
    site.insert((medium.clone(), TissueShare::default()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medium_is_renewed_in_the_step_that_begins_then() {
        let medium = CultureMedium {
            depth_um: 3000.0,
            renewed_at_hours: vec![7.0],
            renew_every_hours: 24.0,
        };
        let mut renewed = Vec::new();
        for step in 0..300 {
            let clock = Clock {
                step,
                step_minutes: 10.0,
            };
            if medium.is_renewed(&clock) {
                renewed.push(clock.hours());
            }
        }
        assert_eq!(renewed, [7.0, 24.0, 48.0]);
    }

    #[test]
    fn what_a_block_takes_is_missing_in_the_medium_over_it() {
        let mut level = MediumLevel {
            level: 5.5,
            volume_um3: 1e9,
        };
        let exchanged = Exchanged {
            before: 3e8,
            after: 2.5e8,
            secreted: 0.0,
            taken: 1e7,
        };
        level.book(&exchanged, 0.0, 10.0);
        // 1e8 taken, of which the block had 5e7.
        assert!((level.level - 5.45).abs() < 1e-6, "{level:?}");
        level.book(
            &Exchanged {
                taken: 1e12,
                ..exchanged
            },
            0.0,
            10.0,
        );
        assert_eq!(level.level, 0.0);
    }

    #[test]
    fn a_voxel_diffuses_between_medium_and_tissue() {
        let mut glucose = super::super::molecule::testing::molecule("glucose", 1e6, 5.5);
        glucose.diffusivity_um2_per_min = 6.6e3;
        glucose.diffusivity_in_medium_um2_per_min = 5.5e4;
        let mut shares = vec![1.0; 3];
        TissueShare(vec![0.0, 0.5, 1.0]).hinder(Diffusing::of(&glucose), &mut shares);
        let found = shares.iter().map(|share| share * 6.6e3);
        for (found, expected) in found.zip([5.5e4, 3.08e4, 6.6e3]) {
            assert!((found / expected - 1.0).abs() < 1e-5, "{found}");
        }
    }
}
