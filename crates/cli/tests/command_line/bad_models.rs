use crate::scene::Scene;
use std::fs;

#[test]
fn a_model_that_is_not_there_is_answered_with_what_a_model_is() {
    let scene = Scene::new();
    let words = ["encoder.model", "`nomodel`", "`minilm`, a directory, nor `hub:ORG/NAME`", "hub:nomodel"];
    scene.refused("run experiment.toml encoder.model=nomodel", 2, &words);
    fs::create_dir(scene.path("hollow")).unwrap();
    scene.refused("run experiment.toml encoder.model=hollow", 2, &["hollow", "config.json"]);
}

#[test]
fn cut_weights_are_refused_with_both_lengths() {
    let scene = Scene::new();
    let weights = scene.tiny_encoder().join("model.safetensors");
    let whole = fs::read(&weights).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 3, 0] {
        fs::write(&weights, &whole[..keep]).unwrap();
        let words = ["model.safetensors", "cut", &keep.to_string()];
        scene.refused("run experiment.toml encoder.model=tiny", 2, &words);
    }
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let scene = Scene::new();
    let tokenizer = scene.tiny_encoder().join("tokenizer.json");
    let other = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "rain": 999999}, "unk_token": "[UNK]"}}"#;
    fs::write(&tokenizer, other).unwrap();
    let words = ["tokenizer.json", "expected ids below", "found 999999", "another model's tokenizer"];
    scene.refused("run experiment.toml encoder.model=tiny", 2, &words);
    for broken in ["{\"version\": ", "[]", ""] {
        fs::write(&tokenizer, broken).unwrap();
        scene.refused("run experiment.toml encoder.model=tiny", 2, &["tokenizer.json"]);
    }
    fs::remove_file(&tokenizer).unwrap();
    scene.refused("run experiment.toml encoder.model=tiny", 2, &["tokenizer.json", "save_pretrained"]);
}

#[test]
fn an_adapter_takes_no_vectors_of_another_encoder() {
    let scene = Scene::new();
    scene.tiny_encoder();
    scene.done("run experiment.toml");
    let words =
        ["adapter for \"Identify the weather\" of minilm", "expected vectors of encoder", "fit again"];
    scene.refused("infer --input corpus.csv --adapter runs/weather --encoder tiny", 2, &words);
    assert!(!scene.path("out/adapter.npy").exists());
    let words = ["runs/weather", "other settings", "run `manyview train` first"];
    scene.refused("evaluate experiment.toml encoder.model=tiny", 2, &words);
}

#[test]
fn a_damaged_adapter_is_refused_where_it_is_read_and_fitted_again_by_run() {
    let scene = Scene::new();
    scene.done("run experiment.toml");
    let file = scene.path("runs/weather/adapter/adapter.safetensors");
    let whole = fs::read(&file).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 0] {
        fs::write(&file, &whole[..keep]).unwrap();
        let words = ["adapter.safetensors", "expected blake3", "found blake3", "fit again"];
        scene.refused("infer --input corpus.csv --adapter runs/weather", 2, &words);
        scene.refused("evaluate experiment.toml", 2, &words);
    }
    scene.done("run experiment.toml");
    assert!(fs::read(&file).unwrap() == whole, "the adapter fitted again is another one");
    fs::write(scene.path("runs/weather/adapter/config.json"), "{").unwrap();
    scene.refused(
        "infer --input corpus.csv --adapter runs/weather",
        2,
        &["config.json", "expected the card"],
    );
}
