use crate::scene::{Scene, program};
use std::fs;
use std::path::Path;

/// Rows and columns of a `.npy` file of float32, and its numbers.
pub(crate) fn npy(bytes: &[u8]) -> ([usize; 2], Vec<f32>) {
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..end]).unwrap();
    let shape = header.split('(').nth(1).and_then(|h| h.split(')').next()).unwrap();
    let sizes: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let numbers = bytes[end..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    ([sizes[0], sizes[1]], numbers)
}

#[test]
fn the_steps_one_by_one_make_what_run_makes() {
    let (steps, whole) = (Scene::new(), Scene::new());
    assert!(steps.done("doctor experiment.toml").lines().all(|l| l.starts_with("ok ")));
    let fetched = steps.done("fetch experiment.toml");
    assert!(fetched.contains("minilm") && fetched.contains("corpus.csv"), "{fetched}");
    assert!(steps.done("encode experiment.toml").contains("encoded 60 texts"));
    assert!(steps.done("encode experiment.toml").contains("encoded 0 texts"));
    let trained = steps.done("train experiment.toml");
    assert!(trained.contains("weather: ridge on 42 rows") && trained.contains("lambda"), "{trained}");
    let evaluated = steps.done("evaluate experiment.toml");
    assert!(evaluated.contains("encoded 0 texts") && evaluated.contains("metrics.json"), "{evaluated}");
    assert!(steps.done("report experiment.toml").contains("report.html"));
    whole.done("run experiment.toml");
    let adapter = "runs/weather/adapter/adapter.safetensors";
    assert!(steps.read(adapter) == whole.read(adapter), "the steps fitted another adapter");
    let views = |scene: &Scene| scene.json("runs/weather/metrics.json")["views"].clone();
    assert_eq!(views(&steps), views(&whole));
    for name in ["curve.csv", "scores.json"].map(|name| format!("runs/weather/{name}")) {
        assert!(steps.read(&name) == whole.read(&name), "{name} has something of its run");
    }
    for name in ["report.html", "report.md", "experiment.toml", "fit.json"] {
        assert!(steps.path(&format!("runs/weather/{name}")).is_file(), "{name}");
    }
    assert!(
        steps.done("run runs/weather/experiment.toml").contains("encoded 0 texts"),
        "the saved experiment"
    );
}

#[test]
fn what_an_experiment_starts_from_has_the_same_hashes_everywhere() {
    let (here, there) = (Scene::new(), Scene::new());
    there.write("taught.npy", "not the same");
    let names = |listed: &str| -> Vec<String> {
        listed.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_string())).collect()
    };
    let line = "fetch experiment.toml --hashes";
    let listed = here.done(line);
    assert!(names(&listed).contains(&"minilm/model.safetensors".to_string()), "{listed}");
    assert_eq!(names(&listed)[0], "corpus.csv");
    assert_eq!(listed, there.done(line));
    there.write("corpus.csv", "text,label\na,b\n");
    let changed = there.done(line);
    assert_eq!(names(&changed), names(&listed));
    assert_eq!(listed.lines().zip(changed.lines()).filter(|(a, b)| a != b).count(), 1);
    let given = there.done(&format!("{line} data.vectors=corpus.csv teacher.vectors=taught.npy"));
    assert_eq!(names(&given), ["corpus.csv", "taught.npy"]);
    there.refused(&format!("{line} teacher.vectors=nothere.npy"), 3, &["nothere.npy"]);
}

#[test]
fn a_step_out_of_order_says_which_comes_first() {
    let scene = Scene::new();
    let first = |cure: &str| format!("run `manyview {cure}` first");
    scene.refused("evaluate experiment.toml", 2, &["runs/weather", "a fitted adapter", &first("train")]);
    scene.refused("report experiment.toml", 2, &["runs/weather", "a fitted adapter", &first("train")]);
    assert!(!scene.path("store").exists(), "texts were encoded for a step that could not follow");
    scene.refused("infer --input corpus.csv --adapter runs/weather", 2, &["runs/weather", &first("train")]);
    scene.refused("infer --input corpus.csv --adapter nothere", 3, &["nothere"]);
    for command in ["ls", "verify", "compact", "rm 00"] {
        scene.refused(
            &format!("store {command}"),
            2,
            &["store", "expected a vector store", &first("encode")],
        );
    }
    assert!(!scene.path("store").exists(), "looking for a store made one");
    scene.done("train experiment.toml");
    scene.refused("report experiment.toml", 2, &["metrics.json", &first("evaluate")]);
    scene.refused(
        "infer --input corpus.csv --adapter runs",
        2,
        &["runs: expected one artifact", "name one of runs/weather"],
    );
}

/// Otherwise texts an adapter was fitted on could be the test texts it is scored on.
#[test]
fn an_adapter_of_other_settings_is_not_evaluated() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let words = ["runs/weather", "fitted with these settings", "run `manyview train` first"];
    for other in ["data.seed=7", "teacher.temperature=0.5", "train.towards=zero"] {
        scene.refused(&format!("evaluate experiment.toml {other}"), 2, &words);
    }
    scene.done("evaluate experiment.toml evaluate.seeds=3");
    scene.done("train experiment.toml data.seed=7");
    let words = ["metrics.json", "run `manyview evaluate` first"];
    scene.refused("report experiment.toml data.seed=7", 2, &words);
}

