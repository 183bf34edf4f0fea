//! Springs between named cells: desmosomes of a cluster, a macrophage that holds a tumour cell, a T cell at
//! its target.
//!
//! A bond is one entry for the two cells it joins, so it is mutual and counted by construction; each end
//! gathers the pull of its bonds in the order of partners and kinds. The two ends approach at `k (d - rest)` each:
//! alone, they relax to the rest length as `exp(-2 k t)`. A bond of which one cell is not among the bodies
//! exerts nothing.
//!
//! Making and cutting a bond takes a time that depends on the bonds of its two cells alone. Where entries lie follows
//! from the history of the list, and no result from where they lie.

mod index;

use std::collections::{BTreeSet, HashMap};

use bevy::platform::hash::FixedHasher;
use serde::{Deserialize, Serialize};

use crate::core::identity::CellId;
use crate::core::parallel::for_each_chunk_mut;

pub(super) use index::BondIndex;

/// Number of a kind of bond, by the order in which kinds were registered.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BondKindId(pub u16);

/// A spring between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    /// The cell with the smaller identity.
    pub a: CellId,
    /// The cell with the larger identity.
    pub b: CellId,
    /// Its kind; two cells may be joined by one of each.
    pub kind: BondKindId,
    /// Rest length between centres, um.
    pub rest: f32,
    /// Stiffness, 1/min. PhysiCell's attachments use 0.01 (Ghaffarizadeh et al. 2018).
    pub stiffness: f32,
    /// Steps completed when it was formed.
    pub formed: u64,
    /// Its tension after the last move, `stiffness (d - rest)`, um/min; negative where it is pressed together.
    pub load: f32,
}

impl Bond {
    /// A bond without load, formed at the start.
    ///
    /// # Panics
    /// When both cells are the same.
    pub fn new(kind: BondKindId, cells: [CellId; 2], rest: f32, stiffness: f32) -> Self {
        let [a, b] = cells;
        assert!(a != b, "a cell holds another, not itself");
        Self {
            a: a.min(b),
            b: a.max(b),
            kind,
            rest,
            stiffness,
            formed: 0,
            load: 0.0,
        }
    }

    /// What tells it from all others.
    pub const fn key(&self) -> (CellId, CellId, BondKindId) {
        (self.a, self.b, self.kind)
    }

    /// The cell that it joins to `cell`.
    pub fn partner_of(&self, cell: CellId) -> CellId {
        if self.a == cell { self.b } else { self.a }
    }

    /// Its age at a number of completed steps of so many minutes, min.
    pub fn age_min(&self, step: u64, step_minutes: f32) -> f32 {
        step.saturating_sub(self.formed) as f32 * step_minutes
    }
}

/// Marks a slot without bonds, and a member that is not among the bodies.
const NONE: u32 = u32::MAX;
/// Slots, and bonds, per piece of parallel work.
const SLOTS: usize = 16_384;

/// The bonds of a site.
#[derive(Clone, Debug, Default)]
pub struct Bonds {
    list: Vec<Joined>,
    /// Cells with bonds, and places that none has at the moment.
    members: Vec<Member>,
    vacant: Vec<u32>,
    /// Looked up, never walked through.
    member_of: HashMap<CellId, u32, FixedHasher>,
    /// One bit for some identities; a cell whose bit is unset is no member.
    filter: Vec<u64>,
    /// Cells marked there that are members no more.
    stale: usize,
    /// Cells whose bonds changed since they were last settled.
    changed: Vec<CellId>,
    /// What was cut and where its first cell was, um, until it is told.
    broken: Vec<(Bond, [f32; 3])>,
}

/// Bonds as a checkpoint stores them.
pub type BondsState = Vec<Bond>;

/// Who has a bond after a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heir {
    /// The daughter that goes on as the mother.
    Mother,
    /// The other daughter.
    Daughter,
    /// Each of the two has one.
    Both,
    /// It is cut.
    Neither,
}

/// A bond and the places of its two members.
#[derive(Clone, Copy, Debug)]
struct Joined {
    bond: Bond,
    members: [u32; 2],
}

