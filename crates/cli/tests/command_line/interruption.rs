#![cfg(unix)]

use crate::scene::{Scene, assert_refusal};
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const ADAPTER: &str = "runs/weather/adapter/adapter.safetensors";
/// Three parts of the store.
const ROWS: usize = 700;
/// Names of labels, which the teacher encodes as well.
const NAMES: usize = 3;

pub(crate) fn start(scene: &Scene, line: &str) -> Child {
    scene.process(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for `happened`, which must come while `child` is at work.
pub(crate) fn wait_until(child: &mut Child, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it could be interrupted");
        assert!(start.elapsed() < Duration::from_secs(120), "nothing happened");
        sleep(Duration::from_millis(1));
    }
}

pub(crate) fn signal(mut child: Child, name: &str) -> (ExitStatus, String) {
    let kill = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (child.wait().unwrap(), errors)
}

fn parts(scene: &Scene) -> usize {
    let part = |p: &&std::path::PathBuf| p.extension().is_some_and(|e| e == "parquet");
    scene.paths("store/spaces").iter().filter(part).count()
}

/// How many texts a run says it encoded.
fn encoded(said: &str) -> usize {
    let line = said.lines().find_map(|l| l.strip_prefix("encoded ")).unwrap();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap()
}

#[test]
fn a_run_that_was_stopped_or_killed_while_encoding_goes_on_to_the_same_result() {
    let plain = Scene::of(ROWS);
    plain.done("run experiment.toml");
    let stored = |scene: &Scene| scene.files("store").into_values().collect::<Vec<_>>();
    let views = |scene: &Scene| scene.json("runs/weather/metrics.json")["views"].clone();
    for name in ["INT", "KILL"] {
        let scene = Scene::of(ROWS);
        let mut child = start(&scene, "run experiment.toml");
        wait_until(&mut child, || parts(&scene) > 0);
        let (status, errors) = signal(child, name);
        match name {
            "KILL" => assert_eq!(status.code(), None, "{errors}"),
            _ => {
                assert_eq!(status.code(), Some(130), "{errors}");
                assert_refusal("run", &errors, &["interrupted", "kept", "run the same command again"]);
            }
        }
        let kept = parts(&scene);
        assert!((1..3).contains(&kept), "{kept} of 3 parts were written before the signal came");
        let said = scene.done("run experiment.toml");
        assert!(encoded(&said) <= ROWS - kept * 256 + NAMES, "{name}: {said}");
        assert!(stored(&scene) == stored(&plain), "{name}: other vectors");
        assert!(scene.read(ADAPTER) == plain.read(ADAPTER), "{name}: another adapter");
        assert_eq!(views(&scene), views(&plain), "{name}");
    }
}

#[test]
fn training_that_was_stopped_goes_on_to_the_same_bits() {
    let line = "train experiment.toml train.method=gradient train.epochs=4000 train.patience=0 train.batch=8";
    let (plain, scene) = (Scene::new(), Scene::new());
    plain.done(line);
    let mut child = start(&scene, line);
    wait_until(&mut child, || !scene.paths("runs/weather/checkpoints").is_empty());
    let (status, errors) = signal(child, "INT");
    assert_eq!(status.code(), Some(130), "{errors}");
    assert_refusal("train", &errors, &["interrupted"]);
    assert!(scene.path("runs/weather/checkpoints").exists(), "no epoch was kept");
    assert!(!scene.path(ADAPTER).exists());
    scene.done(line);
    assert!(scene.read(ADAPTER) == plain.read(ADAPTER));
}
