//! How densely cells are packed around a place.
//!
//! A coarse grid over the tissue holds the fraction of space filled by cells as they are drawn. Two things follow from it: how
//! much light reaches a cell (cells in a furrow or under others are darker), and which cells are so deep inside that
//! no ray from outside can reach them, so that they need not be drawn. A cut counts as outside. Rebuilt when
//! the snapshot or the cut changes, in `PostUpdate` ([`ViewSystems::Survey`]).

use std::sync::Arc;

use bevy::prelude::*;

use crate::core::units::ball_volume_um3;
use crate::scene::Cut;
use crate::simulation::{CellGlyphs, Snapshot};

use super::cells::drawn_radius_um;
use super::{Shown, ViewSettings, ViewSystems, cut_plane};

/// Edge of a grid cell in mean cell radii: a little more than a cell diameter.
const STEP_PER_RADIUS: f32 = 2.3;
/// Most grid cells; larger tissue gets a coarser grid.
const MAX_CELLS: f32 = 128.0 * 128.0 * 128.0;
/// Filled fraction of densely packed tissue (random close packing of spheres is 0.64; pressed cells overlap a
/// little).
const DENSE: f32 = 0.66;
/// Filled fraction, averaged over 3 x 3 x 3 grid cells, below which light may come through.
const OPEN: f32 = 0.34;

/// Packing of one site of one snapshot under one cut.
#[derive(Resource, Default)]
pub struct Crowding {
    source: Option<(Arc<Snapshot>, usize, Option<Cut>)>,
    dims: [usize; 3],
    origin: Vec3,
    step: f32,
    packing: Vec<f32>,
    buried: Vec<bool>,
}

impl Crowding {
    /// Measures the packing of the cells that a cut leaves.
    pub fn of_cells(cells: &CellGlyphs, cut: Option<Cut>) -> Self {
        let plane = cut_plane(cut);
        let kept = || {
            cells.sphere_um.iter().filter_map(move |&[x, y, z, r]| {
                let centre = Vec3::new(x, y, z);
                (plane.truncate().dot(centre) + plane.w > -r).then_some((centre, r))
            })
        };
        let mut low = Vec3::MAX;
        let mut high = Vec3::MIN;
        let mut radius_sum = 0.0_f64;
        let mut count = 0_usize;
        for (centre, radius) in kept() {
            low = low.min(centre);
            high = high.max(centre);
            radius_sum += f64::from(radius);
            count += 1;
        }
        if count == 0 {
            return Self::default();
        }
        let mean_radius = (radius_sum / count as f64) as f32;
        let mut step = (mean_radius * STEP_PER_RADIUS).max(1.0e-3);
        // Sites on one stage may lie far apart along one axis alone.
        let cells_of = |step: f32| ((high - low) / step + 7.0).element_product();
        while cells_of(step) > MAX_CELLS {
            step *= 1.1;
        }
        let origin = low - 3.0 * step;
        let dims = (high - low)
            .to_array()
            .map(|extent| (extent / step) as usize + 7);
        let mut packing = vec![0.0_f32; dims.iter().product()];
        for (centre, radius) in kept() {
            let [x, y, z] = ((centre - origin) / step).to_array().map(|v| v as usize);
            packing[x + dims[0] * (y + dims[1] * z)] +=
                ball_volume_um3(drawn_radius_um(radius)) / (step * step * step);
        }
        for filled in &mut packing {
            *filled = filled.min(1.2);
        }
        spread(&mut packing, dims);
        let mut tissue: Vec<f32> = packing
            .iter()
            .map(|filled| f32::from(u8::from(*filled > OPEN)))
            .collect();
        for _ in 0..2 {
            along_axes(&mut tissue, dims, |a, b, c| a.min(b).min(c));
        }
        let buried = tissue.iter().map(|value| *value > 0.5).collect();
        spread(&mut packing, dims);
        Self {
            source: None,
            dims,
            origin,
            step,
            packing,
            buried,
        }
    }

    /// How much of space is filled by cells around a place, 1 for dense tissue.
    pub fn density(&self, place: Vec3) -> f32 {
        if self.packing.is_empty() {
            return 0.0;
        }
        let at = (place - self.origin) / self.step - 0.5;
        let floor = at.floor();
        let part = at - floor;
        let [x, y, z] = floor.to_array().map(|v| v as i64);
        let mut sum = 0.0;
        for corner in 0..8_i64 {
            let [i, j, k] = [corner & 1, corner >> 1 & 1, corner >> 2 & 1];
            let weight = |bit: i64, part: f32| if bit == 1 { part } else { 1.0 - part };
            let Some(index) = self.index(x + i, y + j, z + k) else {
                continue;
            };
            sum += weight(i, part.x) * weight(j, part.y) * weight(k, part.z) * self.packing[index];
        }
        sum / DENSE
    }

