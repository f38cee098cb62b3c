//! Runs, listed and compared.

use crate::scene::Scene;

#[test]
fn two_runs_are_listed_shown_and_compared() {
    let scene = Scene::new();
    scene.done("run experiment.toml name=first");
    scene.done("train experiment.toml name=second train.towards=zero");
    let listed = scene.done("runs ls");
    assert!(listed.lines().any(|l| l.starts_with("first ") && l.contains("label of corpus.csv")), "{listed}");
    assert!(listed.lines().any(|l| l.starts_with("second ") && l.contains("not evaluated")), "{listed}");
    let shown = scene.done("runs show first");
    for line in ["train.towards = identity", "views.adapter.v_measure.mean = ", "fit.key = "] {
        assert!(shown.lines().any(|l| l.starts_with(line)), "{line}: {shown}");
    }
    let differences = scene.done("runs diff first second");
    assert!(differences.contains("identity → zero"), "{differences}");
    assert!(!differences.contains("data.seed"), "what is the same is not listed: {differences}");
    assert_eq!(scene.done("runs diff first first").trim(), "the same experiment, the same metrics");
    scene.refused("runs show third", 3, &["third", "runs ls"]);
}

#[test]
fn two_variants_of_one_run_are_compared() {
    let scene = Scene::new();
    let variants = "\n[variants.near]\n[variants.far]\nteacher.temperature = 0.5\n";
    scene.write("experiment.toml", [scene.read("experiment.toml"), variants.into()].concat());
    scene.done("train experiment.toml");
    let differences = scene.done("runs diff weather/near weather/far");
    assert!(
        differences.contains("teacher.temperature") && differences.contains("0.0200 → 0.5000"),
        "{differences}"
    );
    scene.refused("runs show weather/nowhere", 3, &["nowhere", "near, far"]);
}
