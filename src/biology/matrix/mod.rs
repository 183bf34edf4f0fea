//! The extracellular matrix: what lies between the cells, holds them back, and is digested.
//!
//! In each voxel of a site with the part `matrix` there is a density `rho` (0-1), a share `x` of crosslinked bonds, the directions
//! of the fibres, and stores `b` of bound growth factors ([`state`]). With the soluble proteases `P`, the digestion `c` by proteases on the
//! surface of cells, what cells lay down `s`, and LOX `L`:
//!
//! - `d rho/dt = s (1 - rho) - (k_P P + c) rho / (1 + r x) + k_b (rho_0 - rho)`: laid down where there is room, digested the
//!   slower the more it is crosslinked, and brought back slowly by the tissue;
//! - `dx/dt = k_L L (1 - x)`, and what is laid down is not crosslinked yet;
//! - what is digested sets its share of the stores free, `b (-d rho)/rho`, into the fields of these molecules.
//!
//! Digestion and crosslinking are integrated exactly over a step. Cells pull fibres towards their own axis of walking.
//! The pores that are left have the cross-section `A = A_max (1 - rho)^2`; a cell passes through them with the share
//! `clamp((A - A_0) / (A_ref - A_0), 0, 1)` of its speed, `A_0` being where its nucleus is stuck (Wolf et al. 2013, J Cell Biol 201:1069,
//! doi:10.1083/jcb.201210152). Fibres hinder what diffuses between them.
//!
//! [`work_on_matrix`] runs in `Act`, [`remodel`] in `Transport` before the fields are solved.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::death::is_alive;
use crate::cell::{ActSystems, Body, CellType, Motility, Position, Resident, Vital, order_act};
use crate::core::exact_sum::AtomicSums;
use crate::core::in_transit::{InTransit, RegisterInTransit};
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::random::probability;
use crate::core::site_part::RegisterSitePart;
use crate::core::state::{Owner, RegisterState, WhollyKept};
use crate::core::units::{MINUTES_PER_HOUR, MOLECULES_PER_UM3_PER_NM, SECONDS_PER_MINUTE};
use crate::core::{Clock, SimSchedule, SimSystems};
use crate::tissue::RegisterMoleculeUse;
use crate::tissue::medium::{Hinders, MediumSystems, RegisterMedium, share_between_fibres};
use crate::tissue::{Bookings, Fields, SiteId, Sites, TissueBlock};

mod known;
mod picture;
pub mod state;

pub use state::{FACTORS, FibreLayout, Fibres, Matrix, MatrixDescription};

/// How matrix is made, digested and passed, the same in all tissues (group `matrix`).
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct MatrixParameters {
    /// Digestion by soluble MMP, `k_P`, 1/(min nM); 6e-5, 1e-3 /(s uM) [S].
    pub digestion_per_min_nm: f32,
    /// By how much complete crosslinking slows digestion, `r`: to `1 / (1 + r)`; 5 [S].
    pub crosslink_resistance: f32,
    /// Return to the tissue's own density, `k_b`, 1/d; 1/20. Calibrated: it keeps barriers that nobody digests closed.
    pub regeneration_per_day: f32,
    /// Crosslinking by LOX, `k_L`, 1/(min nM); 6e-5: half in eight days at 1 nM. Assumed.
    pub crosslinking_per_min_nm: f32,
    /// Collagen in a cubic micrometre at density 1, pg; 5e-3 is 5 mg/mL, the upper end in the breast [M].
    pub collagen_pg_per_um3: f32,
    /// Cross-section of pores without any matrix, `A_max`, um2; 100. Calibrated.
    pub pore_area_um2: f32,
    /// Cross-section of pores that do not slow cells, `A_ref`, um2; 30. Calibrated to Wolf 2013.
    pub free_pore_area_um2: f32,
    /// Stiffness without matrix, kPa; 0.2: normal mammary gland 0.17 (Levental 2009) [M].
    pub soft_kpa: f32,
    /// Stiffness that matrix at density 1 adds, `rho (1 + x)` times this, kPa; 4: tumours 4 (Levental 2009) [M].
    pub stiffening_kpa: f32,
    /// Radius of fibrils, nm, by which they hinder diffusion; 20. Assumed.
    pub fibril_radius_nm: f32,
    /// Share of the volume that fibrils with their bound water take at density 1; 0.0095: 1.9 mL/g of collagen.
    pub fibril_share: f32,
    /// Density of the tissue for which diffusivities are given; 0.4. Assumed.
    pub reference_density: f32,
    /// Share of what is set free that is active; 1: the stores are given as what can become active.
    pub release_share: f32,
    /// Time after which what hinders diffusion follows the density, min.
    pub hindrance_every_min: f32,
}

