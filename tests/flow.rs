//! From text to report, offline, in one call.

use anyhow::{Context, Result};
use manyview::data::write_npy;
use manyview::pipeline::config::Suite;
use manyview::pipeline::{Environment, RunSummary, Stages};
use manyview::{Embeddings, Quiet};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Texts that are mostly about a place and a little about the weather, which is the label.
fn corpus(dir: &Path) -> Result<()> {
    const PLACES: [&str; 4] =
        ["harbour ships sailors", "kitchen bread butter", "school pupils chalk", "forest deer moss"];
    const WEATHER: [(&str, [&str; 3]); 3] = [
        ("rain", ["drizzle", "umbrella", "storm"]),
        ("fog", ["mist", "haze", "grey"]),
        ("sun", ["heat", "bright", "glare"]),
    ];
    let mut lines = String::new();
    let mut taught = Vec::new();
    for i in 0..120 {
        let (label, words) = WEATHER[i * 7 % 3];
        let text = format!("{} {} {i}", PLACES[i / 2 % 4], words[i / 5 % 3]);
        lines += &format!("{}\n", serde_json::json!({ "text": text, "label": label }));
        let spread = |j: usize| ((i * 13 + j * 29) % 17) as f32 / 60.0;
        taught.push((0..6).map(|j| f32::from(u8::from(j == i * 7 % 3)) + spread(j)).collect::<Vec<_>>());
    }
    fs::write(dir.join("corpus.jsonl"), lines)?;
    Ok(write_npy(&dir.join("teacher.npy"), &Embeddings::from_rows(taught)?)?)
}

fn run(dir: &Path) -> Result<RunSummary> {
    let text = format!(
        "name = 'flow'\n\
         data = {{ source = {:?}, train = 0.6, val = 0.2, test = 0.2 }}\n\
         encoder.max_length = 16\n\
         teacher = {{ instruction = 'Identify the weather', question = 'What is the weather?' }}\n\
         evaluate = {{ seeds = 2, restarts = 2, resamples = 50, latency_seconds = 0.0, batch = 2 }}\n\
         output = {{ dir = {:?}, store = {:?}, map_texts = 20 }}\n\
         [variants.names]\nteacher.kind = 'names'\n\
         [variants.answers]\ndata.answers = 'label'\nteacher.kind = 'answers'\n\
         [variants.vectors]\nteacher = {{ kind = 'vectors', vectors = {:?} }}\ntrain.towards = 'zero'\n",
        dir.join("corpus.jsonl"),
        dir.join("runs"),
        dir.join("store"),
        dir.join("teacher.npy"),
    );
    let mut environment = Environment::new(dir);
    environment.sources.hub = environment.sources.hub.with_offline(true);
    Ok(manyview::pipeline::run(&Suite::parse(&text, "flow.toml", &[])?, Stages::All, &environment, &Quiet)?)
}

