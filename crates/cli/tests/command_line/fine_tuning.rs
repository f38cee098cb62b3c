//! Fine-tuning on pairs of texts: trained, stopped, killed, used.

#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;
#[cfg(unix)]
use crate::scene::assert_refusal;
use serde_json::Value;

const EXPERIMENT: &str = "\
name = 'tuned'
data.source = 'pairs.jsonl'
data.train = 0.5
data.val = 0.2
data.test = 0.3
encoder.model = 'bert'
train.method = 'full'
train.lr = 1e-3
train.epochs = 3
train.batch = 6
evaluate.resamples = 50
retrieval.document = 'topic'
";
/// What a method named on the command line begins anew with.
const TRAIN: &str = "train.lr=1e-3 train.epochs=3 train.batch=6";
const MODEL: &str = "runs/tuned/encoder/model.safetensors";
const METRICS: &str = "runs/tuned/tuning/training_metrics.jsonl";
/// What the tiny encoder has a token for.
const WORDS: [&str; 12] =
    ["cat", "sat", "warm", "stone", "rain", "old", "kent", "nobody", "came", "interest", "rates", "fell"];

/// A scene with 36 pairs of 12 topics, in words that the tiny encoder tells apart.
pub(crate) fn scene() -> Scene {
    let scene = Scene::new();
    scene.model("bert-tiny", "bert");
    let mut lines = String::new();
    for (i, first) in WORDS.iter().enumerate() {
        let second = WORDS[(i * 5 + 3) % 12];
        for (ask, answer) in [("", "on a stone"), (" to", "while rain"), (" over", "and nobody came")] {
            let (query, passage) =
                (format!("ask about {first} {second}{ask}"), format!("the {second} {first} {answer}"));
            let pair = serde_json::json!({"query": query, "passage": passage, "topic": first});
            lines += &format!("{pair}\n");
        }
    }
    scene.write("pairs.jsonl", lines);
    scene.write("pairs.toml", EXPERIMENT);
    scene
}

/// The steps of which there is a whole line in `metrics`.
pub(crate) fn steps(scene: &Scene, metrics: &str) -> Vec<u64> {
    let bytes = std::fs::read(scene.path(metrics)).unwrap_or_default();
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let lines = String::from_utf8(bytes[..whole].to_vec()).unwrap();
    lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["step"].as_u64().unwrap()).collect()
}

#[test]
fn an_encoder_is_trained_on_pairs_measured_and_found_again() {
    for how in ["full", "lora"] {
        let scene = scene();
        let line = format!("run pairs.toml train.method={how} {TRAIN}");
        let said = scene.done(&line);
        assert!(said.contains("report: runs/tuned/report.html"), "{said}");
        let metrics = scene.json("runs/tuned/metrics.json");
        assert_eq!(metrics["shape"], format!("encoder, {how}"));
        assert_eq!(metrics["adapt"], "both");
        let page = String::from_utf8(scene.read("runs/tuned/report.md")).unwrap();
        assert!(page.contains("is another encoder") && !page.contains(", frozen"), "{page}");
        let found = &metrics["fit"]["metrics"];
        assert!(found["val_ndcg@10"].is_f64() && found["val_ndcg@10_of_base"].is_f64(), "{found}");
        let weights = scene.read(MODEL);
        assert!(weights != scene.read("bert/model.safetensors"), "nothing was learnt");
        let changes = scene.path("runs/tuned/encoder/lora/adapter_model.safetensors");
        assert_eq!(changes.exists(), how == "lora");
        let progress = scene.json("runs/tuned/tuning/training_progress.json");
        assert_eq!(
            (&progress["training_completed"], &progress["steps"]),
            (&true.into(), &progress["total_steps"])
        );
        assert_eq!(steps(&scene, METRICS), (1..=progress["steps"].as_u64().unwrap()).collect::<Vec<_>>());
        assert!(
            !scene.path("runs/tuned/tuning/checkpoints").exists(),
            "checkpoints of a training that is over"
        );
        let again = scene.done(&line);
        assert!(again.contains("encoded 0 texts"), "{again}");
        assert!(scene.read(MODEL) == weights);
        scene.refused(
            &format!("evaluate {} train.lr=0.5", &line[4..]),
            2,
            &["an encoder trained", "manyview train"],
        );
    }
}

#[test]
fn what_training_of_an_encoder_does_not_take_is_refused_before_anything_is_encoded() {
    let scene = scene();
    for (change, words) in [
        ("retrieval.hard_negatives=2", ["retrieval.hard_negatives", "expected 0"]),
        ("retrieval.objective=contrastive", ["retrieval.objective", "multiple_negatives_ranking"]),
        ("retrieval.instruction=Find", ["retrieval.instruction", "expected none"]),
        ("train.batch=1", ["batch", "at least 2"]),
        ("train.lr=-1", ["lr", "positive"]),
        ("train.checkpoint_every=0", ["checkpoint_every", "at least 1"]),
        ("train.rank=0", ["rank", "at least 1"]),
    ] {
        scene.refused(&format!("run pairs.toml train.method=lora {change}"), 2, &words);
        assert!(!scene.path("store/spaces").exists(), "{change}");
    }
}