impl Default for MatrixParameters {
    fn default() -> Self {
        Self {
            digestion_per_min_nm: 6.0e-5,
            crosslink_resistance: 5.0,
            regeneration_per_day: 0.05,
            crosslinking_per_min_nm: 6.0e-5,
            collagen_pg_per_um3: 5.0e-3,
            pore_area_um2: 100.0,
            free_pore_area_um2: 30.0,
            soft_kpa: 0.2,
            stiffening_kpa: 4.0,
            fibril_radius_nm: 20.0,
            fibril_share: 0.0095,
            reference_density: 0.4,
            release_share: 1.0,
            hindrance_every_min: 60.0,
        }
    }
}

impl Parameters for MatrixParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "reference_density" | "release_share" | "fibril_share" => Limits::FRACTION,
            "collagen_pg_per_um3" | "fibril_radius_nm" | "hindrance_every_min" => Limits {
                min: 1.0e-6,
                max: 1.0e5,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

impl MatrixParameters {
    /// Cross-section of the pores at that density, um2.
    pub fn pore_um2(&self, density: f32) -> f32 {
        let free = 1.0 - density;
        self.pore_area_um2 * free * free
    }

    /// Stiffness, kPa.
    pub fn stiffness_kpa(&self, density: f32, crosslinking: f32) -> f32 {
        self.soft_kpa + self.stiffening_kpa * density * (1.0 + crosslinking)
    }

    /// Share of its speed with which a cell passes, that is stuck in pores of `arrest_um2`.
    pub fn passage(&self, density: f32, arrest_um2: f32) -> f32 {
        let span = self.free_pore_area_um2 - arrest_um2;
        let room = self.pore_um2(density) - arrest_um2;
        if room <= 0.0 {
            0.0
        } else if room >= span {
            1.0
        } else {
            room / span
        }
    }
}

/// What cells of a type do to the matrix (capability `remodelling`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RemodellingParameters {
    /// Collagen that a cell lays down, pg/d; 5, of 1-10, for a CAF [M].
    pub deposition_pg_per_day: f32,
    /// Digestion by proteases on the surface of the cell (MT1-MMP) where it goes, 1/min of what is there; 2e-3 for a cell that opens its
    /// own way. Calibrated to Wolf 2013.
    pub contact_digestion_per_min: f32,
    /// Share of the fibres around a cell that it turns towards its own axis in a minute. Assumed.
    pub pull_per_min: f32,
    /// Cross-section of pores in which the cell is stuck, `A_0`, um2: tumour cells 7, T cells 4, neutrophils 2 (Wolf 2013) [A].
    pub arrest_pore_um2: f32,
}

impl Default for RemodellingParameters {
    fn default() -> Self {
        Self {
            deposition_pg_per_day: 0.0,
            contact_digestion_per_min: 0.0,
            pull_per_min: 0.0,
            arrest_pore_um2: 7.0,
        }
    }
}

impl Parameters for RemodellingParameters {
    fn limits(field: &str) -> Limits {
        match field {
            "pull_per_min" | "contact_digestion_per_min" => Limits {
                min: 0.0,
                max: 10.0,
            },
            _ => Limits {
                min: 0.0,
                max: 1.0e4,
            },
        }
    }
}

/// Sums over cells, in quanta of 2^-40.
type Book = AtomicSums<std::sync::atomic::AtomicI64, 40>;

