//! `doctor --deep`: damaged files and the leftovers of killed processes are found and repaired.

#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;
use crate::{fine_tuning, retrieval};
use std::fs;
#[cfg(unix)]
use std::path::Path;

/// Runs a doctor that finds something wrong; gives what it says.
fn complaint(scene: &Scene, line: &str) -> String {
    let output = scene.command(line).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

#[test]
fn doctor_reads_everything_that_is_there_and_what_it_finds_is_mended() {
    let scene = Scene::new();
    assert!(scene.done("doctor --deep experiment.toml").contains("nothing yet"));
    scene.done("run experiment.toml");
    let whole = scene.done("doctor --deep experiment.toml");
    assert!(whole.contains("whole files") && whole.contains("1 whole adapters, 0 leftovers"), "{whole}");
    let before = (scene.files("store"), scene.read("runs/weather/adapter/adapter.safetensors"));

    let parts = || scene.paths("store").into_iter().filter(|p| p.extension().is_some_and(|e| e == "parquet"));
    let damaged = parts().next().unwrap();
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[200] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    scene.write("runs/weather/.adapter.999.new/config.json", "{");
    scene.write("runs/weather/.report.html.999-4.tmp", "<html>");
    scene.write("runs/weather/checkpoints/.0123-000004.999.new/state.safetensors", "half");
    let output = scene.command("doctor --deep experiment.toml").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("FAIL  every part in store") && said.contains("1 bad files"), "{said}");
    assert!(said.contains("3 leftovers of killed processes removed"), "{said}");
    assert!(!damaged.exists());
    for left in [".adapter.999.new", ".report.html.999-4.tmp", "checkpoints/.0123-000004.999.new"] {
        assert!(!scene.path("runs/weather").join(left).exists(), "{left}");
    }

    scene.write("runs/weather/adapter/adapter.safetensors", "damaged");
    let output = scene.command("doctor --deep experiment.toml").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("FAIL  everything in runs/weather") && said.contains("fit again"), "{said}");

    scene.done("run experiment.toml");
    scene.done("doctor --deep experiment.toml");
    fs::remove_dir_all(scene.path("store/quarantine")).unwrap();
    assert!(scene.files("store") == before.0, "other vectors");
    assert!(scene.read("runs/weather/adapter/adapter.safetensors") == before.1, "another adapter");
    println!(
        "reliability: C6 tried=5 things that a bad disk or a killed process left, mended by `doctor --deep` and `run`"
    );
}

/// A process killed between the two renames that replace an adapter leaves the old one under another name.
#[test]
fn an_adapter_without_a_successor_gets_its_name_back() {
    let scene = Scene::new();
    scene.done("run experiment.toml");
    let adapter = scene.read("runs/weather/adapter/adapter.safetensors");
    fs::rename(scene.path("runs/weather/adapter"), scene.path("runs/weather/.adapter.999.old")).unwrap();
    scene.done("evaluate experiment.toml");
    assert!(scene.read("runs/weather/adapter/adapter.safetensors") == adapter);
}

#[test]
fn doctor_reads_the_adapters_of_pairs_and_the_encoders_that_learnt() {
    let scene = retrieval::scene(None);
    scene.done("run pairs.toml retrieval.adapt=dual");
    let whole = scene.done("doctor --deep pairs.toml");
    for word in ["corpus: pairs.jsonl", "12 documents", "1 whole adapters"] {
        assert!(whole.contains(word), "{word}: {whole}");
    }
    let adapter = scene.read("runs/pairs/adapter/adapter.safetensors");
    scene.write("runs/pairs/adapter/adapter.safetensors", &adapter[..adapter.len() - 4]);
    assert!(complaint(&scene, "doctor --deep pairs.toml").contains("fit again"));
    scene.done("run pairs.toml retrieval.adapt=dual");
    assert!(scene.read("runs/pairs/adapter/adapter.safetensors") == adapter);

    let (scene, model) = (fine_tuning::scene(), "runs/tuned/encoder/model.safetensors");
    scene.done("run pairs.toml");
    let whole = scene.done("doctor --deep pairs.toml");
    assert!(whole.contains("1 whole fine-tuned encoders"), "{whole}");
    let weights = scene.read(model);
    let mut damaged = weights.clone();
    *damaged.last_mut().unwrap() ^= 1;
    scene.write(model, damaged);
    let said = complaint(&scene, "doctor --deep pairs.toml");
    assert!(said.contains(model) && said.contains("train again"), "{said}");
    scene.done("run pairs.toml");
    scene.done("doctor --deep pairs.toml");
    assert!(scene.read(model) == weights);
}

#[cfg(unix)]
#[test]
fn doctor_sets_a_damaged_checkpoint_aside_and_training_goes_on_from_the_one_before() {
    let line = "train pairs.toml train.epochs=1000 train.checkpoint_every=20";
    let (plain, scene) = (fine_tuning::scene(), fine_tuning::scene());
    plain.done(line);
    let mut child = start(&scene, line);
    let states = || {
        let hidden = |dir: &Path| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let files = scene.paths("runs/tuned/tuning/checkpoints").into_iter();
        files.filter(move |path| path.ends_with("state.safetensors") && !path.parent().is_some_and(hidden))
    };
    wait_until(&mut child, || states().count() == 2);
    signal(child, "INT");
    let last = states().max().unwrap();
    let mut damaged = fs::read(&last).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&last, damaged).unwrap();
    let said = complaint(&scene, "doctor --deep pairs.toml");
    assert!(said.contains("1 damaged checkpoints were set aside"), "{said}");
    assert!(scene.done("doctor --deep pairs.toml").contains("1 whole checkpoints"));
    scene.done(line);
    let model = "runs/tuned/encoder/model.safetensors";
    assert!(scene.read(model) == plain.read(model));
}
