//! Setting up the operators of all levels from a medium.
//!
//! This happens when the medium changes, not at every solve. Where the diffusivity is uniform and
//! nothing flows the axis tables say everything. Otherwise face conductances (um3/min) and flows
//! (um3/min) are laid out on the finest level and carried to the coarser ones: along a line through
//! cell centres resistances add up (half of that inside each of the two cells, all of that between
//! them), and lines side by side conduct in parallel. Flows add up. The resistance inside a cell counts
//! at most as much as that between the cells: a cell half shut off from itself must not look cut off
//! from its neighbours, or its correction would grow without bound.

use std::sync::Arc;

use crate::core::parallel::map_chunks;

use super::assembly::{Edges, HeldPlace, Link};
use super::kernels::parent;
use super::level::{Couplings, Level, Operator};
use super::medium::{Diffusivity, FaceCondition, Medium, Velocity};
use super::multigrid::children_of;

/// Conductances and flows through the faces normal to each axis. Faces lie in arrays of
/// `dims` with one more along their own axis, `x` fastest.
struct Faces {
    dims: [usize; 3],
    conductance: [Vec<f64>; 3],
    flow: Option<[Vec<f64>; 3]>,
}

fn face_dims(dims: [usize; 3], axis: usize) -> [usize; 3] {
    let mut dims = dims;
    dims[axis] += 1;
    dims
}

fn at(dims: [usize; 3], [i, j, k]: [usize; 3]) -> usize {
    (k * dims[1] + j) * dims[0] + i
}

fn for_each_cell(dims: [usize; 3], mut work: impl FnMut([usize; 3])) {
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                work([i, j, k]);
            }
        }
    }
}

fn shifted(mut cell: [usize; 3], axis: usize, by: isize) -> [usize; 3] {
    cell[axis] = cell[axis].wrapping_add_signed(by);
    cell
}

/// Product of the widths of a cell along all axes but `axis`, um2.
fn face_area(level: &Level, cell: [usize; 3], axis: usize) -> f64 {
    (0..3)
        .filter(|a| *a != axis)
        .map(|a| level.axes[a].widths[cell[a]])
        .product()
}

fn volume(level: &Level, cell: [usize; 3]) -> f64 {
    (0..3).map(|a| level.axes[a].widths[cell[a]]).product()
}

impl Faces {
    /// Conductances and flows that `of_axis` works out for the faces normal to each axis.
    fn new(
        dims: [usize; 3],
        flows: bool,
        of_axis: impl Fn(usize) -> (Vec<f64>, Vec<f64>) + Sync,
    ) -> Self {
        let mut faces = Self {
            dims,
            conductance: Default::default(),
            flow: flows.then(Default::default),
        };
        for (axis, (conductance, flow)) in map_chunks(3, 1, |axis, _| of_axis(axis))
            .into_iter()
            .enumerate()
        {
            faces.conductance[axis] = conductance;
            if let Some(flows) = &mut faces.flow {
                flows[axis] = flow;
            }
        }
        faces
    }

    /// Those of the finest level, over [`scale_of`] the medium.
    fn finest(level: &Level, medium: &Medium) -> Self {
        let dims = level.layout.dims;
        // What is over the scale must not hang on it: other solvers share it.
        let of_scale = match (medium.diffusivity, medium.velocity) {
            (Diffusivity::Scaled { by, relative }, None) if by > 0.0 => {
                Diffusivity::PerVoxel(relative)
            }
            (any, _) => any,
        };
        let diffusivity = |cell: [usize; 3]| f64::from(of_scale.at(at(dims, cell)));
        Self::new(dims, medium.velocity.is_some(), |axis| {
            let over = face_dims(dims, axis);
            let mut conductance = Vec::with_capacity(over.iter().product());
            let mut flow = Vec::new();
            let n = dims[axis];
            for_each_cell(over, |face| {
                let i = face[axis];
                let below = (i > 0).then(|| shifted(face, axis, -1));
                let above = (i < n).then_some(face);
                let area = face_area(level, below.unwrap_or(face), axis);
                let width = level.axes[axis].widths[i.min(n - 1)];
                conductance.push(match (below, above) {
                    (Some(below), Some(above)) => {
                        let (a, b) = (diffusivity(below), diffusivity(above));
                        let mean = if a + b > 0.0 {
                            2.0 * a * b / (a + b)
                        } else {
                            0.0
                        };
                        mean * area / width
                    }
                    (below, above) => {
                        let cell = below.or(above).unwrap_or(face);
                        match medium.faces[2 * axis + usize::from(i > 0)] {
                            FaceCondition::Held(_) => 2.0 * diffusivity(cell) * area / width,
                            _ => 0.0,
                        }
                    }
                });
                if let Some(velocity) = &medium.velocity {
                    let is_outer = i == 0 || i == n;
                    let condition = medium.faces[2 * axis + usize::from(i > 0)];
                    let sealed = is_outer
                        && matches!(condition, FaceCondition::Closed | FaceCondition::Flux(_));
                    let normal = match velocity {
                        _ if sealed => 0.0,
                        Velocity::Uniform(v) => f64::from(v[axis]),
                        Velocity::PerVoxel(each) => {
                            let ends = [below, above].into_iter().flatten();
                            let count = ends.clone().count() as f64;
                            ends.map(|cell| f64::from(each[at(dims, cell)][axis]))
                                .sum::<f64>()
                                / count
                        }
                        Velocity::Faces { x, y, z } => f64::from([x, y, z][axis][at(over, face)]),
                    };
                    flow.push(normal * area);
                }
            });
            (conductance, flow)
        })
    }

