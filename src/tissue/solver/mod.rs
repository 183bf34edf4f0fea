//! One implicit finite-volume solver for every molecule in the tissue.
//!
//! It solves, on the grid of a site and in the step's `Transport` set,
//!
//! `(1/dt + k + uptake) c - div(D grad c) + div(v c) = c_old/dt + sources`
//!
//! for one molecule at a time; `1/dt` is dropped for molecules that are in balance with their
//! surroundings ([`TimeScheme::QuasiSteady`]). Faces between voxels take the harmonic mean of two
//! diffusivities, flow is upwind, both conserve mass to rounding; held faces lie half a voxel outside
//! the outermost centres. The scheme is second order in space where nothing flows, first order in time.
//!
//! **How.** Geometric multigrid ([`multigrid`]) from the last values on, with a red-black Gauss-Seidel
//! smoother; saturating uptake is linearised by Newton's method between cycles ([`assembly`]). The
//! right-hand side and all couplings are non-negative, so smoothing keeps values non-negative; what a
//! coarse correction or a tangent would push below zero is held at zero by the next half-sweep, before
//! the residual is measured. A last scaling closes the mass balance ([`balance`]).
//!
//! **Reproducible.** Work is cut into pieces whose size depends on the grid alone, a half-sweep reads
//! one colour and writes the other, and sums are joined in piece order: the same bits at any number of
//! threads and with or without AVX2.
//!
//! **Precision.** Values are `f32`. The residual cannot fall below what storing them rounds away, so
//! where a molecule reaches over very many voxels the solver stops at that floor and says so
//! ([`SolveReport::residual`] above the tolerance, `converged` true). Rounding of the diagonal acts like
//! a decay of about `6e-8 D / h^2` per axis, which only matters where a molecule without decay crosses
//! hundreds of voxels.

mod assembly;
mod axis;
mod balance;
mod grid;
mod hierarchy;
mod kernels;
mod layout;
mod level;
mod medium;
mod multigrid;
mod stencil;

pub use grid::Grid;
pub use medium::{
    Diffusivity, Exchange, FaceCondition, HeldVoxels, LocalTerms, Medium, Reservoir, Saturating,
    Side, SolveReport, Stopping, TimeScheme, Velocity,
};

use assembly::{Edges, Inputs, Linear, Norms, assemble, split_values};
use axis::Axis;
use kernels::Keep;
use level::Level;

/// Solves for one molecule after another on one grid; owns all working memory.
///
/// A solver may serve several molecules with [`FieldSolver::set_medium`] in between, but setting up a
/// medium costs several solves where diffusivity varies or fluid flows, so a molecule that has such a
/// medium deserves a solver of its own.
#[derive(Clone, Debug)]
pub struct FieldSolver {
    grid: Grid,
    levels: Vec<Level>,
    linear: Linear,
    edges: Edges,
    medium_is_set: bool,
}

/// Half-sweeps never go below zero on the finest level.
const FLOOR: f32 = 0.0;

/// Part of its value that a coarse correction leaves a voxel while uptake saturates: the tangent taken
/// at a high value promises far too much uptake at a low one.
const KEPT: f32 = 0.25;

/// Relative residual below which the tangent of a saturating uptake is good for two cycles.
const NEAR: f64 = 0.05;

impl FieldSolver {
    /// A solver for a grid. [`FieldSolver::set_medium`] must follow before the first solve.
    pub fn new(grid: Grid) -> Self {
        let axis = |a: usize| Axis::new(vec![f64::from(grid.spacing_um[a]); grid.dims[a]]);
        let mut axes = [axis(0), axis(1), axis(2)];
        let mut levels = vec![Level::new(axes.clone(), false, true)];
        while axes.iter().any(|axis| axis.len() > 1) {
            let joined = level::axes_to_coarsen(&axes);
            for a in 0..3 {
                if joined[a] {
                    axes[a] = axes[a].coarser();
                }
            }
            levels.push(Level::new(axes.clone(), joined[0], false));
        }
        let linear = Linear::new(&levels[0].layout);
        Self {
            grid,
            levels,
            linear,
            edges: Edges::default(),
            medium_is_set: false,
        }
    }

    /// The grid the solver was made for.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Working memory in bytes.
    pub fn memory_bytes(&self) -> usize {
        let linear = [&self.linear.rate, &self.linear.supply];
        let floats: usize = linear.iter().flat_map(|p| p.iter()).map(Vec::len).sum();
        floats * size_of::<f32>() + self.levels.iter().map(Level::bytes).sum::<usize>()
    }

