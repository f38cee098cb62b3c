//! Training on matches: what it learns, where it stops, and that a resumed run is the same run.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{
    Contrastive, ContrastiveConfig, ContrastiveFit, ContrastiveLoss, Device, Linear, Maps, MonitoredPairs,
    Negatives, Schedule, Shape, Sides, TrainConfig,
};
use manyview_core::{Embeddings, Error, Fit, Progress, QueryPassagePairs, Quiet, Transform};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

const DIM: usize = 24;

fn random(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n * dim).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Passages, and as queries their images under one random map far from the identity.
fn matched(n: usize, seed: u64) -> QueryPassagePairs {
    let mut w: Vec<f32> = random(DIM, DIM, 99).iter().map(|v| v * 0.4).collect();
    w.iter_mut().step_by(DIM + 1).for_each(|v| *v += 0.5);
    let passages = Embeddings::new(random(n, DIM, seed), DIM).unwrap().normalized().unwrap();
    let queries = Linear::new(w, DIM, None).unwrap().transform(&passages).unwrap();
    QueryPassagePairs::new(queries, passages, (0..n).collect()).unwrap()
}

fn config() -> ContrastiveConfig {
    let train = TrainConfig { epochs: 4, batch: 16, lr: 3e-3, ..Default::default() };
    ContrastiveConfig { train, ..Default::default() }
}

/// Another training of the same maps.
fn with(change: impl Fn(&mut TrainConfig)) -> ContrastiveConfig {
    let mut config = config();
    change(&mut config.train);
    config
}

fn trained(config: ContrastiveConfig, train: QueryPassagePairs) -> ContrastiveFit {
    let data = MonitoredPairs { train, score: None, progress: &Quiet };
    Contrastive::new(config, Device::flex()).fit(&data).unwrap()
}

/// The share of queries whose positive is the nearest passage.
fn hits(maps: &Maps, data: &QueryPassagePairs) -> f64 {
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
    for shape in Shape::ALL {
        for sides in [Sides::Query, Sides::Dual] {
            configs.push(ContrastiveConfig { shape, sides, ..config() });
        }
    }
    for loss in
        [ContrastiveLoss::Contrastive, ContrastiveLoss::OnlineContrastive, ContrastiveLoss::CosineSimilarity]
    {
        configs.push(ContrastiveConfig { loss, ..config() });
    }
    configs.push(ContrastiveConfig { negatives: Negatives::Corpus, ..config() });
    for mut config in configs {
        config.train.epochs = 15;
        let fit = trained(config.clone(), matched(400, 1));
        let after = hits(&fit.maps, &held_out);
        assert!(after > before + 0.2, "{config:?}: {before} then {after}");
        assert_eq!(fit.maps.sides(), config.sides);
        assert_eq!(fit.maps.query().shape(), config.shape);
    }
}

#[test]
fn another_seed_gives_other_maps_and_the_same_seed_the_same() {
    let fit = |seed| trained(with(|train| train.seed = seed), matched(50, 1));
    assert_eq!(fit(0), fit(0));
    assert_ne!(fit(0).maps, fit(1).maps);
}

/// Asks to stop at the given question.
struct StopAt(u64, AtomicU64);

impl Progress for StopAt {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) >= self.0
    }
}

/// A run of three epochs of four steps, watched by a score and stopped at a question, if it comes to that.
fn watched(contrastive: &Contrastive, stop: u64) -> manyview_core::Result<ContrastiveFit> {
    let (validation, train) = (matched(20, 2), matched(50, 1).with_negatives(negatives()).unwrap());
    let score = |maps: &Maps| Ok(hits(maps, &validation));
    let progress = StopAt(stop, AtomicU64::new(0));
    contrastive.fit(&MonitoredPairs { train, score: Some(&score), progress: &progress })
}

fn negatives() -> Vec<Vec<usize>> {
    (0..50).map(|i| (0..i % 3).map(|j| (i + 7 * j + 1) % 50).collect()).collect()
}