#[derive(Clone, Debug)]
struct Member {
    id: CellId,
    /// Its centre after the last move, um.
    at: [f32; 3],
    /// Its bonds by partner and kind.
    ends: Vec<End>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    partner: CellId,
    kind: BondKindId,
    bond: u32,
}

impl Member {
    fn place(&self, partner: CellId, kind: BondKindId) -> Result<usize, usize> {
        self.ends
            .binary_search_by_key(&(partner, kind), |end| (end.partner, end.kind))
    }
}

impl Bonds {
    fn member(&self, cell: CellId) -> Option<&Member> {
        let member = *self.member_of.get(&cell)?;
        self.members.get(member as usize)
    }

    fn place(&self, (a, b, kind): (CellId, CellId, BondKindId)) -> Option<usize> {
        let member = self.member(a)?;
        let end = member.place(b, kind).ok()?;
        Some(member.ends[end].bond as usize)
    }

    /// The place of a cell among the members, made if there is none.
    fn enlist(&mut self, cell: CellId) -> u32 {
        if let Some(member) = self.member_of.get(&cell) {
            return *member;
        }
        let place = match self.vacant.pop() {
            Some(place) => {
                let member = &mut self.members[place as usize];
                member.id = cell;
                member.at = [f32::NAN; 3];
                place
            }
            None => {
                self.members.push(Member {
                    id: cell,
                    at: [f32::NAN; 3],
                    ends: Vec::new(),
                });
                self.members.len() as u32 - 1
            }
        };
        self.member_of.insert(cell, place);
        place
    }

    /// Marks a member in the filter, which is made anew when it is too small or marks too many that are gone.
    fn mark(&mut self, cell: CellId) {
        if self.filter.len() * 4 < self.members.len() || self.stale > self.members.len() {
            let words = (self.members.len() / 2).max(8).next_power_of_two();
            self.filter.clear();
            self.filter.resize(words, 0);
            self.stale = 0;
            for member in self.members.iter().filter(|member| !member.ends.is_empty()) {
                let (word, bit) = filter_place(member.id, words);
                self.filter[word] |= bit;
            }
        }
        let (word, bit) = filter_place(cell, self.filter.len());
        self.filter[word] |= bit;
    }

    /// Adds a bond; returns whether the two cells were not joined by this kind before. An existing bond takes the new
    /// values.
    pub fn add(&mut self, bond: Bond) -> bool {
        self.changed.extend([bond.a, bond.b]);
        if let Some(at) = self.place(bond.key()) {
            self.list[at].bond = bond;
            return false;
        }
        let members = [bond.a, bond.b].map(|cell| self.enlist(cell));
        let at = self.list.len() as u32;
        for (member, partner) in members.into_iter().zip([bond.b, bond.a]) {
            let member = &mut self.members[member as usize];
            if let Err(place) = member.place(partner, bond.kind) {
                let end = End {
                    partner,
                    kind: bond.kind,
                    bond: at,
                };
                member.ends.insert(place, end);
            }
        }
        self.list.push(Joined { bond, members });
        self.mark(bond.a);
        self.mark(bond.b);
        true
    }

    /// Cuts a bond; returns what it was, if there was one.
    pub fn remove(&mut self, cells: [CellId; 2], kind: BondKindId) -> Option<Bond> {
        let [a, b] = cells;
        let at = self.place((a.min(b), a.max(b), kind))?;
        Some(self.remove_at(at))
    }

    fn remove_at(&mut self, at: usize) -> Bond {
        let place = self.list[at].members[0];
        let position = self.members[place as usize].at;
        let bond = self.take_at(at);
        self.broken.push((bond, position));
        bond
    }

