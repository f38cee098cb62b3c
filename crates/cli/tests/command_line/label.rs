use crate::scene::Scene;
use manyview_test_server::chat::{Mood, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What nothing may ever show.
const CANARY: &str = "sk-canary-77aa";

const FILTER: &str = "name = 'energy'\nversion = '1.0'\n[dimensions]\nscope.weight = 3\nproof.weight = 1\n\
                      [tiers]\nhigh = 7\nlow = 0\n\
                      [calibration]\npositive = ['solar', 'wind']\nnegative = ['cup']\n";

/// Text `i`: on the topic, off it, or both.
fn article(i: usize) -> Value {
    let words = ["solar power on every roof", "the cup goes to the guests", "solar cup final"][i % 3];
    json!({ "id": format!("r{i}"), "title": format!("number {i}"), "content": words, "source": format!("s{}", i % 9) })
}

/// What the model says: high of solar, low of the cup; a little different for each text.
fn judge(prompt: &str) -> String {
    let (solar, cup) = (prompt.contains("solar"), prompt.contains("cup"));
    let digit = prompt.bytes().find(u8::is_ascii_digit).map_or(0, |b| b - b'0') % 3;
    let score = match (solar, cup) {
        (true, false) => 7 + digit,
        (true, true) => 4 + digit,
        _ => digit,
    };
    format!("```json\n{{\"scope\": {score}, \"proof\": {}}}\n```", score.min(8))
}

pub(crate) fn scene(server: &Server, settings: &str) -> Scene {
    let scene = Scene::new();
    scene.write("filters/energy/v1/config.toml", FILTER);
    scene.write("filters/energy/v1/prompt.md", "Score {title}: {content}\nof {dimensions}");
    let rows: String = (0..180).map(|i| format!("{}\n", article(i))).collect();
    scene.write("corpus.jsonl", rows);
    let oracle = format!(
        "[endpoint]\nbase_url = \"{}\"\nmodel = 'tiny'\nkey_env = 'ORACLE_KEY'\ninput_price = 1.0\noutput_price = 10.0\n\
         first_wait_seconds = 0.01\n{settings}",
        server.url()
    );
    scene.write("oracle.toml", oracle);
    scene
}

fn label(input: &str, output: &str) -> String {
    format!("label --filter filters/energy/v1 --oracle oracle.toml --input {input} --output {output}")
}

/// Runs the program with the key; gives both its outputs.
pub(crate) fn done(scene: &Scene, line: &str) -> String {
    let output = scene.command(line).env("ORACLE_KEY", CANARY).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "manyview {line}: {out}{err}");
    assert!(!format!("{out}{err}").contains(CANARY), "manyview {line}: {out}{err}");
    out + &err
}

fn refused(scene: &Scene, line: &str, code: i32, words: &[&str]) {
    let output = scene.command(line).env("ORACLE_KEY", CANARY).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "manyview {line}: {errors}");
    crate::scene::assert_refusal(line, &errors, words);
    assert!(!errors.contains(CANARY), "{errors}");
}

const SAMPLE: &str =
    "calibrate sample --filter filters/energy/v1 --input corpus.jsonl --positive 12 --negative 12 --edge 6";
const REPORT: &str = "calibrate report --filter filters/energy/v1";
const CALIBRATION: &str = "--validation-of filters/energy/v1/calibration_report.json";

