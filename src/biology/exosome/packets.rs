//! Packets of vesicles in a site, and its books.
//!
//! A packet is a stated number of vesicles that walk together. At a million of cells they come and go by tens of thousands a
//! step, so a site holds its packets in one array, as it does the segments of a network, and not as entities; they have identities,
//! and are hashed, saved and resumed as part of the site.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::parameters::{CARGO, INTEGRINS};
use crate::core::CellId;
use crate::core::inbox::Inbox;
use crate::core::state::WhollyKept;
use crate::tissue::SiteId;

/// Whose a packet is that comes from no cell of the scene.
pub const NO_CELL: CellId = CellId(u64::MAX);

/// Packets in a site beyond which new vesicles join those that are there, so that no scene fills the memory; what they carry is then mixed.
pub const MOST_PACKETS: usize = 1_000_000;

/// What the vesicles of a packet are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The cell that set them free; [`NO_CELL`] if none of the scene did.
    pub origin: CellId,
    /// What each carries, in the order of [`CARGO`].
    pub cargo: [f32; CARGO.len()],
    /// Its integrins, in the order of [`INTEGRINS`].
    pub integrins: [f32; INTEGRINS.len()],
}

impl Load {
    /// The integrin of which they carry most; the number of [`INTEGRINS`] where they carry none.
    pub fn profile(&self) -> usize {
        let mut most = (INTEGRINS.len(), 0.0);
        for (number, level) in self.integrins.iter().enumerate() {
            if *level > most.1 {
                most = (number, *level);
            }
        }
        most.0
    }

    fn key(&self) -> impl Ord + use<> {
        let bits = self.cargo.map(f32::to_bits);
        (self.origin, bits, self.integrins.map(f32::to_bits))
    }
}

/// A packet of vesicles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packet {
    /// Its number in its site, never given again.
    pub id: u64,
    /// Where it is, um.
    pub at_um: Vec3,
    /// Vesicles in it.
    pub vesicles: u32,
    /// Whether they bind to residents by the integrins of the organ, and educate them.
    pub binds: bool,
    /// Whether they came with the blood, which has left them in this organ for good.
    pub is_left_by_blood: bool,
    /// What they are.
    pub load: Load,
}

impl Packet {
    /// Other vesicles walk with it from now on: what one of them carries is then the mean of all.
    fn join(&mut self, load: &Load, vesicles: u32) {
        let all = self.vesicles.saturating_add(vesicles).max(1);
        let share = vesicles as f32 / all as f32;
        let mix = |own: &mut f32, other: f32| *own += share * (other - *own);
        for (own, other) in self.load.cargo.iter_mut().zip(load.cargo) {
            mix(own, other);
        }
        for (own, other) in self.load.integrins.iter_mut().zip(load.integrins) {
            mix(own, other);
        }
        self.vesicles = all;
    }
}

/// Vesicles of a site since the beginning; all of them are somewhere: what came is what is in the tissue, was taken up or went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Set free by cells of the site.
    pub secreted: u64,
    /// Come with the blood.
    pub arrived: u64,
    /// Taken up by cells.
    pub taken_up: u64,
    /// Of these, by those to which they bound.
    pub bound: u64,
    /// Gone into the blood.
    pub escaped: u64,
    /// Gone into the lymph, with the fluid that it drains.
    pub drained: u64,
}

/// Where something was taken up, for pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flash {
    /// Where, um.
    pub at_um: Vec3,
    /// For how long it is seen still, min.
    pub left_min: f32,
    /// The integrin of what was taken up, as [`Load::profile`].
    pub profile: u8,
}

/// The packets of a site, in the order of their numbers.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packets {
    /// All there are.
    pub list: Vec<Packet>,
    /// The number of the next.
    pub next: u64,
    /// What became of all that came.
    pub books: Books,
    /// What was taken up just now.
    pub flashes: Vec<Flash>,
    /// For so many blocks the site stands.
    pub stands_for: f32,
    /// How much of what its organ takes up from the blood reaches it.
    pub reach: f32,
    /// What came into the blood in this step, and how many vesicles.
    pub leaving: Vec<(Load, u32)>,
    /// The same of the lymph: packets as they were.
    pub draining: Vec<Packet>,
}

impl WhollyKept for Packets {}

impl Packets {
    /// Adds a packet; where there are very many its vesicles join another.
    pub fn add(&mut self, load: Load, at_um: Vec3, vesicles: u32, binds: bool) {
        self.put(load, at_um, vesicles, binds, false);
    }

