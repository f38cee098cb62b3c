#![cfg(unix)]
//! `infer` stopped, killed, out of room, or started twice.

use crate::infer::{fitted, matrices};
use crate::interruption::{signal, start, wait_until};
use crate::scene::{Scene, assert_refusal, corpus, npy};
use std::process::Command;

const ROWS: usize = 600;
const PROGRESS: &str = "out/.infer/progress.json";

/// Fitted adapters and a corpus of so many rows that encoding it takes a second or more.
fn scene() -> Scene {
    let scene = fitted();
    scene.write("corpus.csv", corpus(ROWS));
    scene
}

/// Rows that are acknowledged.
fn read(scene: &Scene) -> usize {
    let bytes = std::fs::read(scene.path(PROGRESS)).unwrap_or_default();
    let progress: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    progress["read"].as_u64().unwrap_or(0) as usize
}

fn stored(scene: &Scene) -> usize {
    scene.done("store verify").split(", ").nth(1).and_then(|n| n.split(' ').next()?.parse().ok()).unwrap()
}

#[test]
fn texts_are_gone_on_with_to_the_same_bytes_after_a_stop_or_a_kill() {
    let adapters = "--adapter runs/weather/near --adapter runs/weather/far";
    for format in ["npy", "parquet"] {
        let line = format!(
            "infer --input corpus.csv {adapters} --chunk-rows 40 --dedup --id-column label --format {format}"
        );
        let plain = scene();
        plain.done(&line);
        for name in ["INT", "KILL"] {
            let scene = scene();
            let mut child = start(&scene, &line);
            wait_until(&mut child, || read(&scene) > 0);
            let (status, errors) = signal(child, name);
            if name == "INT" {
                assert_eq!(status.code(), Some(130), "{errors}");
                assert_refusal("infer", &errors, &["interrupted", "run the same command again"]);
            }
            let kept = read(&scene);
            assert!(kept > 0 && kept < ROWS && kept.is_multiple_of(40), "{kept}");
            assert!(!scene.path("out/metadata.json").exists() && matrices(&scene, "out").len() < 7);
            std::fs::remove_dir_all(scene.path("store")).unwrap();
            scene.done(&line);
            assert_eq!(stored(&scene), ROWS - kept, "rows that were done were encoded again");
            assert!(matrices(&scene, "out") == matrices(&plain, "out"), "{format}, {name}: other bytes");
            assert!(!scene.path("out/.infer").exists());
            let metadata = |scene: &Scene| {
                let mut metadata = scene.json("out/metadata.json");
                metadata["seconds"] = 0.into();
                metadata["base"] = 0.into(); // the store was emptied in between
                metadata
            };
            assert_eq!(metadata(&scene), metadata(&plain));
        }
    }
}

#[test]
fn vectors_are_gone_on_with_to_the_same_bytes_after_a_kill() {
    let rows: Vec<Vec<f32>> =
        (0..20_000_u32).map(|i| (0..384).map(|j| ((i * 31 + j * 17) % 97) as f32 - 40.3).collect()).collect();
    let given = npy(&rows);
    let line = "infer --vectors given.npy --adapter runs/weather/far --chunk-rows 8";
    let plain = fitted();
    plain.write("given.npy", &given);
    plain.done(line);
    let scene = fitted();
    scene.write("given.npy", &given);
    let mut child = start(&scene, line);
    wait_until(&mut child, || read(&scene) > 0);
    signal(child, "KILL");
    let kept = read(&scene);
    assert!(kept > 0 && kept < 20_000, "{kept}");
    scene.done(line);
    assert!(matrices(&scene, "out") == matrices(&plain, "out"));
    assert_eq!(scene.json("out/metadata.json")["rows"], 20_000);
}

#[test]
fn other_settings_or_another_input_start_over() {
    let line = "infer --input corpus.csv --adapter runs/weather/far --chunk-rows 40";
    let stopped = || {
        let scene = scene();
        let mut child = start(&scene, line);
        wait_until(&mut child, || read(&scene) > 0);
        signal(child, "KILL");
        scene
    };
    let scene = stopped();
    scene.done(&format!("{line} --limit 50"));
    assert_eq!(scene.json("out/metadata.json")["rows"], 50);
    let scene = stopped();
    scene.write("corpus.csv", corpus(ROWS).replacen("drizzle", "snow", 1));
    scene.done(line);
    let plain = fitted();
    plain.write("corpus.csv", scene.read("corpus.csv"));
    plain.done(line);
    assert!(matrices(&scene, "out") == matrices(&plain, "out"));
}

#[test]
fn a_second_process_in_one_output_directory_is_refused() {
    let scene = scene();
    let line = "infer --input corpus.csv --adapter runs/weather/far --chunk-rows 40";
    let mut child = start(&scene, line);
    wait_until(&mut child, || read(&scene) > 0);
    scene.refused(line, 3, &["out: another manyview process is at work here"]);
    signal(child, "KILL");
}

#[test]
fn what_an_earlier_run_left_damaged_is_made_again() {
    let line = "infer --input corpus.csv --adapter runs/weather/far --chunk-rows 40";
    let plain = scene();
    plain.done(line);
    for (name, bytes) in [("base.npy", &b"short"[..]), ("rows.csv", b""), ("progress.json", b"{")] {
        let scene = scene();
        let mut child = start(&scene, line);
        wait_until(&mut child, || read(&scene) > 0);
        signal(child, "KILL");
        scene.write(&format!("out/.infer/{name}"), bytes);
        scene.done(line);
        assert!(matrices(&scene, "out") == matrices(&plain, "out"), "{name}");
    }
}

#[test]
fn a_full_disk_has_its_own_exit_code_and_keeps_what_is_done() {
    let scene = scene();
    scene.done("infer --input corpus.csv --adapter runs/weather/far --output-dir plain"); // and fill the store
    let line = "infer --input corpus.csv --adapter runs/weather/far --chunk-rows 40";
    let script = format!("ulimit -f 256; exec \"$0\" {line}"); // 256 blocks of 512 bytes or 1024
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, crate::scene::program()]).current_dir(scene.path(""));
    let output = shell.env("HF_HUB_OFFLINE", "1").env("MANYVIEW_DATA", crate::scene::DATA).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert_refusal("infer", &errors, &["base.npy", "File too large"]);
    let kept = read(&scene);
    assert!(kept > 0 && kept < ROWS, "{kept}");
    scene.done(line);
    assert!(matrices(&scene, "out") == matrices(&scene, "plain"));
}
