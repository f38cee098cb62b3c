use crate::scene::Scene;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FILTER: &str = "filter: {name: news, version: '1.0'}\nscoring:\n  dimensions:\n    scope: {weight: 0.75}\n    \
                      proof: {weight: 0.25}\n  tiers: {high: {threshold: 7}, low: {threshold: 3}}\n";

/// The BLAKE3 of the test part.
const GOLDEN: &str = "cb07d52f01aa5aac83c5ab8dd9afd1b2f823840daad0802263a6059e4ce38176";

/// Labelled row `i` of source `i % 17`: a tier for each remainder of `i` by 10.
fn row(i: usize) -> Value {
    let score = [9, 8, 5, 5, 4, 4, 1, 1, 1, 2][i % 10];
    json!({
        "id": format!("r{i}"), "title": format!("title {i}"), "content": format!("text {i}"), "source": format!("s{}", i % 17),
        "news_analysis": { "dimensions": { "proof": score, "scope": score } },
    })
}

fn lines(rows: impl IntoIterator<Item = Value>) -> String {
    rows.into_iter().map(|row| format!("{row}\n")).collect()
}

fn scene(rows: impl IntoIterator<Item = Value>) -> Scene {
    let scene = Scene::new();
    scene.write("filters/news/v1/config.yaml", FILTER);
    scene.write("labelled.jsonl", lines(rows));
    scene
}

const PREPARE: &str = "prepare scores --filter filters/news/v1 --input labelled.jsonl --output-dir out";

fn part(scene: &Scene, name: &str) -> Vec<Value> {
    let text = String::from_utf8(scene.read(&format!("out/{name}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn parts_keep_the_shares_of_the_tiers_and_the_documented_form() {
    let scene = scene((0..200).map(row));
    let said = scene.done(PREPARE);
    assert!(said.contains("high") && said.contains("32 (20.0%)"), "{said}");
    let record = scene.json("out/prepare.json");
    assert_eq!(
        record["tiers"],
        json!([
            { "tier": "high", "threshold": 7.0, "train": 32, "val": 4, "test": 4 },
            { "tier": "low", "threshold": 3.0, "train": 64, "val": 8, "test": 8 },
            { "tier": "below", "threshold": null, "train": 64, "val": 8, "test": 8 },
        ])
    );
    let train = part(&scene, "train");
    assert_eq!(train.len(), 160);
    let keys: BTreeSet<&str> = train[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "title", "content", "labels", "dimension_names"].into());
    assert_eq!(train[0]["dimension_names"], json!(["scope", "proof"]));
    assert_eq!(record["files"]["val"]["blake3"].as_str().unwrap().len(), 64);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let scene = scene((0..200).map(row));
    scene.done(PREPARE);
    let first = scene.files("out");
    scene.done(PREPARE);
    assert_eq!(scene.files("out"), first);
    assert_eq!(scene.json("out/prepare.json")["files"]["test"]["blake3"], GOLDEN);
    scene.done(&format!("{PREPARE} --seed 7"));
    assert_ne!(scene.files("out"), first);
}

#[test]
fn no_source_is_in_two_parts() {
    let scene = scene((0..200).map(row));
    let said = scene.done(&format!("{PREPARE} --group source"));
    assert!(said.contains("17 groups by source, the largest of 12 rows"), "{said}");
    let source: BTreeMap<String, String> =
        (0..200).map(|i| (format!("r{i}"), format!("s{}", i % 17))).collect();
    let sources = ["train", "val", "test"].map(|name| {
        part(&scene, name)
            .iter()
            .map(|row| source[row["id"].as_str().unwrap()].clone())
            .collect::<BTreeSet<_>>()
    });
    assert_eq!(sources.iter().map(BTreeSet::len).sum::<usize>(), 17);
    assert!(sources.iter().all(|sources| !sources.is_empty()));
}

#[test]
fn repeated_rows_are_left_out_and_counted() {
    let mut rows: Vec<Value> = (0..30).map(row).collect();
    let mut same_id = row(3);
    same_id["content"] = "another text".into();
    let mut same_text = row(4);
    same_text["id"] = "x".into();
    same_text["content"] = " text   4\n".into();
    same_text["news_analysis"]["dimensions"]["proof"] = 9.into();
    rows.extend([same_id, same_text]);
    let scene = scene(rows);
    let said = scene.done(PREPARE);
    assert!(said.contains("read 32 rows") && said.contains("1 have the id"), "{said}");
    let left = &scene.json("out/prepare.json")["left"];
    assert_eq!(*left, json!({ "bad": 0, "repeated_ids": 1, "repeated_texts": 1, "scored_otherwise": 1 }));
}

#[test]
fn bad_rows_are_refused_by_line_and_left_out_on_request() {
    let mut rows: Vec<Value> = (0..30).map(row).collect();
    rows[4]["news_analysis"]["dimensions"]["proof"] = Value::Null;
    rows[8].as_object_mut().unwrap().remove("id");
    rows[9].as_object_mut().unwrap().remove("source");
    let scene = scene(rows);
    let words = ["2 of 30 rows", "labelled.jsonl, line 5", "proof", "line 9", "`id`", "--drop-bad"];
    scene.refused(PREPARE, 2, &words);
    assert!(!scene.path("out").exists(), "something was written");
    scene.refused(&format!("{PREPARE} --group source"), 2, &["3 of 30 rows", "row `r9`", "`source`"]);
    scene.done(&format!("{PREPARE} --group source --drop-bad"));
    assert_eq!(scene.json("out/prepare.json")["left"]["bad"], 3);
}

#[test]
fn what_cannot_be_split_is_refused() {
    let scene = scene((0..30).map(row));
    scene.refused(&format!("{PREPARE} --train-ratio 0.9"), 2, &["sum to 1", "train 0.9"]);
    scene.refused(&format!("{PREPARE} --group title2"), 2, &["30 of 30 rows", "and 25 more"]);
    scene.refused(&PREPARE.replace("filters/news/v1", "filters/news"), 2, &["v1", "one version"]);
    scene.refused(&PREPARE.replace("labelled.jsonl", "gone.jsonl"), 3, &["gone.jsonl"]);
    scene.write("labelled.jsonl", lines([row(1), row(2)]));
    scene.refused(PREPARE, 2, &["at least 3", "found 2"]);
    let of_another = lines((0..30).map(row)).replace("news_analysis", "sport_analysis");
    scene.write("labelled.jsonl", of_another);
    scene.refused(PREPARE, 2, &["`news_analysis`", "found `sport_analysis`", "the filter of that name"]);
}

#[test]
fn rows_that_name_a_source_are_pointed_to_the_group() {
    let scene = scene((0..30).map(row));
    let output = scene.command(PREPARE).env_remove("NO_COLOR").output().unwrap();
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("WARN") && warned.contains("--group source"), "{warned}");
    assert!(!warned.contains('\u{1b}'), "colours in a pipe: {warned:?}");
}