/// What cells do to the matrix of a site in this step, voxel by voxel.
#[derive(Component, Debug)]
pub struct MatrixBook {
    /// Collagen laid down, pg/min.
    deposition: Book,
    /// Digestion by contact, 1/min.
    digestion: Book,
    /// Pulling, 1/min, and along which axes: `xx, yy, zz, yz, xz, xy`.
    pull: Book,
    axes: [Book; 6],
}

impl MatrixBook {
    fn new(voxels: usize) -> Self {
        Self {
            deposition: Book::new(voxels),
            digestion: Book::new(voxels),
            pull: Book::new(voxels),
            axes: std::array::from_fn(|_| Book::new(voxels)),
        }
    }

    fn pull_along(&self, voxel: usize, axis: Vec3, per_min: f32) {
        self.pull.add(voxel, per_min);
        let Fibres { diagonal, sides } = Fibres::along(axis);
        let terms = [diagonal.to_array(), sides.to_array()];
        for (book, term) in self.axes.iter().zip(terms.into_iter().flatten()) {
            book.add(voxel, per_min * term);
        }
    }

    /// Mean direction of pulling, where there is any.
    fn pulled(&self, voxel: usize) -> Option<(f32, Fibres)> {
        let per_min = self.pull.sum(voxel);
        if per_min <= 0.0 {
            return None;
        }
        let [xx, yy, zz, yz, xz, xy] = [0, 1, 2, 3, 4, 5].map(|at| self.axes[at].sum(voxel));
        let fibres = Fibres {
            diagonal: Vec3::new(xx, yy, zz) / per_min,
            sides: Vec3::new(yz, xz, xy) / per_min,
        };
        Some((per_min, fibres))
    }

    fn clear(&mut self) {
        self.deposition.clear();
        self.digestion.clear();
        self.pull.clear();
        self.axes.iter_mut().for_each(Book::clear);
    }
}

/// The density by which fibres hinder diffusion just now: that of the matrix, as it was at most an hour ago.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatrixHindrance {
    density: Vec<f32>,
    fibril_radius_nm: f32,
    fibril_share: f32,
    reference_density: f32,
}

impl WhollyKept for MatrixHindrance {}

impl MatrixHindrance {
    fn of(density: &[f32], parameters: &MatrixParameters) -> Self {
        Self {
            density: density.to_vec(),
            fibril_radius_nm: parameters.fibril_radius_nm,
            fibril_share: parameters.fibril_share,
            reference_density: parameters.reference_density,
        }
    }
}

impl Hinders for MatrixHindrance {
    fn hinder(&self, radius_nm: f32, shares: &mut [f32]) {
        let share = |density: f32| {
            share_between_fibres(
                density * self.fibril_share,
                self.fibril_radius_nm,
                radius_nm,
            )
        };
        let reference = share(self.reference_density);
        for (kept, density) in shares.iter_mut().zip(&self.density) {
            *kept *= share(*density) / reference;
        }
    }
}

/// The inputs.
const DEPOSITION: &str = "matrix.deposition";
const CONTACT_DIGESTION: &str = "matrix.contact_digestion";
const PULL: &str = "matrix.pull";
/// The molecules that act on it.
const MMP: &str = "mmp";
const LOX: &str = "lox";

/// How far before a cell its surface proteases act, um beyond its radius.
const AHEAD_UM: f32 = 4.0;

