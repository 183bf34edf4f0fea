//! What is known of the sprouts of a network.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// Where a sprout began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sprout {
    /// The place in the wall of the vessel from which it came, um.
    pub at_um: Vec3,
    /// Number of the sprout that this vessel belongs to; [`Sprouts::NONE`] for one that was there from the start.
    pub parent: u32,
}

/// The sprouts of a network, those that are gone included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sprouts {
    /// Where each of them began; they are numbered from 1 on in this order.
    pub begun: Vec<Sprout>,
    /// How many of them have met a vessel.
    pub joined: u64,
    /// How many have died before.
    pub withered: u64,
}

impl Sprouts {
    /// Number of vessels that were there from the start.
    pub const NONE: u32 = 0;

    /// Notes one that begins, and says its number.
    pub fn begin(&mut self, sprout: Sprout) -> u32 {
        self.begun.push(sprout);
        self.begun.len() as u32
    }

    /// Whether one has begun on a vessel of that number within a distance of a place, um.
    pub fn has_begun_near(&self, at_um: Vec3, parent: u32, within_um: f32) -> bool {
        let mut begun = self.begun.iter();
        begun.any(|of| of.parent == parent && of.at_um.distance(at_um) <= within_um)
    }
}
