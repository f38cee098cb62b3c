#![cfg(unix)]
//! Training of heads: stopped, killed, diverging; damaged files of heads; the tracking record.

use crate::interruption::{signal, start, wait_until};
use crate::scene::{Scene, assert_refusal};
use crate::scores::scene;
use manyview_test_server::http::free_port;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// 3,000 steps.
const LONG: &str = "run experiment.toml train.method=gradient train.hidden=[24] scores.calibrate=true train.epochs=250 \
                    train.batch=8 train.schedule=cosine train.clip=1 train.checkpoint_every=10";

/// The step of the last checkpoint.
fn reached(scene: &Scene) -> usize {
    let below = |dir: PathBuf| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = below(scene.path("runs/heads/checkpoints")).flat_map(below);
    let whole = found.filter(|path| path.join("manifest.json").is_file());
    whole.filter_map(|path| path.to_str()?.rsplit('-').next()?.parse().ok()).max().unwrap_or(0)
}

/// What a run leaves, without the times in it.
fn left(scene: &Scene) -> (Vec<Vec<u8>>, Value) {
    let files = ["head/head.safetensors", "head/config.json", "curve.csv", "predictions.csv"];
    let mut metrics = scene.json("runs/heads/metrics.json");
    metrics.as_object_mut().unwrap().remove("fit_seconds");
    (files.iter().map(|name| scene.read(&format!("runs/heads/{name}"))).collect(), metrics)
}

#[test]
fn training_of_a_head_that_was_stopped_or_killed_goes_on_to_the_same_bytes() {
    let plain = scene();
    plain.done(LONG);
    for (name, step) in [("INT", 130), ("KILL", 1070), ("INT", 2040)] {
        let scene = scene();
        let mut child = start(&scene, LONG);
        wait_until(&mut child, || reached(&scene) >= step);
        let (status, errors) = signal(child, name);
        match name {
            "KILL" => assert_eq!(status.code(), None, "{errors}"),
            _ => {
                assert_eq!(status.code(), Some(130), "{errors}");
                assert_refusal("run", &errors, &["interrupted", "run the same command again"]);
            }
        }
        assert!(reached(&scene) < 3000 && !scene.path("runs/heads/head").exists(), "{name} came too late");
        let said = scene.done(LONG);
        assert!(said.contains("encoded 0 texts"), "{said}");
        assert!(left(&scene) == left(&plain), "{name} at step {step}: something differs");
    }
}

#[test]
fn training_of_a_head_that_diverges_is_told_by_its_exit_code() {
    let scene = scene();
    for loss in ["mse", "huber"] {
        let line = format!("train experiment.toml train.method=gradient train.loss={loss} train.lr=1e30");
        scene.refused(&line, 6, &["epoch 1, batch 2", "expected a finite", "lower `lr`"]);
    }
    assert!(!scene.path("runs/heads/head").exists());
}

#[test]
fn doctor_finds_every_damaged_file_of_a_head_and_run_mends_it() {
    let scene = scene();
    let line = "run experiment.toml train.method=gradient train.epochs=3";
    scene.done(line);
    let whole = scene.done("doctor --deep experiment.toml");
    assert!(whole.contains("1 whole heads, 0 leftovers"), "{whole}");
    let before = left(&scene);
    for (name, cure) in [
        ("head/head.safetensors", "fit again"),
        ("head/config.json", "fit again"),
        ("fit.json", "run again"),
        ("curve.csv", "run` again"),
        ("metrics.json", "run again"),
        ("training_metadata.json", "run again"),
        ("predictions.csv", "run` again"),
    ] {
        let path = scene.path("runs/heads").join(name);
        let bytes = fs::read(&path).unwrap();
        for damaged in [&bytes[..bytes.len() / 2], b"", b"\xff{"] {
            fs::write(&path, damaged).unwrap();
            let output = scene.command("doctor --deep experiment.toml").output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}: {said}");
            let told = said.lines().find(|l| l.starts_with("FAIL  everything in runs/heads")).unwrap();
            assert!(told.contains(name.rsplit('/').next().unwrap()) && told.contains(cure), "{name}: {told}");
            scene.done(line);
            scene.done("doctor --deep experiment.toml");
            assert!(left(&scene) == before, "{name}: something differs");
        }
    }
    let part = scene.paths("store").into_iter().find(|path| path.extension().is_some_and(|e| e == "parquet"));
    fs::write(part.unwrap(), "damaged").unwrap();
    scene.refused("store verify", 3, &["1 bad files were moved aside"]);
    scene.done(line);
    assert!(left(&scene) == before);
}

