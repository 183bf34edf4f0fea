//! Sources and sinks of molecules that a scene puts into a site: a bead that gives off a factor, a probe that takes oxygen, a
//! pellet that is there for a day.
//!
//! Their rates are of zero order: they do not hinge on what is there, except that a sink takes nothing where nothing is. It is
//! solved as saturating uptake with a half-saturation of [`SINK_SHARE`] of that of the molecule.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Molecule, TissueBlock};
use crate::core::units::{MOLECULES_PER_UM3_PER_NM, SECONDS_PER_MINUTE};

/// Half-saturation of a sink over that of the molecule.
pub const SINK_SHARE: f32 = 1e-3;

/// A part of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub enum Region {
    /// The voxel around a point, um.
    Point {
        /// The point, um.
        at_um: (f32, f32, f32),
    },
    /// The voxels whose centres lie in a ball; that around its centre where there are none.
    Ball {
        /// Its centre, um.
        #[serde(default)]
        center_um: (f32, f32, f32),
        /// Its radius, um.
        radius_um: f32,
    },
    /// The voxels whose centres lie in a box; that around its middle where there are none.
    Box {
        /// Lower corner, um.
        min_um: (f32, f32, f32),
        /// Upper corner, um.
        max_um: (f32, f32, f32),
    },
}

impl Region {
    /// Corners of the box around it, um.
    pub fn bounds_um(&self) -> (Vec3, Vec3) {
        match *self {
            Self::Point { at_um } => (at_um.into(), at_um.into()),
            Self::Ball {
                center_um,
                radius_um,
            } => {
                let centre = Vec3::from(center_um);
                (centre - radius_um, centre + radius_um)
            }
            Self::Box { min_um, max_um } => (min_um.into(), max_um.into()),
        }
    }

    /// Whether a point lies in it, um; none lies in a single point.
    pub fn holds(&self, at_um: Vec3) -> bool {
        let (min, max) = self.bounds_um();
        match *self {
            Self::Point { .. } => false,
            Self::Ball {
                center_um,
                radius_um,
            } => at_um.distance(center_um.into()) <= radius_um,
            Self::Box { .. } => at_um.cmpge(min).all() && at_um.cmple(max).all(),
        }
    }

    /// The voxels of a block that belong to it, in their order; at least one.
    pub fn voxels(&self, block: &TissueBlock) -> Vec<u32> {
        let (min, max) = self.bounds_um();
        let [nx, ny, nz] = block.dims.to_array();
        let mut found = Vec::new();
        for z in 0..nz {
            for y in 0..ny {
                for x in 0..nx {
                    let cell = UVec3::new(x, y, z).as_vec3() + Vec3::splat(0.5);
                    if self.holds(block.min_um + cell * block.voxel_um) {
                        found.push(x + nx * (y + ny * z));
                    }
                }
            }
        }
        if found.is_empty() {
            found.push(block.voxel_at(0.5 * (min + max)));
        }
        found
    }
}

/// How much a source gives; a sink where it is negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Reflect)]
pub enum PlacedRate {
    /// Molecules per second, all of it together.
    MoleculesPerSecond(f64),
    /// By how much the concentration in it would change in a minute, unit of the molecule.
    PerMinute(f64),
}

impl PlacedRate {
    /// The number.
    pub const fn number(self) -> f64 {
        match self {
            Self::MoleculesPerSecond(number) | Self::PerMinute(number) => number,
        }
    }
}

/// A source or sink, as the solver takes it.
#[derive(Clone, Debug, PartialEq)]
struct Placed {
    voxels: Vec<u32>,
    per_min: f32,
    from_minutes: f64,
    until_minutes: f64,
}

/// The sources and sinks of a field.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct PlacedRates(Vec<Placed>);

impl PlacedRates {
    /// Adds one that acts from one time until another, minutes.
    pub fn add(
        &mut self,
        region: &Region,
        rate: PlacedRate,
        (from_minutes, until_minutes): (f64, f64),
        block: &TissueBlock,
        molecule: &Molecule,
    ) {
        let voxels = region.voxels(block);
        let per_min = match rate {
            PlacedRate::PerMinute(per_min) => per_min,
            PlacedRate::MoleculesPerSecond(per_second) => {
                let volume_um3 = voxels.len() as f64 * f64::from(block.voxel_volume_um3());
                per_second * SECONDS_PER_MINUTE
                    / (MOLECULES_PER_UM3_PER_NM * f64::from(molecule.nm_per_unit) * volume_um3)
            }
        };
        self.0.push(Placed {
            voxels,
            per_min: per_min as f32,
            from_minutes,
            until_minutes,
        });
    }

