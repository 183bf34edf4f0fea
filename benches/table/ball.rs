//! The ball of tissue that the benches of mechanics work on.
//!
//! Cells of one size sit on a close-packed lattice at 95.2 % of contact distance, each moved by up to 5 %
//! of the spacing: contact density, twelve neighbours inside and fewer at the rim, about 11.5 on average.
//! Rows come in lattice order (x fastest, then y, then z); [`shuffle`] puts them in random order.

use tumorscape::cell::mechanics::{ContactBody, ContactLaw};
use tumorscape::core::{CellId, RandomKey};
use tumorscape::scene::population::PLACEMENT;

/// Radius of a cell, um.
pub const RADIUS: f32 = 8.41;
/// Distance of lattice neighbours, um.
pub const SPACING: f32 = 0.952 * 2.0 * RADIUS;

/// The `count` points of the lattice nearest to the origin, in lattice order, each moved at random.
pub fn ball(count: usize) -> Vec<ContactBody> {
    let half = (0.62 * (count as f64).cbrt()) as i32 + 4;
    let mut points = Vec::new();
    for k in -half..half {
        for j in -half..half {
            for i in -half..half {
                let x = i as f32 + 0.5 * (j + k).rem_euclid(2) as f32;
                let y = 0.866_025_4 * (j as f32 + k.rem_euclid(2) as f32 / 3.0);
                points.push([x, y, 0.816_496_6 * k as f32]);
            }
        }
    }
    let square = |p: [f32; 3]| p.iter().map(|at| at * at).sum::<f32>();
    let mut nearest: Vec<usize> = (0..points.len()).collect();
    nearest.select_nth_unstable_by(count, |a, b| {
        let [a_square, b_square] = [a, b].map(|at| square(points[*at]));
        a_square.total_cmp(&b_square).then(a.cmp(b))
    });
    nearest.truncate(count);
    nearest.sort_unstable();
    let mut random = RandomKey(1).stream(CellId(0), 0, PLACEMENT);
    nearest
        .into_iter()
        .enumerate()
        .map(|(id, at)| ContactBody {
            id: CellId(id as u64),
            position: points[at].map(|at| SPACING * (at + 0.1 * (random.uniform() - 0.5))),
            radius: RADIUS,
            adhesion: ContactLaw::PhysiCell.adhesion(),
            repulsion: ContactLaw::PhysiCell.repulsion(),
        })
        .collect()
}

/// Puts rows in random order.
pub fn shuffle<T>(rows: &mut [T]) {
    let mut random = RandomKey(2).stream(CellId(0), 0, PLACEMENT);
    for last in (1..rows.len()).rev() {
        let other = (f64::from(random.uniform()) * last as f64) as usize;
        rows.swap(last, other);
    }
}
