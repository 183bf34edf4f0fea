//! What becomes of a drug in tissue: it binds what it is made for ([`Binding`](super::drug::Binding)) and comes off, or turns
//! into something else ([`Activation`](super::drug::Activation)).
//!
//! In a voxel with the drug `D`, its partner `V` and both together `C`, `D + V -> C` goes at `k_on D V` and back at `k_off C`. The field of `V` is
//! solved with the rate `k_on D` among what takes it up, so that what is secreted between two solves is bound as it comes; what its solve took is
//! then given to `C` and taken from `D`. In the same way the field of `C` is solved with `k_off`, and what its solve took is given to `D` and `V`.
//! Nothing is made or lost, and in balance free `V` is as the closed form has it, `k_f / (k_f + k_on D k_c / (k_off + k_c))` of what it is
//! without drug. Where there is little of the drug beside its partner it is used up while it binds: in a time `t` the rate is
//! `k_on D / (1 + k_on V t)`, and of what was taken no more than there is of the drug is bound; the rest is given back.
//!
//! [`offer`] runs in `Transport` before fields are solved, [`settle`] after. What is settled is booked for the next solves. The reactions of a
//! simulation are found once, when its sites are there.

use bevy::prelude::*;

use super::drug::{Drug, Drugs};
use crate::core::parallel::for_each_chunk_mut;
use crate::tissue::{
    FieldValues, Ledger, MoleculeId, Molecules, SiteEntry, SiteField, SiteId, Sites, Solves,
};

/// Voxels in one piece of work.
const CHUNK: usize = 4096;

/// The reactions of drugs in the sites of a simulation.
#[derive(Resource, Debug, Default)]
pub struct Reactions(Vec<Reaction>);

/// A reaction that consumes a field of a site.
#[derive(Debug)]
struct Reaction {
    site: SiteId,
    /// What is consumed, and its field.
    molecule: MoleculeId,
    consumed: Entity,
    how: How,
    /// To what is made of it, or taken along, and how much for one that is consumed, in their units.
    booked: Vec<(Entity, f32)>,
    /// Rate in each voxel, 1/min.
    rates: Vec<f32>,
    /// The time that the solve of this step covers, min, if the reaction takes part in one.
    minutes: Option<f32>,
}

/// By what a field is consumed; with the fields of the others that take part.
#[derive(Clone, Copy, Debug)]
enum How {
    /// A drug binds it: both together are made, and the drug is taken along.
    Binds {
        drug: Entity,
        both: Entity,
        on_per_nm_min: f32,
    },
    /// Both together come off each other: drug and partner are made.
    ComesOff {
        drug: Entity,
        partner: Entity,
        partner_molecule: MoleculeId,
        off_per_min: f32,
    },
    /// A drug turns into something else, at half the rate at so much oxygen.
    Turns {
        product: Entity,
        per_min: f32,
        half_mmhg: f32,
    },
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

/// The reactions of a drug in a site.
fn reactions_of(
    drug: &Drug,
    site: SiteId,
    entry: &SiteEntry,
    molecules: &Molecules,
) -> Vec<Reaction> {
    let reaction = |consumed: &SiteField, how: How| Reaction {
        site,
        molecule: consumed.molecule,
        consumed: consumed.entity,
        how,
        booked: Vec::new(),
        rates: Vec::new(),
        minutes: None,
    };
    let mut found = Vec::new();
    if let Some(binding) = &drug.binds {
        let bound = drug.bound_name();
        let names = [
            drug.name.as_str(),
            binding.molecule.as_str(),
            bound.as_str(),
        ];
        if let Some([free, partner, both]) = fields(entry, molecules, names) {
            let binds = How::Binds {
                drug: free.entity,
                both: both.entity,
                on_per_nm_min: binding.on_per_nm_min,
            };
            let comes_off = How::ComesOff {
                drug: free.entity,
                partner: partner.entity,
                partner_molecule: partner.molecule,
                off_per_min: binding.off_per_min,
            };
            found.push(reaction(partner, binds));
            found.push(reaction(both, comes_off));
        }
    }
    if let Some(becomes) = &drug.becomes {
        let active = drug.active_name();
        let names = [drug.name.as_str(), active.as_str()];
        if let Some([free, product]) = fields(entry, molecules, names) {
            let turns = How::Turns {
                product: product.entity,
                per_min: becomes.per_min,
                half_mmhg: becomes.half_mmhg,
            };
            found.push(reaction(free, turns));
        }
    }
    found
}

/// Finds the reactions in the sites, once they are there.
pub(super) fn install(world: &mut World) {
    let (Some(drugs), Some(molecules), Some(sites)) = (
        world.get_resource::<Drugs>(),
        world.get_resource::<Molecules>(),
        world.get_resource::<Sites>(),
    ) else {
        return;
    };
    let mut found = Vec::new();
    for (number, entry) in sites.list.iter().enumerate() {
        for drug in &drugs.list {
            let site = SiteId(number as u16);
            found.extend(reactions_of(drug, site, entry, molecules));
        }
    }
    world.insert_resource(Reactions(found));
}

/// The values of a field if there is anything of its molecule.
fn some_of<'q>(fields: &'q Query<(&FieldValues, &Ledger)>, field: Entity) -> Option<&'q [f32]> {
    let (values, _) = fields.get(field).ok()?;
    let values = values.0.as_slice();
    values.iter().any(|level| *level > 0.0).then_some(values)
}