#[test]
fn an_experiment_runs_from_text_to_report_and_a_second_time_for_free() -> Result<()> {
    let dir = tempfile::tempdir()?;
    corpus(dir.path())?;
    let first = run(dir.path())?;
    assert!(first.tally.encoded >= 120, "{:?}", first.tally);
    for variant in ["names", "answers", "vectors"] {
        check(&read(&first.dir.join(variant).join("metrics.json"))?, variant)?;
    }
    let all = read(&first.dir.join("metrics.json"))?;
    assert_eq!(all["vectors"], read(&first.dir.join("vectors/metrics.json"))?);
    a_planted_teacher_is_followed(&all["vectors"])?;
    stands_alone(&fs::read_to_string(first.dir.join("report.html"))?);
    assert!(fs::read_to_string(first.dir.join("report.md"))?.contains("flow"));

    let adapters = |dir: &Path| -> Result<Vec<(Vec<u8>, SystemTime)>> {
        let files = ["names", "answers", "vectors"].map(|v| dir.join(v).join("adapter/adapter.safetensors"));
        files.iter().map(|file| Ok((fs::read(file)?, fs::metadata(file)?.modified()?))).collect()
    };
    let before = adapters(&first.dir)?;
    let second = run(dir.path())?;
    assert_eq!(second.tally.encoded, 0, "{:?}", second.tally);
    assert!(before == adapters(&second.dir)?, "an adapter was fitted again");
    let figures = |metrics: &Value| metrics["names"]["views"].clone();
    assert_eq!(
        figures(&read(&second.dir.join("metrics.json"))?),
        figures(&all),
        "the same run, other scores"
    );
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// That `metrics.json` has the keys it promises, and no other.
fn check(metrics: &Value, variant: &str) -> Result<()> {
    let keys = |value: &Value| -> Result<BTreeSet<String>> {
        Ok(value
            .as_object()
            .with_context(|| format!("{variant}: {value} is no object"))?
            .keys()
            .cloned()
            .collect())
    };
    let has = |value: &Value, names: &[&str]| -> Result<()> {
        assert_eq!(keys(value)?, names.iter().map(ToString::to_string).collect(), "{variant}");
        Ok(())
    };
    has(
        metrics,
        &[
            "task",
            "dataset",
            "encoder",
            "encoder_fingerprint",
            "instruction",
            "teacher",
            "label",
            "classes",
            "n_train",
            "n_val",
            "n_test",
            "views",
            "gain",
            "verdict",
            "gain_kept",
            "fidelity",
            "latency_ms",
            "batch_latency_ms",
            "speedup",
            "held_out",
            "fit",
            "encoding",
        ],
    )?;
    for (key, text) in [
        ("task", "views"),
        ("encoder", "minilm"),
        ("instruction", "Identify the weather"),
        ("teacher", variant),
    ] {
        assert_eq!(metrics[key], text, "{variant}: {key}");
    }
    assert!(metrics["dataset"].as_str().is_some_and(|name| name.ends_with("corpus.jsonl")));
    assert_eq!([&metrics["n_train"], &metrics["n_test"]], [72, 24], "{variant}");
    let sees_test_texts = variant != "answers";
    has(&metrics["views"], &["base", "offset", "adapter", "teacher"])?;
    let there =
        [("base", true), ("offset", variant != "vectors"), ("adapter", true), ("teacher", sees_test_texts)];
    for (view, there) in there {
        let scores = &metrics["views"][view];
        if !there {
            assert!(scores.is_null(), "{variant}: {view}: {scores}");
            continue;
        }
        for score in ["v_measure", "ami", "ari"] {
            has(&scores[score], &["mean", "std", "low", "high"])?;
            let [mean, low, high] = ["mean", "low", "high"].map(|key| scores[score][key].as_f64());
            assert!(low <= mean && mean <= high && low.is_some(), "{variant}: {view}: {}", scores[score]);
        }
    }
    if sees_test_texts && !metrics["gain_kept"].is_null() {
        has(&metrics["gain_kept"], &["value", "low", "high"])?;
    }
    assert!(sees_test_texts || metrics["gain_kept"].is_null(), "{variant}: {}", metrics["gain_kept"]);
    for key in ["cosine", "knn_overlap"] {
        assert!(metrics["fidelity"][key].is_f64(), "{variant}: fidelity.{key}");
    }
    has(&metrics["latency_ms"], &["teacher", "base", "adapter"])?;
    for pass in ["teacher", "base", "adapter"] {
        has(&metrics["latency_ms"][pass], &["p50", "p95", "p99", "calls"])?;
    }
    assert!(
        metrics["speedup"].as_f64().is_some_and(|times| times > 0.0),
        "{variant}: {}",
        metrics["speedup"]
    );
    Ok(())
}

/// The teacher's matrix is the labels with a little noise: it must score near 1, the view well above the base.
fn a_planted_teacher_is_followed(metrics: &Value) -> Result<()> {
    let score = |view: &str| metrics["views"][view]["v_measure"]["mean"].as_f64().context("no score");
    let (base, adapter, teacher) = (score("base")?, score("adapter")?, score("teacher")?);
    assert!(teacher > 0.95, "teacher {teacher}");
    assert!(adapter > base + 0.2, "base {base}, adapter {adapter}");
    let kept = metrics["gain_kept"]["value"].as_f64().context("no share kept")?;
    assert!((kept - (adapter - base) / (teacher - base)).abs() < 1e-6, "kept {kept}");
    Ok(())
}

/// That a page loads nothing: no address in what a browser fetches on its own.
fn stands_alone(html: &str) {
    for tag in ["<link", "<iframe", "<object", "<embed", "@import", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!html.contains(tag), "the report has {tag}");
    }
    for attribute in ["src=", "srcset=", "poster=", "url("] {
        for (at, _) in html.match_indices(attribute) {
            let value = html[at + attribute.len()..].trim_start_matches(['"', '\'']);
            assert!(value.starts_with("data:") || value.starts_with('#'), "{attribute}{:.80}", value);
        }
    }
    assert!(html.contains("<svg") || html.contains("<canvas"), "the report draws nothing");
}
