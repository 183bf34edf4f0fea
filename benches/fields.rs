//! How long the field solver takes on stated work: see `support/fields.rs`.
//!
//! `cargo bench --no-default-features --bench fields`; throughput is voxels per second. The number of threads
//! is that of the machine, or `TUMORSCAPE_THREADS`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use support::{FieldCase, FieldWorkload, SIZES};

#[path = "support/fields.rs"]
mod support;

fn fields(criterion: &mut Criterion) {
    let threads = std::env::var("TUMORSCAPE_THREADS").ok();
    let threads = threads.and_then(|threads| threads.parse().ok());
    let threads = tumorscape::core::parallel::set_threads(threads);
    let mut group = criterion.benchmark_group("fields");
    group.sample_size(10);
    for n in SIZES {
        for workload in FieldWorkload::ALL {
            let mut case = FieldCase::new(workload, n);
            let voxels = case.voxels();
            let report = case.run();
            println!(
                "{} on {n}^3: {threads} threads, {} cycles, {} linearisations, residual {:.1e}, {:.0} bytes a voxel",
                workload.name(),
                report.cycles,
                report.nonlinear_iterations,
                report.residual,
                case.memory_bytes() as f64 / voxels as f64,
            );
            group.throughput(Throughput::Elements(voxels as u64));
            group.bench_function(BenchmarkId::new(workload.name(), n), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut spent = std::time::Duration::ZERO;
                    for _ in 0..iterations {
                        case.reset();
                        let start = std::time::Instant::now();
                        black_box(case.run());
                        spent += start.elapsed();
                    }
                    spent
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, fields);
criterion_main!(benches);
