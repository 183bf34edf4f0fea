//! Molecules diffuse, decay, are taken up, secreted and brought by blood: the `Transport` stage.
//!
//! Each field entity is solved on its own, several side by side on the executor's threads and a large one
//! split inside, with the one implicit solver of [`super::solver`]:
//!
//! `(1/dt + k) c + sum V c/(K+c) - div(D s grad c) + div(v c) = c_old/dt + sources + gamma w (c_blood - c) + p (b - c)`
//!
//! Oxygen, glucose and lactate relax within a step and are solved quasi-steady; growth factors, which decay
//! over an hour, take one implicit time step. Oxygen is solved in every step; the slower molecules every few
//! minutes, which is short against the hours in which cells and their uptake change. What modules say of the medium is in
//! [`super::medium`]: the share `s` that hindrance leaves, the velocity `v` of the fluid, the exchange `p` with vessels of
//! level `b`. The term with `w` is the blood of
//! the host tissue: `gamma = D / L^2` makes a disturbance fade over the perfusion length `L` of the site; of a molecule that
//! the walls of capillaries hold up, of the permeability `P` and the surface `S` in a volume of tissue, `1 / gamma = L^2 / D + 1 / (P S)`. `w` is
//! the share of host vessels left in a voxel ([`super::host_vessels`]): tumour tissue displaces them and they do not come
//! back by themselves.
//!
//! **What a checkpoint holds.** Between two steps the state of a field is its [`FieldValues`], what its
//! [`Ledger`] holds ([`Ledger::state`]) and [`FieldWork::state`]; that of a site its [`HostVessels`].
//! Everything else here is worked out anew before it is read and carries nothing from one solve to the next:
//! [`CellVolume`] is cleared and booked in every `Perceive`; the arrays `capacity`, `rate` and
//! `source` of [`FieldWork`] are written before each solve that reads them; the medium is fitted to the
//! solver when a field is due and its medium changed, and fitting is a function of the medium alone; the
//! means of host vessels over the voxels of a coarser grid are as well; the
//! multigrid buffers are written from the terms and the old values in every solve. `tests/fields.rs` compares
//! a solver with a history to a fresh one bit by bit.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::culture::{Exchanged, MediumLevel};
use super::exchange::{Ledger, VolumeBook};
pub use super::host_vessels::HostVessels;
use super::host_vessels::{CellShare, DrawnVessels, lose_host_vessels, share_out_cells};
use super::interstitium::FluidOf;
use super::medium::fit::Fitted;
use super::medium::{FieldExchange, MediumSteps, MediumSystems};
use super::placed::{PlacedRates, SINK_SHARE};
use super::site::{FieldValues, SiteId, Sites};
use super::solver::{
    Exchange, FieldSolver, Grid, LocalTerms, Reservoir, Saturating, SolveReport, Stopping,
    TimeScheme,
};
use super::verify::{verify_fields, verify_ledgers};
use super::{Molecule, MoleculeId, Molecules, TissueBlock};
use crate::core::invariant::{Breach, RegisterInvariant};
use crate::core::parameters::{Limits, Parameters, RegisterParameters};
use crate::core::state::RegisterState;
use crate::core::{Clock, SimSchedule, SimSystems};

/// Transport of all molecules.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields)]
pub struct TransportParameters {
    /// Share of the space around a voxel that is tissue of cells, 1 where that is relaxed and confluent, from which on no host
    /// vessel is left in it. 0.3: four of the thirteen cells of 2494 um3 that confluent tissue has in a cube of 40 um. A lone cell
    /// so leaves three quarters of the supply, and at the surface of a mass, where half of the cube is tissue, none is
    /// left: a growing tumour compresses and displaces what lies in its way. Assumed.
    pub vessels_lost_at_cell_share: f32,
    /// Surface of the host's vessels in a volume of tissue, `S/V`, 1/um, through which what does not cross their walls freely comes where there is no
    /// fluid: that of normal tissue in the fluid between cells, 7e-3 (Baxter and Jain 1989) [M].
    pub vessel_surface_per_um: f32,
    /// The same for what crosses walls freely and is yet held up by them, glucose and lactate, 1/um; 2.5e-3: 100 mm of capillaries of 8 um width in
    /// a mm3. Their permeability, 60 um/min, is calibrated with such a surface, 1e-3 to 2.5e-3: with a product five times as large lactate is washed
    /// out and no tissue is acid.
    pub nutrient_surface_per_um: f32,
    /// Edge of the cube in which that share is taken around a voxel of perfused tissue, um: a capillary and the tissue next to
    /// it, four cells across; voxels that are wider count alone. Assumed.
    pub vessel_reach_um: f32,
    /// The same for stirred medium, um: as wide as the largest cells, so that gaps between the centres of cells are not medium.
    pub stirring_reach_um: f32,
    /// Relative residual to which fields are solved: imbalance over what moves (supply on balance, decay, uptake). It
    /// bounds the error by about that part of how far a field departs from the level around it: 5e-4 leaves the middle of
    /// a spheroid in medium of 100 mmHg within 0.05 mmHg of its balance.
    pub tolerance: f32,
}