    /// Faces of the next coarser level.
    fn coarser(&self, fine: &Level, dims: [usize; 3]) -> Self {
        Self::new(dims, self.flow.is_some(), |axis| {
            let over = face_dims(self.dims, axis);
            let coarse_over = face_dims(dims, axis);
            let joined = fine.axes[axis].coarsening.is_some();
            let n = self.dims[axis];
            let mut conductance = vec![0.0; coarse_over.iter().product()];
            let mut flow = vec![
                0.0;
                if self.flow.is_some() {
                    conductance.len()
                } else {
                    0
                }
            ];
            for_each_cell(over, |face| {
                let i = face[axis];
                // Faces between two halves of one coarse cell are inside it.
                if joined && i % 2 == 1 && i < n {
                    return;
                }
                let mut coarse =
                    [0, 1, 2].map(|a| parent(fine, a, face[a].min(self.dims[a] - 1)).0);
                coarse[axis] = if joined { i.div_ceil(2) } else { i };
                let target = at(coarse_over, coarse);
                let between = self.conductance[axis][at(over, face)];
                if between > 0.0 {
                    let mut resistance = 1.0 / between;
                    if joined {
                        // Inner faces of the cells on both sides, where they are pairs.
                        let inner = [
                            (i >= 2 && i % 2 == 0).then(|| i - 1),
                            (i + 1 < n).then_some(i + 1),
                        ];
                        for inner in inner.into_iter().flatten() {
                            let mut face = face;
                            face[axis] = inner;
                            let inner = self.conductance[axis][at(over, face)];
                            resistance += 0.5 / inner.max(between);
                        }
                    }
                    conductance[target] += 1.0 / resistance;
                }
                if let Some(flows) = &self.flow {
                    flow[target] += flows[axis][at(over, face)];
                }
            });
            (conductance, flow)
        })
    }

    /// Coupling to the neighbour through a face and loss through it, um3/min. `upper` says on which
    /// side of the cell the face lies.
    fn pass(&self, cell: [usize; 3], axis: usize, upper: bool) -> (f64, f64) {
        let face = shifted(cell, axis, isize::from(upper));
        let place = at(face_dims(self.dims, axis), face);
        let conductance = self.conductance[axis][place];
        let outward = self.flow.as_ref().map_or(0.0, |flows| {
            let upward = flows[axis][place];
            if upper { upward } else { -upward }
        });
        (
            conductance + (-outward).max(0.0),
            conductance + outward.max(0.0),
        )
    }

    fn couplings(&self, level: &Level) -> Arc<[Couplings; 2]> {
        let mut both = map_chunks(2, 1, |colour, _| self.couplings_of(level, colour));
        Arc::new(std::array::from_fn(|colour| {
            std::mem::take(&mut both[colour])
        }))
    }

