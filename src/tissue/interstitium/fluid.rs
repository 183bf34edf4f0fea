//! The pressure of the fluid between cells, and the flow that follows from it.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CONDUCTIVITY, InterstitiumDescription, InterstitiumParameters};
use crate::core::Clock;
use crate::core::input::{Inputs, Regulated};
use crate::core::state::WhollyKept;
use crate::core::units::SECONDS_PER_MINUTE;
use crate::tissue::TissueBlock;
use crate::tissue::host_vessels::{DrawnVessels, HostVessels};
use crate::tissue::medium::InterstitialFlow;
use crate::tissue::solver::{
    Diffusivity, Exchange, FaceCondition, FieldSolver, Grid, LocalTerms, Medium, Reservoir,
    SolveReport, Stopping, TimeScheme,
};

/// What lets water in and out of each voxel of a site, and what it seeps through; over the voxels of the site, `x` fastest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FluidTerms {
    /// Hydraulic conductivity of the tissue, um2/(mmHg min).
    pub conductivity: Vec<f32>,
    /// What walls that are not drawn let through, 1/(mmHg min).
    pub wall_rate: Vec<f32>,
    /// The pressure in the tissue at which nothing passes them, mmHg.
    pub wall_mmhg: Vec<f32>,
    /// What lymphatics drain, 1/(mmHg min).
    pub lymph_rate: Vec<f32>,
    /// The pressure in them, mmHg.
    pub lymph_mmhg: Vec<f32>,
    /// What drawn walls let through, 1/(mmHg min); empty where there are none.
    pub drawn_rate: Vec<f32>,
    /// The pressure in the tissue at which nothing passes them, mmHg.
    pub drawn_mmhg: Vec<f32>,
}

impl FluidTerms {
    /// What lets water pass: rate, and the pressure beyond.
    fn walls(&self) -> [(&[f32], &[f32]); 3] {
        [
            (&self.wall_rate, &self.wall_mmhg),
            (&self.lymph_rate, &self.lymph_mmhg),
            (&self.drawn_rate, &self.drawn_mmhg),
        ]
    }

    /// Whether something differs enough from what it was to be worth solving anew.
    fn differs(&self, was: &Self, parameters: &InterstitiumParameters) -> bool {
        let relative = |now: &[f32], was: &[f32]| {
            let is_other = |(a, b): (&f32, &f32)| {
                (a - b).abs() > parameters.least_change * a.abs().max(b.abs())
            };
            now.len() != was.len() || now.iter().zip(was).any(is_other)
        };
        let absolute = |now: &[f32], was: &[f32]| {
            let is_other = |(a, b): (&f32, &f32)| (a - b).abs() > parameters.least_change_mmhg;
            now.len() != was.len() || now.iter().zip(was).any(is_other)
        };
        relative(&self.conductivity, &was.conductivity)
            || self
                .walls()
                .into_iter()
                .zip(was.walls())
                .any(|(now, was)| relative(now.0, was.0) || absolute(now.1, was.1))
    }
}

/// What the faces of a block do to the fluid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum FluidFaces {
    /// They are held at a pressure, mmHg.
    Held(f32),
    /// Nothing passes.
    #[default]
    Closed,
}

/// The fluid in the tissue of a site.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interstitium {
    /// Its pressure in each voxel, mmHg; empty until it has been solved.
    pub pressure_mmhg: Vec<f32>,
    /// How fast it seeps in the middle of each voxel, um/s.
    pub speed_um_per_s: Vec<f32>,
    /// What it was solved with.
    pub terms: FluidTerms,
    /// What the faces do.
    pub faces: FluidFaces,
    /// How often it was solved.
    pub solves: u64,
}

impl WhollyKept for Interstitium {}

impl Interstitium {
    /// Whether it has been solved yet.
    pub const fn is_known(&self) -> bool {
        !self.pressure_mmhg.is_empty()
    }

    /// Water that passes walls of one kind, given their rates and the pressures beyond, um3 of a um3 in a minute: into the tissue where
    /// positive.
    fn passed(&self, rate: &[f32], beyond_mmhg: &[f32], voxel: usize) -> f32 {
        let drop = |beyond: f32| beyond - self.pressure_mmhg[voxel];
        match (rate.get(voxel), beyond_mmhg.get(voxel)) {
            (Some(rate), Some(beyond)) => rate * drop(*beyond),
            _ => 0.0,
        }
    }

    /// Water that walls that are not drawn let into a voxel, 1/min; negative where they take it up.
    pub fn filtered_per_min(&self, voxel: usize) -> f32 {
        self.passed(&self.terms.wall_rate, &self.terms.wall_mmhg, voxel)
    }