impl Default for TransportParameters {
    fn default() -> Self {
        Self {
            vessels_lost_at_cell_share: 0.3,
            vessel_surface_per_um: FluidOf::NORMAL.vessel_surface_per_um,
            nutrient_surface_per_um: 2.5e-3,
            vessel_reach_um: 40.0,
            stirring_reach_um: 20.0,
            tolerance: 5e-4,
        }
    }
}

impl Parameters for TransportParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "tolerance" => Limits {
                min: 1e-7,
                max: 1e-1,
            },
            "vessel_reach_um" | "stirring_reach_um" => Limits {
                min: 1.0,
                max: 1000.0,
            },
            _ => Limits {
                min: 1e-6,
                max: 1e6,
            },
        }
    }
}

/// What surrounds a field: the level at its faces and in the blood of the host.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct FieldSupply {
    /// Concentration at held faces and in blood, unit of the molecule.
    pub level: f32,
    /// Which faces are held at that level; nothing passes the others.
    pub held: HeldFaces,
}

/// Which faces of a block are held at a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeldFaces {
    /// All six.
    #[default]
    All,
    /// The upper one along z alone: medium over the cells in a dish.
    Top,
    /// None.
    None,
}

impl HeldFaces {
    /// Whether any is.
    pub const fn any(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// The site a field belongs to.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[require(FieldExchange)]
pub struct FieldOf(pub SiteId);

/// Volume of the tissue that cells make up, the space between them included, in each voxel of a site; booked in `Perceive`.
#[derive(Component, Debug, Default)]
pub struct CellVolume(pub VolumeBook);

/// The solver's memory for one field, and what its last solve did.
#[derive(Component)]
pub struct FieldWork {
    pub(super) solver: FieldSolver,
    capacity: Vec<f32>,
    rate: Vec<f32>,
    source: Vec<f32>,
    sinks: Vec<f32>,
    vessels: Vec<f32>,
    /// The medium that the solver was fitted to.
    pub(super) fitted: Option<Fitted>,
    /// Steps whose bookings the ledger holds and no solve has used yet.
    steps_booked: u32,
    /// What the last solve did.
    pub report: SolveReport,
    /// What all solves together did.
    tally: SolveTally,
}

/// What the solves of one field did, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SolveTally {
    /// Solves so far.
    pub solves: u64,
    /// Multigrid cycles spent on them.
    pub cycles: u64,
    /// Solves that ended above the tolerance (and above what `f32` can hold).
    pub unconverged: u64,
    /// Solves of bookings that were more than a ledger can hold, so that molecules got lost.
    pub overflowed: u64,
    /// Largest relative residual a solve ended with.
    pub worst_residual: f32,
    /// Largest relative mass-balance error a solve ended with, without its sign.
    pub worst_mass_error: f64,
}

impl SolveTally {
    fn add(&mut self, report: &SolveReport) {
        self.solves += 1;
        self.cycles += u64::from(report.cycles);
        self.unconverged += u64::from(!report.converged);
        self.worst_residual = self.worst_residual.max(report.residual);
        self.worst_mass_error = self.worst_mass_error.max(report.mass_balance_error.abs());
    }
}

/// What a [`FieldWork`] carries from one step to the next, for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldWorkState {
    /// Steps whose bookings the ledger holds and no solve has used yet.
    pub steps_booked: u32,
    /// What the last solve did; shown, never computed with.
    pub report: SolveReport,
    /// What all solves did; shown, never computed with.
    pub tally: SolveTally,
}

impl FieldWork {
    /// Memory for a field in a block, divided into the voxels of the field.
    pub fn new(block: &TissueBlock) -> Self {
        let grid = Grid::new(
            [
                block.dims.x as usize,
                block.dims.y as usize,
                block.dims.z as usize,
            ],
            block.min_um,
            block.voxel_um,
        );
        Self {
            solver: FieldSolver::new(grid),
            capacity: Vec::new(),
            rate: Vec::new(),
            source: Vec::new(),
            sinks: Vec::new(),
            vessels: Vec::new(),
            fitted: None,
            steps_booked: 0,
            report: SolveReport::default(),
            tally: SolveTally::default(),
        }
    }

