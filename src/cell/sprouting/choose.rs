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

/// How many vessels besides that of a segment come within a distance of a place, um. Each sprout is one. What was there from the start is a network
/// that hangs together, and counts by its length: a vessel that crosses a ball of radius `r` somewhere is `4 r/3` long in it, one through its middle `2 r`.
pub fn other_vessels(
    network: &Network,
    segment: usize,
    at_um: Vec3,
    within_um: f32,
    near: &mut Vec<u32>,
) -> usize {
    network.segments_near(at_um, within_um, near);
    let own = network.segments()[segment].sprout;
    let mut placed_um = 0.0;
    let mut is_placed_near = false;
    let mut sprouts: Vec<u32> = Vec::new();
    for at in near.iter() {
        let of = network.segments()[*at as usize].sprout;
        if of == Sprouts::NONE {
            is_placed_near = true;
            placed_um += length_in_ball(network.places_um(*at as usize), at_um, within_um);
        } else if of != own && !sprouts.contains(&of) {
            sprouts.push(of);
        }
    }
    let crossing_um = 4.0 / 3.0 * within_um;
    let placed = if own == Sprouts::NONE {
        ((placed_um - 2.0 * within_um) / crossing_um).max(0.0) as usize
    } else {
        ((placed_um / crossing_um) as usize).max(usize::from(is_placed_near))
    };
    sprouts.len() + placed
}

/// Length of what of a straight piece lies in a ball, um.
fn length_in_ball([from, to]: [Vec3; 2], centre: Vec3, radius: f32) -> f32 {
    let long = from.distance(to);
    let Some(way) = (to - from).try_normalize() else {
        return 0.0;
    };
    let middle = (centre - from).dot(way);
    let away2 = (centre - from).length_squared() - middle * middle;
    let half2 = radius * radius - away2;
    if half2 <= 0.0 {
        return 0.0;
    }
    let half = half2.sqrt();
    ((middle + half).min(long) - (middle - half).max(0.0)).max(0.0)
}
