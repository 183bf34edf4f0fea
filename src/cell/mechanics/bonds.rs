//! Springs between named cells: desmosomes of a cluster, a macrophage that holds a tumour cell, a T cell at
//! its target.
//!
//! A bond is one entry for the two cells it joins, so it is mutual and counted by construction; each end
//! gathers the pull of its bonds in the order of partners. The two ends approach at `k (d - rest)` each:
//! alone, they relax to the rest length as `exp(-2 k t)`. A bond of which one cell is not among the bodies
//! exerts nothing.

use super::Body;
use super::sort::Sorted;
use crate::core::identity::CellId;
use crate::core::parallel::for_each_chunk_mut;

/// A spring between two cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bond {
    /// The cell with the smaller identity.
    pub a: CellId,
    /// The cell with the larger identity.
    pub b: CellId,
    /// Rest length between centres, um.
    pub rest: f32,
    /// Stiffness, 1/min. PhysiCell's attachments use 0.01 (Ghaffarizadeh et al. 2018).
    pub stiffness: f32,
}

/// Bonds as a checkpoint stores them.
pub type BondsState = Vec<(CellId, CellId, f32, f32)>;

/// The bonds of a site, at most one between two cells, ordered by the cells they join.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bonds(Vec<Bond>);

impl Bonds {
    fn place(&self, a: CellId, b: CellId) -> Result<usize, usize> {
        let key = (a.min(b), a.max(b));
        self.0.binary_search_by_key(&key, |bond| (bond.a, bond.b))
    }

    /// Joins two cells; returns whether they were not joined before. An existing bond takes the new values.
    pub fn add(&mut self, a: CellId, b: CellId, rest: f32, stiffness: f32) -> bool {
        assert!(a != b, "a cell holds another, not itself");
        let bond = Bond {
            a: a.min(b),
            b: a.max(b),
            rest,
            stiffness,
        };
        match self.place(a, b) {
            Ok(at) => {
                self.0[at] = bond;
                false
            }
            Err(at) => {
                self.0.insert(at, bond);
                true
            }
        }
    }

    /// Cuts the bond of two cells; returns whether there was one.
    pub fn remove(&mut self, a: CellId, b: CellId) -> bool {
        self.place(a, b).map(|at| self.0.remove(at)).is_ok()
    }

    /// Keeps the bonds for which `keep` says so; drop those of dead cells with it.
    pub fn retain(&mut self, keep: impl FnMut(&Bond) -> bool) {
        self.0.retain(keep);
    }

    /// Cuts all bonds of these cells, which are given in order.
    pub fn cut(&mut self, cells: &[CellId]) {
        let is_one = |cell: CellId| cells.binary_search(&cell).is_ok();
        self.0.retain(|bond| !is_one(bond.a) && !is_one(bond.b));
    }

    /// Moves the bonds between these cells, which are given in order, to another list, and cuts those that they have
    /// with others.
    pub fn move_between(&mut self, cells: &[CellId], to: &mut Self) {
        let is_one = |cell: CellId| cells.binary_search(&cell).is_ok();
        self.0.retain(|bond| {
            let ends = [is_one(bond.a), is_one(bond.b)];
            if ends == [true, true] {
                to.put(*bond);
            }
            ends == [false, false]
        });
    }

    /// Adds a bond as it is, in place of one between the same cells.
    fn put(&mut self, bond: Bond) {
        match self.place(bond.a, bond.b) {
            Ok(at) => self.0[at] = bond,
            Err(at) => self.0.insert(at, bond),
        }
    }

    /// What is to be kept of them.
    pub fn state(&self) -> BondsState {
        self.iter()
            .map(|bond| (bond.a, bond.b, bond.rest, bond.stiffness))
            .collect()
    }

    /// The bonds that were kept.
    ///
    /// # Errors
    /// In words, when a cell is bound to itself or two cells are bound twice.
    pub fn of_state(state: BondsState) -> Result<Self, String> {
        let mut bonds = Self::default();
        for (a, b, rest, stiffness) in state {
            if a == b || !bonds.add(a, b, rest, stiffness) {
                return Err(format!("cells {} and {} are bound twice", a.0, b.0));
            }
        }
        Ok(bonds)
    }

    /// The bond between two cells.
    pub fn between(&self, a: CellId, b: CellId) -> Option<&Bond> {
        self.place(a, b).ok().map(|at| &self.0[at])
    }

    /// All bonds, ordered by their cells.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Bond> {
        self.0.iter()
    }

    /// Number of bonds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of bonds of a cell.
    pub fn count_of(&self, cell: CellId) -> usize {
        self.0
            .iter()
            .filter(|bond| bond.a == cell || bond.b == cell)
            .count()
    }
}

/// Marks a slot without bonds, and a member that is not among the bodies.
const NONE: u32 = u32::MAX;
/// Slots per piece of the search for members.
const SLOTS: usize = 16_384;

