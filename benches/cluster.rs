//! Clustering 2,000 rows of 1,024 dimensions into 10, and scoring the clusters.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod random;

use criterion::{Criterion, criterion_group, criterion_main};
use manyview::eval::{KMeans, adjusted_mutual_info, v_measure};

fn cluster(c: &mut Criterion) {
    let x = random::rows(2000, 1024, 1);
    let truth: Vec<usize> = (0..x.n()).map(|row| row % 10).collect();
    let found = KMeans::new(10).fit(&x).expect("clusters").labels;
    let mut group = c.benchmark_group("cluster");
    group.sample_size(10);
    group.bench_function("k-means, 10 restarts", |b| b.iter(|| KMeans::new(10).fit(&x).expect("clusters")));
    group.bench_function("V-measure", |b| b.iter(|| v_measure(&truth, &found)));
    group.bench_function("adjusted mutual information", |b| b.iter(|| adjusted_mutual_info(&truth, &found)));
}

criterion_group!(benches, cluster);
criterion_main!(benches);
