//! Fitting a map `[1024, 1024]` from 1,400 pairs: ridge with its grid of 25 penalties, and 50 epochs of AdamW.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod random;

use criterion::{Criterion, criterion_group, criterion_main};
use manyview::adapter::{Gradient, GradientConfig, Monitored, Prior, Ridge};
use manyview::pipeline::device;
use manyview::{Fit, Paired, Quiet};

fn fit(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);

    for towards in [Prior::Identity, Prior::Zero, Prior::Procrustes] {
        let ridge = Ridge { towards, ..Default::default() };
        let pairs = pairs();
        group.bench_function(format!("ridge towards {towards:?}"), |b| {
            b.iter(|| ridge.fit(&pairs).expect("a map"))
        });
    }

    let gradient = Gradient::new(GradientConfig::default(), device("flex").expect("a default feature"));
    let train = Monitored { train: pairs(), validation: None, score: None, progress: &Quiet };
    group.bench_function("gradient", |b| b.iter(|| gradient.fit(&train).expect("a map")));
}

fn pairs() -> Paired {
    Paired::new(random::rows(1400, 1024, 1), random::rows(1400, 1024, 2)).expect("as many rows")
}

criterion_group!(benches, fit);
criterion_main!(benches);