/// Living cells lay down, digest and pull what is around them.
pub fn work_on_matrix(
    parameters: Res<PerType<RemodellingParameters>>,
    sites: Res<Sites>,
    inputs: Regulated,
    books: Query<&MatrixBook>,
    cells: Query<(
        Entity,
        &CellType,
        &Resident,
        &Position,
        &Body,
        Option<&Vital>,
        Option<&Motility>,
    )>,
) {
    let places: Vec<Option<(&MatrixBook, &TissueBlock)>> = sites
        .list
        .iter()
        .map(|site| Some((books.get(site.entity).ok()?, &site.block)))
        .collect();
    if places.iter().all(Option::is_none) {
        return;
    }
    let parameters = &*parameters;
    let [deposition, digestion, pull] =
        [DEPOSITION, CONTACT_DIGESTION, PULL].map(|name| inputs.input(name));
    for (entities, types, residents, positions, bodies, vitals, walks) in
        cells.contiguous_iter().expect(IN_TABLES)
    {
        let deposition = deposition.in_table(entities);
        let digestion = digestion.in_table(entities);
        let pull = pull.in_table(entities);
        for_each_row(types.len(), |row| {
            let cell_type = types[row].0;
            let alive = is_alive(vitals.map(|vitals| &vitals[row]));
            let (true, Some(_)) = (alive, parameters.get(cell_type)) else {
                return;
            };
            let Some(Some((book, block))) = places.get(usize::from(residents[row].0.0)) else {
                return;
            };
            let at = positions[row].0;
            let voxel = block.voxel_at(at) as usize;
            let laid = deposition.at(row, cell_type) / (24.0 * MINUTES_PER_HOUR as f32);
            if laid > 0.0 {
                book.deposition.add(voxel, laid);
            }
            let Some(walk) = walks.map(|walks| &walks[row]) else {
                return;
            };
            let digested = digestion.at(row, cell_type);
            if digested > 0.0 {
                let front = at + walk.direction * (bodies[row].radius_um + AHEAD_UM);
                book.digestion.add(block.voxel_at(front) as usize, digested);
            }
            let pulled = pull.at(row, cell_type);
            if pulled > 0.0 && walk.direction != Vec3::ZERO {
                book.pull_along(voxel, walk.direction, pulled);
            }
        });
    }
}

/// What happens in a voxel in a step.
struct Change {
    /// Digestion, 1/min, without the brake of crosslinks.
    digestion_per_min: f32,
    /// Laid down, 1/min.
    deposition_per_min: f32,
    /// Crosslinking, 1/min.
    crosslinking_per_min: f32,
    /// Return to the native density, 1/min.
    regeneration_per_min: f32,
    minutes: f32,
}

impl Matrix {
    /// Carries the change of a step out in a voxel, and returns the share of the voxel's stores that is set free.
    fn change(&mut self, voxel: usize, parameters: &MatrixParameters, by: &Change) -> f32 {
        let before = self.density[voxel];
        let crosslinking = self.crosslinking[voxel];
        let brake = 1.0 + parameters.crosslink_resistance * crosslinking;
        let set_free = probability(by.digestion_per_min / brake, by.minutes);
        let left = before * (1.0 - set_free);
        // Laying down and regeneration, each exact on its own, in that order.
        let laid = (1.0 - left) * probability(by.deposition_per_min, by.minutes);
        let grown = (self.native[voxel] - left - laid).max(0.0)
            * probability(by.regeneration_per_min, by.minutes);
        let density = left + laid + grown;
        self.density[voxel] = density;
        let linked = probability(by.crosslinking_per_min, by.minutes);
        let old = crosslinking + (1.0 - crosslinking) * linked;
        // What is new is not crosslinked.
        self.crosslinking[voxel] = if density > 0.0 {
            old * (left / density)
        } else {
            0.0
        };
        if before > 0.0 { set_free } else { 0.0 }
    }
}