    fn couplings_of(&self, level: &Level, colour: usize) -> Couplings {
        let len = level.layout.len();
        let mut couplings = Couplings {
            to: std::array::from_fn(|_| vec![0.0; len]),
            diagonal: vec![f32::INFINITY; len],
        };
        for_each_cell(self.dims, |cell| {
            let (own, place) = level.layout.place(cell[0], cell[1], cell[2]);
            if own != colour {
                return;
            }
            let per_volume = 1.0 / volume(level, cell);
            let mut diagonal = 0.0;
            for face in 0..6 {
                let (axis, upper) = (face / 2, face % 2 == 1);
                let (coupling, loss) = self.pass(cell, axis, upper);
                let is_outer = cell[axis] == if upper { self.dims[axis] - 1 } else { 0 };
                if !is_outer {
                    couplings.to[face][place] = (coupling * per_volume) as f32;
                }
                diagonal += loss * per_volume;
            }
            couplings.diagonal[place] = diagonal as f32;
        });
        couplings
    }
}

/// What couplings are stored over: the factor of a scaled diffusivity, unless there is flow, which does not scale
/// with it.
fn scale_of(medium: &Medium) -> f32 {
    match (medium.diffusivity, medium.velocity) {
        (Diffusivity::Scaled { by, .. }, None) if by > 0.0 => by,
        _ => 1.0,
    }
}

/// Mean diffusivity, um2/min.
fn mean_diffusivity(medium: &Medium) -> f64 {
    let mean = |each: &[f32]| each.iter().map(|d| f64::from(*d)).sum::<f64>() / each.len() as f64;
    match medium.diffusivity {
        Diffusivity::Uniform(d) => f64::from(d),
        Diffusivity::PerVoxel(each) => mean(each),
        Diffusivity::Scaled { by, relative } => f64::from(by) * mean(relative),
    }
}

/// The couplings of all levels of a solver, for solvers of the same grid whose medium differs from its own in the
/// factor of a scaled diffusivity alone (and in what faces are held at).
#[derive(Clone, Debug)]
pub struct SharedCouplings {
    dims: [usize; 3],
    widths: [f64; 3],
    held: [bool; 6],
    levels: Vec<Arc<[Couplings; 2]>>,
}

pub(super) fn held_faces(medium: &Medium) -> [bool; 6] {
    medium
        .faces
        .map(|face| matches!(face, FaceCondition::Held(_)))
}

impl SharedCouplings {
    /// Those of levels that were fitted to a medium, if they can be shared.
    pub(super) fn of(levels: &[Level], held: [bool; 6]) -> Option<Self> {
        let of_level = |level: &Level| match &level.operator {
            Operator::General { couplings, .. } => Some(couplings.clone()),
            Operator::Uniform(_) => None,
        };
        let first = levels.first()?;
        Some(Self {
            dims: first.layout.dims,
            widths: first.axes.each_ref().map(|axis| axis.widths[0]),
            held,
            levels: levels.iter().map(of_level).collect::<Option<_>>()?,
        })
    }

    fn fits(&self, levels: &[Level], medium: &Medium) -> bool {
        let first = &levels[0];
        matches!(medium.diffusivity, Diffusivity::Scaled { by, .. } if by > 0.0)
            && medium.velocity.is_none()
            && self.dims == first.layout.dims
            && self.widths == first.axes.each_ref().map(|axis| axis.widths[0])
            && self.held == held_faces(medium)
    }
}

/// Mean speed along an axis, um/min.
fn mean_speed(medium: &Medium, axis: usize) -> f64 {
    let mean = |sum: f64, len: usize| sum / len as f64;
    match &medium.velocity {
        None => 0.0,
        Some(Velocity::Uniform(v)) => f64::from(v[axis].abs()),
        Some(Velocity::PerVoxel(each)) => mean(
            each.iter().map(|v| f64::from(v[axis].abs())).sum(),
            each.len(),
        ),
        Some(Velocity::Faces { x, y, z }) => {
            let through = [x, y, z][axis];
            mean(
                through.iter().map(|v| f64::from(v.abs())).sum(),
                through.len(),
            )
        }
    }
}

