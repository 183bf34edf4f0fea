//! What all modules together say about a medium, as the solver takes it; computed, never state.

use bevy::prelude::*;

use super::{Diffusing, VesselExchange};
use crate::tissue::FieldGrid;
use crate::tissue::solver::{Exchange, Reservoir, SharedCouplings};
use crate::tissue::transport::HeldFaces;

/// Least share of its diffusivity that a molecule keeps: nothing is shut off for good, or a field in balance would not
/// be determined there.
const LEAST_SHARE: f32 = 1e-6;

/// Which components of modules there are, and whether the whole changed.
#[derive(Debug, Default)]
struct Presence {
    is_there: Vec<bool>,
    is_changed: bool,
}

impl Presence {
    /// Notes that the `n`-th component is there or not, and whether it changed.
    fn note(&mut self, n: usize, is_there: bool, is_changed: bool) {
        if self.is_there.len() <= n {
            self.is_there.resize(n + 1, false);
        }
        let was_there = std::mem::replace(&mut self.is_there[n], is_there);
        self.is_changed |= is_changed || was_there != is_there;
    }

    fn any(&self) -> bool {
        self.is_there.contains(&true)
    }
}

/// The medium of a site: what hinders in it and what flows, told from earlier ones by a number.
#[derive(Component, Debug, Default)]
pub struct SiteMedium {
    hindrances: Presence,
    flows: bool,
    version: u64,
    sizes: Vec<SizeClass>,
    couplings: Vec<(FitKey, SharedCouplings)>,
    senseless: Option<f32>,
}

/// Asks, as a component of a site, what something of this radius, nm, that walks through the medium by itself keeps of its diffusivity:
/// [`SiteMedium::shares`] knows it after [`MediumSystems`](super::MediumSystems).
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct WalksThroughMedium(pub f32);

/// What molecules that are hindered alike keep of their diffusivity.
#[derive(Debug)]
struct SizeClass {
    of: Diffusing,
    version: u64,
    is_open: bool,
    shares: Vec<f32>,
}

/// What couplings hang on, but for the diffusivity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tissue) struct FitKey {
    pub of: Diffusing,
    pub dims: UVec3,
    pub held: HeldFaces,
}

impl SiteMedium {
    pub(super) fn note_hindrance(&mut self, n: usize, is_there: bool, is_changed: bool) {
        self.hindrances.note(n, is_there, is_changed);
    }

    /// Notes whether fluid flows; a new number for what changed.
    pub(super) fn note_flow(&mut self, flows: bool, is_changed: bool) {
        let was = std::mem::replace(&mut self.flows, flows);
        let changed = std::mem::take(&mut self.hindrances.is_changed);
        if changed || is_changed || was != flows {
            self.version += 1;
            self.couplings.clear();
        }
    }

    /// The number of the medium as it is now.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether fluid flows.
    pub const fn flows(&self) -> bool {
        self.flows
    }

    /// Whether anything hinders diffusion.
    pub fn is_hindered(&self) -> bool {
        self.hindrances.any()
    }

    /// Asks for the shares of a molecule, in a site of that many voxels.
    pub(super) fn ask(&mut self, of: Diffusing, voxels: usize) {
        if !self.is_hindered() {
            return;
        }
        let known = self.sizes.iter().position(|size| size.of == of);
        let place = known.unwrap_or_else(|| {
            self.sizes.push(SizeClass {
                of,
                version: 0,
                is_open: false,
                shares: Vec::new(),
            });
            self.sizes.len() - 1
        });
        let size = &mut self.sizes[place];
        if size.version != self.version {
            size.version = self.version;
            size.is_open = true;
            size.shares.clear();
            size.shares.resize(voxels, 1.0);
        }
    }

    /// Lets one component multiply the shares that were asked for.
    pub(super) fn gather(&mut self, hinder: impl Fn(Diffusing, &mut [f32])) {
        for size in self.sizes.iter_mut().filter(|size| size.is_open) {
            hinder(size.of, &mut size.shares);
        }
    }

