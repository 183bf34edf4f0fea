//! Throughput of the mechanics kernel: one whole call (one sort, one evaluation of forces, one move) on the
//! ball of `support/ball.rs`, about 11.5 neighbours a cell, on two threads.
//!
//! `cargo bench --no-default-features --bench mechanics`; the number after `elem/s` is cells per second.
//! `lattice` gives rows in the order of the lattice, `random` in shuffled order, `sizes` lets radii differ
//! by up to 30 %, `giant` adds one cell of ten times the volume per ten thousand.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tumorscape::cell::mechanics::{Mechanics, MechanicsParameters, Surroundings};
use tumorscape::core::parallel::set_threads;
use tumorscape::core::{CellId, RandomKey};
use tumorscape::scene::population::PLACEMENT;

#[path = "support/ball.rs"]
mod ball;

fn mechanics(criterion: &mut Criterion) {
    set_threads(Some(2));
    let mut group = criterion.benchmark_group("mechanics");
    for count in [10_000, 100_000, 1_000_000] {
        group.sample_size(if count < 1_000_000 { 30 } else { 10 });
        group.throughput(Throughput::Elements(count as u64));
        for order in ["lattice", "random", "sizes", "giant"] {
            let mut bodies = ball::ball(count);
            let mut random = RandomKey(3).stream(CellId(0), 0, PLACEMENT);
            match order {
                "random" => ball::shuffle(&mut bodies),
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