#[test]
fn a_run_interrupted_at_any_step_and_resumed_equals_one_that_was_not() {
    let clipped = |clip| {
        with(|train| {
            (train.epochs, train.schedule, train.warmup, train.clip) = (3, Schedule::Cosine, 0.2, clip);
        })
    };
    let base = || clipped(None);
    let low_rank = || ContrastiveConfig { shape: Shape::LowRank, bias: true, ..clipped(Some(0.5)) };
    let mlp = || ContrastiveConfig { shape: Shape::Mlp, bias: true, ..base() };
    let configs = [
        base(),
        ContrastiveConfig { sides: Sides::Dual, ..low_rank() },
        ContrastiveConfig { sides: Sides::Both, shape: Shape::Residual, identity_penalty: 0.1, ..base() },
        ContrastiveConfig { sides: Sides::Both, shape: Shape::Gated, ..base() },
        ContrastiveConfig { loss: ContrastiveLoss::OnlineContrastive, ..mlp() },
        ContrastiveConfig { negatives: Negatives::Corpus, mask_margin: Some(0.05), ..base() },
    ];
    for config in configs {
        let whole = watched(&Contrastive::new(config.clone(), Device::flex()), u64::MAX).unwrap();
        for question in 0..12 {
            let root = tempfile::tempdir().unwrap();
            let contrastive = Contrastive::new(config.clone(), Device::flex()).with_checkpoints(root.path());
            let e = watched(&contrastive, question).unwrap_err();
            assert!(matches!(e, Error::Interrupted), "{e}");
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), usize::from(question > 0));
            assert_eq!(watched(&contrastive, u64::MAX).unwrap(), whole, "step {question} of {config:?}");
        }
    }
}

#[test]
fn a_run_killed_between_two_steps_goes_on_from_the_last_checkpoint() {
    let config = |every| with(|train| (train.epochs, train.checkpoint_every) = (3, every));
    let whole = watched(&Contrastive::new(config(Some(3)), Device::flex()), u64::MAX).unwrap();
    let root = tempfile::tempdir().unwrap();
    let contrastive = Contrastive::new(config(Some(3)), Device::flex()).with_checkpoints(root.path());
    watched(&contrastive, 11).unwrap_err();
    let names = || {
        let entries =
            fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    };
    assert!(names()[0].ends_with("-000000009") && names()[1].ends_with("-000000011"), "{:?}", names());
    fs::remove_dir_all(root.path().join(&names()[1])).unwrap(); // as if it had been killed before it could write
    let again = Contrastive::new(config(None), Device::flex()).with_checkpoints(root.path());
    let counted = AtomicU64::new(0);
    struct Counted<'a>(&'a AtomicU64);
    impl Progress for Counted<'_> {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn stopped(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            false
        }
    }
    let validation = matched(20, 2);
    let score = |maps: &Maps| Ok(hits(maps, &validation));
    let train = matched(50, 1).with_negatives(negatives()).unwrap();
    let data = MonitoredPairs { train, score: Some(&score), progress: &Counted(&counted) };
    assert_eq!(again.fit(&data).unwrap(), whole);
    assert_eq!(counted.into_inner(), 3);
}

#[test]
fn checkpoints_of_other_matches_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let contrastive = Contrastive::new(config(), Device::flex()).with_checkpoints(root.path());
    let fit = |train: QueryPassagePairs| {
        contrastive.fit(&MonitoredPairs { train, score: None, progress: &Quiet }).unwrap().maps
    };
    let plain = fit(matched(50, 1));
    let others = [
        matched(50, 1).with_negatives(negatives()).unwrap(),
        matched(50, 1).with_groups((0..50).map(|i| i / 5).collect()).unwrap(),
        QueryPassagePairs::new(
            matched(50, 1).queries().clone(),
            matched(50, 1).passages().clone(),
            vec![3; 50],
        )
        .unwrap(),
    ];
    for other in others {
        assert_ne!(fit(other.clone()), plain);
        assert_eq!(fit(other.clone()), trained(config(), other).maps);
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 4);
}

#[test]
fn the_best_epoch_is_the_one_of_the_highest_score_and_patience_ends_a_run() {
    let calls = AtomicU64::new(0);
    let score = |_: &Maps| Ok([0.1, 0.9, 0.4, 0.3, 0.2, 0.1][calls.fetch_add(1, Ordering::Relaxed) as usize]);
    let data = MonitoredPairs { train: matched(50, 1), score: Some(&score), progress: &Quiet };
    let patient = with(|train| (train.epochs, train.patience) = (6, 2));
    let fit = Contrastive::new(patient.clone(), Device::flex()).fit(&data).unwrap();
    assert_eq!((fit.best_epoch, fit.history.len(), fit.stopped_early), (2, 4, true));
    let short = trained(with(|train| train.epochs = 2), matched(50, 1));
    assert_eq!(fit.maps, short.maps);
    let unwatched = MonitoredPairs { score: None, ..data };
    let e = Contrastive::new(patient, Device::flex()).fit(&unwatched).unwrap_err();
    assert!(e.to_string().contains("patience"), "{e}");
}

#[test]
fn grades_are_refused_by_losses_that_cannot_use_them() {
    let refused = |loss, grades: Vec<f32>| {
        let train = matched(2, 1).with_grades(grades).unwrap();
        let data = MonitoredPairs { train, score: None, progress: &Quiet };
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
