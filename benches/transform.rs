//! Applying a map `[1024, 1024]`: one query, and a corpus.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod random;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use manyview::Transform;
use manyview::adapter::Linear;

fn transform(c: &mut Criterion) {
    let weight = random::rows(1024, 1024, 1).into_vec();
    let linear = Linear::new(weight, 1024, Some(vec![0.01; 1024])).expect("a map");
    let mut group = c.benchmark_group("transform");
    for n in [1, 10_000] {
        let x = random::rows(n, 1024, 2);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("rows", n), |b| {
            b.iter(|| linear.transform(&x).expect("a view"))
        });
    }
}

criterion_group!(benches, transform);
criterion_main!(benches);
