//! What an adapter learns from: no label, no answer and no pair of a test row.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what sets a scene is part of a test; so are its figures

use manyview_core::{Embeddings, Quiet};
use manyview_data::write_npy;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Environment, Stage, Stages, run};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const WEATHER: [(&str, [&str; 5]); 3] = [
    ("rain", ["drizzle", "umbrella", "puddle", "storm", "wet"]),
    ("fog", ["mist", "haze", "dim", "grey", "blurred"]),
    ("sun", ["heat", "bright", "summer", "beach", "glare"]),
];

#[derive(Clone)]
struct Row {
    text: String,
    label: String,
    answer: String,
    split: &'static str,
}

/// 60 rows: 42 to learn from, 9 for validation, 9 for test, each with every label.
fn rows() -> Vec<Row> {
    let row = |i: usize| {
        let (label, words) = WEATHER[i % 3];
        let text = (0..5).map(|j| words[(i / 3 * (j + 1) + j) % 5]).collect::<Vec<_>>().join(" ");
        let split = ["train", "train", "train", "train", "val", "test"][i / 3 % 6];
        Row {
            text: format!("{text} {i}"),
            label: label.into(),
            answer: format!("the {label} of day {}", i % 7),
            split,
        }
    };
    (0..60).map(row).collect()
}

fn write(dir: &Path, rows: &[Row]) {
    let lines = rows.iter().map(|r| format!("{},{},{},{}\n", r.text, r.label, r.answer, r.split));
    fs::write(dir.join("corpus.csv"), format!("text,label,answer,split\n{}", lines.collect::<String>()))
        .unwrap();
}

/// Gives each row outside training the label of the next such row, and an answer of its own.
fn disturb_held_out(rows: &mut [Row]) {
    let held_out: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].split != "train").collect();
    let labels: Vec<String> = held_out.iter().map(|&i| rows[i].label.clone()).collect();
    for (n, &i) in held_out.iter().enumerate() {
        rows[i].label = labels[(n + 1) % labels.len()].clone();
        rows[i].answer = format!("nonsense number {n}");
    }
    assert!(held_out.iter().zip(&labels).any(|(&i, old)| rows[i].label != *old));
}

/// Fits in a new run directory of its own and gives the bytes of what was fitted; the store is shared.
fn fitted(dir: &TempDir, name: &str, rows: &[Row], keys: &[&str]) -> Vec<u8> {
    write(dir.path(), rows);
    let at = |file: &str| dir.path().join(file);
    let text = format!(
        "name = {name:?}\n\
         data = {{ source = {:?}, split = 'split', answers = 'answer' }}\n\
         encoder.max_length = 16\n\
         teacher = {{ instruction = 'Identify the weather', question = 'What is the weather?', vectors = {:?} }}\n\
         output = {{ dir = {:?}, store = {:?} }}\n",
        at("corpus.csv"),
        at("teacher.npy"),
        at("runs"),
        at("store")
    );
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let suite = Suite::parse(&text, "leak", &keys).unwrap();
    let outcome = run(&suite, Stages::Only(Stage::Train), &Environment::new(at("hub")), &Quiet).unwrap();
    let file = match outcome.fits[0].1.artifact.as_str() {
        "encoder" => "encoder/model.safetensors",
        _ => "adapter/adapter.safetensors",
    };
    fs::read(outcome.dir.join(file)).unwrap()
}

/// A teacher's matrix that has nothing to do with labels.
fn matrix(dir: &TempDir) {
    let rows =
        (0..60).map(|i: usize| (0..8).map(|j| ((i * 7 + j * 5) % 11) as f32 + 1.0).collect::<Vec<_>>());
    write_npy(&dir.path().join("teacher.npy"), &Embeddings::from_rows(rows).unwrap()).unwrap();
}

const LESSONS: [&[&str]; 7] = [
    &["teacher.kind=names"],
    &["teacher.kind=answers"],
    &["teacher.kind=instructed"],
    &["teacher.kind=vectors", "train.towards=zero"],
    &["teacher.kind=names", "train.method=gradient", "train.epochs=8", "train.monitor=val_loss"],
    &["teacher.kind=answers", "train.method=gradient", "train.epochs=8", "train.monitor=val_loss"],
    &["teacher.kind=names", "train.method=lora", "train.lr=1e-3"],
];

