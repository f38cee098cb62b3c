//! The table of what may go wrong names tests that there are, and every test that prints a figure stands in it.
#![allow(clippy::unwrap_used)] // a test file of its own

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sources of the tests `CRATE/TEST`.
fn sources(place: &str) -> Vec<PathBuf> {
    let (name, target) = place.split_once('/').unwrap();
    let home = match name {
        "manyview" => root().into(),
        "properties" => root().join("fuzz/properties"),
        name => root().join("crates").join(name),
    };
    let below = match target {
        "lib" => home.join("src"),
        "bin" => home.join("src"),
        test => home.join("tests").join(test),
    };
    let (mut found, mut open) = (vec![below.with_extension("rs")], vec![below]);
    while let Some(dir) = open.pop() {
        for path in fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

fn table() -> String {
    fs::read_to_string(root().join("tests/README.md")).unwrap()
}

#[test]
fn every_test_of_the_table_is_there() {
    let table = table();
    let named: Vec<&str> =
        table.split('`').filter(|word| word.contains("::") && word.contains('/')).collect();
    assert!(named.len() > 30, "{}", named.len());
    for test in named.into_iter().filter(|test| *test != "CRATE/TEST::NAME") {
        let (place, path) = test.split_once("::").unwrap();
        let name = path.rsplit("::").next().unwrap();
        let is_there =
            |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("fn {name}(")));
        assert!(sources(place).iter().any(is_there), "{test}: no such test");
    }
}

#[test]
fn every_row_with_a_figure_is_in_the_table() {
    let table = table();
    let mut open = vec![root().join("crates"), root().join("tests")];
    let mut rows = Vec::new();
    while let Some(dir) = open.pop() {
        for path in fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let printed = text.split("\"reliability: ").skip(1).filter_map(|rest| rest.split(' ').next());
                rows.extend(printed.map(String::from));
            }
        }
    }
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows.iter().filter(|row| row.len() <= 3) {
        assert!(table.contains(&format!("\n| {row} | ")), "{row} is not in tests/README.md");
    }
}
