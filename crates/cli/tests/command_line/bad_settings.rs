use crate::scene::Scene;

/// Overrides, exit code, and words of the answer.
type Case = (&'static str, i32, &'static [&'static str]);

/// Refused before a text is read.
const SETTINGS: &[Case] = &[
    ("data.labl=x", 2, &["data.labl (command line)", "did you mean `label`", "known here", "stratify"]),
    (
        "nonsense.x=1",
        2,
        &["nonsense (command line)", "unknown key", "data, encoder, teacher, scores, retrieval, train"],
    ),
    ("data.seed=many", 2, &["data.seed (command line)", "expected a whole number", "found string \"many\""]),
    ("data.seed=-1", 2, &["data.seed", "expected a whole number from 0", "`-1`"]),
    ("data.stratify=maybe", 2, &["data.stratify", "expected true or false", "maybe"]),
    ("train.method=rigde", 2, &["train.method", "`ridge`, `gradient`, `lora` or `full`", "found `rigde`"]),
    ("teacher.kind=name", 2, &["teacher.kind", "`names`", "found `name`"]),
    ("data.seed", 2, &["`data.seed` (command line)", "expected key=value", "such as data.seed=7"]),
    ("name=a/b", 2, &["name", "a/b", "becomes a directory"]),
    ("evaluate.seeds=0", 2, &["evaluate.seeds (command line)", "at least 1", "found 0"]),
    ("evaluate.resamples=5", 2, &["evaluate.resamples", "at least 20", "found 5"]),
    ("evaluate.knn=0", 2, &["evaluate.knn", "at least 1"]),
    ("output.map_texts=0", 2, &["output.map_texts", "at least 1"]),
    ("train.method=gradient train.epochs=0", 2, &["train.epochs", "at least 1"]),
    (
        "train.lr=1",
        2,
        &["train.lr (command line)", "`ridge` does not read it", "`gradient`, `lora` and `full` read it"],
    ),
    ("pairs.query=q", 2, &["pairs (command line)", "[retrieval]"]),
];

/// Refused when the stage that reads them begins.
const LATER: &[Case] = &[
    ("encoder.device=cuda", 2, &["encoder.device", "unknown device `cuda`", "this build has flex"]),
    ("encoder.device=libtorch", 2, &["encoder.device", "--features tch"]),
    (
        "--device libtorch:cuda:0",
        2,
        &["encoder.device", "unknown device `libtorch:cuda:0`", "--features tch"],
    ),
    ("encoder.max_length=1", 2, &["max_length", "expected 4 to 512", "found 1"]),
    ("data.train=0.9", 2, &["split", "sum to 1", "train 0.9"]),
    ("data.split=label", 2, &["row 0", "expected `train`", "found `rain`"]),
    ("data.limit=2", 2, &["labels in column `label`", "at least 4 rows", "found 2"]),
    ("data.limit=0", 2, &["corpus.csv", "no row is left of 60", "beyond the limit"]),
    ("teacher.kind=answers", 2, &["data.answers", "column", "name it here"]),
    ("teacher.kind=vectors", 2, &["teacher.vectors", ".npy or .parquet", "name it here"]),
    ("teacher.kind=instructed teacher.instruction=", 2, &["teacher.instruction", "such as"]),
    ("teacher.names=['a']", 2, &["teacher.names", "at least 2", "found 1"]),
    ("teacher.temperature=0", 2, &["teacher.temperature", "above 0", "found 0"]),
    ("teacher.rows=1", 2, &["teacher.rows", "at least 2", "found 1"]),
    ("train.lambdas=[-1.0]", 2, &["lambdas", "positive", "-1"]),
    ("evaluate.latency_seconds=-1", 2, &["evaluate.latency_seconds", "from 0", "-1"]),
];

#[test]
fn a_wrong_setting_is_answered_with_its_key_and_what_would_be_right() {
    let scene = Scene::new();
    for (overrides, code, words) in SETTINGS.iter().chain(LATER) {
        scene.refused(&format!("run experiment.toml {overrides}"), *code, words);
    }
}

#[test]
fn the_device_option_is_the_last_word_on_the_device() {
    let scene = Scene::new();
    scene.done("encode experiment.toml encoder.device=nowhere --device flex");
}

#[test]
fn a_refusal_changes_nothing_that_an_earlier_run_left() {
    let scene = Scene::new();
    scene.done("run experiment.toml");
    let before = (scene.files("runs"), scene.files("store"));
    for (overrides, code, words) in LATER.iter().filter(|case| !case.0.starts_with("evaluate.")) {
        scene.refused(&format!("run experiment.toml {overrides}"), *code, words);
        let (mut runs, store) = (scene.files("runs"), scene.files("store"));
        // A record of its own, that it failed, is all it may leave.
        runs.retain(|path, _| before.0.contains_key(path) || !path.iter().any(|part| part == "tracking"));
        assert!((runs, store) == before, "{overrides} changed what was there");
    }
    assert!(scene.done("run experiment.toml").contains("encoded 0 texts"));
}

#[test]
fn an_experiment_file_that_cannot_be_used_is_named() {
    let scene = Scene::new();
    scene.refused("run nothere.toml", 3, &["nothere.toml", "No such file"]);
    scene.write("broken.toml", "name = 'x'\n[data\n");
    scene.refused("run broken.toml", 2, &["broken.toml", "line 2", "expected `]`"]);
    scene.write("wrong.toml", "[data]\nlabel = 7\n");
    scene.refused("run wrong.toml", 2, &["data.label (wrong.toml)", "expected text in quotes", "`7`"]);
    scene.write("variant.toml", "[variants.a]\ndata.lable = 'x'\n");
    scene.refused("run variant.toml", 2, &["data.lable (variant.toml, variants.a)", "did you mean `label`"]);
}

#[test]
fn an_unknown_command_or_option_is_refused_with_the_nearest() {
    let scene = Scene::new();
    for (line, word) in [("trian x.toml", "train"), ("infer --inptu x", "--input"), ("run", "<CONFIG>")] {
        let output = scene.command(line).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.contains(word), "{line}: {errors}");
    }
}

#[test]
fn what_is_on_the_hub_is_a_matter_of_the_network_while_offline() {
    let scene = Scene::new();
    for key in ["encoder.model", "data.source"] {
        let words = ["hub:some/thing at `main`", "HF_HUB_OFFLINE", "fetch it once while online"];
        scene.refused(&format!("run experiment.toml {key}=hub:some/thing"), 4, &words);
    }
}
