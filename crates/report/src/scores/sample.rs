//! A report with something of everything, for tests.
use super::*;
use crate::{Curve, Fact, Report};
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
        gain: Some(estimate(0.333)),
        train_mae: mae * 0.9,
        absent: [("head.r2".to_string(), "one value throughout".to_string())].into(),
    }
}

pub(super) fn view(name: &str, curve: Curve) -> ScoresSection {
    let metrics = ScoresMetrics {
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
        tiers: vec![TierMetrics {
            name: "high".into(),
            threshold: Some(7.0),
            precision: 0.5,
            recall: 0.25,
            f1: 1.0 / 3.0,
            neighbours_f1: 0.2,
            texts: 12,
        }],
        noise: Some(Noise { texts: 40, mae: vec![0.1, 0.1], overall: 0.1 }),
        overfitting: Some(0.05),
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
    ScoresSection {
        name: name.into(),
        metrics,
        curve,
        points: vec![vec![(1.0, 1.5), (2.0, 1.8)], vec![(1.0, 1.2)]],
        worst: vec![worst],
    }
}

pub(super) fn report() -> Report<ScoresSection> {
    let all = |value: f64| [Some(value); 3];
    let penalties = Curve::penalties(vec![1.0, 1.0], [0.1, 1.0])
        .with("leave_one_out_rmse.valence", [Some(0.3), Some(0.3)])
        .with("leave_one_out_rmse.arousal", [Some(0.4), Some(0.4)]);
    let epochs = Curve::epochs(2, "val_loss", 1..=3)
        .with("train_loss", [1.0, 2.0, 3.0].map(|epoch| Some(0.5 / epoch)))
        .with("val_loss", all(0.6))
        .with("train_mae", all(0.25))
        .with("val_mae", all(0.3))
        .with("val_mae.valence", all(0.25))
        .with("val_mae.arousal", all(0.35));
    Report {
        name: "Heads".into(),
        facts: vec![Fact { label: "Data".into(), value: "texts.csv".into() }],
        sections: vec![view("ridge", penalties), view("mlp", epochs)],
        reproduce: vec!["manyview run x.toml".into()],
        caveats: vec!["The truth here is what the oracle said.".into()],
    }
}
