//! Heads from file to report: what they learn, what they never see, and what is kept. Vectors come with the texts, so
//! no encoder is loaded.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Embeddings, Kind, Quiet};
use manyview_data::write_npy;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Environment, Outcome, Result, Scores, Stage, Stages, run_task};
use manyview_report::Verdict;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const N: usize = 240;
const DIM: usize = 6;
const FILTER: &str =
    "name = 'news'\n[dimensions]\nscope.weight = 3\nproof.weight = 1\n[tiers]\nhigh = 6\nlow = 0";

fn part(i: usize) -> &'static str {
    ["train", "train", "train", "train", "val", "test"][i % 6]
}

/// A direction for each text, and two scores that follow from it.
fn vector(i: usize) -> [f32; DIM] {
    std::array::from_fn(|d| ((i * (2 * d + 3)) as f32 * 0.37 + d as f32).sin())
}

fn scores_of(i: usize) -> [f64; 2] {
    let v = vector(i).map(f64::from);
    [5.0 + 1.5 * v[0] - v[1], 5.0 + v[2] + 0.5 * v[3]].map(|s| (s * 100.0).round() / 100.0)
}

struct Scene {
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("filter.toml"), FILTER).unwrap();
        let x = Embeddings::from_rows((0..N).map(vector)).unwrap();
        write_npy(&dir.path().join("base.npy"), &x).unwrap();
        let scene = Self { dir };
        scene.table(scores_of);
        scene
    }

    fn table(&self, scores: impl Fn(usize) -> [f64; 2]) {
        let row = |i: usize| format!("n{i},text {i},{},\"{}\",{}\n", scores(i)[0], scores(i)[1], part(i));
        let rows: String = (0..N).map(row).collect();
        fs::write(self.at("texts.csv"), format!("id,text,scope,proof,split\n{rows}")).unwrap();
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn suite(&self, keys: &[&str]) -> Suite {
        let text = format!(
            "name = 'run'\noutput.dir = {:?}\n[data]\nsource = {:?}\nvectors = {:?}\nsplit = 'split'\n\
             [scores]\nfilter = {:?}\nid = 'id'\n[evaluate]\nresamples = 50",
            self.at("runs"),
            self.at("texts.csv"),
            self.at("base.npy"),
            self.at("filter.toml")
        );
        Suite::parse(&text, "test", &keys.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    fn run(&self, stages: Stages, keys: &[&str]) -> Result<Outcome<Scores>> {
        let environment = Environment::new(self.at("hub"));
        run_task::<Scores>(&self.suite(keys), stages, &environment, &Quiet)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at("runs/run").join(name)).unwrap()
    }
}

fn head(scene: &Scene) -> Vec<u8> {
    scene.read("head/head.safetensors")
}

#[test]
fn every_head_learns_the_scores_and_says_so() {
    for (kind, keys) in [
        ("ridge", &["scores.calibrate=true"][..]),
        ("linear", &["train.method=gradient", "train.epochs=80", "train.lr=0.01", "train.loss=huber"]),
        (
            "mlp",
            &[
                "train.method=gradient",
                "train.epochs=80",
                "train.lr=0.01",
                "train.hidden=[16]",
                "scores.calibrate=true",
            ],
        ),
    ] {
        let scene = Scene::new();
        let outcome = scene.run(Stages::All, keys).unwrap();
        let (_, metrics) = &outcome.metrics[0];
        assert_eq!(metrics.head, kind);
        assert_eq!((metrics.n_train, metrics.n_val, metrics.n_test), (160, 40, 40));
        assert_eq!(metrics.decision.verdict, Verdict::Deploy, "{kind}: {:?}", metrics.decision);
        assert!(metrics.overall.head.mae.value < 0.25 * metrics.overall.mean.mae.value, "{kind}");
        assert!(metrics.tiers.iter().map(|t| t.texts).sum::<usize>() == 40, "{:?}", metrics.tiers);
        let page = String::from_utf8(scene.read("report.html")).unwrap();
        assert!(page.contains("DEPLOY") && page.contains("scope") && !page.contains("<script"));
        for file in ["report.md", "metrics.json", "curve.csv", "scores.json", "training_metadata.json"] {
            assert!(!scene.read(file).is_empty(), "{file}");
        }
        let predictions = String::from_utf8(scene.read("predictions.csv")).unwrap();
        assert_eq!(predictions.lines().count(), 41);
        assert!(
            predictions.starts_with("id,scope,scope_predicted,proof,proof_predicted\nn5,"),
            "{predictions}"
        );
    }
}

#[test]
fn the_scores_of_test_texts_reach_no_head_and_those_of_validation_texts_no_ridge() {
    for (keys, unseen) in [
        (&["scores.calibrate=true"][..], &["val", "test"][..]),
        (&["train.method=gradient", "scores.calibrate=true", "train.epochs=3"], &["test"]),
    ] {
        let scene = Scene::new();
        scene.run(Stages::Only(Stage::Train), keys).unwrap();
        let before = (head(&scene), scene.read("head/config.json"));
        scene.table(|i| if unseen.contains(&part(i)) { [1.0, 9.0] } else { scores_of(i) });
        scene.run(Stages::Only(Stage::Train), keys).unwrap();
        assert_eq!((head(&scene), scene.read("head/config.json")), before);
        scene.table(|i| if part(i) == "train" && i == 0 { [1.0, 9.0] } else { scores_of(i) });
        scene.run(Stages::Only(Stage::Train), keys).unwrap();
        assert_ne!(head(&scene), before.0);
    }
}

#[test]
fn a_stage_needs_the_one_before_it_and_stages_give_what_a_whole_run_does() {
    let scene = Scene::new();
    for stage in [Stage::Evaluate, Stage::Report] {
        assert!(scene.run(Stages::Only(stage), &[]).unwrap_err().to_string().contains("manyview train"));
    }
    for stage in [Stage::Encode, Stage::Train] {
        scene.run(Stages::Only(stage), &[]).unwrap();
    }
    assert!(
        scene.run(Stages::Only(Stage::Report), &[]).unwrap_err().to_string().contains("manyview evaluate")
    );
    let other = scene.run(Stages::Only(Stage::Evaluate), &["train.lambdas=[1.0]"]).unwrap_err();
    assert!(other.to_string().contains("other settings"), "{other}");
    scene.run(Stages::Only(Stage::Evaluate), &[]).unwrap();
    scene.run(Stages::Only(Stage::Report), &[]).unwrap();
    let (metrics, page) = (scene.read("metrics.json"), scene.read("report.html"));
    let whole = Scene { dir: scene.dir };
    whole.run(Stages::All, &[]).unwrap();
    assert_eq!((whole.read("metrics.json"), whole.read("report.html")), (metrics, page));
}

#[test]
fn a_prepared_directory_and_second_scores_are_read() {
    let scene = Scene::new();
    let dir = scene.at("prepared");
    fs::create_dir(&dir).unwrap();
    let mut order = Vec::new();
    for name in ["train", "val", "test"] {
        let rows: Vec<usize> = (0..N).filter(|&i| part(i) == name).collect();
        let line = |&i: &usize| {
            let [scope, proof] = scores_of(i);
            format!(
                "{{\"id\": \"n{i}\", \"title\": \"t\", \"content\": \"text {i}\", \"labels\": [{proof}, {scope}], \
                 \"dimension_names\": [\"proof\", \"scope\"]}}\n"
            )
        };
        fs::write(dir.join(format!("{name}.jsonl")), rows.iter().map(line).collect::<String>()).unwrap();
        order.extend(rows);
    }
    let x = Embeddings::from_rows(order.iter().map(|&i| vector(i))).unwrap();
    write_npy(&scene.at("ordered.npy"), &x).unwrap();
    let again = |i: usize| {
        let [scope, proof] = scores_of(i);
        format!(
            "{{\"id\": \"n{i}\", \"content\": \"text {i}\", \"news_analysis\": {{\"dimensions\": {{\"scope\": {}, \
             \"proof\": {proof}}}}}}}\n",
            scope + 0.5
        )
    };
    fs::write(scene.at("again.jsonl"), (0..30).map(again).collect::<String>()).unwrap();
    let keys = [
        format!("data.source={}", dir.display()),
        format!("data.vectors={}", scene.at("ordered.npy").display()),
        format!("scores.relabelled={}", scene.at("again.jsonl").display()),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let outcome = scene.run(Stages::All, &keys).unwrap();
    let (_, metrics) = &outcome.metrics[0];
    let noise = metrics.noise.as_ref().unwrap();
    assert!(noise.texts == 30 && (noise.mae[0] - 0.5).abs() < 1e-9 && noise.mae[1].abs() < 1e-9, "{noise:?}");
    let table = Scene::new();
    let of_table = table.run(Stages::All, &[]).unwrap();
    assert_eq!(of_table.metrics[0].1.dimensions, metrics.dimensions);
}

#[test]
fn rows_without_a_score_or_with_one_out_of_range_are_named() {
    let scene = Scene::new();
    let table = fs::read_to_string(scene.at("texts.csv")).unwrap();
    let refused = |line: &str, keys: &[&str]| {
        let lines: Vec<&str> = table.lines().map(|l| if l.starts_with("n7,") { line } else { l }).collect();
        fs::write(scene.at("texts.csv"), lines.join("\n")).unwrap();
        scene.run(Stages::Only(Stage::Train), keys)
    };
    let blank = refused("n7,text 7,,5,train", &[]).unwrap_err();
    assert!(blank.to_string().contains("row 7") && blank.kind() == Kind::Input, "{blank}");
    refused("n7,text 7,,5,train", &["data.drop_missing=true"]).unwrap();
    let wild = refused("n7,text 7,55,5,train", &[]).unwrap_err().to_string();
    assert!(wild.contains("row 7") && wild.contains("from 0 to 10") && wild.contains("55"), "{wild}");
    let none = scene.run(Stages::All, &["scores.filter="]).unwrap_err().to_string();
    assert!(none.contains("scores.filter"), "{none}");
    assert!(!Path::new(&scene.at("runs/run/metrics.json")).exists());
}

#[test]
fn variants_share_a_report() {
    let scene = Scene::new();
    let suite = scene.suite(&[]);
    let text = format!(
        "{}[variants.a]\n[variants.b]\nscores.calibrate = true\n",
        manyview_pipeline::resolved(&suite).unwrap()
    );
    let suite = Suite::parse(&text, "test", &[]).unwrap();
    let outcome =
        run_task::<Scores>(&suite, Stages::All, &Environment::new(scene.at("hub")), &Quiet).unwrap();
    assert_eq!(outcome.metrics.len(), 2);
    let all: serde_json::Value = serde_json::from_slice(&scene.read("metrics.json")).unwrap();
    assert!(all["a"]["overall"].is_object() && all["b"]["calibrated"] == true);
    assert!(String::from_utf8(scene.read("report.html")).unwrap().contains("2 heads"));
}

#[test]
fn other_validation_rows_renew_what_is_said_of_them_and_leave_the_head_as_it_is() {
    let scene = Scene::new();
    let figure = || scene.run(Stages::Only(Stage::Train), &[]).unwrap().fits[0].1.metrics["val_mae"];
    let (before, head) = (figure(), scene.read("head/head.safetensors"));
    scene.table(|i| scores_of(i).map(|score| if part(i) == "val" { score + 1.0 } else { score }));
    let after = figure();
    assert!((after - before - 1.0).abs() < 0.1, "{before} and {after}");
    assert!(scene.read("head/head.safetensors") == head);
}

#[test]
fn a_gain_that_cannot_be_measured_is_absent_with_its_reason_and_fails_nobody() {
    let scene = Scene::new();
    scene.table(|i| [scores_of(i)[0], 5.0]); // the mean has no error in the second dimension
    let outcome = scene.run(Stages::All, &[]).unwrap();
    let (_, metrics) = &outcome.metrics[0];
    let constant = &metrics.dimensions[1];
    assert_eq!((constant.gain, constant.head.spearman, constant.head.r2), (None, None, None));
    for key in ["gain", "head.spearman", "head.r2"] {
        assert!(constant.absent[key].contains("one value throughout"), "{:?}", constant.absent);
    }
    assert!(metrics.dimensions[0].gain.is_some() && !metrics.dimensions[0].absent.contains_key("gain"));
    let said = metrics.decision.reasons.join("; ");
    assert_eq!(metrics.decision.verdict, Verdict::Undecided, "{said}");
    assert!(said.contains("could not be decided") && said.contains("proof"), "{said}");
    let written: serde_json::Value = serde_json::from_slice(&scene.read("metrics.json")).unwrap();
    assert!(written["dimensions"][1]["gain"].is_null(), "{written}");
    let page = String::from_utf8(scene.read("report.html")).unwrap();
    assert!(page.contains("UNDECIDED") && page.contains("Not measured"), "{page}");
}

#[test]
fn every_task_leaves_files_of_the_same_names_that_say_whose_they_are() {
    let scene = Scene::new();
    scene.run(Stages::All, &[]).unwrap();
    for file in ["fit.json", "metrics.json", "scores.json"] {
        let written: serde_json::Value = serde_json::from_slice(&scene.read(file)).unwrap();
        assert_eq!(written["task"], "scores", "{file}");
    }
    let scores: serde_json::Value = serde_json::from_slice(&scene.read("scores.json")).unwrap();
    assert!(scores["mae"]["adapter"].as_f64() < scores["mae"]["base"].as_f64(), "{scores}");
    assert!(scores["gain_low"].as_f64() <= scores["gain"].as_f64(), "{scores}");
    let curve = String::from_utf8(scene.read("curve.csv")).unwrap();
    assert!(curve.starts_with("lambda,log10_lambda,leave_one_out_rmse.scope,leave_one_out_rmse.proof\n"));
    let old = String::from_utf8(scene.read("metrics.json")).unwrap().replace("\"task\": \"scores\",", "");
    fs::write(scene.at("runs/run/metrics.json"), old).unwrap();
    let refused = scene.run(Stages::Only(Stage::Report), &[]).unwrap_err().to_string();
    assert!(refused.contains("an earlier version") && refused.contains("manyview run"), "{refused}");
}