/// Fits all levels to a medium and hands back what the finest exchanges with the outside and with
/// held voxels. Couplings at hand are taken as they are, if they can be.
pub(super) fn fit(
    levels: &mut [Level],
    medium: &Medium,
    shared: Option<&SharedCouplings>,
) -> Edges {
    let count = levels.len();
    let diffusivity = mean_diffusivity(medium);
    let speeds = [0, 1, 2].map(|axis| mean_speed(medium, axis));
    for n in 0..count {
        let coarsened = match levels.get(n + 1) {
            Some(next) => [0, 1, 2].map(|a| next.axes[a].len() < levels[n].axes[a].len()),
            None => [false; 3],
        };
        let level = &mut levels[n];
        for (axis, coarsened) in coarsened.into_iter().enumerate() {
            let ends = [medium.faces[2 * axis], medium.faces[2 * axis + 1]];
            level.axes[axis].fit(ends, coarsened);
        }
        level.sort_x_couplings();
        let axes = (0..3).filter(|axis| level.axes[*axis].coarsening.is_some());
        let mixing_rate: f64 = axes
            .map(|axis| {
                let width = level.axes[axis].widths[0];
                (diffusivity / width + speeds[axis]) / width
            })
            .sum();
        level.mixing_rate = (mixing_rate as f32).max(f32::MIN_POSITIVE);
    }
    match (medium.diffusivity, medium.velocity) {
        (Diffusivity::Uniform(d), None) => {
            for level in levels.iter_mut() {
                level.operator = Operator::Uniform(d);
            }
        }
        _ => {
            let scale = scale_of(medium);
            if let Some(shared) = shared.filter(|shared| shared.fits(levels, medium)) {
                for (level, couplings) in levels.iter_mut().zip(&shared.levels) {
                    let couplings = couplings.clone();
                    level.operator = Operator::General { couplings, scale };
                }
            } else {
                let mut faces = Faces::finest(&levels[0], medium);
                for n in 0..count {
                    if n > 0 {
                        faces = faces.coarser(&levels[n - 1], levels[n].layout.dims);
                    }
                    let couplings = faces.couplings(&levels[n]);
                    levels[n].operator = Operator::General { couplings, scale };
                }
            }
        }
    }
    let mut edges = Edges::default();
    link_outer_faces(&levels[0], medium, &mut edges);
    hold_voxels(levels, medium, &mut edges);
    edges.index(levels[0].layout.dims[2]);
    edges
}

fn link_outer_faces(level: &Level, medium: &Medium, edges: &mut Edges) {
    let dims = level.layout.dims;
    let diffusivity = |cell| medium.diffusivity.at(at(dims, cell));
    for (face, condition) in medium.faces.iter().enumerate() {
        let (axis, upper) = (face / 2, face % 2 == 1);
        if matches!(condition, FaceCondition::Closed)
            || (matches!(condition, FaceCondition::Open) && medium.velocity.is_none())
        {
            continue;
        }
        let width = level.axes[axis].widths[0] as f32;
        let mut plane = dims;
        plane[axis] = 1;
        edges.links.reserve_exact(plane.iter().product());
        for_each_cell(plane, |mut cell| {
            if upper {
                cell[axis] = dims[axis] - 1;
            }
            let outward = outer_velocity(dims, medium, cell, axis, upper);
            let carried_out = outward.max(0.0) / width;
            let carried_in = (-outward).max(0.0) / width;
            let (out, supply) = match *condition {
                FaceCondition::Held(value) => {
                    let across = 2.0 * diffusivity(cell) / (width * width);
                    (across + carried_out, (across + carried_in) * value)
                }
                FaceCondition::Flux(flux) => (0.0, flux / width),
                FaceCondition::Open => (carried_out, 0.0),
                FaceCondition::Closed => (0.0, 0.0),
            };
            let place = level.layout.place(cell[0], cell[1], cell[2]);
            edges.links.push(Link::new(cell[2], place, out, supply));
        });
    }
}

/// Velocity out of the grid through the outer face of a cell, um/min.
fn outer_velocity(
    dims: [usize; 3],
    medium: &Medium,
    cell: [usize; 3],
    axis: usize,
    upper: bool,
) -> f32 {
    let upward = match &medium.velocity {
        None => 0.0,
        Some(Velocity::Uniform(v)) => v[axis],
        Some(Velocity::PerVoxel(each)) => each[at(dims, cell)][axis],
        Some(Velocity::Faces { x, y, z }) => {
            let face = shifted(cell, axis, isize::from(upper));
            [x, y, z][axis][at(face_dims(dims, axis), face)]
        }
    };
    if upper { upward } else { -upward }
}

/// Coupling to and loss through one face of a cell, 1/min.
fn coupling(level: &Level, cell: [usize; 3], face: usize) -> (f32, f32) {
    let (axis, upper) = (face / 2, face % 2 == 1);
    match &level.operator {
        Operator::Uniform(d) => {
            let axis = &level.axes[axis];
            let i = cell[face / 2];
            let geometry = if upper { axis.upper[i] } else { axis.lower[i] };
            (d * geometry, d * geometry)
        }
        Operator::General { couplings, scale } => {
            let (colour, place) = level.layout.place(cell[0], cell[1], cell[2]);
            let inward = scale * couplings[colour].to[face][place];
            // What this cell loses through the face is what its neighbour gains, per volume.
            let other = shifted(cell, axis, if upper { 1 } else { -1 });
            let (colour, place) = level.layout.place(other[0], other[1], other[2]);
            let gained = scale * couplings[colour].to[face ^ 1][place];
            let ratio = volume(level, other) / volume(level, cell);
            (inward, gained * ratio as f32)
        }
    }
}

