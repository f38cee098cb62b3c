//! Every dependency has a licence that `deny.toml` allows, and comes from the registry. `cargo deny check` says more: known
//! weaknesses, and versions that were withdrawn.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test file of its own; the figure of tests/README.md

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a build for this machine compiles, as cargo describes it.
fn packages() -> Vec<Value> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(rustc.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used: Vec<Value> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    metadata["packages"].as_array().unwrap().iter().filter(|p| used.contains(&p["id"])).cloned().collect()
}

fn allowed() -> Vec<String> {
    let deny = fs::read_to_string(root().join("deny.toml")).unwrap();
    let list = deny.split("[licenses]").nth(1).unwrap().split('[').nth(1).unwrap().split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(String::from).collect()
}

/// Whether an expression of SPDX holds where some licences are allowed; a slash is the `OR` of old manifests.
fn holds(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.trim().replace('/', " OR ");
    let outer = |word: &str| {
        let mut depth = 0;
        let at = |(i, c): (usize, char)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            (depth == 0 && expression[i..].starts_with(word)).then_some(i)
        };
        expression.char_indices().filter_map(at).next()
    };
    if let Some(at) = outer(" OR ") {
        return holds(&expression[..at], allowed) || holds(&expression[at + 4..], allowed);
    }
    if let Some(at) = outer(" AND ") {
        return holds(&expression[..at], allowed) && holds(&expression[at + 5..], allowed);
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => holds(inner, allowed),
        None => allowed.contains(&expression),
    }
}

/// The licence of a package that names a file in place of one.
fn in_its_file(package: &Value) -> String {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let file = package["license_file"].as_str().map(|file| manifest.with_file_name(file));
    let text = file.map(|file| fs::read_to_string(file).unwrap()).unwrap_or_default();
    match text.contains("Licensed under the Apache License, Version 2.0") {
        true => "Apache-2.0".into(),
        false => "none that is known".into(),
    }
}

#[test]
fn g1_every_dependency_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let (packages, allowed) = (packages(), allowed());
    assert!(
        allowed.len() > 5 && packages.len() > 100,
        "{} licences, {} packages",
        allowed.len(),
        packages.len()
    );
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().map_or_else(|| in_its_file(package), String::from);
        assert!(holds(&licence, &allowed), "{name}: {licence} is not allowed by deny.toml");
        let source = package["source"].as_str().unwrap_or("");
        let ours = name.starts_with("manyview");
        assert!(ours || source.starts_with("registry+"), "{name} comes from `{source}`");
    }
    println!("reliability: G1 tried={} packages, their licences and sources", packages.len());
}

#[test]
fn an_expression_of_licences_is_read_as_it_is_meant() {
    let allowed = ["MIT".to_string(), "Zlib".to_string()];
    for good in
        ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(MIT OR GPL-3.0) AND Zlib", "MIT AND (Zlib OR GPL-3.0)"]
    {
        assert!(holds(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND GPL-2.0", ""] {
        assert!(!holds(bad, &allowed), "{bad}");
    }
}
