//! The page on the configuration names every key there is, with its default.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_pipeline::config::{Experiment, Pairs, Scores, Suite};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// The keys of the page's tables, each with what stands in its column of defaults.
fn page() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/configuration.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let rows = rows.map(|(key, rest)| {
        let default = rest.split(" | ").nth(2).unwrap_or_else(|| panic!("`{key}`: no column of defaults"));
        (key.to_string(), default.trim_matches('`').to_string())
    });
    let rows: Vec<_> = rows.collect();
    let page: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(page.len(), rows.len(), "a key stands there twice");
    page
}

/// The keys a section knows: an unknown one is answered with them.
fn known(section: &str) -> BTreeSet<String> {
    let unknown = format!("{section}qqqq = 1");
    let answer = Suite::parse(&unknown, "test", &[]).unwrap_err().to_string();
    let (_, keys) = answer.split_once("known here: ").unwrap_or_else(|| panic!("{answer}"));
    keys.split(", ").map(|key| format!("{section}{key}")).collect()
}

#[test]
fn every_key_is_on_the_page_and_no_other() {
    let top = known("");
    let (keys, sections): (BTreeSet<_>, BTreeSet<_>) = top.into_iter().partition(|key| key == "name");
    let below = sections.iter().flat_map(|section| known(&format!("{section}.")));
    let known: BTreeSet<String> = keys.into_iter().chain(below).collect();
    assert!(known.contains("data.config") && known.contains("train.clip"), "{known:?}");
    assert_eq!(page().into_keys().collect::<BTreeSet<_>>(), known);
}

#[test]
fn every_default_is_as_the_page_says() {
    let mut defaults = BTreeMap::new();
    let tables = Experiment {
        scores: Some(Scores::default()),
        pairs: Some(Pairs::default()),
        ..Experiment::default()
    };
    for (key, value) in Table::try_from(tables).unwrap() {
        match value {
            Value::Table(section) => {
                defaults.extend(section.into_iter().map(|(k, v)| (format!("{key}.{k}"), v)))
            }
            value => drop(defaults.insert(key, value)),
        }
    }
    for (key, said) in page() {
        let said =
            (said != "–").then(|| format!("x = {said}").parse::<Table>().unwrap().remove("x").unwrap());
        assert_eq!(said.as_ref(), defaults.get(&key), "{key}");
    }
}