    /// Adds a packet that comes with the blood.
    pub fn add_from_blood(&mut self, load: Load, at_um: Vec3, vesicles: u32, binds: bool) {
        self.put(load, at_um, vesicles, binds, true);
    }

    fn put(&mut self, load: Load, at_um: Vec3, vesicles: u32, binds: bool, is_left_by_blood: bool) {
        let id = self.next;
        self.next += 1;
        if self.list.len() >= MOST_PACKETS {
            let place = (id % MOST_PACKETS as u64) as usize;
            self.list[place].join(&load, vesicles);
            return;
        }
        self.list.push(Packet {
            id,
            at_um,
            vesicles,
            binds,
            is_left_by_blood,
            load,
        });
    }

    /// Vesicles in the tissue.
    pub fn in_tissue(&self) -> u64 {
        self.list
            .iter()
            .map(|packet| u64::from(packet.vesicles))
            .sum()
    }

    /// What is wrong with the books, in words.
    pub fn wrong(&self) -> Option<String> {
        let Books {
            secreted,
            arrived,
            taken_up,
            bound,
            escaped,
            drained,
        } = self.books;
        let here = self.in_tissue();
        if secreted + arrived != here + taken_up + escaped + drained {
            return Some(format!(
                "{secreted} vesicles were set free and {arrived} came, but {here} are in the tissue, {taken_up} were taken up, \
                 {escaped} went into the blood and {drained} into the lymph"
            ));
        }
        if bound > taken_up {
            return Some(format!(
                "{bound} of {taken_up} vesicles that were taken up bound"
            ));
        }
        let in_order = self.list.windows(2).all(|pair| pair[0].id < pair[1].id);
        let finite = self.list.iter().all(|packet| packet.at_um.is_finite());
        (!in_order || !finite).then(|| "a packet has no place, or not its own number".to_owned())
    }
}

/// What a cell sets free in a step.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Where.
    pub site: SiteId,
    /// Centre of the cell, um.
    pub at_um: Vec3,
    /// Vesicles in a packet.
    pub vesicles: u32,
    /// Packets.
    pub packets: u32,
    /// What they are.
    pub load: Load,
}

/// What cells set free in this step, handed in from many threads.
#[derive(Resource, Debug, Default)]
pub struct Released(Inbox<Vec<Release>>);

impl Released {
    /// Adds to it.
    pub fn add(&self, release: Release) {
        self.0.add(|list| list.push(release));
    }

    /// What was added, in an order that depends on nothing but what it is.
    pub fn in_order(&mut self) -> &mut Vec<Release> {
        let list = self.0.taken();
        list.sort_unstable_by_key(|of| (of.site, of.load.key(), of.packets));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(integrins: [f32; 3]) -> Load {
        Load {
            origin: CellId(3),
            cargo: [1.0; CARGO.len()],
            integrins,
        }
    }

    #[test]
    fn vesicles_are_known_by_the_integrin_of_which_they_carry_most() {
        assert_eq!(load([0.0; 3]).profile(), 3);
        assert_eq!(load([0.2, 1.0, 0.5]).profile(), 1);
        assert_eq!(load([0.0, 0.0, 0.1]).profile(), 2);
    }

    #[test]
    fn vesicles_that_join_others_lose_nothing_of_what_they_carry() {
        let mut packet = Packet {
            id: 0,
            at_um: Vec3::ZERO,
            vesicles: 100,
            binds: false,
            is_left_by_blood: false,
            load: load([1.0, 0.0, 0.0]),
        };
        let mut other = load([0.0, 0.5, 0.0]);
        other.cargo[0] = 5.0;
        packet.join(&other, 300);
        assert_eq!(packet.vesicles, 400);
        // 100 of 1 and 300 of 5.
        assert!((packet.load.cargo[0] - 4.0).abs() < 1e-6);
        assert!((packet.load.integrins[0] - 0.25).abs() < 1e-6);
        assert!((packet.load.integrins[1] - 0.375).abs() < 1e-6);
    }

    #[test]
    fn books_tell_what_is_missing() {
        let mut packets = Packets::default();
        for place in 0..4 {
            packets.add(load([0.0; 3]), Vec3::splat(place as f32), 100, false);
        }
        packets.books.secreted = 400;
        assert_eq!(packets.wrong(), None);
        packets.list.remove(1);
        assert!(packets.wrong().expect("a packet is lost").contains("300"));
        packets.books.taken_up = 100;
        assert_eq!(packets.wrong(), None);
        packets.list[1].id = 7;
        assert!(packets.wrong().is_some());
    }
}