#[test]
fn qwen3_is_trained_too_and_its_lora_is_that_of_peft() {
    let scene = scene();
    scene.model("qwen3-small", "qwen");
    for how in ["full", "lora"] {
        let said = scene.done(&format!("run pairs.toml train.method={how} {TRAIN} encoder.model=qwen"));
        assert!(said.contains("report: runs/tuned/report.html"), "{said}");
        assert!(scene.read(MODEL) != scene.read("qwen/model.safetensors"), "nothing was learnt");
        assert_eq!(scene.path("runs/tuned/encoder/lora").exists(), how == "lora");
    }
    let names = scene.read("runs/tuned/encoder/lora/adapter_model.safetensors");
    let names = String::from_utf8_lossy(&names).into_owned();
    assert_eq!(names.matches(".lora_A.weight").count(), 2 * 2, "queries and values of two layers");
    assert!(names.contains("base_model.model.layers.1.self_attn.q_proj.lora_B.weight"));
}

#[cfg(unix)]
#[test]
fn an_encoder_stopped_or_killed_at_any_step_learns_to_the_same_bytes() {
    let chance = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() as usize;
    let mut tried = 0;
    for how in ["full", "lora"] {
        let line = format!(
            "train pairs.toml train.method={how} {TRAIN} train.epochs=1000 train.checkpoint_every=70"
        );
        let (plain, broken) = (scene(), scene());
        plain.done(&line);
        let lengths = plain.json("runs/tuned/tuning/training_progress.json")["total_steps"].as_u64().unwrap();
        assert!(lengths >= 3000, "{lengths} steps");
        for (i, name) in ["INT", "KILL", "INT", "KILL", "KILL"].iter().enumerate() {
            let until = 300 * i + 1 + chance / (i + 1) % 250;
            let mut child = start(&broken, &line);
            wait_until(&mut child, || steps(&broken, METRICS).len() >= until);
            let (status, errors) = signal(child, name);
            match *name {
                "KILL" => assert_eq!(status.code(), None, "{errors}"),
                _ => {
                    assert_eq!(status.code(), Some(130), "{errors}");
                    assert_refusal("train", &errors, &["interrupted", "run the same command again"]);
                }
            }
            assert!(!broken.path(MODEL).exists(), "it was done before it was stopped");
            let progress = broken.json("runs/tuned/tuning/training_progress.json");
            assert_eq!(progress["training_completed"], false);
            let found = steps(&broken, METRICS);
            assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>(), "{name} after {until}");
            tried += 1;
        }
        broken.done(&line);
        for file in [MODEL, METRICS, "runs/tuned/curve.csv"] {
            assert!(broken.read(file) == plain.read(file), "{how}: {file}");
        }
        assert_eq!(broken.json("runs/tuned/tuning/training_progress.json")["training_completed"], true);
    }
    println!("reliability: E1 tried={tried} trainings of an encoder stopped or killed at a random step");
}

#[test]
fn new_texts_are_encoded_by_the_encoder_that_learnt() {
    let scene = scene();
    scene.done("run pairs.toml");
    let infer = |what: &str, out: &str| {
        let said =
            scene.done(&format!("infer --input pairs.jsonl --text-column query {what} --output-dir {out}"));
        (said, scene.read(&format!("{out}/base.npy")))
    };
    let (said, by_run) = infer("--adapter runs/tuned", "run");
    assert!(said.contains("encoded 0 texts"), "not the vectors that the run searched with: {said}");
    assert!(!scene.path("run/adapter.npy").exists());
    assert_eq!(scene.json("run/metadata.json")["encoder"]["name"], "runs/tuned/encoder");
    assert!(infer("--encoder runs/tuned/encoder", "named").1 == by_run);
    assert!(infer("--encoder bert", "base").1 != by_run);

    // It is an encoder like any other: what was measured of it is the base of what is learnt on top.
    scene.done("run pairs.toml name=top train.method=gradient encoder.model=runs/tuned/encoder");
    let ndcg = |run: &str, view: &str| {
        scene.json(&format!("runs/{run}/metrics.json"))["views"][view]["ndcg@10"].clone()
    };
    assert_eq!(ndcg("top", "base"), ndcg("tuned", "adapter"));
    let (_, on_top) = infer("--adapter runs/top", "top");
    assert!(on_top == by_run && scene.path("top/adapter.npy").exists());
}

#[test]
fn a_trained_encoder_is_refused_where_an_adapter_is_meant_with_the_cure() {
    let scene = scene();
    scene.done("train pairs.toml");
    scene.done("train pairs.toml name=other train.method=gradient");
    let infer = "infer --input pairs.jsonl --text-column query --adapter runs/tuned";
    let cure = ["encoder that was trained", "runs/tuned/encoder", "--encoder"];
    scene.refused(&format!("{infer} --adapter runs/other"), 2, &cure);
    scene.refused("export runs/tuned --to sentence-transformers out", 2, &cure);
    scene.refused("push runs/tuned org/name", 2, &cure);
    scene.refused(&format!("{infer} --encoder bert"), 2, &["--encoder", "runs/tuned/encoder"]);
    scene.refused("infer --vectors x.npy --adapter runs/tuned", 2, &["--adapter"]);
    scene.refused("score pairs.jsonl --text-column query --head runs/tuned", 2, &["runs/tuned", "head"]);

    // Another fit in the same run directory: the adapter is what counts now, and the encoder again after it.
    scene.done("train pairs.toml train.method=gradient");
    scene.done(infer);
    assert!(scene.path("out/adapter.npy").exists());
    scene.done("train pairs.toml");
    scene.done(&format!("{infer} --output-dir again"));
    assert!(!scene.path("again/adapter.npy").exists());
}
