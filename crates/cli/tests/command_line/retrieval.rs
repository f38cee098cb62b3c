//! Retrieval: from a file of pairs to an adapter, its metrics and its report.

#[cfg(unix)]
use crate::interruption::{signal, start, wait_until};
use crate::scene::Scene;
use serde_json::Value;

const EXPERIMENT: &str = "\
name = 'pairs'
data.source = 'pairs.jsonl'
data.train = 0.5
data.val = 0.2
data.test = 0.3
encoder.max_length = 16
train.epochs = 4
train.batch = 8
evaluate.resamples = 50
[retrieval]
document = 'plant'
";

const PLANTS: [&str; 12] = [
    "oak", "fern", "moss", "birch", "clover", "thistle", "willow", "heather", "ivy", "nettle", "poppy",
    "reed",
];
const ASPECTS: [(&str, &str); 3] = [
    ("Where does {} grow?", "{} is found on damp ground and at the edge of woods"),
    ("How tall is {}?", "a grown {} reaches two metres, seldom three"),
    ("What is {} used for?", "{} was once taken for dyes, ropes and roofs"),
];

/// A scene with pairs of 12 documents; the answers of one may be spoilt.
pub(crate) fn scene(spoilt: Option<&str>) -> Scene {
    let scene = Scene::new();
    let mut lines = String::new();
    for plant in PLANTS {
        for (question, answer) in ASPECTS {
            let question = question.replace("{}", plant);
            let answer = if spoilt == Some(plant) { "nobody knows {}" } else { answer }.replace("{}", plant);
            let pair = serde_json::json!({"question": question, "passage": format!("{answer}, {plant} it is"), "plant": plant});
            lines += &format!("{pair}\n");
        }
    }
    scene.write("pairs.jsonl", lines);
    scene.write("pairs.toml", EXPERIMENT);
    scene
}

#[test]
fn pairs_go_from_texts_to_a_report_and_are_encoded_once() {
    let scene = scene(None);
    let said = scene.done("run pairs.toml");
    assert!(said.contains("encoded 72 texts") && said.contains("report: runs/pairs/report.html"), "{said}");
    let metrics = scene.json("runs/pairs/metrics.json");
    assert_eq!(metrics["task"], "retrieval");
    let count = |name: &str| metrics["counts"][name].as_u64().unwrap();
    assert_eq!(count("train") + count("val") + count("test"), 36);
    assert_eq!((count("documents"), count("passages")), (12, 36));
    assert_eq!(metrics["leaks"]["documents"], 0);
    for view in ["bm25", "base", "adapter"] {
        for measure in ["ndcg@10", "mrr@10", "map@100", "accuracy@1", "recall@5", "precision@3"] {
            let value = metrics["views"][view][measure]["value"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value), "{view} {measure}: {value}");
        }
    }
    assert!(metrics["views"]["adapter"]["in_batch_accuracy"]["value"].is_f64());

    let progress = scene.json("runs/pairs/training_progress.json");
    assert_eq!(progress["training_completed"], true);
    assert_eq!(progress["train_examples"].as_u64().unwrap(), count("train"));
    let lines = String::from_utf8(scene.read("runs/pairs/training_metrics.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["loss"].is_f64() && line["step"].is_u64()), "{lines:?}");
    let page = String::from_utf8(scene.read("runs/pairs/report.html")).unwrap();
    assert!(page.contains("nDCG@10") && !page.contains("<script"));

    let adapter = scene.read("runs/pairs/adapter/adapter.safetensors");
    let again = scene.done("run pairs.toml");
    assert!(again.contains("encoded 0 texts"), "{again}");
    assert!(scene.read("runs/pairs/adapter/adapter.safetensors") == adapter);
}

#[test]
fn the_stages_one_by_one_find_what_the_whole_run_finds() {
    let (whole, steps) = (scene(None), scene(None));
    whole.done("run pairs.toml");
    steps.refused("evaluate pairs.toml", 2, &["a fitted adapter", "manyview train"]);
    for stage in ["encode", "train", "evaluate", "report"] {
        steps.done(&format!("{stage} pairs.toml"));
    }
    let views = |scene: &Scene| scene.json("runs/pairs/metrics.json")["views"].clone();
    assert_eq!(views(&steps), views(&whole));
    steps.refused("evaluate pairs.toml train.lr=0.1", 2, &["other settings", "manyview train"]);
}

#[test]
fn what_answers_a_test_query_changes_no_adapter() {
    let plain = scene(None);
    plain.done("train pairs.toml");
    let bytes = |scene: &Scene| scene.read("runs/pairs/adapter/adapter.safetensors");
    // Whichever part a plant is in, its answers reach the adapter unless it is of the test part.
    let changed: Vec<bool> = PLANTS
        .iter()
        .map(|plant| {
            let other = scene(Some(plant));
            other.done("train pairs.toml");
            bytes(&other) != bytes(&plain)
        })
        .collect();
    let held: usize = changed.iter().filter(|changed| !**changed).count();
    assert!((3..=6).contains(&held), "{held} of 12 documents reach no adapter: {changed:?}");
}

/// The epochs of which there is a whole line.
#[cfg(unix)]
fn epochs(scene: &Scene) -> Vec<u64> {
    let text = String::from_utf8(scene.read("runs/pairs/training_metrics.jsonl")).unwrap();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["epoch"].as_u64().unwrap()).collect()
}