/// The neighbours of a cell inside the grid, by face.
fn neighbours(dims: [usize; 3], cell: [usize; 3]) -> impl Iterator<Item = (usize, [usize; 3])> {
    (0..6).filter_map(move |face| {
        let (axis, upper) = (face / 2, face % 2 == 1);
        let inside = if upper {
            cell[axis] + 1 < dims[axis]
        } else {
            cell[axis] > 0
        };
        inside.then(|| (face, shifted(cell, axis, if upper { 1 } else { -1 })))
    })
}

/// Links free voxels to their held neighbours and tells the coarse levels what they lose to held
/// voxels they cannot resolve.
fn hold_voxels(levels: &mut [Level], medium: &Medium, edges: &mut Edges) {
    for level in levels.iter_mut() {
        level.sink = [Vec::new(), Vec::new()];
    }
    let Some(held) = medium.held.filter(|held| held.mask.contains(&true)) else {
        return;
    };
    let dims = levels[0].layout.dims;
    for_each_cell(dims, |cell| {
        let index = at(dims, cell);
        if !held.mask[index] {
            return;
        }
        let (colour, place) = levels[0].layout.place(cell[0], cell[1], cell[2]);
        edges.held.push(HeldPlace {
            plane: cell[2],
            colour,
            place,
            index,
            value: held.values[index],
        });
        for (face, free) in neighbours(dims, cell) {
            if held.mask[at(dims, free)] {
                continue;
            }
            // Seen from the free voxel the face is the opposite one.
            let (inward, out) = coupling(&levels[0], free, face ^ 1);
            let place = levels[0].layout.place(free[0], free[1], free[2]);
            let supply = inward * held.values[index];
            edges.links.push(Link::new(free[2], place, out, supply));
        }
    });
    // No voxel of a held one counts; links to outer faces of held voxels are void.
    let is_held: Vec<(usize, usize)> = {
        let mut places: Vec<_> = edges.held.iter().map(|h| (h.colour, h.place)).collect();
        places.sort_unstable();
        places
    };
    edges
        .links
        .retain(|link| is_held.binary_search(&link.place()).is_err());

    let mut mask = held.mask.to_vec();
    let mut sink = vec![0.0_f32; mask.len()];
    for n in 1..levels.len() {
        let (fine, coarse) = (&levels[n - 1], &levels[n]);
        let fine_dims = fine.layout.dims;
        let dims = coarse.layout.dims;
        let len = dims.iter().product();
        let mut coarse_mask = vec![true; len];
        for_each_cell(fine_dims, |cell| {
            if !mask[at(fine_dims, cell)] {
                coarse_mask[at(dims, [0, 1, 2].map(|a| parent(fine, a, cell[a]).0))] = false;
            }
        });
        let mut coarse_sink = vec![0.0_f32; len];
        let mut by_colour = [0, 1].map(|_| vec![0.0_f32; coarse.layout.len()]);
        for_each_cell(dims, |above| {
            let target = at(dims, above);
            let (colour, place) = coarse.layout.place(above[0], above[1], above[2]);
            if coarse_mask[target] {
                by_colour[colour][place] = f32::INFINITY;
                return;
            }
            let mut total = 0.0;
            for (cell, share) in children_of(fine, above) {
                if mask[at(fine_dims, cell)] {
                    continue;
                }
                let mut loss = sink[at(fine_dims, cell)];
                for (face, other) in neighbours(fine_dims, cell) {
                    let over_other = [0, 1, 2].map(|a| parent(fine, a, other[a]).0);
                    if mask[at(fine_dims, other)] && !coarse_mask[at(dims, over_other)] {
                        loss += coupling(fine, cell, face).1;
                    }
                }
                total += share * loss;
            }
            coarse_sink[target] = total;
            by_colour[colour][place] = total;
        });
        levels[n].sink = by_colour;
        mask = coarse_mask;
        sink = coarse_sink;
    }
}
