//! What becomes of a drug in tissue: it binds what it is made for ([`Binding`]) and comes off, or turns into something else
//! ([`Activation`]).
//!
//! In a voxel with the drug `D`, its partner `V` and both together `C`, `D + V -> C` goes at `k_on D V` and back at `k_off C`. The field of `V` is
//! solved with the rate `k_on D` among what takes it up, so that what is secreted between two solves is bound as it comes; what its solve took is
//! then given to `C` and taken from `D`. In the same way the field of `C` is solved with `k_off`, and what its solve took is given to `D` and `V`.
//! Nothing is made or lost, and in balance free `V` is as the closed form has it, `k_f / (k_f + k_on D k_c / (k_off + k_c))` of what it is
//! without drug.
//!
//! [`offer`] runs in `Transport` before fields are solved, [`settle`] after. What is settled is booked for the next solves.

use bevy::prelude::*;

use super::drug::{Activation, Binding, Drugs};
use crate::core::parallel::for_each_chunk_mut;
use crate::tissue::{
    FieldValues, Ledger, MoleculeId, Molecules, SiteEntry, SiteField, SiteId, Sites, Solves,
};

/// Voxels in one piece of work.
const CHUNK: usize = 4096;

/// What of the fields is offered in this step; emptied when it is settled.
#[derive(Resource, Debug, Default)]
pub struct Offered(Vec<Offer>);

/// A reaction that consumes a field in this step.
#[derive(Debug)]
struct Offer {
    /// What is consumed.
    consumed: Entity,
    /// To what is made of it, or taken along, and how much for one that is consumed, in nM.
    booked: Vec<(Entity, f32)>,
    /// Rate in each voxel, 1/min; the same in all where it is empty.
    rates: Vec<f32>,
    even: f32,
    /// The time that the solve covers, min.
    minutes: f32,
}

/// The fields of a reaction in a site.
fn fields<'s, const N: usize>(
    site: &'s SiteEntry,
    molecules: &Molecules,
    names: [&str; N],
) -> Option<[&'s SiteField; N]> {
    let found: Vec<&SiteField> = names
        .into_iter()
        .filter_map(|name| site.field(molecules.id(name)?))
        .collect();
    let found: [&SiteField; N] = found.try_into().ok()?;
    // All on one grid, or voxels would not be the same.
    let voxels = found[0].grid.block.voxels();
    found
        .iter()
        .all(|field| field.grid.block.voxels() == voxels)
        .then_some(found)
}

/// What a drug meets in a site.
struct Meeting<'a> {
    site: SiteId,
    entry: &'a SiteEntry,
    molecules: &'a Molecules,
    minutes_of: &'a dyn Fn(SiteId, &str) -> Option<(f32, u32)>,
    values: &'a dyn Fn(Entity) -> Option<&'a [f32]>,
}