    /// The same of drawn walls.
    pub fn drawn_per_min(&self, voxel: usize) -> f32 {
        self.passed(&self.terms.drawn_rate, &self.terms.drawn_mmhg, voxel)
    }

    /// Water that lymphatics take out of a voxel, 1/min.
    pub fn drained_per_min(&self, voxel: usize) -> f32 {
        -self.passed(&self.terms.lymph_rate, &self.terms.lymph_mmhg, voxel)
    }
}

/// What walls that somebody draws let through of water, a component of sites; absent or empty where there are none.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawnWalls {
    /// `L_p S/V` in each voxel of the site, 1/(mmHg min).
    pub rate_per_mmhg_min: Vec<f32>,
    /// The pressure in the tissue at which nothing passes, `p_v - sigma (pi_v - pi_i)`, mmHg.
    pub effective_mmhg: Vec<f32>,
}

impl WhollyKept for DrawnWalls {}

/// What lymphatics that somebody draws drain, a component of sites; the host's others give way to them. Absent where there are none.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawnLymph {
    /// `L_p S/V` in each voxel of the site, 1/(mmHg min); empty while it is not known.
    pub rate_per_mmhg_min: Vec<f32>,
    /// The pressure in them, mmHg.
    pub pressure_mmhg: f32,
}

impl WhollyKept for DrawnLymph {}

/// What the scene says of the fluid of a site, voxel by voxel.
#[derive(Component, Debug, Default)]
pub struct Ground {
    /// Hydraulic conductivity, um2/(mmHg min).
    pub conductivity: Vec<f32>,
    wall_rate: Vec<f32>,
    wall_mmhg: Vec<f32>,
    lymph_rate: Vec<f32>,
    lymph_mmhg: Vec<f32>,
    /// Surface of walls that are not drawn in a volume, 1/um.
    pub surface: Vec<f32>,
    /// How many times more easily than through normal ones molecules pass through them.
    pub leakiness: Vec<f32>,
    /// Whether a voxel is tissue of the host, whose vessels give way.
    pub is_host: Vec<bool>,
    faces: FluidFaces,
}

impl Ground {
    /// That of a block.
    pub fn new(block: &TissueBlock, description: &InterstitiumDescription) -> Self {
        let voxels = block.voxels();
        let mut of = vec![&description.host; voxels];
        let mut is_host = vec![true; voxels];
        for region in &description.regions {
            for voxel in region.place.voxels(block) {
                of[voxel as usize] = &region.of;
                is_host[voxel as usize] = false;
            }
        }
        let each = |number: fn(&super::FluidOf) -> f32| of.iter().map(|of| number(of)).collect();
        Self {
            conductivity: each(|of| of.conductivity_um2_per_mmhg_min),
            wall_rate: each(super::FluidOf::filtration_per_mmhg_min),
            wall_mmhg: each(super::FluidOf::effective_mmhg),
            lymph_rate: each(|of| of.lymph_per_mmhg_min),
            lymph_mmhg: each(|of| of.lymph_pressure_mmhg),
            surface: each(|of| of.vessel_surface_per_um),
            leakiness: each(|of| of.leakiness),
            is_host,
            faces: if description.closed {
                FluidFaces::Closed
            } else {
                FluidFaces::Held(description.face_pressure_mmhg)
            },
        }
    }

    /// Share of the vessels that are not drawn that is left in a voxel: where some are drawn, those of the host are among them.
    pub fn undrawn(&self, host: &HostVessels, is_drawn: bool, voxel: usize) -> f32 {
        if is_drawn && self.is_host[voxel] {
            0.0
        } else {
            self.share(host, voxel)
        }
    }

    /// Share of what the scene says of vessels and lymphatics that is left in a voxel.
    fn share(&self, host: &HostVessels, voxel: usize) -> f32 {
        if self.is_host[voxel] {
            host.0.get(voxel).copied().unwrap_or(1.0)
        } else {
            1.0
        }
    }

