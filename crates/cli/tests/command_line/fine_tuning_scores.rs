//! Fine-tuning under a head: trained, stopped, killed, used.

#[cfg(unix)]
use crate::fine_tuning::steps;
#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;
use crate::scores::scene;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use serde_json::Value;

const LEARN: &str = "experiment.toml train.epochs=2 train.batch=16 train.warmup=0.1 train.clip=1";
const MODEL: &str = "runs/heads/encoder/model.safetensors";
#[cfg(unix)]
const METRICS: &str = "runs/heads/tuning/training_metrics.jsonl";

fn error_of(scene: &Scene) -> f64 {
    scene.json("runs/heads/metrics.json")["overall"]["head"]["mae"]["value"].as_f64().unwrap()
}

#[test]
fn an_encoder_learns_below_a_head_and_is_found_again() {
    for (how, rate) in [("full", 2e-5), ("lora", 1e-3)] {
        let scene = scene();
        let line = format!("{LEARN} train.method={how} train.lr={rate}");
        let said = scene.done(&format!("run {line}"));
        assert!(said.contains("report: runs/heads/report.html"), "{said}");
        let metrics = scene.json("runs/heads/metrics.json");
        assert_eq!(metrics["encoder"], format!("minilm, fine-tuned ({how})"));
        let page = String::from_utf8(scene.read("runs/heads/report.md")).unwrap();
        assert!(
            page.contains(&format!("minilm, fine-tuned ({how})")) && !page.contains(", frozen"),
            "{page}"
        );
        let loss = |epoch: usize| metrics["fit"][format!("encoder_loss.{epoch}")].as_f64().unwrap();
        assert!(loss(2) < loss(1), "{metrics}");
        let progress = scene.json("runs/heads/tuning/training_progress.json");
        assert_eq!((&progress["training_completed"], &progress["steps"]), (&true.into(), &12.into()));
        assert_eq!(scene.path("runs/heads/encoder/lora/adapter_model.safetensors").exists(), how == "lora");

        let (weights, head) = (scene.read(MODEL), scene.read("runs/heads/head/head.safetensors"));
        assert!(scene.done(&format!("run {line}")).contains("encoded 0 texts"));
        assert!(scene.read(MODEL) == weights && scene.read("runs/heads/head/head.safetensors") == head);
        assert!(scene.done("doctor --deep experiment.toml").contains("1 whole fine-tuned encoders"));
        let other = format!("evaluate {line} train.lr=0.5");
        scene.refused(&other, 2, &["an encoder trained", "manyview train"]);
        let learnt = error_of(&scene);
        scene.done("run experiment.toml train.method=ridge");
        assert!(
            learnt < error_of(&scene),
            "{learnt} with an encoder that learnt, {} frozen",
            error_of(&scene)
        );
    }
}

#[test]
fn new_texts_are_scored_over_the_encoder_that_learnt_wherever_it_is_moved_or_exported() {
    let scene = scene();
    scene.done(&format!("run {LEARN} train.method=lora"));
    std::fs::rename(scene.path("runs"), scene.path("moved")).unwrap();
    let score = |head: &str, to: &str| {
        let columns = "--text-column content --title-column title --id-column id";
        format!("score out/test.jsonl --head {head} {columns} --output {to}")
    };
    scene.done(&score("moved/heads", "scores.jsonl"));
    let scored = String::from_utf8(scene.read("scores.jsonl")).unwrap();
    let predictions = String::from_utf8(scene.read("moved/heads/predictions.csv")).unwrap();
    assert_eq!(scored.lines().count(), predictions.lines().count() - 1);
    for (scored, row) in scored.lines().zip(predictions.lines().skip(1)) {
        let scored: Value = serde_json::from_str(scored).unwrap();
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(
            (scored["id"].as_str().unwrap(), scored["scores"]["wet"].to_string().as_str()),
            (cells[0], cells[2])
        );
    }
    scene.refused(&format!("{} --encoder minilm", score("moved/heads", "no.jsonl")), 2, &["encoder"]);

    // It is exported with its encoder, which is found there too.
    scene.done("export moved/heads --to adapter shared");
    assert!(!scene.path("shared/encoder/lora").exists());
    let card = String::from_utf8(scene.read("shared/README.md")).unwrap();
    assert!(card.contains("Encoder: minilm, fine-tuned (lora), in `encoder`; fingerprint"), "{card}");
    std::fs::remove_dir_all(scene.path("moved/heads/tuning")).unwrap();
    scene.refused("export moved/heads --to adapter other", 2, &["the encoder that learnt", "manyview train"]);
    std::fs::remove_dir_all(scene.path("moved")).unwrap();
    scene.done(&score("shared", "again.jsonl"));
    assert!(scene.read("again.jsonl") == scored.as_bytes());
}

#[test]
fn a_tracking_server_is_sent_the_changes_to_the_encoder_with_the_head() {
    let (scene, server) = (scene(), TrackingServer::new(Mood::Well));
    scene.done(&format!("run {LEARN} train.method=lora tracking.uri={}", server.uri()));
    let store = server.store();
    let epochs: Vec<u64> = store.runs[0].metric("encoder_loss").into_iter().map(|(epoch, _)| epoch).collect();
    assert_eq!(epochs, [1, 2]);
    for file in ["encoder/lora/adapter_model.safetensors", "training_metrics.jsonl", "head/head.safetensors"]
    {
        assert!(store.artifacts.contains_key(&format!("0/0/artifacts/{file}")), "{file}");
    }
}

#[test]
fn what_does_not_go_with_an_encoder_that_learns_is_refused_before_anything_is_encoded() {
    let scene = scene();
    for (change, words) in [
        ("train.hidden=[8]", ["train.hidden", "`gradient` reads it"]),
        ("scores.calibrate=true", ["scores.calibrate", "expected false"]),
        ("data.vectors=base.npy", ["data.vectors", "expected none"]),
        ("train.lr=-1", ["lr", "positive"]),
    ] {
        scene.refused(&format!("run experiment.toml train.method=lora {change}"), 2, &words);
        assert!(!scene.path("store/spaces").exists(), "{change}");
    }
}

#[cfg(unix)]
#[test]
fn an_encoder_below_a_head_stopped_or_killed_learns_to_the_same_bytes() {
    let line = "train experiment.toml encoder.model=bert train.method=lora train.epochs=150 train.batch=8 \
                train.checkpoint_every=70";
    let (plain, broken) = (scene(), scene());
    for scene in [&plain, &broken] {
        scene.model("bert-tiny", "bert");
    }
    plain.done(line);
    assert!(steps(&plain, METRICS).len() >= 1500);
    for (name, until) in [("INT", 200), ("KILL", 900)] {
        let mut child = start(&broken, line);
        wait_until(&mut child, || steps(&broken, METRICS).len() >= until);
        let (status, errors) = signal(child, name);
        assert_eq!(status.code(), (name == "INT").then_some(130), "{errors}");
        assert!(!broken.path(MODEL).exists(), "it was done before it was stopped");
    }
    broken.done(line);
    for file in [MODEL, METRICS, "runs/heads/head/head.safetensors"] {
        assert!(broken.read(file) == plain.read(file), "{file}");
    }
}
