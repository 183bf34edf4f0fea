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
//! smoother; a voxel's own saturating uptake is balanced exactly ([`local`]), and the coarse levels see its
//! tangent, which is laid anew while the residual is large (Newton multigrid). The right-hand side and all
//! couplings are non-negative, so smoothing keeps values non-negative; a coarse correction leaves every
//! value at zero or above before the residual is measured. A last scaling closes the mass balance ([`balance`]).
//!
//! **Reproducible.** Work is cut into pieces whose size depends on the grid alone, a half-sweep reads
//! one colour and writes the other, and sums are joined in piece order: the same bits at any number of
//! threads and on every instruction set.
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
mod local;
mod medium;
mod multigrid;
mod stencil;

pub use grid::Grid;
pub use hierarchy::SharedCouplings;
pub use medium::{
    Diffusivity, Exchange, FaceCondition, HeldVoxels, LocalTerms, Medium, Reservoir, Saturating,
    Side, SolveReport, Stopping, TimeScheme, Velocity,
};

use assembly::{Edges, Inputs, Moved, assemble, fit_uptakes, moved};
use axis::Axis;
use balance::Balance;
use kernels::Keep;
use level::Level;

use crate::core::parallel::together;

/// Solves for one molecule after another on one grid; owns all working memory.
///
/// A solver may serve several molecules with [`FieldSolver::set_medium`] in between, but setting up a
/// medium costs several solves where diffusivity varies or fluid flows, so a molecule that has such a
/// medium deserves a solver of its own.
#[derive(Clone, Debug)]
pub struct FieldSolver {
    grid: Grid,
    /// Whether `y` and `z` have changed places inside: work is shared out by planes, of which a grid that is
    /// one voxel high has but one. Its rows lie in the same order either way.
    is_turned: bool,
    levels: Vec<Level>,
    edges: Edges,
    medium_is_set: bool,
    held_faces: [bool; 6],
}

/// Sweeps on the finest level after each coarse correction.
const SWEEPS: usize = 2;

/// Half-sweeps never go below zero on the finest level.
const FLOOR: f32 = 0.0;

/// Part of its value that a coarse correction leaves a voxel while uptake saturates: the tangent taken
/// at a high value promises far too much uptake at a low one.
const KEPT: f32 = 0.25;

/// Relative residual below which the coarse levels keep the tangents they have.
const NEAR: f64 = 0.05;

/// A cycle that leaves more than this part of the residual gets new tangents.
const SLOW: f64 = 0.4;
/// Cycles after which coarse levels count fast local rates more nearly in full.
const PATIENCE: u32 = 10;
/// By how much each time; a power of two, which is taken back without rounding.
const HASTE: f32 = 4.0;
/// Cycles from one time to the next.
const HASTE_EVERY: u32 = 3;

/// Relative residual from which on a first guess says little about the solution.
const FAR: f64 = 0.3;

/// What moves is found anew from the solution if it is less than this part of what moved at a first guess far
/// off.
const GUESSED: f64 = 0.5;

/// Residual, relative to diagonal times value, that the rounding of a solution to `f32` leaves: nothing is done
/// about less.
const NOISE: f64 = 1.0e-7;

impl FieldSolver {
    /// A solver for a grid. [`FieldSolver::set_medium`] must follow before the first solve.
    pub fn new(grid: Grid) -> Self {
        let is_turned = grid.dims[2] == 1;
        let axis = |a: usize| Axis::new(vec![f64::from(grid.spacing_um[a]); grid.dims[a]]);
        let mut axes = if is_turned {
            [axis(0), axis(2), axis(1)]
        } else {
            [axis(0), axis(1), axis(2)]
        };
        let mut levels = vec![Level::new(axes.clone(), false, true)];
        // A grid of one voxel has a coarser level too, its own double.
        while levels.len() == 1 || axes.iter().any(|axis| axis.len() > 1) {
            let joined = level::axes_to_coarsen(&axes);
            for a in 0..3 {
                if joined[a] {
                    axes[a] = axes[a].coarser();
                }
            }
            levels.push(Level::new(axes.clone(), joined[0], false));
        }
        Self {
            grid,
            is_turned,
            levels,
            edges: Edges::default(),
            medium_is_set: false,
            held_faces: [false; 6],
        }
    }

