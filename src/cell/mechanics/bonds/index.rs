//! Where the ends of bonds are among the sorted cells, and what they pull there.

use super::{Bonds, Joined, Member, NONE, SLOTS};
use crate::cell::mechanics::ContactBody;
use crate::cell::mechanics::contacts::parting;
use crate::cell::mechanics::sort::Sorted;
use crate::core::identity::CellId;
use crate::core::parallel::{for_each_chunk_mut, reserve_sparingly};

/// Where the cells with bonds are among the slots.
#[derive(Default)]
pub(in crate::cell::mechanics) struct BondIndex {
    member_of_slot: Vec<u32>,
    pub(super) slot_of_member: Vec<u32>,
}

impl BondIndex {
    /// Finds the slots of the cells that `bonds` join.
    pub fn prepare(&mut self, bonds: Option<&Bonds>, cells: &Sorted, bodies: &[ContactBody]) {
        self.slot_of_member.clear();
        let Some(bonds) = bonds.filter(|bonds| !bonds.is_empty()) else {
            self.member_of_slot.clear();
            return;
        };
        reserve_sparingly(&mut self.member_of_slot, cells.len);
        self.member_of_slot.resize(cells.len, NONE);
        for_each_chunk_mut(&mut self.member_of_slot, SLOTS, |first, piece| {
            for (slot, member) in piece.iter_mut().enumerate() {
                let id = bodies[cells.row[first + slot] as usize].id;
                *member = if bonds.may_bind(id) {
                    bonds.member_of.get(&id).copied().unwrap_or(NONE)
                } else {
                    NONE
                };
            }
        });
        self.slot_of_member.resize(bonds.members.len(), NONE);
        for (slot, member) in self.member_of_slot.iter().enumerate() {
            if *member != NONE {
                self.slot_of_member[*member as usize] = slot as u32;
            }
        }
    }

    /// Whether there are no bonds.
    pub fn is_empty(&self) -> bool {
        self.slot_of_member.is_empty()
    }

    /// The member in a slot, if it is one.
    #[inline(always)]
    fn at<'b>(&self, bonds: Option<&'b Bonds>, slot: usize) -> Option<(&'b Bonds, &'b Member)> {
        if self.is_empty() || self.member_of_slot[slot] == NONE {
            return None;
        }
        let bonds = bonds?;
        Some((bonds, &bonds.members[self.member_of_slot[slot] as usize]))
    }

    /// The slot of the partner at an end, if it is among the bodies.
    #[inline(always)]
    fn partner(&self, own: CellId, joined: &Joined) -> Option<usize> {
        let [a, b] = joined.members;
        let member = if joined.bond.a == own { b } else { a };
        let slot = self.slot_of_member[member as usize];
        (slot != NONE).then_some(slot as usize)
    }

    /// Calls `work` with the slot of each cell that the cell in `slot` is bound to.
    pub fn for_each_partner(
        &self,
        bonds: Option<&Bonds>,
        slot: usize,
        mut work: impl FnMut(usize),
    ) {
        let Some((bonds, member)) = self.at(bonds, slot) else {
            return;
        };
        for end in &member.ends {
            if let Some(other) = self.partner(member.id, &bonds.list[end.bond as usize]) {
                work(other);
            }
        }
    }

    /// Velocity and stiffness (1/min) that bonds give to the cell in `slot`.
    #[inline]
    pub fn pull(
        &self,
        bonds: Option<&Bonds>,
        cells: &Sorted,
        bodies: &[ContactBody],
        slot: usize,
    ) -> Option<([f32; 3], f32)> {
        let (bonds, member) = self.at(bonds, slot)?;
        let mut velocity = [0.0; 3];
        let mut stiffness = 0.0;
        for end in &member.ends {
            let joined = &bonds.list[end.bond as usize];
            let Some(other) = self.partner(member.id, joined) else {
                continue;
            };
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
                parting(ids[0], ids[1])
            };
            let speed = joined.bond.stiffness * (distance - joined.bond.rest);
            for (velocity, direction) in velocity.iter_mut().zip(direction) {
                *velocity += speed * direction;
            }
            stiffness += joined.bond.stiffness;
        }
        Some((velocity, stiffness))
    }
}
