//! How short the substeps must be, for all cells or for few of them (see `runners`).

use super::{Extremes, Influences, Mechanics, MechanicsParameters};

/// Half-octaves of hurry that are told apart.
const HURRIES: usize = 16;
/// Cost of a runner's own substep, and of finding the neighbours of one that stays, over that of evaluating a cell with
/// all others; measured with `cargo bench --bench table -- scene walkers`.
const OWN: f32 = 1.0;
const LISTING: f32 = 0.8;
/// What a substep of its own adds to how far a runner must look, over the distance of contact: the largest displacement,
/// a fifth of a radius, of both, over 2.5 radii, the reach by PhysiCell; by `Cohesive` it is 0.14.
const FARTHER: f32 = 0.16;
/// Runners for each cell that needs to be one: it takes along what is in its way.
const TAKEN_ALONG: f32 = 2.5;
/// Cost up to which runners pay, over that of all cells together in short substeps. Well below 1, so that tissue that
/// hurries everywhere goes together.
const PAYS: f32 = 0.7;
/// Substeps a minute that a cell of this stiffness (1/min) and speed over radius (1/min) needs.
#[inline(always)]
pub(super) fn rate(parameters: &MechanicsParameters, stiffness: f32, relative_speed: f32) -> f32 {
    let stable = 2.0 * stiffness / parameters.caution;
    let short = relative_speed / parameters.largest_displacement;
    if stable > short { stable } else { short }
}

/// How many cells are how much in a hurry: the time left over the longest substep that they can take, in half-octaves
/// from 1 on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hurried([u32; HURRIES]);

impl Hurried {
    /// Counts a cell that needs so many substeps.
    #[inline(always)]
    pub fn note(&mut self, substeps: f32) {
        if substeps >= 1.0 {
            self.0[half_octave(substeps)] += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count += other;
        }
    }

    /// Cells that need more substeps than this, which is a power of two or three times one.
    fn above(&self, substeps: u32) -> u32 {
        self.0[half_octave(substeps as f32)..].iter().sum()
    }
}

/// The exponent, and the bit behind the leading one.
#[inline(always)]
fn half_octave(substeps: f32) -> usize {
    let above_one = (substeps.to_bits() >> 22) as usize - (127 << 1);
    above_one.min(HURRIES - 1)
}

/// Into how many substeps a time is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Substeps of all cells.
    pub pieces: u32,
    /// Substeps of runners in each of them.
    pub ticks: u32,
}

impl Mechanics {
    /// Substeps that are allowed for `left` minutes, after an evaluation: no fewer than walking cells need to go as far as
    /// their speed has it, whatever pushes others.
    pub(super) fn allow_for_walkers(
        &self,
        left: f32,
        allowed: u32,
        surroundings: &Influences,
    ) -> u32 {
        let Extremes {
            stiffness,
            relative_speed,
            ..
        } = self.extremes;
        if left * rate(&self.parameters, stiffness, relative_speed) <= allowed as f32 {
            return allowed;
        }
        let squares = surroundings.active.iter().zip(&self.bodies);
        let squares =
            squares.map(|([x, y, z], body)| (x * x + y * y + z * z) / (body.radius * body.radius));
        let fastest = squares.fold(0.0, f32::max).sqrt();
        let needed = left * rate(&self.parameters, 0.0, fastest);
        allowed.max(needed.ceil() as u32)
    }

    /// Into how many substeps to cut `left` minutes, after an evaluation.
    pub(super) fn plan(&self, left: f32, allowed: u32) -> Plan {
        let extremes = self.extremes;
        let longest = 1.0
            / rate(
                &self.parameters,
                extremes.stiffness,
                extremes.relative_speed,
            );
        let all = (left / longest).ceil().clamp(1.0, allowed as f32);
        let together = Plan {
            pieces: all as u32,
            ticks: 1,
        };
        let cells = self.cells.len as f32;
        let mut best = (together, PAYS * all * cells);
        let mut pieces = 1;
        while self.parameters.local_substeps && (pieces as f32) < all {
            let ticks = (all / pieces as f32).ceil();
            let runners = TAKEN_ALONG * self.hurried.above(pieces) as f32;
            let wider = 1.0 + FARTHER * ticks;
            let each = LISTING * wider * wider * wider + OWN * ticks;
            let cost = pieces as f32 * (cells + runners * each);
            if cost < best.1 {
                let ticks = ticks as u32;
                best = (Plan { pieces, ticks }, cost);
            }
            // 1, 2, 3, 4, 6, 8, 12 and so on.
            pieces = if pieces.is_power_of_two() && pieces > 1 {
                pieces + pieces / 2
            } else {
                (pieces + 1).next_power_of_two()
            };
        }
        best.0
    }
}
