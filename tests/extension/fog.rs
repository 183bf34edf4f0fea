//! A second mechanism of somebody else: fog that settles in the lower half of each site and hinders what spreads there.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use tumorscape::core::state::{Owner, RegisterState, WhollyKept};
use tumorscape::core::{Clock, SimSchedule, SimSystems};
use tumorscape::tissue::medium::Diffusing;
use tumorscape::tissue::{Hinders, RegisterMedium, TissueBlock};

/// How thick the fog is in each voxel of a site.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fog(pub Vec<f32>);

impl WhollyKept for Fog {}

impl Hinders for Fog {
    fn hinder(&self, molecule: Diffusing, shares: &mut [f32]) {
        for (share, fog) in shares.iter_mut().zip(&self.0) {
            *share /= 1.0 + fog * (1.0 + molecule.radius_nm);
        }
    }
}

/// Fog settles every ten steps, by 2 in an hour.
fn settle(clock: Res<Clock>, mut sites: Query<(&TissueBlock, &mut Fog)>) {
    if !clock.step.is_multiple_of(10) {
        return;
    }
    for (block, mut fog) in &mut sites {
        let lower_half = block.voxels() / 2;
        fog.0.resize(block.voxels(), 0.0);
        for thickness in &mut fog.0[..lower_half] {
            *thickness += 2.0 * 10.0 * clock.dt_hours();
        }
    }
}

/// The plugin.
pub fn fog(app: &mut App) {
    app.register_required_components::<TissueBlock, Fog>();
    app.register_kept::<Fog>(Owner::Site, "fog")
        .register_hindrance::<Fog>()
        .add_systems(SimSchedule, settle.in_set(SimSystems::Act));
}