    /// How freely light reaches a place: 1 in the open, towards 0 deep inside.
    pub fn openness(&self, place: Vec3) -> f32 {
        let shade = ((self.density(place) - 0.22) / 0.78).clamp(0.0, 1.0);
        1.0 - 0.72 * shade * shade * (3.0 - 2.0 * shade)
    }

    /// Whether a place is so deep inside that it cannot be seen from anywhere outside.
    pub fn is_buried(&self, place: Vec3) -> bool {
        let [x, y, z] = ((place - self.origin) / self.step)
            .floor()
            .to_array()
            .map(|v| v as i64);
        self.index(x, y, z).is_some_and(|index| self.buried[index])
    }

    fn index(&self, x: i64, y: i64, z: i64) -> Option<usize> {
        let [nx, ny, nz] = self.dims.map(|n| n as i64);
        let inside = (0..nx).contains(&x) && (0..ny).contains(&y) && (0..nz).contains(&z);
        inside.then(|| (x + nx * (y + ny * z)) as usize)
    }
}

/// Averages each value with its neighbours, 3 x 3 x 3.
fn spread(values: &mut [f32], dims: [usize; 3]) {
    along_axes(values, dims, |a, b, c| (a + b + c) / 3.0);
}

/// Replaces each value by `combine(previous, itself, next)` along x, then y, then z; outside counts as zero.
fn along_axes(values: &mut [f32], dims: [usize; 3], combine: impl Fn(f32, f32, f32) -> f32) {
    let strides = [1, dims[0], dims[0] * dims[1]];
    for (n, stride) in dims.into_iter().zip(strides) {
        for block in values.chunks_exact_mut(n * stride) {
            for start in 0..stride {
                let mut previous = 0.0;
                for i in 0..n {
                    let at = start + i * stride;
                    let here = block[at];
                    let next = if i + 1 < n { block[at + stride] } else { 0.0 };
                    block[at] = combine(previous, here, next);
                    previous = here;
                }
            }
        }
    }
}

/// Keeps [`Crowding`] up to date with what is shown.
fn survey_tissue(shown: Res<Shown>, settings: Res<ViewSettings>, mut crowding: ResMut<Crowding>) {
    let cut = settings.look.cut;
    let current = crowding
        .source
        .as_ref()
        .is_some_and(|(snapshot, site, of_cut)| {
            Arc::ptr_eq(snapshot, &shown.0) && *site == settings.site && *of_cut == cut
        });
    if current {
        return;
    }
    let empty = CellGlyphs::default();
    let cells = shown.site(settings.site).map_or(&empty, |site| &site.cells);
    *crowding = Crowding {
        source: Some((Arc::clone(&shown.0), settings.site, cut)),
        ..Crowding::of_cells(cells, cut)
    };
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Crowding>()
        .add_systems(PostUpdate, survey_tissue.in_set(ViewSystems::Survey));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::look::Axis;

    /// Spheres whose bodies have a radius of 5 um on a cubic lattice of 10.4 um, filling a ball.
    fn ball(radius: f32) -> CellGlyphs {
        let n = (radius / 10.4) as i32 + 1;
        let mut cells = CellGlyphs::default();
        for x in -n..=n {
            for y in -n..=n {
                for z in -n..=n {
                    let centre = Vec3::new(x as f32, y as f32, z as f32) * 10.4;
                    if centre.length() <= radius {
                        cells.sphere_um.push([centre.x, centre.y, centre.z, 5.0]);
                    }
                }
            }
        }
        cells
    }

    #[test]
    fn the_middle_is_buried_and_the_surface_is_not() {
        let crowding = Crowding::of_cells(&ball(120.0), None);
        assert!(crowding.is_buried(Vec3::ZERO));
        for direction in [Vec3::X, Vec3::Y, -Vec3::Z, Vec3::ONE.normalize()] {
            assert!(!crowding.is_buried(direction * 115.0));
            assert!(!crowding.is_buried(direction * 98.0));
        }
        assert!(!crowding.is_buried(Vec3::X * 1000.0));
    }

    #[test]
    fn a_cut_brings_the_middle_to_light() {
        let cut = Some(Cut {
            axis: Axis::Y,
            at_um: 0.0,
            flip: false,
        });
        let crowding = Crowding::of_cells(&ball(120.0), cut);
        assert!(!crowding.is_buried(Vec3::new(0.0, 5.0, 0.0)));
        assert!(crowding.is_buried(Vec3::new(0.0, 60.0, 0.0)));
    }

    #[test]
    fn light_falls_off_inwards() {
        let crowding = Crowding::of_cells(&ball(120.0), None);
        let at = |r: f32| crowding.openness(Vec3::new(0.0, 0.0, r));
        assert!(at(150.0) > 0.99);
        assert!(at(118.0) > at(90.0));
        assert!(at(90.0) < 0.5);
    }
}