#[test]
fn labels_and_answers_outside_training_change_no_bit_of_an_adapter() {
    let dir = tempfile::tempdir().unwrap();
    matrix(&dir);
    let mut disturbed = rows();
    disturb_held_out(&mut disturbed);
    for (n, keys) in LESSONS.iter().enumerate() {
        let before = fitted(&dir, &format!("before-{n}"), &rows(), keys);
        let after = fitted(&dir, &format!("after-{n}"), &disturbed, keys);
        assert!(
            before == after,
            "{keys:?}: what was fitted knows labels or answers of rows it was not fitted on"
        );
    }
    println!(
        "reliability: E8 tried={} ways to learn, with labels and answers exchanged elsewhere",
        LESSONS.len()
    );
}

/// The control: the comparison above can tell adapters apart.
#[test]
fn a_label_or_an_answer_of_one_training_row_changes_the_adapter() {
    let dir = tempfile::tempdir().unwrap();
    matrix(&dir);
    let mut changed = rows();
    let row = changed.iter_mut().find(|r| r.split == "train").unwrap();
    (row.label, row.answer) = ("snow".into(), "the snow of last year".into());
    for (n, keys) in
        LESSONS.iter().enumerate().filter(|(_, k)| k[0].ends_with("names") || k[0].ends_with("answers"))
    {
        let before = fitted(&dir, &format!("before-{n}"), &rows(), keys);
        let after = fitted(&dir, &format!("after-{n}"), &changed, keys);
        assert!(before != after, "{keys:?}: a training label or answer changed nothing");
    }
}

/// The one setting that reads labels of validation rows says so, and reads those of no test row.
#[test]
fn val_v_measure_reads_validation_labels_and_no_test_labels() {
    let dir = tempfile::tempdir().unwrap();
    matrix(&dir);
    let keys = [
        "teacher.kind=vectors",
        "train.method=gradient",
        "train.epochs=8",
        "train.start=random",
        "train.monitor=val_v_measure",
    ];
    let relabelled = |split: &str| {
        let mut rows = rows();
        for (i, row) in rows.iter_mut().filter(|r| r.split == split).enumerate() {
            row.label = WEATHER[i / 2 % 3].0.into();
        }
        rows
    };
    let figure = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(dir.path().join("runs").join(name).join("fit.json")).unwrap())
            .unwrap()
    };
    let plain = fitted(&dir, "plain", &rows(), &keys);
    assert!(plain == fitted(&dir, "test", &relabelled("test"), &keys), "the adapter knows test labels");
    fitted(&dir, "val", &relabelled("val"), &keys);
    assert_eq!(figure("val")["used_validation"], true);
    assert_ne!(
        figure("val")["key"],
        figure("plain")["key"],
        "validation labels chose, and the key is the same"
    );
    let again = fitted(&dir, "plain", &relabelled("val"), &keys);
    assert!(again == fs::read(dir.path().join("runs/val/adapter/adapter.safetensors")).unwrap());
}

/// Pairs of two thirds training, and a third test: the passage of each question stands beside it.
fn pairs(dir: &TempDir, answer: impl Fn(usize) -> usize) -> Vec<u8> {
    let text = |i: usize| format!("{} of day {i}", WEATHER[i % 3].1[i / 3 % 5]);
    let part = |i: usize| if i % 3 == 2 { "test" } else { "train" };
    let line = |i: usize| format!("what about {},it was {},{}\n", text(i), text(answer(i)), part(i));
    let lines = (0..45).map(line).collect::<String>();
    fs::write(dir.path().join("pairs.csv"), format!("query,passage,split\n{lines}")).unwrap();
    let at = |file: &str| dir.path().join(file);
    let text = format!(
        "name = 'pairs'\ndata = {{ source = {:?}, split = 'split' }}\nencoder.max_length = 16\n\
         retrieval.hard_negatives = 1\ntrain = {{ epochs = 3, batch = 8 }}\noutput = {{ dir = {:?}, store = {:?} }}\n",
        at("pairs.csv"),
        at("runs"),
        at("store")
    );
    let suite = Suite::parse(&text, "leak", &[]).unwrap();
    let outcome = run(&suite, Stages::Only(Stage::Train), &Environment::new(at("hub")), &Quiet).unwrap();
    fs::read(outcome.dir.join("adapter/adapter.safetensors")).unwrap()
}

#[test]
fn which_passage_answers_a_test_query_changes_no_bit_of_an_adapter_for_retrieval() {
    let dir = tempfile::tempdir().unwrap();
    let plain = pairs(&dir, |i| i);
    let of_test = pairs(&dir, |i| if i % 3 == 2 { (i + 3) % 45 } else { i });
    assert!(plain == of_test, "the adapter knows which passages answer test queries");
    let of_train = pairs(&dir, |i| if i % 3 == 2 { i } else { (i + 3) % 45 });
    assert!(plain != of_train, "the control: another training pair changes nothing");
}
