//! The stated work on which the field solver is timed.
//!
//! A dense tumour on `n`^3 voxels of 20 um: cells in 60 % of the voxels, capillary walls in 1 %, faces held at
//! the level of the host tissue (for oxygen). A warm start is the solution before 1 % of the capillaries
//! closed.

use tumorscape::tissue::solver::{
    Diffusivity, Exchange, FaceCondition, FieldSolver, Grid, LocalTerms, Medium, Reservoir,
    Saturating, SolveReport, Stopping, TimeScheme,
};

/// Edges of the grids on which fields are timed, voxels.
pub const SIZES: [usize; 3] = [64, 100, 200];

/// Effective diffusivity of oxygen, um2/min.
const OXYGEN_DIFFUSIVITY: f32 = 1.0e5;

/// Level of oxygen at the faces, mmHg.
const HOST_LEVEL: f32 = 38.0;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldWorkload {
    /// Oxygen in balance, saturating uptake, from the level of the host everywhere.
    ColdSaturating,
    /// The same from the solution before 1 % of the capillaries closed.
    WarmSaturating,
    /// The same with first-order uptake.
    WarmLinear,
    /// One implicit step of one minute of a cytokine that decays within hours, near its balance.
    TransientStep,
    /// As [`FieldWorkload::WarmSaturating`], with a diffusivity that differs from voxel to voxel.
    WarmVaryingDiffusivity,
    /// Fitting a solver to such a diffusivity.
    FitVaryingDiffusivity,
}

impl FieldWorkload {
    /// All of them, in the order in which they are printed.
    pub const ALL: [Self; 6] = [
        Self::ColdSaturating,
        Self::WarmSaturating,
        Self::WarmLinear,
        Self::TransientStep,
        Self::WarmVaryingDiffusivity,
        Self::FitVaryingDiffusivity,
    ];

    /// Name in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ColdSaturating => "oxygen, cold",
            Self::WarmSaturating => "oxygen, warm",
            Self::WarmLinear => "oxygen, warm, linear uptake",
            Self::TransientStep => "cytokine, one step",
            Self::WarmVaryingDiffusivity => "oxygen, warm, varying D",
            Self::FitVaryingDiffusivity => "setting a varying D",
        }
    }
}

/// One workload on one grid, ready to be run any number of times.
pub struct FieldCase {
    workload: FieldWorkload,
    solver: FieldSolver,
    diffusivity: Vec<f32>,
    uptake: Vec<f32>,
    walls: Vec<f32>,
    start: Vec<f32>,
    values: Vec<f32>,
}

impl FieldCase {
    /// Sets the work up on `n`^3 voxels, including the solve that makes a start warm.
    pub fn new(workload: FieldWorkload, n: usize) -> Self {
        let grid = Grid::cubic([n; 3], 20.0);
        let mut random = noise();
        let full = match workload {
            // The rate at which oxygen reaches 100 um, as it does at the saturating uptake.
            FieldWorkload::WarmLinear => 17.0,
            _ => 520.0,
        };
        let mut each = |share: f32, value: f32| -> Vec<f32> {
            (0..grid.len())
                .map(|_| if random() < share { value } else { 0.0 })
                .collect()
        };
        let uptake = each(0.6, full);
        let walls = each(0.01, 300.0);
        let diffusivity = match workload {
            FieldWorkload::WarmVaryingDiffusivity | FieldWorkload::FitVaryingDiffusivity => {
                let dense = each(0.3, -0.6 * OXYGEN_DIFFUSIVITY);
                dense.iter().map(|d| OXYGEN_DIFFUSIVITY + d).collect()
            }
            _ => Vec::new(),
        };
        let level = match workload {
            FieldWorkload::TransientStep => 0.5,
            _ => HOST_LEVEL,
        };
        let mut case = Self {
            workload,
            solver: FieldSolver::new(grid),
            diffusivity,
            uptake,
            walls,
            start: vec![level; grid.len()],
            values: Vec::new(),
        };
        case.fit();
        let warm_up = match workload {
            FieldWorkload::ColdSaturating | FieldWorkload::FitVaryingDiffusivity => 0,
            FieldWorkload::TransientStep => 3,
            _ => 1,
        };
        for _ in 0..warm_up {
            case.reset();
            case.solve();
            std::mem::swap(&mut case.start, &mut case.values);
        }
        for wall in case.walls.iter_mut().filter(|wall| **wall > 0.0) {
            if random() < 0.01 {
                *wall = 0.0;
            }
        }
        case.reset();
        case
    }

    /// Number of voxels.
    pub fn voxels(&self) -> usize {
        self.start.len()
    }

    /// Bytes of the solver, the field and its local terms.
    pub fn memory_bytes(&self) -> usize {
        let arrays = [&self.uptake, &self.walls, &self.values];
        let floats: usize = arrays.iter().map(|v| v.len()).sum();
        self.solver.memory_bytes() + floats * size_of::<f32>()
    }

    /// Puts the starting values back; not part of what is timed.
    pub fn reset(&mut self) {
        self.values.clone_from(&self.start);
    }

    /// Does the work once, from the values that [`FieldCase::reset`] put there.
    ///
    /// # Panics
    /// If a solve does not converge: its time would mean nothing.
    pub fn run(&mut self) -> SolveReport {
        if self.workload == FieldWorkload::FitVaryingDiffusivity {
            self.fit();
            return SolveReport::default();
        }
        let report = self.solve();
        assert!(report.converged, "{:?}: {report:?}", self.workload);
        report
    }

    fn fit(&mut self) {
        let mut medium = match self.workload {
            FieldWorkload::TransientStep => Medium::closed(1.6e3),
            _ => Medium::closed(OXYGEN_DIFFUSIVITY).with_all_faces(FaceCondition::Held(HOST_LEVEL)),
        };
        if !self.diffusivity.is_empty() {
            medium.diffusivity = Diffusivity::PerVoxel(&self.diffusivity);
        }
        self.solver.set_medium(&medium);
    }

    fn solve(&mut self) -> SolveReport {
        let is_step = self.workload == FieldWorkload::TransientStep;
        let is_linear = self.workload == FieldWorkload::WarmLinear;
        let saturating = [Saturating {
            vmax_per_min: &self.uptake,
            half_saturation: 2.0,
        }];
        let terms = LocalTerms {
            decay_per_min: if is_step { 0.01 } else { 0.0 },
            rate_per_min: is_linear.then_some(self.uptake.as_slice()),
            saturating: if is_step || is_linear {
                &[]
            } else {
                &saturating
            },
            source_per_min: None,
            exchange: &[Exchange {
                rate_per_min: &self.walls,
                scale: 1.0,
                reservoir: Reservoir::Uniform(if is_step { 1.0 } else { 70.0 }),
            }],
        };
        let scheme = if is_step {
            TimeScheme::BackwardEuler { dt_minutes: 1.0 }
        } else {
            TimeScheme::QuasiSteady
        };
        self.solver
            .solve(&terms, scheme, Stopping::default(), &mut self.values)
    }
}

/// Numbers in 0..1 that look random and are the same every time.
fn noise() -> impl FnMut() -> f32 {
    let mut state = 1_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32) / ((1_u64 << 24) as f32)
    }
}
