#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;
use serde_json::{Value, json};

const FILTER: &str =
    "name = 'weather'\n[dimensions]\nwet.weight = 3\nbright.weight = 1\n[tiers]\nhigh = 5\nlow = 0";
const EXPERIMENT: &str = "name = 'heads'\ndata.source = 'out'\nencoder.max_length = 16\n[scores]\nfilter = 'filter.toml'\n\
                          [evaluate]\nresamples = 50\n";

/// Row `i`: a text about one of three weathers, and how wet and bright it is.
fn row(i: usize) -> Value {
    let (words, wet, bright) =
        [("drizzle and puddles", 9.0, 2.0), ("mist and haze", 5.0, 1.0), ("heat and glare", 0.5, 9.5)][i % 3];
    let shade = (i % 7) as f64 / 10.0;
    json!({
        "id": format!("w{i}"), "title": format!("day {i}"), "content": format!("{words} on day {i}"),
        "weather_analysis": { "dimensions": { "wet": wet - shade / 2.0, "bright": bright - shade } },
    })
}

pub(crate) fn scene() -> Scene {
    let scene = Scene::new();
    scene.write("filter.toml", FILTER);
    scene.write("experiment.toml", EXPERIMENT);
    scene.write("labelled.jsonl", (0..120).map(|i| format!("{}\n", row(i))).collect::<String>());
    scene.done("prepare scores --filter filter.toml --input labelled.jsonl --output-dir out");
    scene
}

fn lines(scene: &Scene, name: &str) -> Vec<Value> {
    let text = String::from_utf8(scene.read(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const SCORE: &str =
    "score new.jsonl --head runs/heads --text-column content --title-column title --id-column id";

#[test]
fn from_labels_to_scores_of_new_texts_as_the_guide_says() {
    let scene = scene();
    let said = scene.done("run experiment.toml");
    assert!(said.contains("DEPLOY") && said.contains("runs/heads/report.html"), "{said}");
    let metrics = scene.json("runs/heads/metrics.json");
    assert!(metrics["overall"]["gain"]["value"].as_f64().unwrap() > 0.5, "{metrics}");
    assert!(scene.json("runs/heads/training_metadata.json")["test_mae"].is_number());

    let mut rows: Vec<Value> = lines(&scene, "out/test.jsonl");
    rows.insert(1, json!({"id": "none", "title": "", "content": " "}));
    scene.write("new.jsonl", rows.iter().map(|row| format!("{row}\n")).collect::<String>());
    let said = scene.done(SCORE);
    assert!(said.contains("encoded 0 texts") && said.contains("1 rows have no text"), "{said}");
    let scored = lines(&scene, "scores.jsonl");
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&scored), ids(&rows));
    assert_eq!(scored[1], json!({"id": "none", "scores": null, "weighted": null, "tier": null}));

    let predictions = String::from_utf8(scene.read("runs/heads/predictions.csv")).unwrap();
    for (line, scored) in predictions.lines().skip(1).zip(scored.iter().filter(|s| !s["tier"].is_null())) {
        let cells: Vec<&str> = line.split(',').collect();
        let of = |i: usize| cells[i].parse::<f64>().unwrap();
        let found = |name: &str| scored["scores"][name].as_f64().unwrap();
        assert_eq!(cells[0], scored["id"].as_str().unwrap());
        assert_eq!((of(2), of(4)), (found("wet"), found("bright")), "{line}");
        let weighted = 0.75 * of(2) + 0.25 * of(4);
        assert!((scored["weighted"].as_f64().unwrap() - weighted).abs() < 1e-12);
        assert_eq!(scored["tier"], if weighted >= 5.0 { "high" } else { "low" });
    }
    let before = scene.read("scores.jsonl");
    scene.done(SCORE);
    assert_eq!(scene.read("scores.jsonl"), before);
}

#[test]
fn what_cannot_be_scored_is_said_before_anything_is_written() {
    let scene = scene();
    scene.done("train experiment.toml -q");
    scene.write("new.jsonl", "{\"id\": \"a\", \"title\": \"t\", \"content\": \"rain\"}\n");
    scene.refused("score new.jsonl --head out --text-column content", 2, &["found none", "manyview train"]);
    scene.refused("score new.jsonl --head runs --text-column content", 2, &["runs/heads", "name one"]);
    scene.refused("score new.jsonl --head runs/heads --text-column body", 2, &["`body`", "content"]);
    let line = "infer --input new.jsonl --text-column content --adapter runs/heads";
    scene.refused(line, 2, &["runs/heads/head", "manyview score"]);
    scene.refused("score none.csv --head runs/heads", 3, &["none.csv"]);
    scene.refused(&format!("{SCORE} --output gone/scores.jsonl"), 3, &["gone"]);
    scene.refused("evaluate experiment.toml scores.filter=nothing.toml", 3, &["nothing.toml"]);
    assert!(!scene.path("scores.jsonl").exists());
}

#[cfg(unix)]
#[test]
fn scoring_goes_on_after_a_stop_or_a_kill_to_the_same_bytes() {
    let scene = scene();
    scene.done("train experiment.toml -q");
    let rows = (0..4000)
        .map(|i| format!("{}\n", json!({"id": i.to_string(), "content": format!("mist on day {i}")})));
    scene.write("new.jsonl", rows.collect::<String>());
    let line = "score new.jsonl --head runs/heads --text-column content --id-column id";
    let read = || {
        let bytes = std::fs::read(scene.path(".scores.jsonl.part/progress.json")).unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()["read"].as_u64().unwrap_or(0)
    };
    let mut kept = 0;
    for name in ["INT", "KILL"] {
        let mut child = start(&scene, line);
        wait_until(&mut child, || read() > kept);
        let (status, errors) = signal(child, name);
        assert_eq!(status.code(), (name == "INT").then_some(130), "{errors}");
        assert!(read() > kept && read() < 4000, "{kept} {}", read());
        assert!(!scene.path("scores.jsonl").exists());
        kept = read();
    }
    std::fs::remove_dir_all(scene.path("store")).unwrap();
    let said = scene.done(line);
    assert!(said.contains("scores.jsonl: 4000 rows"), "{said}");
    assert!(!scene.path(".scores.jsonl.part").exists());
    let resumed = scene.read("scores.jsonl");
    scene.done(line);
    assert!(scene.read("scores.jsonl") == resumed);
}
