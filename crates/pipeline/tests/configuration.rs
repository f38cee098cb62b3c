//! The page on the configuration names every key there is, with its default.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_pipeline::config::{Experiment, Retrieval, Scores, Suite};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// Every table that a method has, with the method.
const METHODS: [(&str, &str); 11] = [
    ("", "ridge"),
    ("", "gradient"),
    ("", "lora"),
    ("", "full"),
    ("[scores]\n", "ridge"),
    ("[scores]\n", "gradient"),
    ("[scores]\n", "lora"),
    ("[scores]\n", "full"),
    ("[retrieval]\n", "gradient"),
    ("[retrieval]\n", "lora"),
    ("[retrieval]\n", "full"),
];

/// The keys of the page's tables, each with what stands in its column of defaults; those of a method begin with it. What
/// stands of `lora` is of `full` as well, but for the keys that say `lora`.
fn page() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/configuration.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut page, mut method) = (BTreeMap::new(), String::new());
    for line in text.lines() {
        if line.starts_with("## ") {
            method.clear();
        }
        if let Some(name) = line.strip_prefix("### `") {
            method = format!("{} ", name.split('`').next().unwrap());
        }
        let Some((key, rest)) = line.strip_prefix("| `").and_then(|row| row.split_once('`')) else {
            continue;
        };
        let mut cells = rest.split(" | ").skip(2);
        let default =
            cells.next().unwrap_or_else(|| panic!("`{key}`: no column of defaults")).trim_matches('`');
        let meaning = cells.next().unwrap_or_default();
        let known = page.insert(format!("{method}{key}"), default.to_string());
        assert_eq!(known, None, "{method}{key} stands there twice");
        if method == "lora " && !meaning.starts_with("`lora`:") {
            page.insert(format!("full {key}"), default.to_string());
        }
    }
    page
}

/// The keys that an unknown one is answered with.
fn known(unknown: &str, prefix: &str) -> BTreeSet<String> {
    let answer = Suite::parse(unknown, "test", &[]).unwrap_err().to_string();
    let (_, keys) = answer.split_once("known here: ").unwrap_or_else(|| panic!("{answer}"));
    keys.split(", ").map(|key| format!("{prefix}{key}")).collect()
}

#[test]
fn every_key_is_on_the_page_and_no_other() {
    let top = known("qqqq = 1", "");
    let (mut keys, sections): (BTreeSet<_>, BTreeSet<_>) = top.into_iter().partition(|key| key == "name");
    for section in sections.iter().filter(|section| *section != "train") {
        keys.extend(known(&format!("{section}.qqqq = 1"), &format!("{section}.")));
    }
    for (table, method) in METHODS {
        let unknown = format!("{table}[train]\nmethod = '{method}'\nqqqq = 1");
        keys.extend(known(&unknown, &format!("{method} train.")));
    }
    let of_method = |key: &String| key.ends_with(" train.method");
    keys = keys.into_iter().filter(|key| !of_method(key)).chain(["train.method".to_string()]).collect();
    assert!(keys.contains("data.config") && keys.contains("gradient train.clip"), "{keys:?}");
    assert_eq!(page().into_keys().collect::<BTreeSet<_>>(), keys);
}

#[test]
fn every_default_is_as_the_page_says() {
    let mut defaults = BTreeMap::new();
    let mut add = |prefix: &str, table: &Table, below: &str| {
        for (key, value) in table {
            let key = format!("{prefix}{below}{key}");
            let before = defaults.insert(key.clone(), value.clone());
            assert!(before.is_none_or(|before| before == *value), "{key} has two defaults");
        }
    };
    let tables = Experiment {
        scores: Some(Scores::default()),
        retrieval: Some(Retrieval::default()),
        ..Experiment::default()
    };
    for (section, value) in Table::try_from(tables).unwrap() {
        match &value {
            Value::Table(table) if section != "train" => add("", table, &format!("{section}.")),
            Value::Table(train) => {
                add("", &Table::from_iter([("method".into(), train["method"].clone())]), "train.")
            }
            _ => add("", &Table::from_iter([(section, value)]), ""),
        }
    }
    for (table, method) in METHODS {
        let suite = Suite::parse(&format!("{table}[train]\nmethod = '{method}'"), "test", &[]).unwrap();
        let mut all = Table::try_from(&suite.base).unwrap();
        let Some(Value::Table(mut train)) = all.remove("train") else { panic!("no table") };
        assert_eq!(train.remove("method").unwrap().as_str(), Some(method));
        add(&format!("{method} "), &train, "train.");
    }
    for (key, said) in page() {
        let said =
            (said != "–").then(|| format!("x = {said}").parse::<Table>().unwrap().remove("x").unwrap());
        assert_eq!(said.as_ref(), defaults.get(&key), "{key}");
    }
}
