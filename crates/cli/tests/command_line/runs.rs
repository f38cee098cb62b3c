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
    assert_eq!(scene.done("runs diff first first").trim(), "the same experiment, the same figures");
    scene.refused("runs show third", 3, &["third", "runs ls"]);
}