    fn take_at(&mut self, at: usize) -> Bond {
        let Joined { bond, members } = self.list.swap_remove(at);
        for (place, partner) in members.into_iter().zip([bond.b, bond.a]) {
            let member = &mut self.members[place as usize];
            if let Ok(end) = member.place(partner, bond.kind) {
                member.ends.remove(end);
            }
            if member.ends.is_empty() {
                self.member_of.remove(&member.id);
                self.vacant.push(place);
                self.stale += 1;
            }
        }
        // What was the last of the list is now here.
        if let Some(Joined { bond, members }) = self.list.get(at).copied() {
            for (place, partner) in members.into_iter().zip([bond.b, bond.a]) {
                let member = &mut self.members[place as usize];
                if let Ok(end) = member.place(partner, bond.kind) {
                    member.ends[end].bond = at as u32;
                }
            }
        }
        self.changed.extend([bond.a, bond.b]);
        bond
    }

    /// Cuts all bonds of a cell.
    pub fn remove_cell(&mut self, cell: CellId) {
        while let Some(end) = self.member(cell).and_then(|member| member.ends.first()) {
            self.remove_at(end.bond as usize);
        }
    }

    /// Says what becomes of the bonds of a cell that divided: each stays with her, goes to the other daughter, is
    /// joined to both or is cut.
    pub fn divide(
        &mut self,
        mother: CellId,
        daughter: CellId,
        mut heir: impl FnMut(&Bond) -> Heir,
    ) {
        let count = self.count_of(mother);
        // Those told of lie before `at`, for a bond that she keeps stays where it is.
        let mut at = 0;
        for _ in 0..count {
            let Some(end) = self.member(mother).and_then(|member| member.ends.get(at)) else {
                return;
            };
            let place = end.bond as usize;
            let bond = self.list[place].bond;
            let partner = bond.partner_of(mother);
            let heir = if partner == daughter {
                Heir::Mother
            } else {
                heir(&bond)
            };
            let inherited = || {
                let cells = [daughter, partner];
                Bond {
                    formed: bond.formed,
                    load: bond.load,
                    ..Bond::new(bond.kind, cells, bond.rest, bond.stiffness)
                }
            };
            match heir {
                Heir::Mother => at += 1,
                Heir::Both => {
                    self.add(inherited());
                    at += 1;
                }
                Heir::Daughter => {
                    self.take_at(place);
                    self.add(inherited());
                }
                Heir::Neither => {
                    self.remove_at(place);
                }
            }
        }
    }

    /// Cuts all bonds of these cells.
    pub fn cut(&mut self, cells: &[CellId]) {
        for cell in cells {
            self.remove_cell(*cell);
        }
    }

    /// Moves the bonds between these cells, which are given in order, to another list, and cuts those that they have
    /// with others, as when a group leaves together.
    pub fn move_between(&mut self, cells: &[CellId], to: &mut Self) {
        for cell in cells {
            while let Some(end) = self.member(*cell).and_then(|member| member.ends.first()) {
                let place = end.bond as usize;
                let partner = self.list[place].bond.partner_of(*cell);
                if cells.binary_search(&partner).is_ok() {
                    to.add(self.take_at(place));
                } else {
                    self.remove_at(place);
                }
            }
        }
    }

    /// Cuts the bonds for which `breaks` says so, which is asked of each in any order.
    pub fn cut_where(&mut self, breaks: impl Fn(&Bond) -> bool) {
        let mut at = 0;
        while at < self.list.len() {
            if breaks(&self.list[at].bond) {
                self.remove_at(at);
            } else {
                at += 1;
            }
        }
    }

    /// Takes what was cut since this was last asked and where its first cell was, um, in canonical order.
    pub fn take_broken(&mut self, broken: &mut Vec<(Bond, [f32; 3])>) {
        let first = broken.len();
        broken.append(&mut self.broken);
        broken[first..].sort_unstable_by_key(|(bond, _)| bond.key());
    }

    /// What is to be kept of them.
    pub fn state(&self) -> BondsState {
        self.iter().collect()
    }

    /// The bonds that were kept.
    ///
    /// # Errors
    /// In words, when a cell is bound to itself or two cells are bound twice.
    pub fn of_state(state: BondsState) -> Result<Self, String> {
        let mut bonds = Self::default();
        for bond in state {
            let (a, b, _) = bond.key();
            if a >= b || !bonds.add(bond) {
                return Err(format!("cells {} and {} are bound twice", a.0, b.0));
            }
        }
        Ok(bonds)
    }

