//! Fitting a map `[1024, 1024]` from 1,400 pairs: ridge with its grid of 25 penalties, and 50 epochs of AdamW; and one
//! `[384, 384]` of queries from 5,000 matches, 10 epochs, ranked in batches of 64 and against all passages.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod random;

use criterion::{Criterion, criterion_group, criterion_main};
use manyview::adapter::{
    Contrastive, ContrastiveConfig, Gradient, GradientConfig, Monitored, MonitoredPairs, Negatives, Prior,
    Ridge,
};
use manyview::artifact::device;
use manyview::{Fit, Paired, QueryPassagePairs, Quiet};

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

    for negatives in [Negatives::Batch, Negatives::Corpus] {
        let config = ContrastiveConfig { negatives, ..Default::default() };
        let contrastive = Contrastive::new(config, device("flex").expect("a default feature"));
        let (queries, passages) = (random::rows(5000, 384, 3), random::rows(5000, 384, 4));
        let pairs = QueryPassagePairs::new(queries, passages, (0..5000).collect()).expect("as many rows");
        let train = MonitoredPairs { train: pairs, score: None, progress: &Quiet };
        group.bench_function(format!("contrastive, {negatives:?}"), |b| {
            b.iter(|| contrastive.fit(&train).expect("maps"))
        });
    }
}

fn pairs() -> Paired {
    Paired::new(random::rows(1400, 1024, 1), random::rows(1400, 1024, 2)).expect("as many rows")
}

criterion_group!(benches, fit);
criterion_main!(benches);