#[test]
fn a_batch_is_labelled_once_calibration_and_validation_passed() {
    let server = Server::new([], judge);
    let scene = scene(&server, "");
    let batch = label("corpus.jsonl", "labelled.jsonl");
    refused(&scene, &batch, 2, &["expected a calibration that passed, found none", "--uncalibrated"]);
    assert!(server.asked().is_empty(), "a refused batch costs nothing");

    done(&scene, &format!("{SAMPLE} --output s.jsonl"));
    done(&scene, &label("s.jsonl", "s_labelled.jsonl"));
    done(&scene, &label("s.jsonl", "s_again.jsonl --round 2"));
    let said = done(
        &scene,
        &format!("{REPORT} --labelled s_labelled.jsonl --relabelled s_again.jsonl --batch 8000"),
    );
    assert!(said.starts_with("PASS\n") && said.contains("a batch of 8000 texts: about 16.00 USD"), "{said}");
    refused(&scene, &batch, 2, &["expected a validation that passed, found none"]);

    done(&scene, &format!("{SAMPLE} --output v.jsonl --seed 2 --exclude s.jsonl"));
    done(&scene, &label("v.jsonl", "v_labelled.jsonl"));
    let said = done(&scene, &format!("{REPORT} --labelled v_labelled.jsonl {CALIBRATION}"));
    assert!(said.starts_with("PASS\n") && said.contains("100% agree where 100% did"), "{said}");

    let said = done(&scene, &format!("{batch} -vv"));
    assert!(said.contains("180 of 180 texts have a label"), "{said}");
    let said =
        done(&scene, "prepare scores --filter filters/energy/v1 --input labelled.jsonl --output-dir out");
    assert!(said.contains("read 180 rows") && !said.contains("were left out"), "{said}");

    scene.write("filters/energy/v1/prompt.md", "Judge {content}");
    refused(&scene, &batch, 2, &["the prompt has changed since the calibration"]);
    for (path, bytes) in scene.files("") {
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
}

#[test]
fn a_validation_shares_no_text_with_the_calibration() {
    let server = Server::new([], judge);
    let scene = scene(&server, "");
    done(&scene, &format!("{SAMPLE} --output s.jsonl"));
    done(&scene, &label("s.jsonl", "s_labelled.jsonl"));
    done(&scene, &format!("{REPORT} --labelled s_labelled.jsonl"));
    done(&scene, &format!("{SAMPLE} --output v.jsonl --seed 2"));
    done(&scene, &label("v.jsonl", "v_labelled.jsonl"));
    refused(
        &scene,
        &format!("{REPORT} --labelled v_labelled.jsonl {CALIBRATION}"),
        2,
        &["without texts of the calibration", "--exclude"],
    );
    let ids = |name: &str| -> BTreeSet<String> {
        let text = String::from_utf8(scene.read(name)).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].to_string()).collect()
    };
    done(&scene, &format!("{SAMPLE} --output w.jsonl --seed 2 --exclude s.jsonl"));
    assert!(ids("s.jsonl").is_disjoint(&ids("w.jsonl")));
    let first = scene.read("s.jsonl");
    done(&scene, &format!("{SAMPLE} --output s.jsonl"));
    assert_eq!(scene.read("s.jsonl"), first);
    refused(
        &scene,
        &format!("{} --output x.jsonl", SAMPLE.replace("positive 12", "positive 90")),
        2,
        &["expected 90 such texts, found 60"],
    );
}

