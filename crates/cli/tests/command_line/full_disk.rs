#![cfg(target_os = "linux")]

use crate::scene::{Scene, assert_refusal, program};
use std::process::{Command, Output, Stdio};

const ADAPTER: &str = "runs/weather/adapter/adapter.safetensors";

/// What a shell says when it could not even set the scene.
const CANNOT: i32 = 99;

fn shell(scene: &Scene, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", program()]).current_dir(scene.path(""));
    command.env("HF_HUB_OFFLINE", "1").env("MANYVIEW_DATA", crate::scene::DATA).output().unwrap()
}

/// Runs `script` where it may mount; none, with the reason on the terminal, where this system does not allow it.
fn mounting(scene: &Scene, script: &str) -> Option<Output> {
    let script = format!("exec unshare --mount --map-root-user sh -ec '{script}' sh \"$1\"");
    let output = shell(scene, &script);
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(CANNOT) || errors.contains("unshare") {
        println!("skipped: this system mounts nothing for tests: {errors}");
        return None;
    }
    Some(output)
}

#[test]
fn a_full_disk_has_its_own_exit_code_and_loses_nothing() {
    let (small, roomy) = (Scene::new(), Scene::new());
    let script = format!(
        r#"mkdir full && mount -t tmpfs -o size=64k none full || exit {CANNOT}
        run() {{ code=0; "$1" run experiment.toml output.dir=full/runs output.store=full/store >>said 2>>errors || code=$?; echo $code >>codes; }}
        run "$1"
        mount -o remount,size=400k full; run "$1"; "$1" store --dir full/store verify >>said
        mount -o remount,size=8m full; run "$1"; cp -r full/runs runs"#
    );
    let Some(output) = mounting(&small, &script) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |name: &str| String::from_utf8(small.read(name)).unwrap();
    let (codes, errors, said) = (text("codes"), text("errors"), text("said"));
    assert_eq!(codes.split_whitespace().collect::<Vec<_>>(), ["5", "5", "0"], "{errors}");
    assert_refusal("run", &errors, &["full/store", "full/runs/weather", "No space left on device"]);
    assert!(said.contains("63 vectors, 0 bad"), "what was encoded before the disk was full: {said}");
    assert!(said.contains("encoded 0 texts"), "{said}");
    roomy.done("run experiment.toml");
    assert!(small.read(ADAPTER) == roomy.read(ADAPTER), "the full disk changed the adapter");
    println!("reliability: C4 tried=2 runs on a full disk, and a third once there was room");
}

#[test]
fn a_read_only_file_system_is_named() {
    let scene = Scene::new();
    let script = format!(
        r#"mkdir fixed && mount -t tmpfs -o ro none fixed || exit {CANNOT}
        "$1" run experiment.toml output.dir=fixed/runs"#
    );
    let Some(output) = mounting(&scene, &script) else { return };
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert_refusal("run", &errors, &["fixed/runs", "Read-only file system"]);
    println!("reliability: C5 tried=1 run on a read-only file system");
}

#[test]
fn a_full_disk_under_the_printed_lines_is_an_error_in_words() {
    let scene = Scene::new();
    let output = shell(&scene, r#"exec "$1" fetch experiment.toml >/dev/full"#);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert_refusal("fetch", &errors, &["standard output", "No space left on device"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let scene = Scene::new();
    let mut child =
        scene.process("fetch experiment.toml").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn a_quantized_encoder_is_there_whole_or_not_at_all() {
    let scene = Scene::new();
    scene.tiny_encoder();
    let output = shell(&scene, r#"ulimit -f 24; exec "$1" quantize tiny small"#);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert_refusal("quantize", &errors, &["File too large"]);
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(".small");
    let names = std::fs::read_dir(scene.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name == "small" || hidden(name)).count(), 0);
    scene.done("quantize tiny small");
    scene.done("run experiment.toml encoder.model=small");
}

/// The other way to run out of room: a limit on the size of a file, of which a signal tells.
#[test]
fn a_limit_on_file_size_is_a_full_disk() {
    let scene = Scene::new();
    let output = shell(&scene, r#"ulimit -f 64; exec "$1" run experiment.toml"#);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert_refusal("run", &errors, &["store", "File too large"]);
    println!("reliability: C4 tried=1 run under a limit on the size of files");
    scene.done("run experiment.toml");
}
