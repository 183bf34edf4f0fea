//! Where sprouts begin: which pieces of vessel may give a tip.

use bevy::prelude::*;

use super::TipParameters;
use crate::tissue::network::{Network, Sprouts};

/// Length of vessel for which the hazard of a tip is said, um.
pub const UNIT_UM: f32 = 10.0;

/// A place in a vessel where a tip would begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the segment.
    pub segment: usize,
    /// Share of the way along it.
    pub share: f32,
    /// By which those are put in order that would begin at one time, 0-1.
    pub turn: f32,
}

impl Candidate {
    /// The place, um.
    pub fn at_um(&self, network: &Network) -> Vec3 {
        let [from, to] = network.places_um(self.segment);
        from.lerp(to, self.share)
    }
}

/// Whether a tip may begin there, with tips at these places, um. `near` is memory to work with.
pub fn may_begin(
    network: &Network,
    candidate: &Candidate,
    tips_um: &[Vec3],
    parameters: &TipParameters,
    near: &mut Vec<u32>,
) -> bool {
    let at_um = candidate.at_um(network);
    let is_held_back = |tip: &Vec3| tip.distance(at_um) < parameters.inhibits_um;
    if tips_um.iter().any(is_held_back) {
        return false;
    }
    let own = network.segments()[candidate.segment].sprout;
    if network
        .sprouts()
        .has_begun_near(at_um, own, parameters.apart_um)
    {
        return false;
    }
    let others = other_vessels(
        network,
        candidate.segment,
        at_um,
        parameters.crowded_um,
        near,
    );
    (others as f32) < parameters.crowded_by
}

/// How many vessels besides that of a segment come within a distance of a place, um. What was there from the start hangs together as one vessel
/// as far as it does so within that distance; of sprouts each is one.
pub fn other_vessels(
    network: &Network,
    segment: usize,
    at_um: Vec3,
    within_um: f32,
    near: &mut Vec<u32>,
) -> usize {
    network.segments_near(at_um, within_um, near);
    let segments = network.segments();
    // For each the first that hangs together with it.
    let mut first: Vec<usize> = (0..near.len()).collect();
    for at in 0..near.len() {
        let of = &segments[near[at] as usize];
        let mut joined = at;
        for (earlier, other) in near[..at].iter().enumerate() {
            let other = &segments[*other as usize];
            let is_same = if of.sprout == Sprouts::NONE {
                other.sprout == Sprouts::NONE
                    && [of.from, of.to]
                        .iter()
                        .any(|node| [other.from, other.to].contains(node))
            } else {
                other.sprout == of.sprout
            };
            if is_same {
                // Both heaps become one, under the lower number.
                let (a, b) = (first[joined], first[earlier]);
                let (low, high) = (a.min(b), a.max(b));
                for number in &mut first[..=at] {
                    if *number == high {
                        *number = low;
                    }
                }
                joined = at;
            }
        }
    }
    let own = near.iter().position(|of| *of as usize == segment);
    let own = own.map(|own| first[own]);
    let is_head = |(at, first): (usize, &usize)| at == *first;
    let heads = first.iter().enumerate().filter(|of| is_head(*of)).count();
    heads - usize::from(own.is_some())
}