    /// Closes what was asked for; all components have multiplied.
    pub(super) fn close(&mut self) {
        for size in self.sizes.iter_mut().filter(|size| size.is_open) {
            size.is_open = false;
            for share in &mut size.shares {
                if share.is_finite() {
                    *share = share.max(LEAST_SHARE);
                } else {
                    self.senseless.get_or_insert(size.of.radius_nm);
                    *share = LEAST_SHARE;
                }
            }
        }
    }

    /// The radius of molecules, nm, that would keep no finite share of their diffusivity somewhere.
    pub(in crate::tissue) const fn senseless_for(&self) -> Option<f32> {
        self.senseless
    }

    /// Shares of a molecule in the voxels of the site; none where nothing hinders.
    pub fn shares(&self, of: Diffusing) -> Option<&[f32]> {
        let size = self.sizes.iter().find(|size| size.of == of)?;
        self.is_hindered().then_some(&size.shares)
    }

    /// Couplings of this medium at hand.
    pub(super) fn couplings(&self, key: FitKey) -> Option<&SharedCouplings> {
        let found = self.couplings.iter().find(|(known, _)| *known == key)?;
        Some(&found.1)
    }

    /// Keeps couplings for other molecules.
    pub(super) fn keep_couplings(&mut self, key: FitKey, couplings: SharedCouplings) {
        self.couplings.push((key, couplings));
    }
}

/// What all vessels together exchange with a field.
#[derive(Component, Debug, Default)]
pub struct FieldExchange {
    presence: Presence,
    is_open: bool,
    /// Over the voxels of the site: rate, and rate times level.
    rate: Vec<f32>,
    supply: Vec<f32>,
    /// Over the voxels of the field: rate and level.
    whole: VesselExchange,
    is_supplied: bool,
}

impl FieldExchange {
    pub(super) fn note(&mut self, n: usize, is_there: bool, is_changed: bool) {
        self.presence.note(n, is_there, is_changed);
    }

    /// Begins to add anew, if anything changed.
    pub(super) fn open(&mut self, voxels: usize) {
        if std::mem::take(&mut self.presence.is_changed) {
            self.is_open = true;
            for sums in [&mut self.rate, &mut self.supply] {
                sums.clear();
                sums.resize(if self.presence.any() { voxels } else { 0 }, 0.0);
            }
        }
    }

    /// Adds one exchange; an empty one adds nothing.
    pub(super) fn add(&mut self, rates: &[f32], levels: &[f32]) {
        if !self.is_open || rates.is_empty() {
            return;
        }
        assert_eq!(
            [rates.len(), levels.len()],
            [self.rate.len(); 2],
            "vessels exchange in every voxel of the site"
        );
        let sums = self.rate.iter_mut().zip(&mut self.supply);
        for ((rate_sum, supply_sum), (rate, level)) in sums.zip(rates.iter().zip(levels)) {
            *rate_sum += rate;
            *supply_sum += rate * level;
        }
    }

    /// Works out rates and levels in the voxels of the field.
    pub(super) fn close(&mut self, grid: &FieldGrid) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let VesselExchange {
            rate_per_min,
            level,
        } = &mut self.whole;
        if self.rate.is_empty() {
            rate_per_min.clear();
            level.clear();
        } else {
            let mut means = Vec::new();
            rate_per_min.clear();
            rate_per_min.extend_from_slice(grid.means(&self.rate, &mut means));
            level.clear();
            level.extend_from_slice(grid.means(&self.supply, &mut means));
            for (level, rate) in level.iter_mut().zip(&*rate_per_min) {
                *level = if *rate > 0.0 { *level / rate } else { 0.0 };
            }
        }
        self.is_supplied = self.whole.rate_per_min.iter().any(|rate| *rate > 0.0);
    }

    /// What the solver takes; none where no wall lets anything through.
    pub fn exchange(&self) -> Option<Exchange<'_>> {
        self.is_supplied.then_some(Exchange {
            rate_per_min: &self.whole.rate_per_min,
            scale: 1.0,
            reservoir: Reservoir::PerVoxel(&self.whole.level),
        })
    }
}