    /// Whether any of them gives or takes between two times, minutes.
    pub fn acts(&self, start: f64, end: f64, gives: bool) -> bool {
        let acts = |placed: &Placed| placed.share_of(start, end) > 0.0;
        let wanted = |placed: &&Placed| (placed.per_min > 0.0) == gives && placed.per_min != 0.0;
        self.0.iter().filter(wanted).any(acts)
    }

    /// Adds what they give, or take, on average between two times, minutes, to the rates of voxels, unit per minute.
    pub fn fill(&self, start: f64, end: f64, gives: bool, rates: &mut [f32]) {
        for placed in self
            .0
            .iter()
            .filter(|placed| (placed.per_min > 0.0) == gives)
        {
            let per_min = placed.per_min.abs() * placed.share_of(start, end) as f32;
            for voxel in &placed.voxels {
                rates[*voxel as usize] += per_min;
            }
        }
    }
}

impl Placed {
    /// The share of the time between two moments in which it acts.
    fn share_of(&self, start: f64, end: f64) -> f64 {
        let both = end.min(self.until_minutes) - start.max(self.from_minutes);
        (both / (end - start)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::molecule::testing::molecule;
    use super::*;

    fn block() -> TissueBlock {
        TissueBlock {
            name: "block".into(),
            min_um: Vec3::splat(-100.0),
            dims: UVec3::splat(10),
            voxel_um: Vec3::splat(20.0),
            walls: true,
            perfusion_length_um: None,
        }
    }

    #[test]
    fn regions_are_the_voxels_whose_centres_lie_inside() {
        let block = block();
        let ball = |radius_um| Region::Ball {
            center_um: (0.0, 0.0, 0.0),
            radius_um,
        };
        // Eight centres lie sqrt 3 x 10 um away, 24 more sqrt 11 x 10 um.
        assert_eq!(ball(20.0).voxels(&block).len(), 8);
        assert_eq!(ball(34.0).voxels(&block).len(), 32);
        assert_eq!(ball(5.0).voxels(&block).len(), 1);
        let slab = Region::Box {
            min_um: (-100.0, -100.0, 60.0),
            max_um: (100.0, 100.0, 80.0),
        };
        assert_eq!(slab.voxels(&block), (800..900).collect::<Vec<u32>>());
        let point = Region::Point {
            at_um: (-95.0, -95.0, -75.0),
        };
        assert_eq!(point.voxels(&block), [100]);
    }

    #[test]
    fn a_source_gives_in_all_what_it_says_and_only_while_it_acts() {
        let (block, vegf) = (block(), molecule("vegf_a", 1.0, 0.0));
        let region = Region::Ball {
            center_um: (0.0, 0.0, 0.0),
            radius_um: 34.0,
        };
        let mut placed = PlacedRates::default();
        let rate = PlacedRate::MoleculesPerSecond(1e6);
        placed.add(&region, rate, (10.0, 20.0), &block, &vegf);
        placed.add(
            &region,
            PlacedRate::PerMinute(-2.0),
            (0.0, f64::INFINITY),
            &block,
            &vegf,
        );
        let given = |start, end| {
            let mut rates = vec![0.0; 1000];
            placed.fill(start, end, true, &mut rates);
            rates.iter().map(|rate| f64::from(*rate)).sum::<f64>()
        };
        // 6e7 molecules a minute in 8e-12 L voxels: their sum is independent of how many share them.
        let all = 6e7 / 6.022_140_76e23 / 8e-12 * 1e9;
        for (start, end, share) in [(10.0, 20.0, 1.0), (0.0, 10.0, 0.0), (15.0, 25.0, 0.5)] {
            assert!((given(start, end) - share * all).abs() < 1e-5 * all);
            assert_eq!(placed.acts(start, end, true), share > 0.0);
        }
        let mut taken = vec![0.0; 1000];
        placed.fill(0.0, 1.0, false, &mut taken);
        assert_eq!(taken.iter().sum::<f32>(), 64.0);
    }
}
