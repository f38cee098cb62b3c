//! The rules of the house, as tests. Each says why it is a rule.
#![allow(clippy::print_stdout)] // the figures of tests/README.md are printed

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SIBLINGS: &[&str] =
    &["embedded", "data", "encoder", "store", "adapter", "answer", "eval", "report", "track", "oracle"];
/// Those that join siblings; neither knows the other.
const JOINERS: &[&str] = &["labelling", "pipeline"];
/// The siblings that train.
const TRAINED: &[&str] = &["encoder", "adapter"];
const LEAVES: &[&str] = &["cli"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![below.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_none_or(|n| n != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["src", "crates", "tests", "examples", "benches", "fuzz"]
        .iter()
        .flat_map(|d| sources(&root().join(d)))
        .collect();
    found.sort();
    assert!(found.len() > 40, "found only {} source files below {}", found.len(), root().display());
    found
}

fn manifest(name: &str) -> String {
    let path = root().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A layer that knows its neighbour cannot be swapped, tested or depended on alone.
#[test]
fn no_sibling_names_a_sibling() {
    for sibling in SIBLINGS {
        let manifest = manifest(sibling);
        let others = SIBLINGS.iter().chain(LEAVES).chain(JOINERS).chain(&["artifact"]);
        for other in others.filter(|other| *other != sibling) {
            assert!(!manifest.contains(&format!("manyview-{other}")), "crates/{sibling} depends on {other}");
        }
    }
}

/// A server, or a wheel, applies what was trained: it should not compile what trains it.
#[test]
fn artifacts_are_applied_without_the_crates_that_make_them() {
    let manifest = manifest("artifact");
    for other in JOINERS.iter().chain(LEAVES).chain(&["eval", "track", "oracle"]) {
        assert!(!manifest.contains(&format!("manyview-{other}")), "crates/artifact depends on {other}");
    }
}

/// Who trains nothing should not compile a trainer, and a trainer that knows what it trains is a second copy of it.
#[test]
fn the_trainer_knows_core_alone_and_only_what_is_trained_knows_it() {
    let trainer = manifest("train");
    for other in SIBLINGS.iter().chain(LEAVES).chain(JOINERS) {
        assert!(!trainer.contains(&format!("manyview-{other}")), "crates/train depends on {other}");
    }
    for sibling in SIBLINGS.iter().chain(&["core"]).filter(|sibling| !TRAINED.contains(sibling)) {
        assert!(!manifest(sibling).contains("manyview-train"), "crates/{sibling} depends on the trainer");
    }
}

/// The bottom crate is everyone's dependency: whatever it pulls in, everyone compiles.
#[test]
fn core_depends_on_no_other_crate_of_ours_and_on_no_model() {
    let manifest = manifest("core");
    for heavy in ["manyview-data", "manyview-encoder", "burn", "arrow", "parquet", "faer", "tokenizers"] {
        assert!(!manifest.contains(&format!("{heavy}.workspace")), "crates/core depends on {heavy}");
    }
}

/// A mistake in safe code is an error; in unsafe code it is anything at all.
#[test]
fn every_crate_forbids_unsafe_code() {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let mut tried = 0;
    for src in crates.chain([root().join("src")]) {
        for path in ["lib.rs", "main.rs"].map(|name| src.join(name)).iter().filter(|path| path.exists()) {
            let text = fs::read_to_string(path).unwrap();
            assert!(text.contains("#![forbid(unsafe_code)]"), "{} allows unsafe code", path.display());
            tried += 1;
        }
    }
    println!("reliability: G2 tried={tried} crates that forbid unsafe code");
}

/// What one crate does not hold to, no check finds there.
#[test]
fn every_crate_is_held_to_the_lints_of_the_workspace() {
    let lints = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(["unwrap_used", "expect_used"].iter().all(|lint| lints.contains(&format!("{lint} = \"warn\""))));
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut tried = 0;
    for home in crates.chain([root().to_path_buf(), root().join("fuzz/properties")]) {
        let manifest = fs::read_to_string(home.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", home.display());
        tried += 1;
    }
    println!("reliability: G3 tried={tried} crates held to the lints that `.ci/run` refuses");
}

/// A size that wraps around is the start of wrong rows, not an error.
#[test]
fn releases_notice_sums_that_overflow() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let release =
        manifest.split("[profile.release]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    assert!(release.contains("overflow-checks = true"), "{release}");
}

/// Labels are paid for and made once; experiments are run again and again. Neither should wait for the other to build.
#[test]
fn no_joiner_names_another() {
    for joiner in JOINERS {
        for other in JOINERS.iter().filter(|other| *other != joiner) {
            assert!(
                !manifest(joiner).contains(&format!("manyview-{other}")),
                "crates/{joiner} depends on {other}"
            );
        }
    }
}

/// What is imported by nobody can be rewritten at will.
#[test]
fn nobody_imports_a_leaf() {
    for name in SIBLINGS.iter().chain(JOINERS).chain(&["core", "train", "artifact"]) {
        for leaf in LEAVES {
            assert!(!manifest(name).contains(&format!("manyview-{leaf}")), "crates/{name} depends on {leaf}");
        }
    }
}

/// A server that misbehaves has no place in a program.
#[test]
fn servers_for_tests_are_in_no_program() {
    for name in SIBLINGS.iter().chain(LEAVES).chain(JOINERS).chain(&["core", "artifact"]) {
        let manifest = manifest(name);
        let program = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        assert!(!program.contains("manyview-test-server"), "crates/{name} depends on the servers of tests");
    }
}

/// A backend that leaves burn should cost one file.
#[test]
fn only_the_device_file_names_a_backend() {
    let library = |path: &PathBuf| path.components().any(|c| c.as_os_str() == "src");
    for path in all_sources().into_iter().filter(library).filter(|p| !p.ends_with("artifact/src/device.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        let tests = text.find("#[cfg(test)]").or_else(|| text.find("#[cfg(all(test")).unwrap_or(text.len());
        let code = &text[..tests];
        let code: String = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        for backend in ["Device::flex", "Device::ndarray", "Device::libtorch", "Device::cuda", "Device::wgpu"]
        {
            assert!(!code.contains(backend), "{} names {backend}", path.display());
        }
    }
}

/// A file that needs scrolling holds more than one idea.
#[test]
fn no_source_file_passes_400_lines() {
    for path in all_sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

/// The first line of a crate is where a newcomer starts.
#[test]
fn every_crate_opens_with_what_it_is() {
    let roots = all_sources().into_iter().filter(|p| p.ends_with("src/lib.rs") || p.ends_with("src/main.rs"));
    for path in roots {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not open with what the crate is", path.display());
    }
}

/// A file's name is its idea.
#[test]
fn no_file_is_a_drawer() {
    let drawers = ["utils", "util", "common", "helpers", "helper", "types", "misc", "impl", "base"];
    for path in all_sources() {
        let stem = path.file_stem().unwrap().to_string_lossy().to_string();
        assert!(!drawers.contains(&stem.as_str()), "{}: name it for what it holds", path.display());
    }
}

/// An example teaches one thing on one screen.
#[test]
fn no_example_passes_80_lines() {
    for path in sources(&root().join("examples")) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 80, "{} has {lines} lines", path.display());
    }
}

/// Another feature of one small crate is another build of all that stands on it: minutes, for whoever runs both commands.
#[test]
fn the_program_and_the_tests_share_one_build_of_their_dependencies() {
    let features = |selection: &[&str], edges: &str| -> BTreeSet<String> {
        let mut command = Command::new(env!("CARGO"));
        command.args([
            "tree",
            "--offline",
            "--locked",
            "--no-dedupe",
            "--prefix",
            "none",
            "-f",
            "{p} {f}",
            "-e",
            edges,
        ]);
        let output = command.args(selection).current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_string).collect()
    };
    let of_tests = features(&["--workspace", "--features", "train"], "normal,build,dev");
    let of_program = features(&["-p", "manyview", "-p", "manyview-cli"], "normal,build");
    assert!(of_program.len() > 200, "cargo tree names only {} packages", of_program.len());
    // Ours, and the products that are compiled for more types where there is training.
    let is_expected = |line: &String| line.starts_with("manyview") || line.starts_with("gemm");
    let apart: Vec<_> = of_program.difference(&of_tests).filter(|line| !is_expected(line)).collect();
    assert!(apart.is_empty(), "name the features that tests turn on in crates/cli/Cargo.toml: {apart:?}");
}
