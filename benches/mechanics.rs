//! Throughput of the mechanics kernel: one whole call (sort, one evaluation of forces, one move) on a ball
//! of close-packed tissue with about twelve neighbours per cell.
//!
//! `cargo bench --no-default-features --bench mechanics`; the number after `elem/s` is cells per second.
//! `lattice` gives rows in the order of the lattice, `random` in shuffled order, `sizes` lets radii differ
//! by up to 30 %, `giant` adds one cell of ten times the volume per ten thousand.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tumorscape::cell::mechanics::{Body, Mechanics, MechanicsParameters, Surroundings};
use tumorscape::core::parallel::set_threads;
use tumorscape::core::{CellId, Purpose, RandomKey};

/// Radius of a cell, um.
const RADIUS: f32 = 8.41;

/// The `count` points of close packing nearest to the origin, in lattice order, each moved by up to 5 % of
/// the spacing.
fn ball(count: usize) -> Vec<Body> {
    let spacing = 0.952 * 2.0 * RADIUS;
    let half = (0.62 * (count as f64).cbrt()) as i32 + 4;
    let mut points = Vec::new();
    for k in -half..half {
        for j in -half..half {
            for i in -half..half {
                let x = i as f32 + 0.5 * (j + k).rem_euclid(2) as f32;
                let y = 0.866_025_4 * (j as f32 + k.rem_euclid(2) as f32 / 3.0);
                points.push([x, y, 0.816_496_6 * k as f32].map(|at| at * spacing));
            }
        }
    }
    let square = |p: &[f32; 3]| p.iter().map(|at| at * at).sum::<f32>();
    let mut squares: Vec<f32> = points.iter().map(square).collect();
    let (_, limit, _) = squares.select_nth_unstable_by(count, f32::total_cmp);
    let limit = *limit;
    points.retain(|point| square(point) < limit);
    let mut random = RandomKey(1).stream(CellId(0), 0, Purpose::Placement);
    points
        .iter()
        .enumerate()
        .map(|(id, point)| Body {
            id: CellId(id as u64),
            position: point.map(|at| at + 0.1 * spacing * (random.uniform() - 0.5)),
            radius: RADIUS,
            adhesion: Body::ADHESION,
            repulsion: Body::REPULSION,
        })
        .collect()
}

fn mechanics(criterion: &mut Criterion) {
    set_threads(Some(2));
    let mut group = criterion.benchmark_group("mechanics");
    for count in [10_000, 100_000, 1_000_000] {
        group.sample_size(if count < 1_000_000 { 30 } else { 10 });
        group.throughput(Throughput::Elements(count as u64));
        for order in ["lattice", "random", "sizes", "giant"] {
            let mut bodies = ball(count);
            let mut random = RandomKey(2).stream(CellId(0), 0, Purpose::Placement);
            match order {
                "random" => {
                    for last in (1..bodies.len()).rev() {
                        let other = (f64::from(random.uniform()) * last as f64) as usize;
                        bodies.swap(last, other);
                    }
                }
                "sizes" => {
                    for body in &mut bodies {
                        body.radius *= 0.85 + 0.3 * random.uniform();
                    }
                }
                "giant" => {
                    for body in bodies.iter_mut().step_by(10_000) {
                        body.radius *= 2.15;
                    }
                }
                _ => {}
            }
            let mut kernel = Mechanics::new(MechanicsParameters::default());
            *kernel.bodies_mut() = bodies;
            group.bench_function(BenchmarkId::new(order, count), |bencher| {
                bencher.iter(|| {
                    let done = kernel.relax(0.02, &Surroundings::default());
                    assert_eq!(done.substeps, 1);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, mechanics);
criterion_main!(benches);
