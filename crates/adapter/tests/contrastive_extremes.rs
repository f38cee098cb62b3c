//! Training on matches that nobody would collect: every loss and gradient stays finite.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{
    Contrastive, ContrastiveConfig, ContrastiveFit, ContrastiveLoss, Device, Maps, MonitoredPairs, Negatives,
    Shape, Sides, TrainConfig,
};
use manyview_core::{Embeddings, Error, Fit, QueryPassagePairs, Quiet};
use proptest::prelude::*;

const LOSSES: [ContrastiveLoss; 4] = [
    ContrastiveLoss::MultipleNegativesRanking,
    ContrastiveLoss::Contrastive,
    ContrastiveLoss::OnlineContrastive,
    ContrastiveLoss::CosineSimilarity,
];
const SIDES: [Sides; 3] = [Sides::Query, Sides::Both, Sides::Dual];

fn fit(config: ContrastiveConfig, train: QueryPassagePairs) -> ContrastiveFit {
    let data = MonitoredPairs { train, score: None, progress: &Quiet };
    Contrastive::new(config, Device::flex()).fit(&data).unwrap()
}

fn config(loss: ContrastiveLoss, shape: Shape, sides: Sides) -> ContrastiveConfig {
    let train = TrainConfig { epochs: 2, batch: 4, lr: 1e-2, ..Default::default() };
    ContrastiveConfig { loss, shape, sides, bias: true, train, ..Default::default() }
}

/// Finite vectors of few values, each row with a direction: many rows are equal, opposite or far longer than others.
fn rows(n: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Embeddings> {
    let value = prop_oneof![Just(0.0f32), Just(1.0), Just(-1.0), Just(1e-6), Just(1e6), -1.0f32..1.0];
    let row = prop::collection::vec(value, 3).prop_filter("a direction", |row| row.iter().any(|v| *v != 0.0));
    prop::collection::vec(row, n).prop_map(|rows| Embeddings::from_rows(rows).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_vectors_with_a_direction_give_finite_losses_and_maps(
        queries in rows(1..=9),
        passages in rows(1..=6),
        seed in any::<[usize; 9]>(),
        loss in 0..4usize,
        shape in 0..Shape::ALL.len(),
        sides in 0..3usize,
        masks in any::<(bool, bool, bool, bool)>(),
    ) {
        let (n, m) = (queries.n(), passages.n());
        let positive: Vec<usize> = (0..n).map(|i| seed[i] % m).collect();
        let negatives = (0..n).map(|i| (0..m).filter(|p| *p != positive[i] && (seed[i] >> p) & 4 > 0).collect());
        let mut train = QueryPassagePairs::new(queries, passages, positive.clone()).unwrap();
        if masks.0 {
            train = train.with_negatives(negatives.collect()).unwrap();
        }
        if masks.1 {
            train = train.with_groups((0..m).map(|p| p % 2).collect()).unwrap();
        }
        let whole = masks.2 && LOSSES[loss] == ContrastiveLoss::MultipleNegativesRanking;
        let config = ContrastiveConfig {
            negatives: if whole { Negatives::Corpus } else { Negatives::Batch },
            mask_margin: masks.3.then_some(0.0),
            identity_penalty: if masks.3 { 0.1 } else { 0.0 },
            mask_duplicates: !masks.2,
            ..config(LOSSES[loss], Shape::ALL[shape], SIDES[sides])
        };
        let fit = fit(config, train);
        prop_assert!(fit.history.iter().all(|e| e.train_loss.is_finite() && e.train_loss >= -1e-6));
        let finite = |map: &manyview_adapter::Map| {
            map.layers().iter().all(|l| l.weight().iter().chain(l.bias().into_iter().flatten()).all(|v| v.is_finite()))
        };
        prop_assert!(finite(fit.maps.query()) && fit.maps.passage().is_none_or(finite));
    }
}

#[test]
fn a_batch_of_one_without_negatives_teaches_a_ranking_nothing() {
    let (q, p) = (Embeddings::new(vec![1.0, 2.0], 2).unwrap(), Embeddings::new(vec![-2.0, 1.0], 2).unwrap());
    let train = QueryPassagePairs::new(q, p, vec![0]).unwrap();
    let ranking = config(ContrastiveLoss::MultipleNegativesRanking, Shape::Linear, Sides::Query);
    let fit = fit(ContrastiveConfig { bias: false, ..ranking }, train);
    assert!(fit.history.iter().all(|e| e.train_loss == 0.0), "{:?}", fit.history);
    assert_eq!(fit.maps, Maps::Query(manyview_adapter::Linear::identity(2).unwrap().into()));
}

#[test]
fn queries_that_are_all_the_same_mask_each_others_answers() {
    let q = Embeddings::new([1.0, 2.0, 0.5].repeat(8), 3).unwrap();
    let p = Embeddings::new((0..24).map(|i| (i as f32).sin()).collect(), 3).unwrap();
    let train = QueryPassagePairs::new(q, p, (0..8).collect()).unwrap();
    let ranking = config(ContrastiveLoss::MultipleNegativesRanking, Shape::Linear, Sides::Query);
    let masked = fit(ranking.clone(), train.clone());
    assert!(masked.history.iter().all(|e| e.train_loss == 0.0), "{:?}", masked.history);
    let unmasked = fit(ContrastiveConfig { mask_duplicates: false, ..ranking }, train);
    assert!(unmasked.history.iter().all(|e| e.train_loss > 0.1), "{:?}", unmasked.history);
}

#[test]
fn a_learning_rate_beyond_all_bounds_ends_the_run_by_name() {
    let rows = |seed: f32| Embeddings::new((0..60).map(|i| (i as f32 * seed).sin()).collect(), 3).unwrap();
    let train = QueryPassagePairs::new(rows(1.3), rows(0.7), (0..20).collect()).unwrap();
    let mut ranking = config(ContrastiveLoss::MultipleNegativesRanking, Shape::Residual, Sides::Query);
    ranking.train.lr = 1e38;
    let data = MonitoredPairs { train, score: None, progress: &Quiet };
    let e = Contrastive::new(ranking, Device::flex()).fit(&data).unwrap_err();
    assert!(matches!(&e, Error::Source { .. }) && e.to_string().contains("epoch 1"), "{e}");
}
