//! A report with something of everything, for tests.
use super::*;
use crate::Fact;
use manyview_core::{Estimate, Fingerprint};

fn estimate(value: f64) -> Estimate {
    Estimate { value, low: value - 0.01, high: value + 0.01 }
}

fn errors(mae: f64) -> Errors {
    let spearman = Some(estimate(0.5));
    Errors { mae: estimate(mae), rmse: estimate(mae * 1.3), spearman, r2: None }
}

fn named(name: &str, mae: f64) -> NamedErrors {
    NamedErrors {
        name: name.into(),
        head: errors(mae),
        mean: errors(mae * 1.5),
        neighbours: errors(mae * 1.2),
        gain: estimate(0.333),
        train_mae: mae * 0.9,
    }
}

pub(super) fn view(name: &str, curve: HeadCurve) -> HeadView {
    let metrics = HeadMetrics {
        dataset: "texts.csv".into(),
        filter: "news 1.0".into(),
        encoder: "minilm".into(),
        encoder_fingerprint: Fingerprint::builder("e").finish(),
        head: "ridge".into(),
        calibrated: true,
        n_train: 1000,
        n_val: 100,
        n_test: 100,
        dimensions: vec![named("valence", 0.123), named("arousal", 0.2)],
        overall: named("all dimensions", 0.16),
        weighted: named("weighted", 0.14),
        tiers: vec![TierFigures {
            name: "high".into(),
            threshold: Some(7.0),
            precision: 0.5,
            recall: 0.25,
            f1: 1.0 / 3.0,
            neighbours_f1: 0.2,
            texts: 12,
        }],
        noise: Some(Noise { texts: 40, mae: vec![0.1, 0.1], overall: 0.1 }),
        overfitting: 0.05,
        decision: Decision { verdict: Verdict::Review, reasons: vec!["some is gone".into()] },
        fit_seconds: 0.2,
        fit: [("leave-one-out MAE".to_string(), 0.15)].into(),
        knn: 10,
    };
    let worst = WorstText {
        id: "x1".into(),
        text: "a <b> text".into(),
        truth: vec![1.0, 2.0],
        predicted: vec![3.0, 4.0],
    };
    HeadView {
        name: name.into(),
        metrics,
        curve,
        points: vec![vec![(1.0, 1.5), (2.0, 1.8)], vec![(1.0, 1.2)]],
        worst: vec![worst],
    }
}

pub(super) fn report() -> HeadReport {
    let points = [0.1, 1.0].map(|lambda| HeadPenaltyPoint { lambda, rmse: vec![0.3, 0.4] });
    let epoch = |epoch| HeadEpochPoint {
        epoch,
        train_loss: 0.5 / epoch as f64,
        train_mae: vec![0.2, 0.3],
        train_rmse: vec![0.3, 0.4],
        val_loss: Some(0.6),
        val_mae: Some(vec![0.25, 0.35]),
        val_rmse: Some(vec![0.3, 0.4]),
        lr: 1e-3,
    };
    HeadReport {
        name: "Heads".into(),
        summary: vec![Fact { label: "Data".into(), value: "texts.csv".into() }],
        views: vec![
            view("ridge", HeadCurve::Penalty { chosen: vec![1.0, 1.0], points: points.into() }),
            view("mlp", HeadCurve::Training { best_epoch: 2, epochs: (1..=3).map(epoch).collect() }),
        ],
        reproduce: vec!["manyview run x.toml".into()],
        caveats: vec!["The truth here is what the oracle said.".into()],
    }
}
