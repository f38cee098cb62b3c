#![cfg(unix)]
//! The page of errors: every line of it is produced here, and every line produced here is on it.

use crate::interruption::{signal, start, wait_until};
use crate::scene::{Scene, npy, program};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

/// What brings an error about: the program's exit code, and all it said.
type Cause = fn(&Scene) -> (i32, String);

fn said(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

fn run(scene: &Scene, line: &str) -> (i32, String) {
    said(scene.process(line).output().unwrap())
}

fn shell(scene: &Scene, script: &str) -> (i32, String) {
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh", program()])
        .current_dir(scene.path(""))
        .env("HF_HUB_OFFLINE", "1")
        .env("MANYVIEW_DATA", crate::scene::DATA);
    said(command.output().unwrap())
}

/// The vectors of another encoder in the place of this one's, with a description of the first release, which had no hash.
fn another_length(scene: &Scene) {
    scene.tiny_encoder();
    scene.done("encode experiment.toml encoder.model=tiny output.store=other");
    let [here, there] = ["store", "other"].map(|store| {
        let mut spaces = fs::read_dir(scene.path(store).join("spaces")).unwrap();
        spaces.next().unwrap().unwrap().path()
    });
    let parts = |space: &Path| {
        let files = fs::read_dir(space).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|e| e == "parquet")).collect::<Vec<_>>()
    };
    parts(&here).iter().for_each(|part| fs::remove_file(part).unwrap());
    for part in parts(&there) {
        fs::copy(&part, here.join(part.file_name().unwrap())).unwrap();
    }
    let description = |space: &Path| scene.json(space.join("space.json").to_str().unwrap());
    let mut changed = description(&here);
    changed.as_object_mut().unwrap().remove("check");
    changed["dim"] = description(&there)["dim"].clone();
    fs::write(here.join("space.json"), changed.to_string()).unwrap();
}

const CAUSES: &[(&str, Cause)] = &[
    ("a fingerprint must change when a vector can", |scene| {
        scene.done("encode experiment.toml");
        another_length(scene);
        run(scene, "encode experiment.toml")
    }),
    ("unknown key", |scene| run(scene, "run experiment.toml data.nonsense=1")),
    ("no column `texts`, perhaps `text`", |scene| run(scene, "run experiment.toml data.text=texts")),
    ("expected 4 fields, found 1", |scene| {
        scene.write("cut.csv", "text,label,answer,split\nalone\n");
        run(scene, "run experiment.toml data.source=cut.csv")
    }),
    ("a pointer of Git LFS, not the file itself", |scene| {
        scene.write("pointer.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        run(scene, "run experiment.toml data.source=pointer.csv")
    }),
    ("a quote begins a field", |scene| {
        scene.write("quotes.tsv", "text\tlabel\n\"a\tx\nb\n");
        run(scene, "run experiment.toml data.source=quotes.tsv")
    }),
    ("run `manyview train` first", |scene| run(scene, "evaluate experiment.toml")),
    ("fit again", |scene| {
        scene.done("train experiment.toml");
        scene.write("runs/weather/adapter/adapter.safetensors", "damaged");
        run(scene, "evaluate experiment.toml")
    }),
    ("checks failed", |scene| run(scene, "doctor experiment.toml data.text=texts")),
    ("No such file", |scene| run(scene, "run nothere.toml")),
    ("another manyview process is at work here", |scene| {
        scene.done("encode experiment.toml");
        let lock = File::options().write(true).open(scene.path("runs/weather/.lock")).unwrap();
        lock.lock().unwrap();
        run(scene, "run experiment.toml")
    }),
    ("bad files were moved aside", |scene| {
        scene.done("encode experiment.toml");
        let part = scene.paths("store").into_iter().find(|p| p.extension().is_some_and(|e| e == "parquet"));
        fs::write(part.unwrap(), "damaged").unwrap();
        run(scene, "store verify")
    }),
    ("fetch it once while online", |scene| run(scene, "run experiment.toml encoder.model=hub:some/thing")),
    ("what it missed is kept", |scene| {
        scene.done("run experiment.toml");
        run(scene, "track sync --uri http://127.0.0.1:9")
    }),
    ("No space left on device", |scene| shell(scene, "exec \"$1\" fetch experiment.toml >/dev/full")),
    ("File too large", |scene| shell(scene, "ulimit -f 64; exec \"$1\" run experiment.toml")),
    ("expected finite numbers, found NaN or infinity", |scene| {
        let mut rows = vec![vec![1.0, 2.0]; 60];
        rows[17][1] = f32::NAN;
        scene.write("nan.npy", npy(&rows));
        run(scene, "run experiment.toml teacher.kind=vectors train.towards=zero teacher.vectors=nan.npy")
    }),
    ("expected a finite", |scene| {
        run(scene, "train experiment.toml train.method=gradient train.lr=1e38 train.warmup=0")
    }),
    ("interrupted; what was finished is kept", |scene| {
        scene.write("corpus.csv", crate::scene::corpus(700));
        let mut child = start(scene, "encode experiment.toml");
        wait_until(&mut child, || scene.path("store/spaces").exists());
        let (status, errors) = signal(child, "INT");
        (status.code().unwrap_or(-1), errors)
    }),
];

/// The exit codes and the words of the tables on the page.
fn page() -> Vec<(i32, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/errors.md");
    let text = fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let mut cells = line.split(" | ");
        let code = cells.next()?.strip_prefix("| ")?.parse().ok()?;
        Some((code, cells.next()?.trim_matches('*').to_string()))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn every_error_of_the_guide_comes_with_its_exit_code_and_words() {
    let page = page();
    for (words, cause) in CAUSES {
        let (code, text) = cause(&Scene::new());
        assert!(!text.contains("panicked"), "{text}");
        assert!(text.contains(words), "no `{words}` in {text}");
        assert!(text.lines().any(|line| line.starts_with("manyview: ")), "{words}: {text}");
        assert!(
            page.contains(&(code, (*words).to_string())),
            "{code}, `{words}` is not in docs/guide/errors.md"
        );
    }
    let told = page.iter().filter(|(_, words)| CAUSES.iter().any(|(cause, _)| cause == words)).count();
    assert_eq!(told, CAUSES.len());
    let codes: std::collections::BTreeSet<i32> = page.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 130]);
    println!("{} errors, each with its exit code and words", CAUSES.len());
}
