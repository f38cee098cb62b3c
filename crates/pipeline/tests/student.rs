//! An encoder fine-tuned towards the vectors of a teacher: how close it comes, what is kept, what is refused.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Embeddings, Quiet};
use manyview_data::write_npy;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Environment, Outcome, Result, Stage, Stages, Views, run_task};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const N: usize = 60;
const ENCODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../encoder/tests/golden/models/bert-tiny");
/// Labels, and words of each that the tiny encoder has a token for.
const TOPICS: [(&str, [&str; 4]); 3] = [
    ("cat", ["cat", "sat", "warm", "on"]),
    ("rain", ["rain", "stone", "old", "kent"]),
    ("rates", ["interest", "rates", "fell", "came"]),
];

/// A run directory, a store, and 60 texts: 42 to learn from, 9 for validation, 9 for the test.
struct Scene {
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        let row = |i: usize| {
            let (label, words) = TOPICS[i % 3];
            let text = (0..6).map(|j| words[(i / 3 * (j + 1) + j) % 4]).collect::<Vec<_>>().join(" ");
            let split = ["train", "train", "train", "train", "val", "test"][i / 3 % 6];
            format!("{text} {i},{label},the {label} {},{split}\n", words[i % 4])
        };
        let rows: String = (0..N).map(row).collect();
        fs::write(scene.at("texts.csv"), format!("text,label,answer,split\n{rows}")).unwrap();
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, stages: Stages, keys: &[&str]) -> Result<Outcome<Views>> {
        let text = format!(
            "name = 'run'\noutput.dir = {:?}\noutput.store = {:?}\nencoder.model = {ENCODER:?}\n\
             data = {{ source = {:?}, split = 'split', answers = 'answer' }}\n\
             teacher = {{ kind = 'names', question = 'What is it about?', vectors = {:?} }}\n\
             train = {{ method = 'lora', lr = 1e-2, epochs = 4, batch = 8 }}\n\
             [evaluate]\nseeds = 2\nrestarts = 1\nresamples = 50\nlatency_seconds = 0.0\nbatch = 2\nknn = 3\n",
            self.at("runs"),
            self.at("store"),
            self.at("texts.csv"),
            self.at("teacher.npy")
        );
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let suite = Suite::parse(&text, "test", &keys)?;
        run_task::<Views>(&suite, stages, &Environment::new(self.at("hub")), &Quiet)
    }

    /// Every file of the fit, with its bytes.
    fn fit(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut files, mut open) = (BTreeMap::new(), vec![self.at("runs/run")]);
        while let Some(dir) = open.pop() {
            for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => open.push(path),
                    false => drop(files.insert(path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        files.retain(|path, _| {
            let of_encoder = path.iter().any(|part| part == "encoder" || part == "tuning");
            of_encoder || path.ends_with("fit.json") || path.ends_with("curve.csv")
        });
        files
    }
}

#[test]
fn a_student_is_closer_to_its_teacher_than_its_base_is_and_is_found_again() {
    for (method, rate) in [("lora", "train.lr=1e-2"), ("full", "train.lr=1e-3")] {
        let scene = Scene::new();
        let method_key = format!("train.method={method}");
        // A method that is named anew starts its table anew.
        let keys = [method_key.as_str(), rate, "train.epochs=4", "train.batch=8"];
        let outcome = scene.run(Stages::All, &keys).unwrap();
        let (_, metrics) = &outcome.metrics[0];
        let close = &metrics.fidelity;
        assert_eq!(close.measured_on, "test");
        assert!(close.cosine > close.base_cosine.unwrap(), "{method}: {close:?}");
        assert!(metrics.fine_tuned && metrics.views.offset.is_some() && metrics.held_out.is_some());
        let (_, record) = &outcome.fits[0];
        assert_eq!((record.artifact.as_str(), record.method.as_str(), record.rows), ("encoder", method, 42));
        let figure = |name: &str| record.metrics[name];
        assert!(figure("val_cosine") > figure("val_cosine_of_base"), "{:?}", record.metrics);
        assert_eq!(scene.at("runs/run/encoder/lora").exists(), method == "lora");

        let before = scene.fit();
        let again = scene.run(Stages::All, &keys).unwrap();
        assert_eq!(again.tally.encoded, 0, "{method}");
        assert!(scene.fit() == before, "{method}: a second run changed the fit");
        assert_eq!(again.metrics[0].1.fidelity, *close);
    }
}

#[test]
fn a_teacher_that_sees_no_test_texts_is_compared_on_training_texts_held_back() {
    let scene = Scene::new();
    let outcome = scene.run(Stages::All, &["teacher.kind=answers"]).unwrap();
    let (_, record) = &outcome.fits[0];
    assert_eq!(record.rows, 38, "one in ten of 42 is held back");
    let close = &outcome.metrics[0].1.fidelity;
    assert_eq!(close.measured_on, "training rows held back");
    assert!(close.cosine > close.base_cosine.unwrap(), "{close:?}");
}

#[test]
fn a_student_is_trained_anew_for_another_weight_and_not_for_another_report() {
    let scene = Scene::new();
    let train = |keys: &[&str]| scene.run(Stages::Only(Stage::Train), keys).unwrap().fits[0].1.key.clone();
    let first = train(&[]);
    assert_eq!(first, train(&["evaluate.seeds=3", "train.checkpoint_every=7"]));
    assert_ne!(first, train(&["train.cosine_weight=0.5"]));
}

fn refused(scene: &Scene, keys: &[&str], words: &[&str]) {
    let e = scene.run(Stages::All, keys).unwrap_err().to_string();
    for word in words {
        assert!(e.contains(word), "{keys:?}: no `{word}` in: {e}");
    }
    assert!(!Path::new(&scene.at("runs/run/tuning")).exists(), "{keys:?}: training had begun");
}

#[test]
fn what_no_student_can_learn_is_refused_before_training_with_the_cure() {
    let scene = Scene::new();
    let rows =
        |dim: usize| (0..N).map(move |i| (0..dim).map(|j| ((i * 7 + j * 5) % 11) as f32 + 1.0).collect());
    let rows = |dim| rows(dim).collect::<Vec<Vec<f32>>>();
    write_npy(&scene.at("teacher.npy"), &Embeddings::from_rows(rows(8)).unwrap()).unwrap();
    let adapter = ["train.method", "expected a teacher with vectors of 16", "found 8", "needs an adapter"];
    refused(&scene, &["teacher.kind=vectors"], &adapter);
    let given = format!("data.vectors={}", scene.at("teacher.npy").display());
    refused(&scene, &["teacher.kind=vectors", &given], &["data.vectors", "`lora`", "`ridge` or `gradient`"]);
    let weights = ["mse_weight and cosine_weight", "not both 0"];
    refused(&scene, &["train.mse_weight=0", "train.cosine_weight=0"], &weights);
    refused(&scene, &["train.batch=1"], &["batch", "at least 2"]);
    refused(&scene, &["train.shape=mlp"], &["train.shape", "`lora` does not read it", "`gradient` reads it"]);
}