#[cfg(unix)]
#[test]
fn training_that_was_stopped_goes_on_to_the_same_bytes() {
    let line = "train pairs.toml train.epochs=400 train.checkpoint_every=40";
    let (plain, stopped) = (scene(None), scene(None));
    plain.done(line);
    for signal_name in ["INT", "KILL"] {
        let mut child = start(&stopped, line);
        wait_until(&mut child, || !stopped.paths("runs/pairs/checkpoints").is_empty());
        let (status, errors) = signal(child, signal_name);
        assert!(!status.success(), "{errors}");
        assert!(!stopped.path("runs/pairs/adapter").exists(), "it was done before it was stopped");
        assert_eq!(stopped.json("runs/pairs/training_progress.json")["training_completed"], false);
        let epochs = epochs(&stopped);
        assert!(!epochs.is_empty() && epochs.iter().copied().eq(1..=epochs.len() as u64), "{epochs:?}");
    }
    stopped.done(line);
    for file in ["adapter/adapter.safetensors", "training_metrics.jsonl", "curve.csv"] {
        let file = format!("runs/pairs/{file}");
        assert!(stopped.read(&file) == plain.read(&file), "{file}");
    }
}

#[test]
fn variants_share_a_report_and_are_listed_shown_and_compared() {
    let scene = scene(None);
    let variants = "\n[variants.near]\n[variants.hard]\nretrieval.hard_negatives = 2\nretrieval.adapt = 'both'\ntrain.shape = 'low_rank'\n";
    scene.write("pairs.toml", [scene.read("pairs.toml"), variants.into()].concat());
    scene.done("run pairs.toml");
    assert!(scene.json("runs/pairs/metrics.json")["hard"]["counts"]["mined"].as_u64().unwrap() > 0);
    let listed = scene.done("runs ls");
    assert!(
        listed.lines().any(|l| l.starts_with("pairs/near") && l.contains("retrieval of pairs.jsonl")),
        "{listed}"
    );
    let shown = scene.done("runs show pairs/near");
    assert!(shown.lines().any(|l| l.starts_with("views.adapter.ndcg@10.value = ")), "{shown}");
    let differences = scene.done("runs diff pairs/near pairs/hard");
    assert!(
        differences.contains("retrieval.hard_negatives") && differences.contains("0 → 2"),
        "{differences}"
    );
}

#[test]
fn settings_that_cannot_be_are_refused_before_anything_is_encoded() {
    let scene = scene(None);
    scene.refused("run pairs.toml retrieval.objectiv=x", 2, &["objective"]);
    scene.refused("run pairs.toml retrieval.query=nothing", 2, &["nothing", "question"]);
    scene.refused("run pairs.toml retrieval.document=nothing", 2, &["nothing", "plant"]);
    assert!(!scene.path("store/spaces").exists());
}

#[test]
fn new_queries_and_passages_get_the_maps_of_their_side() {
    let scene = scene(None);
    let infer = |run: &str, more: &str, out: &str| {
        let texts = "infer --input pairs.jsonl --text-column passage";
        scene.done(&format!("{texts} --adapter runs/{run} --output-dir {out} {more}"));
        ["base.npy", "adapter.npy"].map(|name| scene.read(&format!("{out}/{name}")))
    };
    for adapt in ["query", "both", "dual"] {
        scene.done(&format!("train pairs.toml name={adapt} retrieval.adapt={adapt} train.lr=1e-2"));
        let [base, queries] = infer(adapt, "", "queries");
        assert!(queries != base, "{adapt}");
        if adapt == "query" {
            let line = "infer --input pairs.jsonl --text-column passage --adapter runs/query --passages";
            scene.refused(line, 2, &["--passages", "query-only", "base vectors"]);
            continue;
        }
        let [of_passages, passages] = infer(adapt, "--passages", "passages");
        assert!(of_passages == base && passages != base);
        assert_eq!(passages == queries, adapt == "both", "{adapt}");
    }
}