impl Meeting<'_> {
    fn nm_per_unit(&self, of: MoleculeId) -> f32 {
        self.molecules.get(of).nm_per_unit
    }

    /// What binds in this step, and what comes off.
    fn bind(&self, name: &str, bound: &str, binding: &Binding) -> Vec<(Offer, u32)> {
        let names = [name, binding.molecule.as_str(), bound];
        let Some([drug, partner, both]) = fields(self.entry, self.molecules, names) else {
            return Vec::new();
        };
        let mut offers = Vec::new();
        let nm = self.nm_per_unit(partner.molecule);
        let (free, held) = ((self.values)(drug.entity), (self.values)(both.entity));
        if let (Some((minutes, steps)), Some(free)) =
            ((self.minutes_of)(self.site, &binding.molecule), free)
            && free.iter().any(|level| *level > 0.0)
        {
            let mut rates = vec![0.0; free.len()];
            for_each_chunk_mut(&mut rates, CHUNK, |start, piece| {
                for (rate, level) in piece.iter_mut().zip(&free[start..]) {
                    *rate = binding.on_per_nm_min * level.max(0.0);
                }
            });
            let offer = Offer {
                consumed: partner.entity,
                booked: vec![(both.entity, nm), (drug.entity, -nm)],
                rates,
                even: 0.0,
                minutes,
            };
            offers.push((offer, steps));
        }
        if let (Some((minutes, steps)), Some(held)) = ((self.minutes_of)(self.site, bound), held)
            && held.iter().any(|level| *level > 0.0)
        {
            let offer = Offer {
                consumed: both.entity,
                booked: vec![(drug.entity, 1.0), (partner.entity, 1.0 / nm)],
                rates: Vec::new(),
                even: binding.off_per_min,
                minutes,
            };
            offers.push((offer, steps));
        }
        offers
    }

    /// What turns into something else in this step.
    fn activate(&self, name: &str, active: &str, becomes: &Activation) -> Option<(Offer, u32)> {
        let [drug, product] = fields(self.entry, self.molecules, [name, active])?;
        let (minutes, steps) = (self.minutes_of)(self.site, name)?;
        let level = (self.values)(drug.entity)?;
        if level.iter().all(|level| *level <= 0.0) {
            return None;
        }
        let id = self.molecules.id("oxygen")?;
        let background = self.molecules.get(id).background;
        let oxygen = self.entry.field(id);
        let values = oxygen.and_then(|field| (self.values)(field.entity));
        // The mean of the voxels of oxygen in one of the drug; both are of whole voxels of the site.
        let mut sums = vec![(0.0_f32, 0_u32); level.len()];
        for voxel in 0..self.entry.block.voxels() as u32 {
            let sum = &mut sums[drug.grid.voxel(voxel) as usize];
            sum.0 += match (values, oxygen) {
                (Some(values), Some(field)) => values[field.grid.voxel(voxel) as usize],
                _ => background,
            };
            sum.1 += 1;
        }
        let rate = |(sum, count): (f32, u32)| {
            let mmhg = sum / count.max(1) as f32;
            becomes.per_min / (1.0 + mmhg / becomes.half_mmhg)
        };
        let offer = Offer {
            consumed: drug.entity,
            booked: vec![(product.entity, 1.0)],
            rates: sums.into_iter().map(rate).collect(),
            even: 0.0,
            minutes,
        };
        Some((offer, steps))
    }
}

/// Says at which rates fields are consumed that are solved in this step.
pub fn offer(
    drugs: Res<Drugs>,
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    solves: Solves,
    fields: Query<(&FieldValues, &Ledger)>,
    mut offered: ResMut<Offered>,
) {
    if drugs.list.is_empty() {
        return;
    }
    let minutes_of = |site, name: &str| solves.of(site, name);
    let values = |entity| Some(fields.get(entity).ok()?.0.0.as_slice());
    for (number, entry) in sites.list.iter().enumerate() {
        let meeting = Meeting {
            site: SiteId(number as u16),
            entry,
            molecules: &molecules,
            minutes_of: &minutes_of,
            values: &values,
        };
        for drug in &drugs.list {
            let mut found = Vec::new();
            if let Some(binding) = &drug.binds {
                found.extend(meeting.bind(&drug.name, &drug.bound_name(), binding));
            }
            if let Some(becomes) = &drug.becomes {
                found.extend(meeting.activate(&drug.name, &drug.active_name(), becomes));
            }
            for (offer, steps) in found {
                let Ok((values, ledger)) = fields.get(offer.consumed) else {
                    continue;
                };
                // The ledger takes the mean over the steps since the last solve, and this is the one in which it is booked.
                let all = steps as f32;
                for voxel in 0..values.0.len() {
                    let rate = offer.rates.get(voxel).copied().unwrap_or(offer.even);
                    ledger.absorb(voxel as u32, all * rate);
                }
                offered.0.push(offer);
            }
        }
    }
}

/// Books what the solves took of what was offered to those who get it, or lose as much.
pub fn settle(
    clock: Res<crate::core::Clock>,
    mut offered: ResMut<Offered>,
    fields: Query<(&FieldValues, &Ledger)>,
) {
    if offered.0.is_empty() {
        return;
    }
    let dt_minutes = clock.dt_minutes();
    for offer in offered.0.drain(..) {
        let Ok((values, _)) = fields.get(offer.consumed) else {
            continue;
        };
        for (to, share) in &offer.booked {
            let Ok((_, ledger)) = fields.get(*to) else {
                continue;
            };
            for (voxel, value) in values.0.iter().enumerate() {
                let rate = offer.rates.get(voxel).copied().unwrap_or(offer.even);
                // By how much it changes in a minute of this step, so that it changes by what was consumed in all.
                let amount = share * rate * value * offer.minutes / dt_minutes;
                if amount != 0.0 {
                    ledger.secrete(voxel as u32, amount);
                }
            }
        }
    }
}