impl Reaction {
    /// Works out rates and what is to be booked; none where there is nothing that reacts.
    fn prepare(
        &mut self,
        molecules: &Molecules,
        sites: &Sites,
        fields: &Query<(&FieldValues, &Ledger)>,
        minutes: f32,
        sums: &mut Vec<(f32, u32)>,
    ) -> Option<()> {
        let nm_per_unit = |of: MoleculeId| molecules.get(of).nm_per_unit;
        self.booked.clear();
        match self.how {
            How::Binds {
                drug,
                both,
                on_per_nm_min,
            } => {
                let free = some_of(fields, drug)?;
                let (partners, _) = fields.get(self.consumed).ok()?;
                let nm = nm_per_unit(self.molecule);
                self.rates.resize(free.len(), 0.0);
                for_each_chunk_mut(&mut self.rates, CHUNK, |start, piece| {
                    let levels = free[start..].iter().zip(&partners.0[start..]);
                    for (rate, (level, partner)) in piece.iter_mut().zip(levels) {
                        let used_up = on_per_nm_min * nm * partner.max(0.0) * minutes;
                        *rate = on_per_nm_min * level.max(0.0) / (1.0 + used_up);
                    }
                });
                self.booked.extend([(both, nm), (drug, -nm)]);
            }
            How::ComesOff {
                drug,
                partner,
                partner_molecule,
                off_per_min,
            } => {
                let held = some_of(fields, self.consumed)?;
                self.rates.clear();
                self.rates.resize(held.len(), off_per_min);
                let nm = nm_per_unit(partner_molecule);
                self.booked.extend([(drug, 1.0), (partner, 1.0 / nm)]);
            }
            How::Turns {
                product,
                per_min,
                half_mmhg,
            } => {
                let level = some_of(fields, self.consumed)?;
                let entry = sites.find(self.site)?;
                let grid = &entry.field(self.molecule)?.grid;
                let id = molecules.id("oxygen")?;
                let background = molecules.get(id).background;
                let oxygen = entry.field(id).and_then(|field| {
                    let (values, _) = fields.get(field.entity).ok()?;
                    Some((&field.grid, values.0.as_slice()))
                });
                // The mean of the voxels of oxygen in one of the drug; both are of whole voxels of the site.
                sums.clear();
                sums.resize(level.len(), (0.0, 0));
                for voxel in 0..entry.block.voxels() as u32 {
                    let sum = &mut sums[grid.voxel(voxel) as usize];
                    sum.0 += oxygen.map_or(background, |(grid, values)| {
                        values[grid.voxel(voxel) as usize]
                    });
                    sum.1 += 1;
                }
                self.rates.clear();
                self.rates.extend(sums.iter().map(|(sum, count)| {
                    let mmhg = sum / (*count).max(1) as f32;
                    per_min / (1.0 + mmhg / half_mmhg)
                }));
                self.booked.push((product, 1.0));
            }
        }
        Some(())
    }
}

/// Says at which rates fields are consumed that are solved in this step.
pub fn offer(
    molecules: Res<Molecules>,
    sites: Res<Sites>,
    solves: Solves,
    fields: Query<(&FieldValues, &Ledger)>,
    mut reactions: ResMut<Reactions>,
    mut sums: Local<Vec<(f32, u32)>>,
) {
    for reaction in &mut reactions.bypass_change_detection().0 {
        reaction.minutes = None;
        let name = &molecules.get(reaction.molecule).name;
        let Some((minutes, steps)) = solves.of(reaction.site, name) else {
            continue;
        };
        let Ok((_, ledger)) = fields.get(reaction.consumed) else {
            continue;
        };
        if reaction
            .prepare(&molecules, &sites, &fields, minutes, &mut sums)
            .is_none()
        {
            continue;
        }
        reaction.minutes = Some(minutes);
        // The ledger takes the mean over the steps since the last solve, and this is the one in which it is booked.
        let all = steps as f32;
        for (voxel, rate) in reaction.rates.iter().enumerate() {
            ledger.absorb(voxel as u32, all * rate);
        }
    }
}

/// Books what the solves took of what was offered to those who get it, or lose as much.
pub fn settle(
    clock: Res<crate::core::Clock>,
    molecules: Res<Molecules>,
    reactions: Res<Reactions>,
    fields: Query<(&FieldValues, &Ledger)>,
) {
    let dt_minutes = clock.dt_minutes();
    for reaction in &reactions.0 {
        let (Some(minutes), Ok((values, _))) = (reaction.minutes, fields.get(reaction.consumed))
        else {
            continue;
        };
        // Of what was taken, in units of what is consumed: how much is booked in a voxel, and how much is given back.
        let drug = match reaction.how {
            How::Binds { drug, .. } => fields.get(drug).ok().map(|(values, _)| &values.0),
            How::ComesOff { .. } | How::Turns { .. } => None,
        };
        let nm = molecules.get(reaction.molecule).nm_per_unit;
        let taken = |voxel: usize, rate: f32, value: f32| {
            let all = rate * value * minutes;
            let most = drug.map_or(all, |drug| drug[voxel].max(0.0) / nm);
            (all.min(most), (all - most).max(0.0))
        };
        // By how much it changes in a minute of this step, so that it changes by what was consumed in all.
        let book = |to: Entity, share: f32, is_given_back: bool| {
            let Ok((_, ledger)) = fields.get(to) else {
                return;
            };
            for (voxel, (rate, value)) in reaction.rates.iter().zip(&values.0).enumerate() {
                let (booked, back) = taken(voxel, *rate, *value);
                let amount = if is_given_back { back } else { booked };
                if amount != 0.0 {
                    ledger.secrete(voxel as u32, share * amount / dt_minutes);
                }
            }
        };
        for (to, share) in &reaction.booked {
            book(*to, *share, false);
        }
        if drug.is_some() {
            book(reaction.consumed, 1.0, true);
        }
    }
}