#[test]
fn a_prompt_that_praises_everything_fails_and_opens_no_batch() {
    let server = Server::new([], |_: &str| r#"{"scope": 10, "proof": 10}"#.into());
    let scene = scene(&server, "");
    done(&scene, &format!("{SAMPLE} --output s.jsonl"));
    done(&scene, &label("s.jsonl", "s_labelled.jsonl"));
    let said = done(&scene, &format!("{REPORT} --labelled s_labelled.jsonl"));
    assert!(said.starts_with("FAIL\n") && said.contains("negative: 0% of 12 texts"), "{said}");
    assert!(said.contains("scope: 100% of texts not off the topic are at one end"), "{said}");
    let page = String::from_utf8(scene.read("filters/energy/v1/calibration_report.md")).unwrap();
    assert!(
        page.contains("energy 1.0: FAIL") && page.contains("Elsewhere than expected, negative"),
        "{page}"
    );
    refused(&scene, &label("corpus.jsonl", "labelled.jsonl"), 2, &["found FAIL"]);
}

#[test]
fn a_killed_labelling_goes_on_and_asks_nothing_twice() {
    let server = Server::new([], judge);
    let scene = scene(&server, "requests_per_minute = 1500\nparallel = 2\n");
    let rows: String = (0..60)
        .map(|i| {
            format!(
                "{}\n",
                json!({ "id": format!("k{i}"), "title": format!("{i}"), "content": format!("solar {i}") })
            )
        })
        .collect();
    scene.write("many.jsonl", rows);
    let line = format!("{} --uncalibrated", label("many.jsonl", "labelled.jsonl"));
    let mut child = scene.process(&line).env("ORACLE_KEY", CANARY).spawn().unwrap();
    let began = Instant::now();
    while server.asked().len() < 15 && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = server.asked().len();
    assert!((15..60).contains(&killed), "killed after {killed}");
    let said = done(&scene, &line);
    assert!(said.contains("60 of 60 texts have a label"), "{said}");
    // What was under way when it was killed was not written down: at most one question for each thread.
    let asked = server.asked().len();
    assert!(asked <= 62, "{asked} questions for 60 texts");
    let ledger = String::from_utf8(scene.read("labelled.ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().count(), 60);
}

#[test]
fn a_budget_ends_a_labelling_and_a_larger_one_goes_on() {
    let server = Server::new([Mood::Says("no".into())], judge);
    let scene = scene(&server, "");
    let line = format!("{} --uncalibrated", label("corpus.jsonl", "labelled.jsonl"));
    // Each answer costs 0.002.
    let said = done(&scene, &format!("{line} --budget 0.0111"));
    assert!(said.contains("4 of 180 texts have a label") && said.contains("the budget is spent"), "{said}");
    let said = done(&scene, &format!("{line} --budget 0.0211"));
    assert!(said.contains("9 of 180 texts have a label; 5 of them new"), "{said}");
    assert_eq!(scene.json("labelled.record.json")["totals"]["unusable"], 1);
}

#[test]
fn a_wrong_key_or_none_is_refused_without_showing_it() {
    let echo = json!({ "error": { "message": format!("bad key {CANARY}") } }).to_string();
    let server = Server::new([Mood::Status(401, "", echo)], judge);
    let scene = scene(&server, "");
    let line = format!("{} --uncalibrated", label("corpus.jsonl", "labelled.jsonl"));
    refused(&scene, &line, 4, &["status 401", "bad key ***", "check the key"]);
    scene.refused(&line, 2, &["endpoint.key_env", "ORACLE_KEY", "set it"]);
    scene.write("oracle.toml", format!("[endpoint]\nkey = '{CANARY}'\n"));
    refused(&scene, &line, 2, &["oracle.toml"]);
    scene.write("oracle.toml", "");
    refused(&scene, &line, 2, &["expected a table [endpoint] or [labels]"]);
}

#[test]
fn labels_there_are_need_neither_key_nor_calibration() {
    let server = Server::new([], judge);
    let scene = scene(&server, "");
    let mut row = article(0);
    row["energy_analysis"] = json!({ "dimensions": { "scope": 7, "proof": 2 } });
    scene.write("given.jsonl", format!("{row}\n"));
    scene.write("oracle.toml", "[labels]\npath = 'given.jsonl'\n");
    let said = done(&scene, &format!("{} --limit 1", label("corpus.jsonl", "labelled.jsonl")));
    assert!(said.contains("1 of 1 texts have a label"), "{said}");
    assert_eq!(
        scene.json("labelled.jsonl")["energy_analysis"]["dimensions"],
        json!({ "proof": 2, "scope": 7 })
    );
}

#[test]
fn a_sample_by_likeness_tells_texts_apart_by_their_vectors() {
    let server = Server::new([], judge);
    let scene = scene(&server, "");
    let with = format!("{FILTER}positive_text = 'solar power'\nnegative_text = 'a football cup'\n");
    scene.write("filters/energy/v1/config.toml", with);
    let encoder = scene.tiny_encoder();
    let line = format!("{SAMPLE} --output s.jsonl --by likeness --encoder {}", encoder.display());
    let said = done(&scene, &line.replace("--positive 12 --negative 12", "--positive 8 --negative 12"));
    assert!(said.contains("8 of 9 texts on the topic") && said.contains("12 of 90 texts off it"), "{said}");
}
