//! What a bad disk and killed processes left, found and mended.

use crate::scene::Scene;
use std::fs;

#[test]
fn doctor_reads_everything_that_is_there_and_what_it_finds_is_mended() {
    let scene = Scene::new();
    assert!(scene.done("doctor --deep experiment.toml").contains("nothing yet"));
    scene.done("run experiment.toml");
    let whole = scene.done("doctor --deep experiment.toml");
    assert!(whole.contains("whole files") && whole.contains("1 whole adapters, 0 leftovers"), "{whole}");
    let before = (scene.files("store"), scene.read("runs/weather/adapter/adapter.safetensors"));

    let parts = || scene.files("store").into_keys().filter(|p| p.extension().is_some_and(|e| e == "parquet"));
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