    /// The grid the solver was made for.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Working memory in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.levels.iter().map(Level::bytes).sum::<usize>()
    }

    /// Fits the solver to a medium. Needed before the first solve and whenever the medium changed.
    ///
    /// # Panics
    /// If an array does not match the grid.
    pub fn set_medium(&mut self, medium: &Medium) {
        self.fit(medium, None);
    }

    /// As [`Self::set_medium`], but takes over couplings that another solver of the same grid was fitted with, which
    /// costs next to nothing. They must be those of a medium that differs from this one in the factor of its
    /// [`Diffusivity::Scaled`] alone and in what its faces are held at; where they are of another grid, or the medium
    /// flows, they are not taken, and the solver is fitted anew.
    ///
    /// # Panics
    /// If an array does not match the grid.
    pub fn set_medium_sharing(&mut self, medium: &Medium, shared: &SharedCouplings) {
        self.fit(medium, Some(shared));
    }

    /// The couplings of the medium that was set, for [`Self::set_medium_sharing`] of other solvers; none where
    /// diffusivity is uniform and nothing flows, which needs no couplings.
    pub fn couplings(&self) -> Option<SharedCouplings> {
        SharedCouplings::of(&self.levels, self.held_faces)
    }

    fn fit(&mut self, medium: &Medium, shared: Option<&SharedCouplings>) {
        check_medium(&self.grid, medium);
        let mut flow = (Vec::new(), Vec::new());
        let nx = self.grid.dims[0];
        let turned = self.is_turned.then(|| medium.turned(nx, &mut flow));
        let medium = turned.as_ref().unwrap_or(medium);
        self.edges = hierarchy::fit(&mut self.levels, medium, shared);
        self.held_faces = hierarchy::held_faces(medium);
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
        // A cycle is some fifty short loops.
        together(|| self.solve_with_team(terms, scheme, stopping, values))
    }

    /// As [`Self::solve`], with the helpers that there are.
    fn solve_with_team(
        &mut self,
        terms: &LocalTerms,
        scheme: TimeScheme,
        stopping: Stopping,
        values: &mut [f32],
    ) -> SolveReport {
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
        let mut report = SolveReport::default();
        let moves = self.assemble(terms, per_dt, values);
        let scale = self.iterate(terms, stopping, Scale::AtFirst(moves), &mut report);
        let mut balance = self.join(terms, per_dt, values);
        let is_far = f64::from(report.initial_residual) > FAR;
        if is_far && stopping.max_cycles > report.cycles {
            // The first guess was not one: now it is known what moves.
            let inputs = Inputs {
                terms,
                per_dt,
                old: values,
                edges: &self.edges,
            };
            let found = moved(&self.levels[0], inputs).all.sqrt();
            if found < GUESSED * scale {
                let old_mass = balance.old_mass;
                self.iterate(terms, stopping, Scale::Found(found), &mut report);
                balance = self.join(terms, per_dt, values);
                balance.old_mass = old_mass;
            }
        }
        self.close(balance, values, &mut report);
        report
    }

    /// Brings the unknowns of the finest level to the solution; hands back the norm of what moves.
    fn iterate(
        &mut self,
        terms: &LocalTerms,
        stopping: Stopping,
        scale: Scale,
        report: &mut SolveReport,
    ) -> f64 {
        let is_linear = terms.saturating.is_empty();
        let [mut residual, diagonal] = self.measure();
        let scale = match scale {
            // In a step in time what the old values leave over is the rate at which they change. In balance `rates` and
            // `all` are the same.
            Scale::AtFirst(moves) => (moves.rates + residual * residual).min(moves.all).sqrt(),
            Scale::Found(scale) => scale,
        };
        // Where nothing moves, the values themselves are the scale.
        let reference = if scale > 0.0 { scale } else { diagonal };
        if reference <= 0.0 {
            // No source and nothing there: zero is the answer.
            report.converged = true;
            return scale;
        }
        let target = f64::from(stopping.relative_residual) * reference;
        report.initial_residual = report.initial_residual.max((residual / reference) as f32);
        report.converged = residual <= target.max(NOISE * diagonal);
        if !report.converged && report.cycles < stopping.max_cycles {
            report.nonlinear_iterations += u32::from(!is_linear);
            self.fit_rates();
            multigrid::sweep(&mut self.levels[0], FLOOR);
            residual = self.restrict_finest();
            report.converged = residual <= target;
        }
        let mut is_stale = false;
        let mut haste = 1.0;
        while !report.converged && report.cycles < stopping.max_cycles {
            self.correct_finest(if is_linear { 0.0 } else { KEPT });
            report.cycles += 1;
            if is_stale {
                self.measure();
                self.fit_rates();
                report.nonlinear_iterations += 1;
            }
            let before = std::mem::replace(&mut residual, self.restrict_finest());
            report.converged = residual <= target;
            if !report.converged && residual > STALLED * before {
                report.converged = residual <= ROUNDING * self.measure()[1];
                // Measuring has used the buffer.
                self.restrict_finest();
            }
            is_stale = !is_linear && (residual > NEAR * reference || residual > SLOW * before);
            let late = report.cycles.checked_sub(PATIENCE);
            if late.is_some_and(|cycles| cycles % HASTE_EVERY == 0) {
                self.mix_faster(HASTE);
                haste *= HASTE;
                is_stale = true;
            }
        }
        if haste > 1.0 {
            self.mix_faster(1.0 / haste);
        }
        report.residual = (residual / reference) as f32;
        scale
    }

    /// Lets coarse levels count fast local rates more nearly in full.
    ///
    /// Their shifted harmonic mean is what makes few cycles suffice, but where little else than such rates holds the
    /// level of a field, in a closed dish breathed empty, it may count too little of them: each cycle then overshoots.
    /// The plain mean, which this approaches, never does.
    fn mix_faster(&mut self, by: f32) {
        for level in &mut self.levels {
            level.mixing_rate *= by;
        }
    }

    /// Writes the equations about what the caller handed in; what moves.
    fn assemble(&mut self, terms: &LocalTerms, per_dt: f32, values: &[f32]) -> Moved {
        let inputs = Inputs {
            terms,
            per_dt,
            old: values,
            edges: &self.edges,
        };
        let finest = &mut self.levels[0];
        fit_uptakes(finest, terms);
        assemble(finest, inputs)
    }

    /// Norms of the residual and of diagonal times value; leaves what the coarse levels are to know of
    /// local rates in the buffer of the first of them.
    fn measure(&mut self) -> [f64; 2] {
        let (finest, coarser) = self.levels.split_at_mut(1);
        multigrid::measure(&finest[0], &mut coarser[0]).map(f64::sqrt)
    }

    /// Tells the coarse levels of the local rates that were measured.
    fn fit_rates(&mut self) {
        let pass = self.levels[0].mixing_rate;
        multigrid::fit_rates(&mut self.levels[1..], pass);
    }

    /// Residual of the finest level, left in the buffer of the next.
    fn restrict_finest(&mut self) -> f64 {
        let (finest, coarser) = self.levels.split_at_mut(1);
        multigrid::restrict(&finest[0], &mut coarser[0], FLOOR).sqrt()
    }

    fn correct_finest(&mut self, keep: f32) {
        let (finest, coarser) = self.levels.split_at_mut(1);
        multigrid::correct(coarser);
        multigrid::prolong(&mut finest[0], &coarser[0], Keep::Part(keep));
        for _ in 0..SWEEPS {
            multigrid::sweep(&mut finest[0], FLOOR);
        }
    }

    /// Writes the unknowns to `values`, which hold the old ones, and sums up the balance.
    fn join(&self, terms: &LocalTerms, per_dt: f32, values: &mut [f32]) -> Balance {
        balance::hand_back(&self.levels[0], terms, per_dt, &self.edges, values)
    }

    /// Closes the mass balance and reports it.
    fn close(&self, mut balance: Balance, values: &mut [f32], report: &mut SolveReport) {
        // Values that were good enough as they came are left alone, if they balance.
        let is_new = report.cycles > 0 || report.nonlinear_iterations > 0;
        if is_new || balance.relative_defect().abs() > BALANCED {
            let change = balance.closing_change();
            if change.abs() > CLOSED && balance.mass > 0.0 {
                let mass = balance::scale(&self.levels[0].layout, &self.edges, change, values);
                balance.scaled_to(mass);
            }
        }
        if self.edges.held.is_empty() && balance.is_empty(values.len()) {
            values.fill(0.0);
            balance.emptied();
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

/// On what scale a residual is small.
enum Scale {
    /// What moves at the values handed in.
    AtFirst(Moved),
    /// The norm of what moves at values found.
    Found(f64),
}

/// A cycle that leaves more than this part of the residual has stalled.
const STALLED: f64 = 0.6;

/// Residual, relative to diagonal times value, that rounding alone can leave: a few units in the last
/// place of the sum that makes up a value.
const ROUNDING: f64 = 3.0e-7;

/// A relative mass defect with which values that need no solving are left alone.
const BALANCED: f64 = 5.0e-7;

/// A relative mass defect that needs no correction.
const CLOSED: f64 = 3.0e-8;

fn check_medium(grid: &Grid, medium: &Medium) {
    let len = grid.len();
    let [nx, ny, nz] = grid.dims;
    match medium.diffusivity {
        Diffusivity::Uniform(d) => assert!(d >= 0.0, "diffusivity is not negative, found {d}"),
        Diffusivity::PerVoxel(each) | Diffusivity::Scaled { relative: each, .. } => {
            assert_eq!(each.len(), len, "one diffusivity per voxel");
        }
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
    for exchange in terms.exchange {
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
