//! Times every case: `cargo bench -p counts`, or `cargo bench -p counts -- parse` for some.

use std::time::Duration;

use anyhow::Context as _;
use criterion::{Criterion, criterion_group, criterion_main};

/// More than any cache holds.
const STREAM: usize = 64 << 20;

fn times(criterion: &mut Criterion) {
    let cases = counts::cases(STREAM).context("a case cannot be made");
    for case in cases.unwrap_or_else(|error| panic!("{error:#}")) {
        let mut group = criterion.benchmark_group("counts");
        group.bench_function(&case.name, |bencher| {
            let mut run = case.prepare().unwrap_or_else(|error| panic!("{}: {error:#}", case.name));
            let operations = run();
            bencher.iter_custom(|rounds| {
                let start = std::time::Instant::now();
                for _ in 0..rounds {
                    run();
                }
                // Criterion divides by the rounds alone.
                start.elapsed() / operations as u32
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = times
}
criterion_main!(benches);
