//! From the tables of cells to the rows of the kernel.

use bevy::prelude::*;

use super::rows::{SiteRows, chunk_rows, velocity_of};
use super::{Moving, SiteMechanics, contact_radius_um};
use crate::cell::contact::ContactParameters;
use crate::cell::mechanics::{self, ContactLaw, Mechanics, RowNumbers};
use crate::core::input::CellValues;
use crate::core::parallel::{IN_TABLES, ROWS, cut, for_each_piece, reserve_sparingly};
use crate::core::parameters::PerType;

/// Why there are as many rows as expected.
const COUNTED: &str = "the cells were counted";

/// N-cadherin that counts for nothing: as long as no cell has more, as in a tissue of epithelial cells, the second channel is left out.
const FAINT: f32 = 0.02;

/// How strongly cells hold to others, by the two channels.
pub(super) struct Adhesion<'a> {
    pub(super) strength: CellValues<'a>,
    pub(super) e_cadherin: CellValues<'a>,
    pub(super) n_cadherin: CellValues<'a>,
}

/// The strength of a channel, um/min; none for a cell that lacks the capability.
fn channel(strength: f32, level: f32) -> f32 {
    let held = strength * level;
    if held.is_nan() { 0.0 } else { held }
}

/// Gathers the cells of one site, in the order of tables.
pub(super) fn gather(
    mechanics: &mut SiteMechanics,
    here: &SiteRows,
    (contact, law): (&PerType<ContactParameters>, ContactLaw),
    adhesion: &Adhesion,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        active,
        tables,
        ..
    } = mechanics;
    let walkers = if here.walks() { here.total() } else { 0 };
    reserve_sparingly(active, walkers);
    active.resize(walkers, [0.0; 3]);
    let mut active_left = active.as_mut_slice();
    tables.clear();
    let mut first_chunk = 0;
    for (_, ids, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let chunks = ids.len().div_ceil(ROWS);
        tables.push(
            (first_chunk..first_chunk + chunks)
                .map(|chunk| here.rows(chunk).len())
                .sum(),
        );
        first_chunk += chunks;
    }
    let (mut bodies_left, watch) = kernel.update(tables);
    let mut first_chunk = 0;
    for (entities, ids, residents, types, body, motility, positions, _) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let strength = adhesion.strength.in_table(entities);
        let e_cadherin = adhesion.e_cadherin.in_table(entities);
        let chunks = ids.len().div_ceil(ROWS);
        let counts = (first_chunk..first_chunk + chunks).map(|chunk| here.rows(chunk).len());
        let count: usize = counts.clone().sum();
        let walkers = |count| if walkers > 0 { count } else { 0 };
        let bodies = bodies_left.split_off_mut(..count).expect(COUNTED);
        let active = active_left.split_off_mut(..walkers(count)).expect(COUNTED);
        let pieces = (0..chunks)
            .map(|chunk| chunk_rows(chunk, ids.len()))
            .zip(cut(bodies, counts.clone()))
            .zip(cut(active, counts.map(walkers)));
        for_each_piece(pieces, |((rows, bodies), active)| {
            if bodies.is_empty() {
                return;
            }
            let rows = || rows.clone().filter(|row| residents[*row].0 == here.site);
            for (row, target) in rows().zip(bodies) {
                let cell_type = types[row].0;
                let held = channel(strength.at(row, cell_type), e_cadherin.at(row, cell_type));
                let repulsion = contact
                    .get(cell_type)
                    .map_or(law.repulsion(), |contact| contact.repulsion_um_per_min);
                let body = mechanics::ContactBody {
                    id: ids[row],
                    position: positions[row].0.to_array(),
                    radius: contact_radius_um(law, body[row].radius_um),
                    adhesion: held,
                    repulsion,
                };
                watch.put(target, body);
            }
            for (row, velocity) in rows().zip(active) {
                *velocity = velocity_of(motility.map(|motility| &motility[row]));
            }
        });
        first_chunk += chunks;
    }
}

