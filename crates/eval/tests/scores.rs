//! Regression against scikit-learn and SciPy; `tests/golden/regression.py` writes the file.

#![allow(clippy::unwrap_used)] // a test file of its own

use manyview_core::Embeddings;
use manyview_eval::{
    Bootstrap, NearestMean, RegressionMeasure, RegressionMeasure::Mae, RegressionMeasure::Spearman, Targets,
    Tiers,
};
use serde_json::Value;

fn file() -> Value {
    serde_json::from_str(include_str!("golden/regression.json")).unwrap()
}

fn figures(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn vectors(of: &Value, dim: usize) -> Embeddings {
    Embeddings::new(figures(of).into_iter().map(|v| v as f32).collect(), dim).unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{what}: {found}, expected {expected}");
    }
}

#[test]
fn measures_equal_those_of_scikit_learn_and_scipy() {
    let file = file();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let dim = case["dim"].as_u64().unwrap() as usize;
        let of = |name: &str| Targets::new(figures(&case[name]), dim).unwrap();
        let (truth, found) = (of("truth"), of("found"));
        for measure in RegressionMeasure::ALL {
            let name = measure.to_string();
            let mut scores = measure.per_dimension(&truth, &found).unwrap();
            scores.push(measure.overall(&truth, &found).unwrap());
            assert_near(&scores, &figures(&case["measures"][&name]), &name);
        }
    }
}

#[test]
fn tiers_score_as_in_scikit_learn() {
    let file = file();
    let mut count = 0;
    for case in file["cases"].as_array().unwrap() {
        let dim = case["dim"].as_u64().unwrap() as usize;
        let first = |name: &str| Targets::new(figures(&case[name]), dim).unwrap().column(0).unwrap();
        for of in case["tiers"].as_array().unwrap() {
            let tiers = Tiers::new(figures(&of["thresholds"])).unwrap();
            let scores = tiers.scores(&first("truth"), &first("found")).unwrap();
            for (score, expected) in scores.iter().zip(of["scores"].as_array().unwrap()) {
                let found = [score.precision, score.recall, score.f1, score.texts as f64];
                assert_near(&found, &figures(expected), "tier");
                count += 1;
            }
        }
    }
    assert_eq!(count, 2 + 4 + 4 + 2 + 2 + 5 + 2 + 2);
}

#[test]
fn neighbours_predict_as_in_scikit_learn() {
    let of = &file()["neighbours"];
    let (k, dim) = (of["k"].as_u64().unwrap() as usize, of["dim"].as_u64().unwrap() as usize);
    let targets = Targets::new(figures(&of["targets"]), 2).unwrap();
    let (known, queries) = (vectors(&of["known"], dim), vectors(&of["queries"], dim));
    let predicted = NearestMean { k }.predict(&known, &targets, &queries).unwrap();
    assert_near(
        &predicted.rows().flatten().copied().collect::<Vec<_>>(),
        &figures(&of["predicted"]),
        "neighbours",
    );
}

#[test]
fn a_paired_difference_is_surer_than_either_figure() {
    let noise = |i: usize, step: usize| (i * step % 101) as f64 / 101.0 - 0.5;
    let truth: Vec<f64> = (0..300).map(|i| f64::from(i as u32 % 60)).collect();
    let shared = |i: usize| 20.0 * noise(i, 37);
    let with = |extra: f64| {
        let predict = |(i, t): (usize, &f64)| t + shared(i) + extra * shared(i).signum();
        Targets::new(truth.iter().enumerate().map(predict).collect(), 1).unwrap()
    };
    let (good, poor) = (with(0.0), with(0.5));
    let truth = Targets::new(truth.clone(), 1).unwrap();
    let bootstrap = Bootstrap::default();
    let one = Mae.estimate(&truth, &good, &bootstrap).unwrap();
    let more = Mae.difference(&truth, &poor, &good, &bootstrap).unwrap();
    assert!(more.low > 0.0 && more.high - more.low < 0.2 * (one.high - one.low), "{more:?} {one:?}");
    let turned = Mae.difference(&truth, &good, &poor, &bootstrap).unwrap();
    assert!((turned.low + more.high).abs() < 1e-9 && (turned.high + more.low).abs() < 1e-9, "{turned:?}");
    let ranks = Spearman.difference(&truth, &good, &poor, &bootstrap).unwrap();
    assert!(ranks.low > 0.0, "{ranks:?}");
}
