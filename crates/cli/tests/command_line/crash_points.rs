#![cfg(target_os = "linux")]
//! A run killed at each change of a name on the disk, by `strace`; where there is none this is ignored.

use crate::scene::{Scene, copy, program};
use std::process::Command;

const LINE: &str =
    "run experiment.toml encoder.model=tiny encoder.max_length=64 train.method=gradient train.epochs=3";
const ADAPTER: &str = "runs/weather/adapter/adapter.safetensors";

/// Runs the program until the `k`th call of `name`; whether there was one.
fn killed_at(scene: &Scene, line: &str, name: &str, k: usize) -> bool {
    let inject = format!("inject={name}:signal=KILL:when={k}");
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "trace", "-e", &format!("trace={name}"), "-e", &inject, program()]);
    command
        .args(line.split_whitespace())
        .current_dir(scene.path(""))
        .env("HF_HUB_OFFLINE", "1")
        .env("MANYVIEW_DATA", crate::scene::DATA);
    let output = command.output().unwrap();
    assert!(scene.path("trace").exists(), "nothing was traced: {output:?}");
    !output.status.success()
}

#[test]
#[cfg_attr(not(strace), ignore = "strace is not installed")]
fn c2_a_run_killed_at_any_change_of_a_name_goes_on_to_the_same_result() {
    let (begun, plain) = (Scene::new(), Scene::new());
    begun.tiny_encoder();
    begun.done(LINE); // so that there is an adapter to replace
    copy(&begun.path(""), &plain.path(""));
    let other = format!("{LINE} data.seed=7");
    plain.done(&other);
    let names = |scene: &Scene| -> Vec<_> {
        let below = |path: &std::path::PathBuf| path.strip_prefix(scene.path("")).unwrap().to_path_buf();
        let files = scene.paths("runs").into_iter().chain(scene.paths("store"));
        files.map(|path| below(&path)).filter(|path| !path.iter().any(|part| part == "tracking")).collect()
    };
    let (adapter, views) = (plain.read(ADAPTER), plain.json("runs/weather/metrics.json")["views"].clone());
    let mut tried = 0;
    for name in ["rename", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir"] {
        for k in 1.. {
            let scene = Scene::new();
            copy(&begun.path(""), &scene.path(""));
            if !killed_at(&scene, &other, name, k) {
                break;
            }
            tried += 1;
            scene.done(&other);
            assert!(scene.read(ADAPTER) == adapter, "{name} {k}: another adapter");
            assert_eq!(scene.json("runs/weather/metrics.json")["views"], views, "{name} {k}");
            assert_eq!(names(&scene), names(&plain), "{name} {k}: something was left");
            scene.done(&format!("doctor --deep {}", other.trim_start_matches("run ")));
        }
    }
    println!("reliability: C2 tried={tried} kills of a run at a change of a name");
}