#[test]
fn queries_that_were_learnt_under_an_instruction_are_prompted_with_it() {
    let scene = scene(None);
    scene.done("train pairs.toml name=prompted retrieval.adapt=both retrieval.instruction=Find");
    scene.done("train pairs.toml name=plain");
    scene.write("texts.jsonl", "{\"text\": \"How tall is oak?\"}\n");
    scene.write("prompts.jsonl", "{\"text\": \"Instruct: Find\\nQuery:How tall is oak?\"}\n");
    let base = |input: &str, run: &str, more: &str| {
        scene.done(&format!(
            "infer --input {input}.jsonl --adapter runs/{run} --output-dir {input}-{run}{more} {more}"
        ));
        crate::steps::npy(&scene.read(&format!("{input}-{run}{more}/base.npy"))).1
    };
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let (plain, prompt) = (base("texts", "plain", ""), base("prompts", "plain", ""));
    assert!(!close(&plain, &prompt));
    assert!(close(&base("texts", "prompted", ""), &prompt), "queries are not prompted");
    assert!(close(&base("texts", "prompted", "--passages"), &plain), "passages are prompted");
    let both = "infer --input texts.jsonl --adapter runs/prompted --adapter runs/plain";
    scene.refused(both, 2, &["--adapter", "prompted alike"]);
}

#[test]
fn an_adapter_of_pairs_is_exported_with_what_was_measured_of_it() {
    let scene = scene(None);
    scene.done("run pairs.toml retrieval.adapt=both");
    for format in ["sentence-transformers", "onnx", "npy", "adapter"] {
        scene.done(&format!("export runs/pairs --to {format} out/{format}"));
        let card = String::from_utf8(scene.read(&format!("out/{format}/README.md"))).unwrap();
        for word in ["| encoder alone |", "nDCG@10", "passages by their queries", "BM25"] {
            assert!(card.contains(word), "{format}: no {word:?} in {card}");
        }
    }
    scene.done("run pairs.toml name=queries");
    scene.refused("export runs/queries --to npy npy", 2, &["query-only"]);
    scene.done("export runs/queries --to adapter queries");
    scene.done("infer --input pairs.jsonl --text-column question --adapter queries");
}

#[test]
fn every_test_query_has_a_line_with_its_scores() {
    let scene = scene(None);
    scene.done("run pairs.toml");
    let text = String::from_utf8(scene.read("runs/pairs/queries.csv")).unwrap();
    let metrics = scene.json("runs/pairs/metrics.json");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.rsplitn(4, ',').collect()).collect();
    assert_eq!(rows.len() as u64, metrics["counts"]["queries"].as_u64().unwrap());
    for (column, view) in [(2, "bm25"), (1, "base"), (0, "adapter")] {
        let mean =
            rows.iter().map(|row| row[column].parse::<f64>().unwrap()).sum::<f64>() / rows.len() as f64;
        assert!(
            (mean - metrics["views"][view]["ndcg@10"]["value"].as_f64().unwrap()).abs() < 1e-12,
            "{view}"
        );
    }
}

#[test]
fn a_split_is_drawn_once_for_other_programs_and_is_that_of_a_run() {
    let scene = scene(None);
    let named = |name: &str| String::from_utf8(scene.read(name)).unwrap().replace("plant", "document");
    ["pairs.jsonl", "pairs.toml"].iter().for_each(|name| scene.write(name, named(name)));
    let line = "prepare pairs --from qa --input pairs.jsonl --output split.jsonl --split";
    let said = scene.done(&format!("{line} 0.5,0.2,0.3"));
    assert!(said.contains("test, drawn by document with seed 42"), "{said}");
    scene.done("run pairs.toml");
    scene.done("run pairs.toml name=given data.source=split.jsonl data.split=split");
    let of = |run: &str, key: &str| scene.json(&format!("runs/{run}/metrics.json"))[key].clone();
    assert_eq!(of("given", "views"), of("pairs", "views"));
    assert_eq!(of("given", "counts"), of("pairs", "counts"));
    scene.refused(&format!("{line} 0.5,0.5"), 2, &["--split", "three shares", "found 2"]);
    scene.refused(&format!("{line} 0.5,0.2,0.2"), 2, &["sum to 1"]);
    scene.refused(&format!("{line} 0.5,0.2,0.3 --to instructed"), 2, &["--to pairs"]);
}

#[test]
fn squad_is_prepared_and_read() {
    let scene = Scene::new();
    let squad = r#"{"data": [{"title": "Rain", "paragraphs": [{"context": "Rain falls.", "qas": [
        {"question": "What falls?", "answers": [{"text": "Rain"}]}, {"question": "Who?", "answers": []}]}]}]}"#;
    scene.write("squad.json", squad);
    let said = scene.done("prepare pairs --from squad --input squad.json --output pairs.jsonl");
    assert!(said.contains("1 lines") && said.contains("1 that lack"), "{said}");
    assert_eq!(scene.json("pairs.jsonl")["passage"], "Rain falls.");
    scene.refused("prepare pairs --from qa --input squad.json --output x.jsonl", 2, &["squad.json"]);
    assert!(!scene.path("x.jsonl").exists());
}
