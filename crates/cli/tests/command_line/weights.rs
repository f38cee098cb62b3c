//! Weights held and multiplied as something smaller.

use crate::scene::Scene;

#[test]
fn an_adapter_for_int8_weights_is_applied_under_int8_weights() {
    let scene = Scene::new();
    scene.done("run experiment.toml encoder.weights=int8");
    let stored = scene.done("store ls").lines().count();
    scene.done("run experiment.toml");
    assert!(scene.done("store ls").lines().count() > stored, "other weights give other vectors");
    scene.done("run experiment.toml encoder.weights=int8");
    let said = scene.done("infer --input corpus.csv --adapter runs/weather");
    assert!(said.contains("encoded 0 texts"), "the vectors under int8 weights are stored: {said}");
}

#[test]
fn other_weights_are_refused_with_those_there_are() {
    let scene = Scene::new();
    scene.refused("run experiment.toml encoder.weights=int4", 2, &["encoder.weights", "int8", "int4"]);
}