    /// Steps since the last solve, with the one that is on.
    pub const fn steps_with_this(&self) -> u32 {
        self.steps_booked + 1
    }

    /// What all solves of this field did.
    pub const fn tally(&self) -> &SolveTally {
        &self.tally
    }

    /// What must outlive the process for the next step to be the same.
    pub const fn state(&self) -> FieldWorkState {
        FieldWorkState {
            steps_booked: self.steps_booked,
            report: self.report,
            tally: self.tally,
        }
    }

    /// Goes on from what [`FieldWork::state`] handed out.
    pub const fn restore(&mut self, state: FieldWorkState) {
        self.steps_booked = state.steps_booked;
        self.report = state.report;
        self.tally = state.tally;
    }
}

/// Adds the `Transport` stage.
pub struct TransportPlugin;

impl Plugin for TransportPlugin {
    fn build(&self, app: &mut App) {
        super::kept::register(app);
        super::medium::register(app);
        super::culture::register(app);
        super::interstitium::register(app);
        app.register_list::<Molecules>("molecules")
            .register_group::<TransportParameters>("transport")
            .init_resource::<Sites>()
            .declare_remade::<super::stage_place::StagePlace>("made from the scene, for pictures")
            .register_invariant(SimSystems::Act, "bookings", |world| {
                let fault = verify_ledgers(world).err()?;
                Some(Breach::new(fault.to_string()))
            })
            .register_invariant(SimSystems::Transport, "solve_fields", |world| {
                let fault = verify_fields(world).err()?;
                Some(Breach::new(fault.to_string()))
            })
            .add_systems(
                SimSchedule,
                (
                    (share_out_cells, lose_host_vessels)
                        .chain()
                        .in_set(SimSystems::Transport),
                    solve_fields.in_set(MediumSystems).after(MediumSteps::Fit),
                )
                    .chain(),
            );
    }
}

/// Whether a molecule is solved in this step.
///
/// Molecules with the same interval take turns, so that no step has to solve them all; which turn is a matter of the
/// molecule's name alone.
pub fn is_due(clock: &Clock, molecule: &Molecule) -> bool {
    let every = clock.steps_in(f64::from(molecule.every_minutes));
    (clock.step + 1) % every == molecule.turn() % every
}