    /// The bond of a kind between two cells.
    pub fn between(&self, cells: [CellId; 2], kind: BondKindId) -> Option<&Bond> {
        let [a, b] = cells;
        let at = self.place((a.min(b), a.max(b), kind))?;
        Some(&self.list[at].bond)
    }

    /// All bonds of a cell, in the order of partners and kinds.
    pub fn of(&self, cell: CellId) -> impl Iterator<Item = &Bond> {
        let ends = self.member(cell).map_or(&[][..], |member| &member.ends);
        ends.iter().map(|end| &self.list[end.bond as usize].bond)
    }

    /// The cells that can be reached from a cell along bonds, itself among them, in the order of identity.
    pub fn group_of(&self, cell: CellId) -> Vec<CellId> {
        let mut reached = BTreeSet::from([cell]);
        let mut ahead = vec![cell];
        while let Some(here) = ahead.pop() {
            let partners = self.of(here).map(|bond| bond.partner_of(here));
            ahead.extend(partners.filter(|partner| reached.insert(*partner)));
        }
        reached.into_iter().collect()
    }

    /// All bonds, ordered by their cells and kinds: they are put in order for it, so it is not for every step.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bond> + use<> {
        let mut bonds: Vec<Bond> = self.list.iter().map(|joined| joined.bond).collect();
        bonds.sort_unstable_by_key(Bond::key);
        bonds.into_iter()
    }

    /// Number of bonds.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of bonds of a cell.
    pub fn count_of(&self, cell: CellId) -> usize {
        self.member(cell).map_or(0, |member| member.ends.len())
    }

    /// Whether a cell has any; quick for those that have none.
    #[inline]
    pub fn binds(&self, cell: CellId) -> bool {
        self.may_bind(cell) && self.member_of.contains_key(&cell)
    }

    #[inline(always)]
    fn may_bind(&self, cell: CellId) -> bool {
        if self.filter.is_empty() {
            return false;
        }
        let (word, bit) = filter_place(cell, self.filter.len());
        self.filter[word] & bit != 0
    }

    /// Where a bound cell was after the last move, um; not a number before its first.
    pub fn position(&self, cell: CellId) -> Option<[f32; 3]> {
        self.member(cell).map(|member| member.at)
    }

    /// Cells whose bonds changed since [`Self::settle`], in any order and perhaps more than once.
    pub(super) fn changed(&self) -> &[CellId] {
        &self.changed
    }

    /// Forgets which bonds changed: for those of cells that no kernel moves.
    pub fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// Takes the changes for known to the kernel, and the loads from where its cells came to.
    pub fn settle(&mut self, kernel: &super::Mechanics) {
        self.changed.clear();
        let (index, cells) = (&kernel.bonds, &kernel.cells);
        if self.list.is_empty() || index.slot_of_member.len() != self.members.len() {
            return;
        }
        for (member, slot) in self.members.iter_mut().zip(&index.slot_of_member) {
            if *slot != NONE {
                member.at = cells.position(*slot as usize);
            }
        }
        for_each_chunk_mut(&mut self.list, SLOTS, |_, joined| {
            for Joined { bond, members } in joined {
                let slots = members.map(|member| index.slot_of_member[member as usize]);
                if slots.contains(&NONE) {
                    bond.load = 0.0;
                    continue;
                }
                let [a, b] = slots.map(|slot| cells.position(slot as usize));
                let d: [f32; 3] = std::array::from_fn(|axis| a[axis] - b[axis]);
                let distance = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
                bond.load = bond.stiffness * (distance - bond.rest);
            }
        });
    }
}

/// Word and bit of an identity in a filter whose number of words is a power of two.
#[inline(always)]
fn filter_place(id: CellId, words: usize) -> (usize, u64) {
    ((id.0 >> 6) as usize & (words - 1), 1 << (id.0 & 63))
}
