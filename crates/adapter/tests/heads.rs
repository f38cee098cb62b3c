//! Heads in closed form and their calibration, beside scikit-learn; and heads on disk.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{
    Card, Head, Isotonic, Layer, RidgeHead, ScoreDimension, ScoreTier, TaskCard, load, save,
};
use manyview_core::{Embeddings, Fingerprint, Fit, Kind, Scored, Targets, Transform};
use serde_json::Value;
use std::fs;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/heads.json")).unwrap()
}

fn figures(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn vectors(value: &Value, dim: usize) -> Embeddings {
    Embeddings::new(figures(value).into_iter().map(|v| v as f32).collect(), dim).unwrap()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn predictions_and_leave_one_out_are_those_of_scikit_learn_for_many_rows_and_for_few() {
    for of in golden()["ridge"].as_array().unwrap() {
        let dim = of["d"].as_u64().unwrap() as usize;
        let truth = Targets::new(figures(&of["y"]), 2).unwrap();
        let data = Scored::new(vectors(&of["x"], dim), truth).unwrap();
        let new = vectors(&of["new"], dim);
        let mut path = Vec::new();
        for case in of["cases"].as_array().unwrap() {
            let alpha = case["alpha"].as_f64().unwrap();
            let fit = RidgeHead { lambdas: Some(vec![alpha]) }.fit(&data).unwrap();
            let predicted = fit.head.transform(&new).unwrap();
            assert!(furthest(predicted.as_slice(), &figures(&case["predicted"])) < 2e-5, "{dim} {alpha}");
            let left_out = furthest(fit.leave_one_out.as_slice(), &figures(&case["leave_one_out"]));
            assert!(left_out < 2e-5, "{dim} {alpha}: {left_out}");
            assert!(furthest(&fit.path[0].mse, &figures(&case["mse"])) < 2e-5);
            path.push((alpha, figures(&case["mse"])));
        }
        let all = RidgeHead { lambdas: Some(path.iter().map(|p| p.0).collect()) }.fit(&data).unwrap();
        for d in 0..2 {
            let best = path.iter().min_by(|a, b| a.1[d].total_cmp(&b.1[d])).unwrap();
            assert_eq!(all.lambdas[d], best.0, "dimension {d} of {dim}");
        }
    }
}

#[test]
fn a_rising_curve_is_that_of_scikit_learn() {
    let of = &golden()["isotonic"];
    let curve = Isotonic::fit(&figures(&of["x"]), &figures(&of["y"])).unwrap();
    let found: Vec<f64> = figures(&of["at"]).into_iter().map(|x| curve.at(x)).collect();
    assert!(furthest(&found, &figures(&of["values"])) < 1e-12);
}

#[test]
fn calibration_brings_held_out_figures_nearer_to_the_truth() {
    let x: Vec<f32> = (0..60).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<f64> = x.iter().map(|v| f64::from(*v).powi(3)).collect();
    let data = Scored::new(Embeddings::new(x, 1).unwrap(), Targets::new(y, 1).unwrap()).unwrap();
    let fit = RidgeHead::default().fit(&data).unwrap();
    let error = |head: &Head| {
        let found = head.transform(data.base()).unwrap();
        found.as_slice().iter().zip(data.targets().as_slice()).map(|(a, b)| (a - b).abs()).sum::<f64>() / 60.0
    };
    let calibrated = fit.head.clone().calibrated(&fit.leave_one_out, data.targets()).unwrap();
    assert!(error(&calibrated) < 0.3 * error(&fit.head), "{} {}", error(&calibrated), error(&fit.head));
}

#[test]
fn too_few_rows_and_penalties_without_sense_are_refused() {
    let two =
        Scored::new(Embeddings::new(vec![1.0, 2.0], 1).unwrap(), Targets::new(vec![1.0, 2.0], 1).unwrap());
    assert_eq!(RidgeHead::default().fit(two.as_ref().unwrap()).unwrap_err().kind(), Kind::Input);
    let other = Scored::new(two.unwrap().base().clone(), Targets::new(vec![1.0], 1).unwrap());
    assert!(other.unwrap_err().to_string().contains("2 rows"));
}

fn head() -> Head {
    let layers = vec![
        Layer::new(vec![0.5, -1.0, 2.0, 0.25], vec![0.1, 0.2]).unwrap(),
        Layer::new(vec![1.0, 3.0], vec![-1.0]).unwrap(),
    ];
    let curve = Isotonic::fit(&[0.1, 1.7, 2.3], &[0.3, 1.1, 2.7]).unwrap();
    Head::new(layers).unwrap().with_calibration(vec![curve]).unwrap()
}

fn card() -> Card {
    Card {
        task: TaskCard::Scores {
            filter: "quality".into(),
            dimensions: vec![ScoreDimension { name: "clarity".into(), weight: 1.0 }],
            tiers: vec![ScoreTier { name: "high".into(), threshold: 7.0 }],
        },
        encoder: "e".into(),
        encoder_fingerprint: Fingerprint::builder("e").finish(),
        dim_in: 2,
        dim_out: 1,
        method: "mlp".into(),
        n_train: 3,
        settings: [("model".to_string(), "e".into())].into(),
    }
}

#[test]
fn a_head_comes_back_from_disk_with_its_curves_and_refuses_vectors_of_another_encoder() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("head");
    save(&dir, &head().into(), &card()).unwrap();
    save(&dir, &head().into(), &card()).unwrap();
    let saved = load(&dir).unwrap();
    assert!(saved.clone().adapter().unwrap_err().to_string().contains("manyview score"));
    let saved = saved.head().unwrap();
    assert_eq!((&saved.model, &saved.card), (&head(), &card()));
    let x = Embeddings::new(vec![0.3, 0.4], 2).unwrap();
    assert_eq!(saved.transform(&x, &card().encoder_fingerprint).unwrap(), head().transform(&x).unwrap());
    let e = saved.transform(&x, &Fingerprint::builder("other").finish()).unwrap_err();
    assert!(e.to_string().contains("quality"), "{e}");
}

#[test]
fn a_changed_head_a_wrong_card_and_a_directory_in_use_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("head");
    assert!(save(&dir, &head().into(), &Card { dim_in: 3, ..card() }).is_err());
    save(&dir, &head().into(), &card()).unwrap();
    let path = dir.join("head.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let e = load(&dir).unwrap_err();
    assert!(e.to_string().contains("blake3") && e.kind() == Kind::Input, "{e}");
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    assert!(save(&dir, &head().into(), &card()).is_err());
    assert_eq!(load(&root.path().join("none")).unwrap_err().kind(), Kind::Io);
}