#[test]
fn inference_keeps_the_order_and_the_repeats_of_its_input() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let texts = [
        "wet storm",
        "bright heat",
        "wet storm",
        "grey mist",
        "a much longer text about nothing at all that goes on and on until nobody can say any more what it is about",
        "haze",
    ];
    let lines: String = texts.iter().map(|t| format!("{{\"text\": \"{t}\"}}\n")).collect();
    scene.write("texts.jsonl", lines);
    scene.write("reversed.csv", texts.iter().rev().fold("text\n".to_string(), |csv, t| csv + t + "\n"));
    let infer = |input: &str, out: &str, more: &str| {
        scene.done(&format!("infer --input {input} --adapter runs/weather --output-dir {out} {more}"));
        ["base.npy", "adapter.npy"].map(|name| npy(&scene.read(&format!("{out}/{name}"))))
    };
    let (forth, back) = (infer("texts.jsonl", "forth", ""), infer("reversed.csv", "back", ""));
    for ((shape, a), (_, b)) in forth.iter().zip(&back) {
        assert_eq!(*shape, [6, 384]);
        let (a, b): (Vec<_>, Vec<_>) = (a.chunks(384).collect(), b.chunks(384).collect());
        assert!((0..6).all(|i| a[i] == b[5 - i]), "row i does not belong to text i");
        assert!(a[0] == a[2] && a[0] != a[1] && a[1] != a[3]);
        let norm = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!(a.iter().all(|row| (norm(row) - 1.0).abs() < 1e-4));
    }
    let metadata = scene.json("forth/metadata.json");
    assert_eq!((&metadata["rows"], &metadata["truncated"]), (&6.into(), &1.into()), "{metadata}");
    let rows = String::from_utf8(scene.read("forth/rows.csv")).unwrap();
    assert_eq!(rows.lines().collect::<Vec<_>>()[4..6], ["3,false", "4,true"]);
    let [(shape, first), _] = infer("texts.jsonl", "limited", "--limit 2");
    assert_eq!(shape, [2, 384]);
    assert!(first == forth[0].1[..768]);
    let parquet = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/medquad/medquad.parquet");
    let [(shape, _), _] = infer(&parquet.display().to_string(), "parquet", "--limit 3");
    assert_eq!(shape, [3, 384]);
    let line = "infer --input texts.jsonl --text-column texts --adapter runs/weather";
    scene.refused(line, 2, &["texts.jsonl", "no column `texts`, perhaps `text`"]);
    scene.refused("infer --input nothere.csv --adapter runs/weather", 3, &["nothere.csv"]);
}

#[test]
fn the_store_is_listed_checked_repaired_and_emptied() {
    let scene = Scene::new();
    scene.done("encode experiment.toml");
    let list = scene.done("store ls");
    assert!(list.contains("minilm") && list.contains(" 60 "), "{list}");
    assert!(scene.done("store verify").contains("60 vectors, 0 bad"));
    let part =
        scene.paths("store").into_iter().find(|p| p.extension().is_some_and(|e| e == "parquet")).unwrap();
    let whole = fs::read(&part).unwrap();
    fs::write(&part, &whole[..whole.len() / 2]).unwrap();
    let problem = scene.command("store verify").output().unwrap();
    assert_eq!(problem.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&problem.stdout).contains("moved aside"));
    assert!(scene.done("encode experiment.toml").contains("encoded 60 texts"));
    assert!(fs::read(&part).unwrap() == whole, "the vectors computed again are others");
    scene.refused("store rm zz", 2, &["\"zz\"", "minilm"]);
    let key = list.lines().nth(1).and_then(|l| l.split_whitespace().next()).unwrap().to_string();
    assert!(scene.done(&format!("store rm {key}")).contains("removed 60 vectors of minilm"));
    assert!(scene.done("store verify").contains("0 vectors, 0 bad"));
}

#[test]
fn small_files_of_the_store_are_put_together_and_a_damaged_one_is_not() {
    let scene = Scene::new();
    scene.done("encode experiment.toml data.limit=40");
    scene.done("encode experiment.toml");
    let parts = || scene.paths("store").into_iter().filter(|p| p.extension().is_some_and(|e| e == "parquet"));
    assert!(scene.done("store compact").contains("2 small files became 1, with 60 vectors"));
    assert_eq!(parts().count(), 1);
    assert!(scene.done("store compact").contains("no small files"));
    assert!(scene.done("encode experiment.toml").contains("encoded 0 texts"));
    let whole = fs::read(parts().next().unwrap()).unwrap();
    scene.done("encode experiment.toml encoder.max_length=12 data.limit=40");
    scene.done("encode experiment.toml encoder.max_length=12");
    let damaged = parts().find(|path| fs::read(path).unwrap() != whole).unwrap();
    fs::write(&damaged, "PAR1").unwrap();
    let problem = scene.command("store compact").output().unwrap();
    assert_eq!(problem.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&problem.stdout).contains("moved aside"));
    assert!(!damaged.exists() && scene.done("store verify").contains(" 0 bad"));
}

#[test]
fn a_quantized_encoder_runs_and_is_another_encoder() {
    let scene = Scene::new();
    scene.tiny_encoder();
    let made = scene.done("quantize tiny small");
    assert!(made.contains("small: ") && made.contains("int8 matrices"), "{made}");
    scene.done("run experiment.toml encoder.model=tiny");
    scene.refused("evaluate experiment.toml encoder.model=small", 2, &["run `manyview train` first"]);
    scene.done("run experiment.toml encoder.model=small");
    scene.refused("quantize nothere small2", 2, &["nothere", "config.json"]);
    scene.refused("quantize tiny small", 2, &["small"]);
}

#[test]
fn doctor_counts_what_is_wrong_and_says_each_cure() {
    let scene = Scene::new();
    let line = "doctor experiment.toml data.text=texts encoder.model=nomodel teacher.kind=answers";
    let output = std::process::Command::new(program())
        .args(line.split_whitespace())
        .current_dir(scene.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().filter(|l| l.starts_with("FAIL")).count(), 3, "{said}");
    for word in ["perhaps `text`", "`nomodel` is neither", "data.answers"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 of 10 checks failed"));
}