    /// Fits the solver to a medium. Needed before the first solve and whenever the medium changed.
    ///
    /// # Panics
    /// If an array does not match the grid.
    pub fn set_medium(&mut self, medium: &Medium) {
        check_medium(&self.grid, medium);
        self.edges = hierarchy::fit(&mut self.levels, medium);
        self.medium_is_set = true;
    }

    /// Solves for the concentrations in `values`, which hold the old ones and serve as first guess.
    ///
    /// If they already satisfy the equations to the tolerance, nothing is done (0 cycles).
    ///
    /// # Panics
    /// If no medium was set or an array does not match the grid.
    pub fn solve(
        &mut self,
        terms: &LocalTerms,
        scheme: TimeScheme,
        stopping: Stopping,
        values: &mut [f32],
    ) -> SolveReport {
        assert!(self.medium_is_set, "a medium is set before the first solve");
        check_terms(&self.grid, terms, values);
        let per_dt = match scheme {
            TimeScheme::QuasiSteady => 0.0,
            TimeScheme::BackwardEuler { dt_minutes } => {
                assert!(
                    dt_minutes > 0.0,
                    "a time step is positive, found {dt_minutes} min"
                );
                1.0 / dt_minutes
            }
        };
        split_values(&mut self.levels[0], &self.edges, values);
        let mut report = self.iterate(terms, per_dt, stopping, values);
        self.hand_back(terms, per_dt, values, &mut report);
        report
    }

    /// Brings the unknowns of the finest level to the solution.
    fn iterate(
        &mut self,
        terms: &LocalTerms,
        per_dt: f32,
        stopping: Stopping,
        values: &[f32],
    ) -> SolveReport {
        let mut report = SolveReport::default();
        let is_linear = terms.saturating.is_empty();
        let norms = self.assemble(terms, per_dt, values, true);
        let supply = norms.supply.sqrt();
        let reference = if supply > 0.0 {
            supply
        } else {
            norms.diagonal.sqrt()
        };
        if reference <= 0.0 {
            // No source and nothing there: zero is the answer.
            report.converged = true;
            return report;
        }
        let target = f64::from(stopping.relative_residual) * reference;
        let mut residual = norms.residual.sqrt();
        report.initial_residual = (residual / reference) as f32;
        report.converged = residual <= target;
        let most = 2 * stopping.max_cycles;
        while !report.converged
            && report.cycles < stopping.max_cycles
            && report.nonlinear_iterations < most
        {
            multigrid::fit_rates(&mut self.levels[1..]);
            multigrid::sweep(&mut self.levels[0], FLOOR);
            if is_linear {
                residual = self.cycle(target, stopping.max_cycles, &mut report);
                break;
            }
            // Far from the solution each cycle gets a new tangent, so that the coarse levels do not
            // solve a problem that is out of date; close to it one tangent serves two cycles.
            let cycles = if residual < NEAR * reference { 2 } else { 1 };
            for _ in 0..cycles {
                if self.restrict_finest() <= 0.5 * target || report.cycles >= stopping.max_cycles {
                    break;
                }
                self.correct_finest(KEPT);
                report.cycles += 1;
            }
            let norms = self.assemble(terms, per_dt, values, false);
            report.nonlinear_iterations += 1;
            let before = std::mem::replace(&mut residual, norms.residual.sqrt());
            report.converged =
                residual <= target || is_rounding(before, residual, norms.diagonal.sqrt());
        }
        report.residual = (residual / reference) as f32;
        report
    }

    /// Cycles on a linear problem until its residual is at `target`, or the report says stop.
    fn cycle(&mut self, target: f64, most: u32, report: &mut SolveReport) -> f64 {
        let mut residual = self.restrict_finest();
        report.converged = residual <= target;
        while !report.converged && report.cycles < most {
            self.correct_finest(0.0);
            report.cycles += 1;
            let before = std::mem::replace(&mut residual, self.restrict_finest());
            report.converged = residual <= target
                || (residual > STALLED * before
                    && is_rounding(before, residual, multigrid::diagonal_norm(&self.levels[0])));
        }
        residual
    }

    fn assemble(&mut self, terms: &LocalTerms, per_dt: f32, values: &[f32], anew: bool) -> Norms {
        let inputs = Inputs {
            terms,
            per_dt,
            old: values,
            edges: &self.edges,
        };
        let (finest, coarser) = self.levels.split_at_mut(1);
        assemble(
            &mut finest[0],
            coarser.first_mut(),
            &mut self.linear,
            inputs,
            anew,
        )
    }

