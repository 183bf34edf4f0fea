//! What cells do to the matrix around them (capability `remodelling`): they lay it down, digest what is in front of them, and pull its
//! fibres towards the axis of their own way, so that tracks form.
//!
//! [`work_on_matrix`] runs in `Act` and adds up in a [`MatrixBook`], voxel by voxel, what [`super::remodel`] then carries out.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::change::{Turnover, VOXELS};
use crate::cell::death::is_alive;
use crate::cell::motility::LEADING_EDGE_UM;
use crate::cell::{Body, CellType, Motility, Position, Resident, Vital};
use crate::core::exact_sum::AtomicSums;
use crate::core::input::{InputInfo, RegisterInputs, Regulated};
use crate::core::parallel::{IN_TABLES, for_each_row};
use crate::core::parameters::{Limits, Parameters, PerType, RegisterParameters};
use crate::core::units::MINUTES_PER_HOUR;
use crate::tissue::{Fibres, Sites, TissueBlock};

/// What cells of a type do to the matrix (capability `remodelling`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Reflect)]
#[serde(deny_unknown_fields, default)]
pub struct RemodellingParameters {
    /// Collagen that a cell lays down, pg/d; 5, of 1-10, for a CAF [M].
    pub deposition_pg_per_day: f32,
    /// Digestion by proteases on the surface of the cell (MT1-MMP) where it goes, 1/min of what is there in a cube of 20 um; 2.6e-3
    /// for a cell that opens its own way. Calibrated to Wolf 2013 on voxels of 20 um.
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
            arrest_pore_um2: Self::TUMOUR_ARREST_UM2,
        }
    }
}

impl RemodellingParameters {
    /// Pores in which tumour cells are stuck, and cells of types that do not say otherwise, um2 (Wolf 2013) [A].
    pub const TUMOUR_ARREST_UM2: f32 = 7.0;
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

/// Edge of the cube around its leading edge that a cell digests, um: about its own width, so that what it digests, and how fast it gets
/// on, does not hang on the voxels of the site, as long as these are no wider.
pub const DIGESTED_UM: f32 = 20.0;

/// Sums over cells, in quanta of 2^-40.
type Book = AtomicSums<std::sync::atomic::AtomicI64, 40>;

/// What cells do to the matrix of a site in this step, voxel by voxel.
#[derive(Component, Debug)]
pub struct MatrixBook {
    /// Collagen laid down, pg/min.
    pub(super) deposition: Book,
    /// Digestion by contact, 1/min.
    pub(super) digestion: Book,
    /// Pulling, 1/min, and along which axes: `xx, yy, zz, yz, xz, xy`.
    pull: Book,
    axes: [Book; 6],
    /// The time over which what binds of each factor is solved for at the end of this step, min; 0 where it is not.
    pub(super) binds_over_min: [f32; 3],
    /// What became of collagen in each piece of work.
    pub(super) pieces: Vec<Turnover>,
}

impl MatrixBook {
    pub(super) fn new(voxels: usize) -> Self {
        Self {
            deposition: Book::new(voxels),
            digestion: Book::new(voxels),
            pull: Book::new(voxels),
            axes: std::array::from_fn(|_| Book::new(voxels)),
            binds_over_min: [0.0; 3],
            pieces: vec![Turnover::default(); voxels.div_ceil(VOXELS)],
        }
    }

    pub(super) fn pull_along(&self, voxel: usize, axis: Vec3, per_min: f32) {
        self.pull.add(voxel, per_min);
        let Fibres { diagonal, sides } = Fibres::along(axis);
        let terms = [diagonal.to_array(), sides.to_array()];
        for (book, term) in self.axes.iter().zip(terms.into_iter().flatten()) {
            book.add(voxel, per_min * term);
        }
    }

    /// How strongly fibres of a voxel are pulled, 1/min, and along which directions, where there is any pull on them or, with that
    /// share, on those of the six voxels around.
    pub(super) fn pulled(&self, voxel: usize, dims: UVec3, share: f32) -> Option<(f32, Fibres)> {
        if self.pull.is_empty() {
            return None;
        }
        let [nx, ny, nz] = dims.to_array().map(|n| n as usize);
        let at = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
        let mut all = 0.0;
        let (mut diagonal, mut sides) = (Vec3::ZERO, Vec3::ZERO);
        let mut feel = |voxel: usize, share: f32| {
            let per_min = self.pull.sum(voxel);
            if per_min > 0.0 {
                let [xx, yy, zz, yz, xz, xy] =
                    [0, 1, 2, 3, 4, 5].map(|term| self.axes[term].sum(voxel));
                all += share * per_min;
                diagonal += share * Vec3::new(xx, yy, zz);
                sides += share * Vec3::new(yz, xz, xy);
            }
        };
        feel(voxel, 1.0);
        if share > 0.0 {
            let around = [(1, nx), (nx, ny), (nx * ny, nz)];
            for ((stride, count), place) in around.into_iter().zip(at) {
                if place > 0 {
                    feel(voxel - stride, share);
                }
                if place + 1 < count {
                    feel(voxel + stride, share);
                }
            }
        }
        (all > 0.0).then(|| {
            let fibres = Fibres {
                diagonal: diagonal / all,
                sides: sides / all,
            };
            (all, fibres)
        })
    }

    pub(super) fn clear(&mut self) {
        self.deposition.clear();
        self.digestion.clear();
        self.pull.clear();
        self.axes.iter_mut().for_each(Book::clear);
    }
}

/// The inputs.
const DEPOSITION: &str = "matrix.deposition";
const CONTACT_DIGESTION: &str = "matrix.contact_digestion";
const PULL: &str = "matrix.pull";

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
                let front = at + walk.direction * (bodies[row].radius_um + LEADING_EDGE_UM);
                let half = Vec3::splat(0.5 * DIGESTED_UM);
                let per_um3 = digested / block.voxel_volume_um3();
                block.for_each_shared(front - half, front + half, |voxel, shared_um3| {
                    book.digestion.add(voxel as usize, per_um3 * shared_um3);
                });
            }
            let pulled = pull.at(row, cell_type);
            if pulled > 0.0 && walk.direction != Vec3::ZERO {
                book.pull_along(voxel, walk.direction, pulled);
            }
        });
    }
}

/// Registers the capability and its inputs.
pub(super) fn register(app: &mut App) {
    app.register_capability::<RemodellingParameters>("remodelling")
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
        );
}