/// Solves every field that is due, for the end of the step.
fn solve_fields(
    clock: Res<Clock>,
    parameters: Res<TransportParameters>,
    molecules: Res<Molecules>,
    vessels: Query<(&HostVessels, Option<&CellShare>, Has<DrawnVessels>)>,
    sites: Res<Sites>,
    mut fields: Query<(
        &MoleculeId,
        &FieldOf,
        &FieldSupply,
        &FieldExchange,
        Option<&PlacedRates>,
        Option<&mut MediumLevel>,
        &mut Ledger,
        &mut FieldWork,
        &mut FieldValues,
    )>,
) {
    fields.par_iter_mut().for_each(
        |(
            molecule,
            of,
            supply,
            vessel_walls,
            placed,
            mut medium,
            mut ledger,
            mut work,
            mut values,
        )| {
            let kinetics = molecules.get(*molecule);
            work.steps_booked += 1;
            if !is_due(&clock, kinetics) {
                return;
            }
            // What was booked since the last solve enters as its mean over the time the solve covers, so that
            // nothing that cells gave or took is lost between two solves.
            let steps = std::mem::take(&mut work.steps_booked) as f32;
            let dt_minutes = steps * clock.dt_minutes();
            let site = sites.get(of.0);
            let (Some(field), Ok((host, cells, is_drawn))) =
                (site.field(*molecule), vessels.get(site.entity))
            else {
                return;
            };
            // The level of the medium as it is now, where it can be used up.
            let level = medium.as_ref().map_or(supply.level, |medium| medium.level);
            let end = clock.minutes() + clock.step_minutes;
            let start = end - f64::from(dt_minutes);
            let FieldWork {
                solver,
                capacity,
                rate,
                source,
                sinks,
                vessels,
                report,
                tally,
                ..
            } = &mut *work;
            let (taken_up, absorbed) = (!ledger.capacity().is_empty(), !ledger.rate().is_empty());
            if taken_up {
                ledger.capacity().read_mean(steps, capacity);
            }
            if absorbed {
                ledger.rate().read_mean(steps, rate);
            }
            let mut secreted = !ledger.source().is_empty();
            if secreted {
                ledger.source().read_mean(steps, source);
            }
            let mut drained = false;
            if let Some(placed) = placed {
                let voxels = values.0.len();
                if placed.acts(start, end, true) {
                    if !secreted {
                        source.clear();
                        source.resize(voxels, 0.0);
                    }
                    secreted = true;
                    placed.fill(start, end, true, source);
                }
                if placed.acts(start, end, false) {
                    drained = true;
                    sinks.clear();
                    sinks.resize(voxels, 0.0);
                    placed.fill(start, end, false, sinks);
                }
            }
            let perfused = site
                .block
                .perfusion_length_um
                .filter(|_| kinetics.crosses_vessel_walls && !is_drawn);
            let host = perfused.map(|length_um| Exchange {
                rate_per_min: field.grid.means(&host.0, vessels),
                scale: {
                    let across = length_um * length_um / kinetics.diffusivity_um2_per_min;
                    let through_walls =
                        kinetics.wall_permeability_um_per_min * parameters.nutrient_surface_per_um;
                    // Medium has no walls.
                    let has_walls = cells.is_none_or(|cells| !cells.is_stirred);
                    if has_walls && through_walls > 0.0 {
                        1.0 / (across + 1.0 / through_walls)
                    } else {
                        1.0 / across
                    }
                },
                reservoir: Reservoir::Uniform(level),
            });
            let walls = vessel_walls.exchange();
            let both;
            let exchange = match (&host, &walls) {
                (Some(host), Some(walls)) => {
                    both = [*host, *walls];
                    &both[..]
                }
                (Some(one), None) | (None, Some(one)) => std::slice::from_ref(one),
                (None, None) => &[],
            };
            let cells = Saturating {
                vmax_per_min: capacity,
                half_saturation: kinetics.half_saturation,
            };
            let sinks = Saturating {
                vmax_per_min: sinks,
                half_saturation: SINK_SHARE * kinetics.half_saturation,
            };
            let both_uptakes = [cells, sinks];
            let saturating = match (taken_up, drained) {
                (true, true) => &both_uptakes[..],
                (true, false) => &both_uptakes[..1],
                (false, true) => &both_uptakes[1..],
                (false, false) => &[],
            };
            let terms = LocalTerms {
                decay_per_min: kinetics.decay_per_min,
                saturating,
                rate_per_min: absorbed.then_some(rate.as_slice()),
                source_per_min: secreted.then_some(source.as_slice()),
                exchange,
            };
            // Where nothing is supplied from outside (a closed dish, tissue whose vessels are all displaced) there is no
            // steady state but emptiness: what is there is used up in time.
            let supplied = supply.held.any() || exchange.iter().any(Exchange::is_open);
            // Medium that can be used up is told what the block holds, before and after.
            let scheme = if kinetics.quasi_steady && supplied && medium.is_none() {
                TimeScheme::QuasiSteady
            } else {
                TimeScheme::BackwardEuler { dt_minutes }
            };
            let stopping = Stopping {
                relative_residual: parameters.tolerance,
                ..default()
            };
            let before = medium.is_some().then(|| total(&values.0));
            *report = solver.solve(&terms, scheme, stopping, &mut values.0);
            if let (Some(medium), Some(before)) = (&mut medium, before) {
                let exchanged = exchanged(&terms, before, &values.0, solver.grid());
                medium.book(&exchanged, kinetics.decay_per_min, dt_minutes);
            }
            tally.add(report);
            tally.overflowed += u64::from(ledger.has_overflowed());
            ledger.clear();
        },
    );
}

/// Sum over voxels.
fn total(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

/// What a solve with these terms gave and took, given the sum over voxels before it and the values after.
fn exchanged(terms: &LocalTerms, before: f64, values: &[f32], grid: &Grid) -> Exchanged {
    let volume = f64::from(grid.voxel_volume_um3());
    let mut taken = 0.0;
    for (voxel, value) in values.iter().enumerate() {
        let mut rate = terms.decay_per_min;
        if let Some(rates) = terms.rate_per_min {
            rate += rates[voxel];
        }
        taken += f64::from(rate * value);
        for uptake in terms.saturating {
            let share = value / (uptake.half_saturation + value);
            taken += f64::from(uptake.vmax_per_min[voxel] * share);
        }
    }
    Exchanged {
        before: before * volume,
        after: total(values) * volume,
        secreted: terms.source_per_min.map_or(0.0, total) * volume,
        taken: taken * volume,
    }
}
