//! Encoders that learn the vectors of a teacher: trained, stopped, used.

use crate::fine_tuning;
#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;

const EXPERIMENT: &str = "\
name = 'student'
data.source = 'pairs.jsonl'
data.text = 'passage'
data.label = 'topic'
data.train = 0.5
data.val = 0.2
data.test = 0.3
data.stratify = false
encoder.model = 'bert'
teacher.kind = 'names'
teacher.instruction = 'Identify the topic'
train.method = 'full'
train.lr = 1e-3
train.epochs = 6
train.batch = 6
evaluate.seeds = 2
evaluate.restarts = 1
evaluate.resamples = 50
evaluate.knn = 3
evaluate.batch = 2
evaluate.latency_seconds = 0.0
";
const MODEL: &str = "runs/student/encoder/model.safetensors";
#[cfg(unix)]
const METRICS: &str = "runs/student/tuning/training_metrics.jsonl";

/// 36 texts of 12 topics, in words that the tiny encoder tells apart.
fn scene() -> Scene {
    let scene = fine_tuning::scene();
    scene.write("student.toml", EXPERIMENT);
    scene
}

#[test]
fn a_student_is_trained_measured_and_found_again() {
    for how in ["full", "lora"] {
        let scene = scene();
        let line = format!("run student.toml train.method={how} train.lr=1e-2 train.epochs=6 train.batch=6");
        let said = scene.done(&line);
        assert!(said.contains("report: runs/student/report.html"), "{said}");
        let metrics = scene.json("runs/student/metrics.json");
        assert_eq!((&metrics["fine_tuned"], &metrics["fit"]["method"]), (&true.into(), &how.into()));
        let close = |name: &str| metrics["fidelity"][name].as_f64().unwrap();
        assert!(close("cosine") > close("base_cosine"), "{how}: {}", metrics["fidelity"]);
        let page = String::from_utf8(scene.read("runs/student/report.md")).unwrap();
        for words in
            ["before and after fine-tuning", "is another encoder", "costs a pass of the fine-tuned encoder"]
        {
            assert!(page.contains(words), "no `{words}` in {page}");
        }
        assert!(!page.contains(", frozen"), "{page}");
        let weights = scene.read(MODEL);
        assert!(weights != scene.read("bert/model.safetensors"), "nothing was learnt");
        let changes = scene.path("runs/student/encoder/lora/adapter_model.safetensors");
        assert_eq!(changes.exists(), how == "lora");

        assert!(scene.done(&line).contains("encoded 0 texts"));
        assert!(scene.read(MODEL) == weights);
        assert!(scene.done("doctor --deep student.toml").contains("1 whole fine-tuned encoders"));
        let other = format!("evaluate {} train.lr=0.5", &line[4..]);
        scene.refused(&other, 2, &["an encoder trained", "manyview train"]);
    }
}

#[test]
fn new_texts_are_encoded_by_the_student_and_it_is_exported_as_the_encoder_it_is() {
    let scene = scene();
    scene.done("run student.toml");
    let infer = "infer --input pairs.jsonl --text-column passage";
    let said = scene.done(&format!("{infer} --adapter runs/student --output-dir by-run"));
    assert!(said.contains("encoded 0 texts"), "not the vectors that were measured: {said}");
    assert!(!scene.path("by-run/adapter.npy").exists());
    scene.done(&format!("{infer} --encoder runs/student/encoder --output-dir by-name"));
    assert!(scene.read("by-run/base.npy") == scene.read("by-name/base.npy"));

    let cure = ["encoder that was trained", "runs/student/encoder", "--encoder"];
    scene.refused("export runs/student --to sentence-transformers out", 2, &cure);
    scene.refused("push runs/student org/name", 2, &cure);

    // An adapter fitted in the same run directory is what counts then.
    scene.done("train student.toml train.method=ridge");
    scene.done(&format!("{infer} --adapter runs/student --output-dir by-adapter"));
    assert!(scene.path("by-adapter/adapter.npy").exists());
}

#[cfg(unix)]
#[test]
fn a_student_stopped_and_killed_learns_to_the_same_bytes() {
    let line = "train student.toml train.epochs=400 train.checkpoint_every=50";
    let (plain, broken) = (scene(), scene());
    plain.done(line);
    let steps = plain.json("runs/student/tuning/training_progress.json")["total_steps"].as_u64().unwrap();
    assert!(steps >= 1000, "{steps} steps");
    for (name, until) in [("INT", 137), ("KILL", 481)] {
        let mut child = start(&broken, line);
        wait_until(&mut child, || fine_tuning::steps(&broken, METRICS).len() >= until);
        signal(child, name);
        assert!(!broken.path(MODEL).exists(), "it was done before it was stopped");
    }
    broken.done(line);
    for file in [MODEL, METRICS, "runs/student/curve.csv"] {
        assert!(broken.read(file) == plain.read(file), "{file}");
    }
}