    /// What there is now.
    pub(super) fn fill(
        &self,
        terms: &mut FluidTerms,
        conductivity: Option<&[f32]>,
        host: &HostVessels,
        (drawn, lymph): (Option<&DrawnWalls>, Option<&DrawnLymph>),
        is_drawn: bool,
    ) {
        let conductivity = conductivity.unwrap_or(&self.conductivity);
        copy(&mut terms.conductivity, conductivity);
        copy(&mut terms.wall_rate, &self.wall_rate);
        copy(&mut terms.wall_mmhg, &self.wall_mmhg);
        copy(&mut terms.lymph_rate, &self.lymph_rate);
        copy(&mut terms.lymph_mmhg, &self.lymph_mmhg);
        for voxel in 0..terms.wall_rate.len() {
            terms.wall_rate[voxel] *= self.undrawn(host, is_drawn, voxel);
            match lymph {
                // Those of the host are among them.
                Some(lymph) if self.is_host[voxel] => {
                    let rate = lymph.rate_per_mmhg_min.get(voxel).copied();
                    terms.lymph_rate[voxel] = rate.unwrap_or(0.0);
                    terms.lymph_mmhg[voxel] = lymph.pressure_mmhg;
                }
                _ => terms.lymph_rate[voxel] *= self.share(host, voxel),
            }
        }
        let (rate, mmhg) = drawn.map_or((&[][..], &[][..]), |drawn| {
            (&drawn.rate_per_mmhg_min[..], &drawn.effective_mmhg[..])
        });
        copy(&mut terms.drawn_rate, rate);
        copy(&mut terms.drawn_mmhg, mmhg);
    }
}

fn copy(to: &mut Vec<f32>, from: &[f32]) {
    to.clear();
    to.extend_from_slice(from);
}

/// The solver's memory for the fluid of a site.
#[derive(Component, Debug)]
pub struct FluidWork {
    solver: FieldSolver,
    now: FluidTerms,
    beyond: [Vec<f32>; 3],
    /// What the last solve did.
    pub report: SolveReport,
}

impl FluidWork {
    /// That of a block.
    pub fn new(block: &TissueBlock) -> Self {
        let dims = block.dims.to_array().map(|n| n as usize);
        let grid = Grid::new(dims, block.min_um, block.voxel_um);
        Self {
            solver: FieldSolver::new(grid),
            now: FluidTerms::default(),
            beyond: Default::default(),
            report: SolveReport::default(),
        }
    }
}

/// The least pressure that anything holds, mmHg, below which the fluid cannot fall; none where nothing holds any.
fn least_mmhg(terms: &FluidTerms, faces: FluidFaces) -> Option<f32> {
    let mut least = match faces {
        FluidFaces::Held(mmhg) => Some(mmhg),
        FluidFaces::Closed => None,
    };
    for (rate, beyond) in terms.walls() {
        for (rate, mmhg) in rate.iter().zip(beyond) {
            if *rate > 0.0 && least.is_none_or(|least| *mmhg < least) {
                least = Some(*mmhg);
            }
        }
    }
    least
}

/// Solves for the pressure, mmHg, from the one in `pressure` on (empty if it is not known). `beyond` is memory to work with.
pub fn solve_pressure(
    solver: &mut FieldSolver,
    terms: &FluidTerms,
    faces: FluidFaces,
    tolerance: f32,
    beyond: &mut [Vec<f32>; 3],
    pressure: &mut Vec<f32>,
) -> SolveReport {
    let voxels = terms.conductivity.len();
    let Some(least) = least_mmhg(terms, faces) else {
        // Nothing holds it anywhere, and nothing moves it.
        pressure.clear();
        pressure.resize(voxels, 0.0);
        return SolveReport {
            converged: true,
            ..SolveReport::default()
        };
    };
    let face = match faces {
        FluidFaces::Held(mmhg) => FaceCondition::Held(mmhg - least),
        FluidFaces::Closed => FaceCondition::Closed,
    };
    let medium = Medium {
        diffusivity: Diffusivity::PerVoxel(&terms.conductivity),
        ..Medium::closed(1.0)
    };
    solver.set_medium(&medium.with_all_faces(face));
    pressure.resize(voxels, least);
    for mmhg in pressure.iter_mut() {
        *mmhg = (*mmhg - least).max(0.0);
    }
    let walls = terms.walls();
    for (above, (rate, mmhg)) in beyond.iter_mut().zip(walls) {
        above.clear();
        // What lets nothing through may hold any pressure.
        above.extend(rate.iter().zip(mmhg).map(
            |(rate, mmhg)| {
                if *rate > 0.0 { mmhg - least } else { 0.0 }
            },
        ));
    }
    let exchanges: Vec<Exchange> = walls
        .into_iter()
        .zip(&*beyond)
        .filter(|((rate, _), _)| rate.iter().any(|rate| *rate > 0.0))
        .map(|((rate_per_min, _), above)| Exchange {
            rate_per_min,
            scale: 1.0,
            reservoir: Reservoir::PerVoxel(above),
        })
        .collect();
    let local = LocalTerms {
        exchange: &exchanges,
        ..LocalTerms::default()
    };
    let stopping = Stopping {
        relative_residual: tolerance,
        max_cycles: 60,
    };
    let report = solver.solve(&local, TimeScheme::QuasiSteady, stopping, pressure);
    for mmhg in pressure.iter_mut() {
        *mmhg += least;
    }
    report
}