    /// Residual of the finest level, left in the buffer of the next.
    fn restrict_finest(&mut self) -> f64 {
        let (finest, coarser) = self.levels.split_at_mut(1);
        match coarser.first_mut() {
            Some(coarse) => multigrid::restrict(&finest[0], coarse, FLOOR).sqrt(),
            // A single voxel: one relaxation has solved it.
            None => 0.0,
        }
    }

    fn correct_finest(&mut self, keep: f32) {
        let (finest, coarser) = self.levels.split_at_mut(1);
        if coarser.is_empty() {
            return;
        }
        multigrid::correct(coarser);
        multigrid::prolong(&mut finest[0], &coarser[0], Keep::Part(keep));
        multigrid::sweep(&mut finest[0], FLOOR);
    }

    fn hand_back(
        &mut self,
        terms: &LocalTerms,
        per_dt: f32,
        values: &mut [f32],
        report: &mut SolveReport,
    ) {
        let finest = &self.levels[0];
        let mut balance = balance::hand_back(finest, terms, per_dt, &self.edges, values);
        // Values that were good enough as they came are left alone, if they balance.
        let is_new = report.cycles > 0 || report.nonlinear_iterations > 0;
        if is_new || balance.relative_defect().abs() > BALANCED {
            let change = balance.closing_change();
            if change.abs() > CLOSED && balance.mass > 0.0 {
                let mass = balance::scale(&finest.layout, &self.edges, change, values);
                balance.scaled_to(mass);
            }
        }
        let volume = f64::from(self.grid.voxel_volume_um3());
        let held: f64 = self.edges.held.iter().map(|h| f64::from(h.value)).sum();
        report.mass = (balance.mass + held) * volume;
        report.supplied = balance.supplied * volume;
        report.removed = balance.removed * volume;
        report.stored = balance.stored() * volume;
        report.mass_balance_error = balance.relative_defect();
    }
}

/// A cycle that leaves more than this part of the residual has stalled.
const STALLED: f64 = 0.6;

/// Residual, relative to diagonal times value, that rounding alone can leave: a few units in the last
/// place of the sum that makes up a value.
const ROUNDING: f64 = 3.0e-7;

/// Whether a residual no longer falls because values are stored in `f32`.
fn is_rounding(before: f64, residual: f64, diagonal: f64) -> bool {
    residual > STALLED * before && residual <= ROUNDING * diagonal
}

/// A relative mass defect with which values that need no solving are left alone.
const BALANCED: f64 = 5.0e-7;

/// A relative mass defect that needs no correction.
const CLOSED: f64 = 3.0e-8;

fn check_medium(grid: &Grid, medium: &Medium) {
    let len = grid.len();
    let [nx, ny, nz] = grid.dims;
    match medium.diffusivity {
        Diffusivity::Uniform(d) => assert!(d >= 0.0, "diffusivity is not negative, found {d}"),
        Diffusivity::PerVoxel(each) => assert_eq!(each.len(), len, "one diffusivity per voxel"),
    }
    match medium.velocity {
        None | Some(Velocity::Uniform(_)) => {}
        Some(Velocity::PerVoxel(each)) => assert_eq!(each.len(), len, "one velocity per voxel"),
        Some(Velocity::Faces { x, y, z }) => {
            assert_eq!(x.len(), (nx + 1) * ny * nz, "one velocity per x face");
            assert_eq!(y.len(), nx * (ny + 1) * nz, "one velocity per y face");
            assert_eq!(z.len(), nx * ny * (nz + 1), "one velocity per z face");
        }
    }
    if let Some(held) = medium.held {
        assert_eq!(held.mask.len(), len, "one mark per voxel");
        assert_eq!(held.values.len(), len, "one held value per voxel");
    }
}

fn check_terms(grid: &Grid, terms: &LocalTerms, values: &[f32]) {
    let len = grid.len();
    assert_eq!(values.len(), len, "one value per voxel");
    for each in [terms.rate_per_min, terms.source_per_min]
        .into_iter()
        .flatten()
    {
        assert_eq!(each.len(), len, "one local term per voxel");
    }
    for term in terms.saturating {
        assert_eq!(term.vmax_per_min.len(), len, "one uptake per voxel");
        assert!(term.half_saturation > 0.0, "half-saturation is positive");
    }
    if let Some(exchange) = terms.exchange {
        assert_eq!(
            exchange.rate_per_min.len(),
            len,
            "one exchange rate per voxel"
        );
        if let Reservoir::PerVoxel(levels) = exchange.reservoir {
            assert_eq!(levels.len(), len, "one reservoir value per voxel");
        }
    }
}