/// The bonds by cell and slot, rebuilt when the list changed.
#[derive(Default)]
pub(super) struct BondIndex {
    bonds: Vec<Bond>,
    /// Cells with bonds, ascending.
    members: Vec<CellId>,
    /// First end of each member, and their number.
    starts: Vec<u32>,
    ends: Vec<End>,
    /// One bit for some identities; a cell whose bit is unset is no member.
    filter: Vec<u64>,
    member_of_slot: Vec<u32>,
    slot_of_member: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct End {
    partner: u32,
    rest: f32,
    stiffness: f32,
}

impl BondIndex {
    /// Whether these are not the bonds that were indexed.
    pub fn differ(&self, bonds: Option<&Bonds>) -> bool {
        bonds.map_or(&[][..], |bonds| &bonds.0) != self.bonds
    }

    /// Finds the slots of the cells that `bonds` join.
    pub fn prepare(&mut self, bonds: Option<&Bonds>, cells: &Sorted, bodies: &[Body]) {
        let bonds = bonds.map_or(&[][..], |bonds| &bonds.0);
        if bonds != self.bonds {
            self.index(bonds);
        }
        if self.bonds.is_empty() {
            return;
        }
        self.member_of_slot.resize(cells.len, NONE);
        let (members, filter) = (&self.members, &self.filter);
        for_each_chunk_mut(&mut self.member_of_slot, SLOTS, |first, piece| {
            for (slot, member) in piece.iter_mut().enumerate() {
                let id = bodies[cells.row[first + slot] as usize].id;
                let (word, bit) = filter_place(id, filter.len());
                let found = if filter[word] & bit == 0 {
                    None
                } else {
                    members.binary_search(&id).ok()
                };
                *member = found.map_or(NONE, |member| member as u32);
            }
        });
        self.slot_of_member.clear();
        self.slot_of_member.resize(self.members.len(), NONE);
        for (slot, member) in self.member_of_slot.iter().enumerate() {
            if *member != NONE {
                self.slot_of_member[*member as usize] = slot as u32;
            }
        }
    }

    fn index(&mut self, bonds: &[Bond]) {
        self.bonds.clear();
        self.bonds.extend_from_slice(bonds);
        self.members.clear();
        self.members
            .extend(bonds.iter().flat_map(|bond| [bond.a, bond.b]));
        self.members.sort_unstable();
        self.members.dedup();
        let words = (self.members.len() / 4).max(1).next_power_of_two();
        self.filter.clear();
        self.filter.resize(words, 0);
        for id in &self.members {
            let (word, bit) = filter_place(*id, words);
            self.filter[word] |= bit;
        }
        let member = |id: CellId| self.members.binary_search(&id).unwrap_or(0);
        self.starts.clear();
        self.starts.resize(self.members.len() + 1, 0);
        for bond in bonds {
            self.starts[member(bond.a) + 1] += 1;
            self.starts[member(bond.b) + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        self.ends.clear();
        self.ends.resize(2 * bonds.len(), End::default());
        // A cell's partners with smaller identities come before those with larger ones, each group in
        // order, since the list is ordered by (a, b): first as `b`, then as `a`.
        let mut next = self.starts.clone();
        for first_pass in [true, false] {
            for bond in bonds {
                let (own, other) = if first_pass {
                    (bond.b, bond.a)
                } else {
                    (bond.a, bond.b)
                };
                let next = &mut next[member(own)];
                self.ends[*next as usize] = End {
                    partner: member(other) as u32,
                    rest: bond.rest,
                    stiffness: bond.stiffness,
                };
                *next += 1;
            }
        }
    }

    /// Whether there are no bonds.
    pub fn is_empty(&self) -> bool {
        self.bonds.is_empty()
    }

    /// Velocity and stiffness (1/min) that bonds give to the cell in `slot`.
    #[inline]
    pub fn pull(&self, cells: &Sorted, bodies: &[Body], slot: usize) -> Option<([f32; 3], f32)> {
        if self.bonds.is_empty() || self.member_of_slot[slot] == NONE {
            return None;
        }
        let member = self.member_of_slot[slot] as usize;
        let mut velocity = [0.0; 3];
        let mut stiffness = 0.0;
        for end in &self.ends[self.starts[member] as usize..self.starts[member + 1] as usize] {
            let other = self.slot_of_member[end.partner as usize];
            if other == NONE {
                continue;
            }
            let other = other as usize;
            let d = [
                cells.x[other] - cells.x[slot],
                cells.y[other] - cells.y[slot],
                cells.z[other] - cells.z[slot],
            ];
            let distance = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
            let direction = if distance > 1.0e-6 {
                d.map(|d| d / distance)
            } else {
                let ids = [other, slot].map(|slot| bodies[cells.row[slot] as usize].id);
                super::contacts::parting(ids[0], ids[1])
            };
            let speed = end.stiffness * (distance - end.rest);
            for (velocity, direction) in velocity.iter_mut().zip(direction) {
                *velocity += speed * direction;
            }
            stiffness += end.stiffness;
        }
        Some((velocity, stiffness))
    }
}

/// Word and bit of an identity in a filter whose number of words is a power of two.
#[inline(always)]
fn filter_place(id: CellId, words: usize) -> (usize, u64) {
    ((id.0 >> 6) as usize & (words - 1), 1 << (id.0 & 63))
}