/// Gathers the second channel of adhesion, where any cell has it, and lends it to the kernel.
pub(super) fn gather_second(
    mechanics: &mut SiteMechanics,
    here: &SiteRows,
    adhesion: &Adhesion,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        second,
        tables,
        ..
    } = mechanics;
    let levels = &adhesion.n_cadherin;
    let is_used = levels.bases().iter().any(|level| *level > FAINT)
        || cells
            .contiguous_iter()
            .expect(IN_TABLES)
            .any(|(entities, ..)| levels.in_table(entities).is_ruled());
    if is_used {
        gather_numbers(kernel, second, tables, here, cells, |entities| {
            let strength = adhesion.strength.in_table(entities);
            let level = levels.in_table(entities);
            move |row, cell_type| match level.at(row, cell_type) {
                level if level > FAINT => channel(strength.at(row, cell_type), level),
                _ => 0.0,
            }
        });
    } else {
        second.leave_out(kernel);
    }
    second.lend(kernel.second_adhesion_mut());
}

/// Gathers a number of each cell of one site besides its body, in the order of [`gather`]. `of` makes, for the cells of a
/// table, the number of the cell in a row that is of a type.
fn gather_numbers<F: Fn(usize, u16) -> f32 + Sync>(
    kernel: &Mechanics,
    numbers: &mut RowNumbers,
    tables: &[usize],
    here: &SiteRows,
    cells: &Query<Moving>,
    of: impl Fn(&[Entity]) -> F,
) {
    let (mut kept_left, filler) = numbers.update(kernel, tables);
    let bodies = filler.bodies();
    let mut first_chunk = 0;
    for (entities, _, residents, types, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let number = of(entities);
        let chunks = types.len().div_ceil(ROWS);
        let own_rows = |chunk: usize| here.rows(first_chunk + chunk);
        let counts = (0..chunks).map(|chunk| own_rows(chunk).len());
        let kept = kept_left
            .split_off_mut(..counts.clone().sum())
            .expect(COUNTED);
        let pieces = (0..chunks)
            .map(|chunk| (chunk_rows(chunk, types.len()), own_rows(chunk)))
            .zip(cut(kept, counts));
        for_each_piece(pieces, |((rows, own_rows), kept)| {
            let own = rows.filter(|row| residents[*row].0 == here.site);
            for ((row, kept), body) in own.zip(kept).zip(&bodies[own_rows]) {
                filler.put(kept, body, number(row, types[row].0));
            }
        });
        first_chunk += chunks;
    }
}

/// Gathers the type of each cell; in the order of [`gather`].
pub(super) fn gather_types(mechanics: &mut SiteMechanics, here: &SiteRows, cells: &Query<Moving>) {
    let types = &mut mechanics.types;
    types.clear();
    reserve_sparingly(types, here.total());
    for (_, _, residents, of, ..) in cells.contiguous_iter().expect(IN_TABLES) {
        let own = of.iter().zip(residents);
        let own = own.filter(|(_, resident)| resident.0 == here.site);
        types.extend(own.map(|(of, _)| of.0));
    }
}

/// Gathers friction, where any cell has another than the usual one.
pub(super) fn gather_friction(
    mechanics: &mut SiteMechanics,
    here: &SiteRows,
    values: &CellValues,
    cells: &Query<Moving>,
) {
    let SiteMechanics {
        kernel,
        friction,
        tables,
        ..
    } = mechanics;
    // One that lacks the capability has the usual friction.
    let usual = |value: f32| if value > 0.0 { value } else { 1.0 };
    let is_used = values.bases().iter().any(|value| usual(*value) != 1.0)
        || cells
            .contiguous_iter()
            .expect(IN_TABLES)
            .any(|(entities, ..)| values.in_table(entities).is_ruled());
    if is_used {
        gather_numbers(kernel, friction, tables, here, cells, |entities| {
            let values = values.in_table(entities);
            move |row, cell_type| usual(values.at(row, cell_type))
        });
    } else {
        friction.leave_out(kernel);
    }
}