#[test]
fn a_tracking_server_is_told_of_a_head_what_it_is_told_of_a_view() {
    let (scene, fake) = (scene(), TrackingServer::new(Mood::Well));
    let line =
        format!("run experiment.toml train.method=gradient train.epochs=4 tracking.uri={}", fake.uri());
    let said = scene.done(&line);
    assert!(!said.contains("track sync"), "{said}");
    scene.done(&line);
    {
        let store = fake.store();
        assert_eq!((store.runs.len(), store.experiments.as_slice()), (1, ["heads".to_string()].as_slice()));
        let run = &store.runs[0];
        assert_eq!(run.status, "FINISHED");
        assert_eq!(
            (run.params["train.epochs"].as_str(), run.params["train.method"].as_str()),
            ("4", "gradient")
        );
        assert_eq!((run.tags["decision"].as_str(), run.tags["encoder.fingerprint"].len()), ("DEPLOY", 64));
        let curve = String::from_utf8(scene.read("runs/heads/curve.csv")).unwrap();
        let mut rows = curve.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = rows.next().unwrap();
        for (epoch, row) in rows.enumerate() {
            for key in ["train_loss", "val_loss", "val_mae.wet", "train_rmse.bright"] {
                let value: f64 = row[names.iter().position(|name| *name == key).unwrap()].parse().unwrap();
                assert_eq!(run.metric(key)[epoch], (epoch as u64 + 1, value), "{key}");
            }
        }
        let metrics = scene.json("runs/heads/metrics.json");
        let wet = &metrics["dimensions"][0]["head"];
        for (key, value) in [
            ("dimensions.wet.head.mae.value", &wet["mae"]["value"]),
            ("dimensions.wet.head.rmse.high", &wet["rmse"]["high"]),
            ("overall.gain.value", &metrics["overall"]["gain"]["value"]),
            ("tiers.high.f1", &metrics["tiers"][0]["f1"]),
        ] {
            assert_eq!(run.metric(key).last().unwrap().1, value.as_f64().unwrap(), "{key}");
        }
        let kept = |name: &str| &store.artifacts[&format!("0/0/artifacts/{name}")];
        for name in ["head/head.safetensors", "head/config.json", "curve.csv", "report.docx"] {
            assert!(*kept(name) == scene.read(&format!("runs/heads/{name}")), "{name}");
        }
        assert!(!kept("predictions.csv").is_empty() && !kept("report.html").is_empty());
    }
    scene.done(&format!("run experiment.toml train.method=ridge tracking.uri={}", fake.uri()));
    let store = fake.store();
    assert_eq!(store.runs.len(), 2, "other settings begin another record");
    assert!(store.runs[1].metric("leave_one_out_rmse.wet").len() > 10);
}

#[test]
fn what_a_tracking_server_missed_of_a_head_is_sent_later() {
    let scene = scene();
    let port = free_port();
    let said = scene.done(&format!("run experiment.toml tracking.uri=http://127.0.0.1:{port}"));
    assert!(said.contains("manyview track sync"), "{said}");
    let fake = TrackingServer::at(port, Mood::Well);
    let said = scene.done(&format!("track sync --uri {}", fake.uri()));
    assert!(said.trim_end().ends_with(" 0 left"), "{said}");
    assert_eq!(fake.store().runs[0].status, "FINISHED");
    scene.refused("train experiment.toml tracking.uri=mlruns", 2, &["mlruns", "http://"]);
}

#[test]
fn an_exported_head_scores_alike_and_its_card_tells_no_paths() {
    let scene = scene();
    scene.done(&format!("run experiment.toml data.source={}", scene.path("out").display()));
    let said = scene.done("export runs/heads --to adapter shared");
    assert!(said.contains("shared/head.safetensors"), "{said}");
    let card = String::from_utf8(scene.read("shared/README.md")).unwrap();
    for word in [
        "# Scores: weather\n",
        "- regression\n",
        "base_model: \"sentence-transformers/all-MiniLM-L6-v2\"",
        "wet (weight 0.750), bright (weight 0.250)",
        "high from 5, low from 0",
        "Texts: out\n",
        "| bright | ",
        "By the thresholds of its experiment: DEPLOY.",
    ] {
        assert!(card.contains(word), "no {word:?} in {card}");
    }
    let home = scene.path("").display().to_string();
    for (path, bytes) in scene.files("shared") {
        let told = bytes.windows(home.len()).any(|window| window == home.as_bytes());
        assert!(!told, "{} says where it was made", path.display());
    }
    let score = |head: &str| {
        scene
            .done(&format!("score out/test.jsonl --head {head} --text-column content --output {head}.jsonl"));
        scene.read(&format!("{head}.jsonl"))
    };
    assert!(score("runs/heads") == score("shared"), "the exported head is another");
    scene.refused("export runs/heads --to onnx other", 2, &["`adapter` for a head"]);
    scene.refused("push runs/heads org/name", 2, &["org/name", "HF_HUB_OFFLINE"]);
}
