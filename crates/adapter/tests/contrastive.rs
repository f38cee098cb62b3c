//! Training on matches: what it learns, where it stops, and that a resumed run is the same run.
#![cfg(all(feature = "gradient", feature = "flex"))]
#![allow(clippy::unwrap_used)]
use manyview_adapter::{
    Contrastive, ContrastiveConfig, ContrastiveFit, ContrastiveLoss, Device, Linear, Maps, MonitoredMatches,
    Negatives, Shape, Sides,
};
use manyview_core::{Embeddings, Error, Fit, Matched, Progress, Quiet, Transform};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicU64, Ordering};

const DIM: usize = 24;

fn random(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n * dim).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Passages, and as queries their images under one random map far from the identity.
fn matched(n: usize, seed: u64) -> Matched {
    let mut w: Vec<f32> = random(DIM, DIM, 99).iter().map(|v| v * 0.4).collect();
    w.iter_mut().step_by(DIM + 1).for_each(|v| *v += 0.5);
    let passages = Embeddings::new(random(n, DIM, seed), DIM).unwrap().normalized().unwrap();
    let queries = Linear::new(w, DIM, None).unwrap().transform(&passages).unwrap();
    Matched::new(queries, passages, (0..n).collect()).unwrap()
}

fn config() -> ContrastiveConfig {
    ContrastiveConfig { epochs: 4, batch: 16, lr: 3e-3, ..Default::default() }
}

fn trained(config: ContrastiveConfig, train: Matched) -> ContrastiveFit {
    let data = MonitoredMatches { train, score: None, progress: &Quiet };
    Contrastive::new(config, Device::flex()).fit(&data).unwrap()
}

/// The share of queries whose positive is the nearest passage.
fn hits(maps: &Maps, data: &Matched) -> f64 {
    let (q, p) = (maps.queries(data.queries()).unwrap(), maps.passages(data.passages()).unwrap());
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let hit = |(query, positive): (&[f32], &usize)| {
        let own = cosine(query, p.row(*positive));
        p.rows().all(|passage| cosine(query, passage) <= own)
    };
    q.rows().zip(data.positive()).filter(|pair| hit(*pair)).count() as f64 / q.n() as f64
}

#[test]
fn every_loss_shape_and_side_brings_held_out_queries_to_their_passages() {
    let held_out = matched(200, 2);
    let before = hits(&Maps::Query(Linear::identity(DIM).unwrap().into()), &held_out);
    let mut configs = Vec::new();
    for map in [Shape::Linear, Shape::LowRank, Shape::Residual, Shape::Mlp] {
        for sides in [Sides::Query, Sides::Dual] {
            configs.push(ContrastiveConfig { map, sides, ..config() });
        }
    }
    for loss in
        [ContrastiveLoss::Contrastive, ContrastiveLoss::OnlineContrastive, ContrastiveLoss::CosineSimilarity]
    {
        configs.push(ContrastiveConfig { loss, ..config() });
    }
    configs.push(ContrastiveConfig { negatives: Negatives::Corpus, ..config() });
    for config in configs {
        let fit = trained(ContrastiveConfig { epochs: 15, ..config.clone() }, matched(400, 1));
        let after = hits(&fit.maps, &held_out);
        assert!(after > before + 0.2, "{config:?}: {before} then {after}");
        assert_eq!(fit.maps.sides(), config.sides);
        assert_eq!(fit.maps.query().shape(), config.map);
    }
}

#[test]
fn another_seed_gives_other_maps_and_the_same_seed_the_same() {
    let fit = |seed| trained(ContrastiveConfig { seed, ..config() }, matched(50, 1));
    assert_eq!(fit(0), fit(0));
    assert_ne!(fit(0).maps, fit(1).maps);
}

#[test]
fn a_request_to_stop_is_heard_between_two_batches() {
    struct StopAt(u64, AtomicU64);
    impl Progress for StopAt {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn stopped(&self) -> bool {
            self.1.fetch_add(1, Ordering::Relaxed) >= self.0
        }
    }
    let progress = StopAt(5, AtomicU64::new(0));
    let data = MonitoredMatches { train: matched(50, 1), score: None, progress: &progress };
    let e = Contrastive::new(config(), Device::flex()).fit(&data).unwrap_err();
    assert!(matches!(e, Error::Interrupted), "{e}");
    assert_eq!(progress.1.into_inner(), 6);
}

#[test]
fn the_best_epoch_is_the_one_of_the_highest_score_and_patience_ends_a_run() {
    let calls = AtomicU64::new(0);
    let score = |_: &Maps| Ok([0.1, 0.9, 0.4, 0.3, 0.2, 0.1][calls.fetch_add(1, Ordering::Relaxed) as usize]);
    let data = MonitoredMatches { train: matched(50, 1), score: Some(&score), progress: &Quiet };
    let patient = ContrastiveConfig { epochs: 6, patience: 2, ..config() };
    let fit = Contrastive::new(patient.clone(), Device::flex()).fit(&data).unwrap();
    assert_eq!((fit.best_epoch, fit.history.len(), fit.stopped_early), (2, 4, true));
    let short = trained(ContrastiveConfig { epochs: 2, ..config() }, matched(50, 1));
    assert_eq!(fit.maps, short.maps);
    let unwatched = MonitoredMatches { score: None, ..data };
    let e = Contrastive::new(patient, Device::flex()).fit(&unwatched).unwrap_err();
    assert!(e.to_string().contains("patience"), "{e}");
}

#[test]
fn grades_are_refused_by_losses_that_cannot_use_them() {
    let refused = |loss, grades: Vec<f32>| {
        let train = matched(2, 1).with_grades(grades).unwrap();
        let data = MonitoredMatches { train, score: None, progress: &Quiet };
        let config = ContrastiveConfig { loss, ..config() };
        Contrastive::new(config, Device::flex()).fit(&data).map(|_| ()).map_err(|e| e.to_string())
    };
    assert!(refused(ContrastiveLoss::MultipleNegativesRanking, vec![1.0, 0.0]).unwrap_err().contains("loss"));
    assert!(
        refused(ContrastiveLoss::Contrastive, vec![1.0, 0.5]).unwrap_err().contains("other than 0 and 1")
    );
    refused(ContrastiveLoss::OnlineContrastive, vec![1.0, 0.0]).unwrap();
    refused(ContrastiveLoss::CosineSimilarity, vec![0.3, -0.5]).unwrap();
}