/// The Darcy velocity through the faces of voxels that follows from a pressure, um/min.
pub fn flow_of(
    block: &TissueBlock,
    conductivity: &[f32],
    pressure_mmhg: &[f32],
    faces: FluidFaces,
    flow: &mut InterstitialFlow,
) {
    if flow.is_empty() {
        *flow = InterstitialFlow::at_rest(block);
    }
    let [nx, ny, nz] = block.dims.to_array().map(|n| n as usize);
    let (dims, strides) = ([nx, ny, nz], [1, nx, nx * ny]);
    for (axis, velocities) in flow.faces_mut().into_iter().enumerate() {
        let h = block.voxel_um[axis];
        let mut over = dims;
        over[axis] += 1;
        let mut face = 0;
        for k in 0..over[2] {
            for j in 0..over[1] {
                for i in 0..over[0] {
                    let at = [i, j, k];
                    let upper = i + nx * (j + ny * k);
                    velocities[face] = if at[axis] == 0 || at[axis] == dims[axis] {
                        let is_lower = at[axis] == 0;
                        let inside = if is_lower {
                            upper
                        } else {
                            upper - strides[axis]
                        };
                        match faces {
                            FluidFaces::Held(mmhg) => {
                                let out = pressure_mmhg[inside] - mmhg;
                                let outwards = 2.0 * conductivity[inside] * out / h;
                                if is_lower { -outwards } else { outwards }
                            }
                            FluidFaces::Closed => 0.0,
                        }
                    } else {
                        let lower = upper - strides[axis];
                        let (a, b) = (conductivity[lower], conductivity[upper]);
                        let mean = 2.0 * a * b / (a + b);
                        mean * (pressure_mmhg[lower] - pressure_mmhg[upper]) / h
                    };
                    face += 1;
                }
            }
        }
    }
}

/// Solves for the fluid of each site in which something has changed.
pub(super) fn move_fluid(
    clock: Res<Clock>,
    parameters: Res<InterstitiumParameters>,
    inputs: Option<Res<Inputs>>,
    regulated: Regulated,
    mut sites: Query<(
        Entity,
        &TissueBlock,
        &Ground,
        &HostVessels,
        (Option<&DrawnWalls>, Option<&DrawnLymph>),
        Has<DrawnVessels>,
        &mut FluidWork,
        &mut Interstitium,
        &mut InterstitialFlow,
    )>,
) {
    let is_turn = clock.is_turn(f64::from(parameters.every_minutes));
    for (site, block, ground, host, drawn, is_drawn, mut work, mut fluid, mut flow) in &mut sites {
        if fluid.is_known() && !is_turn {
            continue;
        }
        let conductivity = inputs
            .as_ref()
            .and_then(|inputs| regulated.of_elements(inputs, CONDUCTIVITY, site));
        let FluidWork {
            solver,
            now,
            beyond,
            report,
        } = &mut *work;
        ground.fill(now, conductivity, host, drawn, is_drawn);
        if fluid.is_known() && !now.differs(&fluid.terms, &parameters) {
            continue;
        }
        let fluid = &mut *fluid;
        fluid.terms.clone_from(now);
        fluid.faces = ground.faces;
        *report = solve_pressure(
            solver,
            &fluid.terms,
            fluid.faces,
            parameters.tolerance,
            beyond,
            &mut fluid.pressure_mmhg,
        );
        fluid.solves += 1;
        flow_of(
            block,
            &fluid.terms.conductivity,
            &fluid.pressure_mmhg,
            fluid.faces,
            &mut flow,
        );
        let per_s = 1.0 / SECONDS_PER_MINUTE as f32;
        fluid.speed_um_per_s.clear();
        let voxels = 0..block.voxels();
        let speed = |voxel| velocity(block, &flow, voxel).length() * per_s;
        fluid.speed_um_per_s.extend(voxels.map(speed));
    }
}

/// Velocity of the fluid in the middle of a voxel, um/min: the mean of what passes opposite faces.
pub fn velocity(block: &TissueBlock, flow: &InterstitialFlow, voxel: usize) -> Vec3 {
    let [nx, ny, _] = block.dims.to_array().map(|n| n as usize);
    let at = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
    let mut mean = Vec3::ZERO;
    for (axis, faces) in flow.faces().iter().enumerate() {
        let mut over = [nx, ny];
        if axis < 2 {
            over[axis] += 1;
        }
        let face = at[0] + over[0] * (at[1] + over[1] * at[2]);
        let across = [1, over[0], over[0] * over[1]][axis];
        mean[axis] = 0.5 * (faces[face] + faces[face + across]);
    }
    mean
}
