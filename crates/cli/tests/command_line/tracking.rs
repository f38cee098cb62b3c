//! The record of a run, and a tracking server that is not there.

use crate::fine_tuning;
use crate::retrieval;
use crate::scene::Scene;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use std::fs;
use std::path::Path;

/// A port of this machine where nothing listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// Every file below `dir`, with its content.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
            }
        }
    }
    found
}

#[test]
fn every_run_leaves_a_record_and_other_settings_another() {
    let scene = Scene::new();
    let records =
        || files(&scene.path("runs")).into_iter().filter(|(name, _)| name.ends_with("tracking.jsonl"));
    scene.done("run experiment.toml");
    let first: Vec<_> = records().collect();
    let text = String::from_utf8(first[0].1.clone()).unwrap();
    for word in
        ["\"data.seed\":\"42\"", "leave_one_out_cosine", "views.adapter.v_measure.mean", "report.html"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    scene.done("run experiment.toml");
    assert_eq!(records().count(), 1, "the same settings go on in the same record");
    scene.done("run experiment.toml train.towards=zero");
    assert_eq!(records().count(), 2);
}

#[test]
fn a_server_that_is_not_there_stops_no_run_and_learns_no_secret() {
    let scene = Scene::new();
    let canary = "canary-6f1d";
    let run = |line: &str| {
        let output = scene.command(line).env("MLFLOW_TRACKING_TOKEN", canary).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains(canary), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = run(&format!("run -vv experiment.toml tracking.uri={NOBODY}"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("manyview track sync"), "{said}");
    let (code, said) = run(&format!("track sync --uri {NOBODY}"));
    assert_eq!(code, Some(4), "{said}");
    let (_, said) = run(&format!("doctor experiment.toml tracking.uri={NOBODY}"));
    assert!(said.contains("FAIL  tracking server") && said.contains(NOBODY), "{said}");
    for (name, content) in files(&scene.path("")) {
        assert!(!content.windows(canary.len()).any(|w| w == canary.as_bytes()), "{name} holds the token");
    }
}

/// Each is refused for another reason, and stands before the next by name.
#[test]
fn what_the_server_deleted_is_named_and_keeps_nothing_else_from_being_sent() {
    let (scene, server) = (Scene::new(), TrackingServer::new(Mood::Well));
    let uri = server.uri();
    scene.done(&format!("run experiment.toml name=a-run tracking.uri={uri}"));
    scene.done(&format!("run experiment.toml name=b-experiment tracking.uri={uri}"));
    server.store().runs[0].deleted = true;
    let place = server.store().experiments.iter().position(|name| name == "b-experiment").unwrap();
    server.store().deleted_experiments.insert(place);
    scene.done(&format!("run experiment.toml name=a-run tracking.uri={NOBODY}"));
    scene.done(&format!("run experiment.toml name=b-experiment train.center=true tracking.uri={NOBODY}"));
    scene.done(&format!("run experiment.toml name=c-last tracking.uri={NOBODY}"));
    for _ in 0..2 {
        let output = scene.command(&format!("track sync --uri {uri}")).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{errors}");
        for word in
            ["runs/b-experiment", "Current state is deleted", "restore the experiment", "another experiment"]
        {
            assert!(errors.contains(word), "{word}: {errors}");
        }
    }
    let store = server.store();
    let last = store.experiments.iter().position(|name| name == "c-last");
    assert!(last.is_some() && store.runs.iter().any(|run| run.tags["mlflow.runName"].contains("c-last")));
    drop(store);
    server.store().deleted_experiments.clear();
    server.store().runs[0].deleted = false;
    scene.done(&format!("track sync --uri {uri}"));
}

#[test]
fn an_address_that_is_none_is_refused() {
    let scene = Scene::new();
    scene.refused("run experiment.toml tracking.uri=mlruns", 2, &["mlruns", "http://"]);
    scene.refused("track sync", 2, &["tracking.uri", "MLFLOW_TRACKING_URI"]);
}

#[test]
fn a_server_learns_of_pairs_what_it_learns_of_views() {
    let (scene, server) = (retrieval::scene(None), TrackingServer::new(Mood::Well));
    let line = format!("run pairs.toml tracking.uri={}", server.uri());
    scene.done(&line);
    scene.done(&line);
    let store = server.store();
    assert_eq!((store.experiments.as_slice(), store.runs.len()), (["pairs".to_string()].as_slice(), 1));
    let run = &store.runs[0];
    assert_eq!(run.status, "FINISHED");
    assert_eq!(
        (run.params["retrieval.document"].as_str(), run.params["train.epochs"].as_str()),
        ("plant", "4")
    );
    assert_eq!(run.tags["fit.key"], scene.json("runs/pairs/fit.json")["key"].as_str().unwrap());
    assert!(run.tags.contains_key("encoder.fingerprint"));
    for key in ["train_loss", "val_score"] {
        let epochs: Vec<u64> = run.metric(key).into_iter().map(|(step, _)| step).collect();
        assert_eq!(epochs, [1, 2, 3, 4], "{key}");
    }
    let metrics = scene.json("runs/pairs/metrics.json");
    for view in ["bm25", "base", "adapter"] {
        let value = metrics["views"][view]["ndcg@10"]["value"].as_f64().unwrap();
        let told = run.metric(&format!("views.{view}.ndcg_at_10.value"));
        assert!(told.iter().all(|told| *told == (0, value)) && !told.is_empty(), "{view}: {told:?}");
    }
    for file in
        ["adapter/adapter.safetensors", "adapter/config.json", "metrics.json", "queries.csv", "report.html"]
    {
        assert!(
            store.artifacts.contains_key(&format!("0/0/artifacts/{file}")),
            "{file}: {:?}",
            store.artifacts.keys()
        );
    }
}

#[test]
fn a_server_is_sent_the_changes_to_an_encoder_or_the_whole_encoder() {
    let (scene, server) = (fine_tuning::scene(), TrackingServer::new(Mood::Well));
    for (i, how, files) in [
        (0, "lora", ["encoder/lora/adapter_model.safetensors", "training_metrics.jsonl"]),
        (1, "full", ["encoder/model.safetensors", "encoder/1_Pooling/config.json"]),
    ] {
        scene.done(&format!(
            "run pairs.toml train.method={how} train.epochs=3 train.batch=6 tracking.uri={}",
            server.uri()
        ));
        let store = server.store();
        let losses: Vec<u64> = store.runs[i].metric("train_loss").into_iter().map(|(step, _)| step).collect();
        assert_eq!(losses, [1, 2, 3]);
        for file in files {
            assert!(store.artifacts.contains_key(&format!("0/{i}/artifacts/{file}")), "{file}");
        }
    }
    let whole = "0/0/artifacts/encoder/model.safetensors";
    assert!(!server.store().artifacts.contains_key(whole), "LoRA's changes are enough");
}