/// The matrix changes as cells and molecules make it, and what it held goes into the fields.
pub fn remodel(
    clock: Res<Clock>,
    parameters: Res<MatrixParameters>,
    sites: Res<Sites>,
    fields: Fields,
    bookings: Bookings,
    mut matrices: Query<(&SiteId, &mut Matrix, &mut MatrixBook, &mut MatrixHindrance)>,
) {
    let (minutes, parameters) = (clock.dt_minutes(), &*parameters);
    let [mmp, lox] = [MMP, LOX].map(|name| fields.of(name));
    let released = FACTORS.map(|name| bookings.of(name));
    let every = (f64::from(parameters.hindrance_every_min) / clock.step_minutes).max(1.0) as u64;
    for (site, mut matrix, mut book, mut hindrance) in &mut matrices {
        let block = &sites.get(*site).block;
        let voxel_um3 = block.voxel_volume_um3();
        let full_pg = parameters.collagen_pg_per_um3 * voxel_um3;
        // nM in a voxel, over a step, as molecules a second.
        let molecules_per_s =
            parameters.release_share * voxel_um3 * MOLECULES_PER_UM3_PER_NM as f32
                / (minutes * SECONDS_PER_MINUTE as f32);
        let regeneration_per_min =
            parameters.regeneration_per_day / (24.0 * MINUTES_PER_HOUR as f32);
        let matrix = matrix.bypass_change_detection();
        for voxel in 0..matrix.density.len() {
            let at = voxel as u32;
            let change = Change {
                digestion_per_min: parameters.digestion_per_min_nm * mmp.at(*site, at)
                    + book.digestion.sum(voxel),
                deposition_per_min: book.deposition.sum(voxel) / full_pg,
                crosslinking_per_min: parameters.crosslinking_per_min_nm * lox.at(*site, at),
                regeneration_per_min,
                minutes,
            };
            let share = matrix.change(voxel, parameters, &change);
            if share > 0.0 {
                for (store, released) in matrix.bound.iter_mut().zip(&released) {
                    let nm = store[voxel] * share;
                    store[voxel] -= nm;
                    if nm > 0.0 {
                        released.secrete(*site, at, nm * molecules_per_s);
                    }
                }
            }
            if let Some((per_min, pulled)) = book.pulled(voxel) {
                let share = probability(per_min, minutes);
                matrix.fibres[voxel] = matrix.fibres[voxel].towards(pulled, share);
            }
        }
        book.clear();
        if clock.step.is_multiple_of(every) {
            let now = MatrixHindrance::of(&matrix.density, parameters);
            if *hindrance != now {
                *hindrance = now;
            }
        }
    }
}

/// The matrix.
pub struct MatrixPlugin;

impl Plugin for MatrixPlugin {
    fn build(&self, app: &mut App) {
        order_act(app);
        app.register_group::<MatrixParameters>("matrix")
            .register_capability::<RemodellingParameters>("remodelling")
            .register_kept::<Matrix>(Owner::Site, "matrix")
            .register_kept::<MatrixHindrance>(Owner::Site, "matrix_hindrance")
            .declare_remade::<MatrixBook>("filled and emptied in every step")
            .register_hindrance::<MatrixHindrance>()
            .register_molecule_use("matrix", MMP)
            .register_molecule_use("matrix", LOX)
            .register_molecule_use("matrix", FACTORS[0])
            .register_molecule_use("matrix", FACTORS[1])
            .register_molecule_use("matrix", FACTORS[2])
            .register_site_part::<MatrixDescription>("matrix", |world, site, description| {
                let Some(block) = world.get::<TissueBlock>(site).cloned() else {
                    return;
                };
                let matrix = Matrix::new(&block, description);
                let parameters = world.resource::<MatrixParameters>();
                let hindrance = MatrixHindrance::of(&matrix.density, parameters);
                let book = MatrixBook::new(block.voxels());
                world.entity_mut(site).insert((matrix, hindrance, book));
            })
            .register_input::<RemodellingParameters>(
                InputInfo::new(DEPOSITION, "pg/d", "Collagen that a cell lays down."),
                "deposition_pg_per_day",
            )
            .register_input::<RemodellingParameters>(
                InputInfo::new(
                    CONTACT_DIGESTION,
                    "1/min",
                    "Digestion of the matrix in front of a cell by proteases on its surface.",
                ),
                "contact_digestion_per_min",
            )
            .register_input::<RemodellingParameters>(
                InputInfo::new(
                    PULL,
                    "1/min",
                    "Share of the fibres around a cell that it turns towards its own axis.",
                ),
                "pull_per_min",
            )
            .while_in_transit(
                work_on_matrix,
                InTransit::Pauses,
                "there is no matrix to work on",
            )
            .add_systems(
                SimSchedule,
                (
                    work_on_matrix.in_set(ActSystems::Exchange),
                    remodel.in_set(SimSystems::Transport).before(MediumSystems),
                ),
            );
        known::register(app);
        picture::register(app);
    }
}

#[cfg(test)]
mod tests;
