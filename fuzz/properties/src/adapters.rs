use crate::scratch::{self, parts, put};
use manyview_adapter::{
    Card, Gradient, GradientConfig, GradientFit, Linear, Model, Monitored, TaskCard, TrainConfig, load, save,
};
use manyview_core::{Embeddings, Fingerprint, Fit, Kind, Paired, Quiet, Transform};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A saved adapter or head: its card and its weights, with `HASH` in the card for the hash of the weights. What is loaded maps
/// or scores, and is loaded again after it was saved.
pub fn adapter(data: &[u8]) {
    let [config, weights] = parts(data);
    let hash = blake3::hash(weights).to_hex();
    let dir = scratch::empty("adapter");
    put(&dir, "config.json", &replaced(config, b"HASH", hash.as_bytes()));
    ["adapter.safetensors", "head.safetensors"].iter().for_each(|name| put(&dir, name, weights));
    let saved = match load(&dir) {
        Ok(saved) => saved,
        Err(e) => return scratch::refused(e.kind(), &e),
    };
    let (dim_in, dim_out) = (saved.card.dim_in, saved.card.dim_out);
    let values: usize = match &saved.model {
        Model::Adapter(maps) => maps.query().layers().iter().map(|layer| layer.weight().len()).sum(),
        Model::Head(head) => head.layers().iter().map(|layer| layer.weight().len()).sum(),
    };
    assert!(values * 4 <= weights.len());
    let x = Embeddings::new(vec![1.0; 2 * dim_in], dim_in).unwrap();
    let size = match &saved.model {
        Model::Adapter(maps) => maps.queries(&x).map(|y| {
            let length: f32 = y.row(1).iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-3, "{length}");
            (y.n(), y.dim())
        }),
        Model::Head(head) => head.transform(&x).map(|y| (y.n(), y.dim())),
    };
    match size {
        Ok(size) => assert_eq!(size, (2, dim_out)),
        Err(e) => scratch::refused(e.kind(), &e),
    }
    let again = scratch::gone("again");
    save(&again, &saved.model, &saved.card).unwrap();
    let again = load(&again).unwrap();
    assert_eq!((again.model, again.card), (saved.model, saved.card)); // the same tensors may stand in another order
}

fn replaced(text: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    match text.windows(what.len()).position(|w| w == what) {
        Some(at) => [&text[..at], by, &text[at + what.len()..]].concat(),
        None => text.to_vec(),
    }
}

/// The files of a training checkpoint: history and tensors under a manifest that says they are whole, or by the first
/// byte the manifest too. Training goes on from them or begins again, and ends with a map.
pub fn training(data: &[u8]) {
    let (kind, data) = data.split_first().unwrap_or((&0, &[]));
    let [history, tensors, manifest] = parts(data);
    let dir = scratch::empty("checkpoints");
    let expected = fit(&dir, 3).unwrap();
    let kept = latest(&dir);
    let mut said: Value = serde_json::from_slice(&fs::read(kept.join("manifest.json")).unwrap()).unwrap();
    for (name, bytes) in [("history.json", history), ("state.safetensors", tensors)] {
        put(&kept, name, bytes);
        said["files"][name] = json!(blake3::hash(bytes).to_hex().as_str());
    }
    let said = serde_json::to_vec(&said).unwrap();
    put(&kept, "manifest.json", if kind % 2 == 0 { &said } else { manifest });
    match fit(&dir, 3) {
        Ok(found) => {
            assert_eq!(found.map.dim_out(), expected.map.dim_out());
            assert!((1..=3).contains(&found.history.len()), "{:?}", found.history);
            assert!((1..=found.history.len()).contains(&found.best_epoch), "{}", found.best_epoch);
        }
        Err(e) => assert_eq!(e.kind(), Kind::Numeric, "{e}"),
    }
}

/// The last checkpoint in `dir`.
fn latest(dir: &Path) -> PathBuf {
    fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_dir()).max().unwrap()
}

/// Trains a map of two dimensions for some epochs, or goes on with one.
fn fit(dir: &Path, epochs: usize) -> manyview_core::Result<GradientFit> {
    let base = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2)?;
    let teacher = Embeddings::new(vec![0.0, 1.0, 1.0, 0.0, 0.8, 0.6], 2)?;
    let pairs = Paired::new(base, teacher)?;
    let train = TrainConfig { epochs, batch: 2, patience: 2, ..TrainConfig::default() };
    let config = GradientConfig { train, bias: true, ..GradientConfig::default() };
    let watched = Monitored { train: pairs.clone(), validation: Some(pairs), score: None, progress: &Quiet };
    Gradient::new(config, manyview_artifact::device("flex").unwrap()).with_checkpoints(dir).fit(&watched)
}

/// A saved adapter and a checkpoint of training.
pub(crate) fn kept() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let dir = scratch::gone("adapter");
    let map = Linear::new(vec![0.0, 1.0, 0.5, -1.0, 0.25, 2.0], 2, Some(vec![0.5, 0.0, -0.5])).unwrap();
    let card = Card {
        task: TaskCard::Views { instruction: "Identify the topic".into(), teacher: "answers".into() },
        encoder: "toy".into(),
        encoder_fingerprint: Fingerprint::builder("encoder/1").finish(),
        dim_in: 2,
        dim_out: 3,
        method: "ridge".into(),
        n_train: 7,
        settings: [("max_length".to_string(), json!(256))].into(),
    };
    save(&dir, &map.into(), &card).unwrap();
    let weights = fs::read(dir.join("adapter.safetensors")).unwrap();
    let config = fs::read(dir.join("config.json")).unwrap();
    let config = replaced(&config, blake3::hash(&weights).to_hex().as_bytes(), b"HASH");
    let checkpoints = scratch::empty("checkpoints");
    fit(&checkpoints, 3).unwrap();
    let kept = latest(&checkpoints);
    let file = |name: &str| fs::read(kept.join(name)).unwrap();
    let files = [file("history.json"), file("state.safetensors"), file("manifest.json")];
    let training = |kind: u8| [&[kind][..], &files.join(scratch::SEPARATOR)].concat();
    vec![
        ("adapter", "map", [config, weights].join(scratch::SEPARATOR)),
        ("training", "whole", training(0)),
        ("training", "manifest", training(1)),
    ]
}
