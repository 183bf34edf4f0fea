//! A niche ripens: fibronectin is laid around educated residents, and marrow cells come and go.

use bevy::prelude::*;

use super::marrow::{Coming, Recruiting, let_go};
use super::{
    EVERY_MINUTES, Educated, MarrowDerived, MarrowDerivedParameters, Niche, NicheParameters,
    RECRUITMENT,
};
use crate::cell::doors::Ways;
use crate::cell::turnover::Passages;
use crate::cell::{CellType, Living, Position, Resident, Vital};
use crate::core::input::{Inputs, Regulated};
use crate::core::parallel::IN_TABLES;
use crate::core::parameters::{CellTypeNames, PerType};
use crate::core::random::probability;
use crate::core::saturation::hill;
use crate::core::units::UM3_PER_MM3;
use crate::core::{CellId, Clock, RandomKey};
use crate::tissue::{SiteId, Sites};

use super::resident::EducationParameters;

/// A resident as its patch sees it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    site: u16,
    patch: u32,
    id: CellId,
    education: f32,
    laying: f32,
}

/// Buffers that live from turn to turn.
#[derive(Default)]
pub struct Buffers {
    residents: Vec<Seen>,
    /// Marrow cells of each patch of a site.
    marrow: Vec<u32>,
}

/// Fibronectin of a patch after a time, d, that was `now`, laid at the rate `drive`, 1/d, and lost within `days`: exact.
pub(super) fn laid(now: f32, drive: f32, days: f32, time: f32) -> f32 {
    let rate = drive + 1.0 / days;
    let lasting = drive / rate;
    (now + probability(rate, time) * (lasting - now)).clamp(0.0, 1.0)
}

/// All niches ripen for the time of a turn.
pub fn ripen(
    (clock, key): (Res<Clock>, Res<RandomKey>),
    parameters: Res<NicheParameters>,
    (educations, marrows): (
        Res<PerType<EducationParameters>>,
        Res<PerType<MarrowDerivedParameters>>,
    ),
    types: Res<CellTypeNames>,
    (sites, ways): (Res<Sites>, Ways),
    (known, inputs): (Res<Inputs>, Regulated),
    passages: Res<Passages>,
    mut niches: Query<&mut Niche>,
    residents: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &Educated,
    )>,
    marrow: Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &MarrowDerived,
    )>,
    mut buffers: Local<Buffers>,
) {
    if niches.is_empty() {
        return;
    }
    let Buffers {
        residents: seen,
        marrow: counts,
    } = &mut *buffers;
    seen.clear();
    for (_, ids, types, of_sites, positions, vitals, educated) in
        residents.contiguous_iter().expect(IN_TABLES)
    {
        let living = Living::of(types, vitals, &educations);
        for row in 0..ids.len() {
            let site = of_sites[row].0;
            let niche = sites
                .find(site)
                .and_then(|site| niches.get(site.entity).ok());
            if let (Some(niche), Some(_)) = (niche, living.at(row)) {
                seen.push(Seen {
                    site: site.0,
                    patch: niche.patch_at(positions[row].0) as u32,
                    id: ids[row],
                    education: educated[row].education,
                    laying: educated[row].laying,
                });
            }
        }
    }
    seen.sort_unstable_by_key(|of| (of.site, of.patch, of.id));
    let days = clock.turn_hours(EVERY_MINUTES) / 24.0 * parameters.pace;
    let mut left = &seen[..];
    for (number, site) in sites.list.iter().enumerate() {
        let here = left.partition_point(|of| usize::from(of.site) <= number);
        let (own, others) = left.split_at(here);
        left = others;
        let Ok(mut niche) = niches.get_mut(site.entity) else {
            continue;
        };
        let id = SiteId(number as u16);
        lay(&mut niche, own, &parameters, days);
        let most = count(&niche, id, &marrow, &marrows, counts);
        let volume_mm3 = f64::from(niche.patches.voxel_volume_um3()) / UM3_PER_MM3;
        let room = (f64::from(most) * volume_mm3) as f32;
        for (marrow, count) in niche.marrow.iter_mut().zip(counts.iter()) {
            *marrow = if room > 0.0 {
                *count as f32 / room
            } else {
                0.0
            };
        }
        let readiness = inputs.of_site(&known, RECRUITMENT, site.entity);
        let coming = Coming {
            site: id,
            block: &site.block,
            niche: &niche,
            ways: ways.of(id),
            parameters: &parameters,
            days: days * readiness.unwrap_or(1.0),
            counts,
        };
        for cell_type in 0..types.0.len() as u16 {
            if let Some(of) = marrows.get(cell_type) {
                coming.call(
                    &Recruiting {
                        cell_type,
                        most_per_mm3: of.most_per_mm3,
                    },
                    *key,
                    clock.step,
                    &passages,
                );
            }
        }
    }
    let_go(
        &marrow, &marrows, &niches, &sites, *key, clock.step, days, &passages,
    );
}

/// Fibronectin is laid where residents are educated.
fn lay(niche: &mut Niche, mut residents: &[Seen], parameters: &NicheParameters, days: f32) {
    for patch in 0..niche.fibronectin.len() {
        let here = residents.partition_point(|of| of.patch as usize <= patch);
        let (own, others) = residents.split_at(here);
        residents = others;
        let (mut education, mut drive) = (0.0_f64, 0.0_f64);
        for of in own {
            let educated = hill(
                of.education,
                parameters.half_education,
                parameters.education_exponent,
            );
            education += f64::from(of.education);
            drive += f64::from(educated * of.laying);
        }
        let count = own.len().max(1) as f64;
        niche.education[patch] = (education / count) as f32;
        let drive = parameters.laying_per_day * (drive / count) as f32;
        let now = niche.fibronectin[patch];
        niche.fibronectin[patch] = laid(now, drive, parameters.fibronectin_days, days);
    }
}

/// Counts the living marrow cells of each patch; for how many there is room in a mm3.
fn count(
    niche: &Niche,
    site: SiteId,
    marrow: &Query<(
        Entity,
        &CellId,
        &CellType,
        &Resident,
        &Position,
        Option<&Vital>,
        &MarrowDerived,
    )>,
    marrows: &PerType<MarrowDerivedParameters>,
    counts: &mut Vec<u32>,
) -> f32 {
    counts.clear();
    counts.resize(niche.fibronectin.len(), 0);
    for (_, ids, types, of_sites, positions, vitals, _) in
        marrow.contiguous_iter().expect(IN_TABLES)
    {
        let living = Living::of(types, vitals, marrows);
        for row in 0..ids.len() {
            if of_sites[row].0 == site && living.at(row).is_some() {
                counts[niche.patch_at(positions[row].0)] += 1;
            }
        }
    }
    let most = marrows.0.iter().flatten().map(|of| of.most_per_mm3);
    most.fold(0.0, f32::max)
}
