use crate::scene::Scene;
use std::fs;

const FORMATS: [&str; 4] = ["sentence-transformers", "onnx", "npy", "adapter"];

#[test]
fn every_export_has_its_files_and_a_card_that_tells_no_paths() {
    let scene = Scene::new();
    let place = scene.path("corpus.csv").display().to_string();
    scene.done(&format!("run experiment.toml data.source={place} train.center=true"));
    for format in FORMATS {
        let said = scene.done(&format!("export runs/weather --to {format} out/{format}"));
        let files = match format {
            "sentence-transformers" => {
                "modules.json model.safetensors 3_Dense/model.safetensors 1_Pooling/config.json"
            }
            "onnx" => "adapter.onnx",
            "npy" => "weight.npy bias.npy",
            _ => "config.json adapter.safetensors",
        };
        for file in files.split(' ') {
            assert!(said.contains(&format!("out/{format}/{file}")), "{format}: {said}");
        }
        let card = String::from_utf8(scene.read(&format!("out/{format}/README.md"))).unwrap();
        for word in [
            "---\n",
            "- manyview\n",
            "base_model: \"sentence-transformers/all-MiniLM-L6-v2\"",
            "Identify the weather",
        ] {
            assert!(card.contains(word), "{format}: no {word:?} in {card}");
        }
        for word in [
            "`names`, on 42 training rows",
            "Texts: corpus.csv",
            "| this view | ",
            "compared with the column `label`",
        ] {
            assert!(card.contains(word), "{format}: no {word:?} in {card}");
        }
    }
    let home = scene.path("").display().to_string();
    for (path, bytes) in scene.files("out") {
        let told = bytes.windows(home.len()).any(|window| window == home.as_bytes());
        assert!(!told, "{} says where it was made", path.display());
    }
    scene.write("texts.csv", "text\nwet storm\ngrey mist\n");
    let infer = |adapter: &str, out: &str| {
        scene.done(&format!("infer --input texts.csv --adapter {adapter} --output-dir {out}"));
        scene.read(&format!("{out}/adapter.npy"))
    };
    assert!(infer("runs/weather", "a") == infer("out/adapter", "b"), "the exported adapter is another");
}

#[test]
fn an_export_that_cannot_be_made_leaves_nothing_behind() {
    let scene = Scene::new();
    scene.tiny_encoder();
    scene.refused("export runs/weather --to npy out", 3, &["runs/weather"]);
    scene.done("train experiment.toml");
    scene.done("export runs/weather --to npy taken");
    let taken = scene.files("taken");
    scene.refused("export runs/weather --to onnx taken", 2, &["taken", "empty directory", "name another"]);
    assert!(scene.files("taken") == taken);
    let line = "export runs/weather --to sentence-transformers out";
    scene.refused(&format!("{line} --encoder tiny"), 2, &["expected vectors of encoder"]);
    scene.refused(&format!("{line} --encoder nomodel"), 2, &["nomodel"]);
    scene.refused("export runs --to npy out", 2, &["name one of runs/weather"]);
    fs::write(scene.path("runs/weather/metrics.json"), "{").unwrap();
    scene.refused("export runs/weather --to npy out", 3, &["metrics.json", "manyview evaluate"]);
    let left: Vec<_> = fs::read_dir(scene.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "out" || name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn a_push_says_what_it_lacks() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    scene.refused("push runs/weather org/name", 2, &["org/name", "HF_HUB_OFFLINE"]);
    scene.refused("push runs/weather name", 2, &["ORG/NAME"]);
    scene.refused("push configs org/name", 3, &["configs"]);
    let mut online = scene.process("push runs/weather org/name");
    let output = online.env_remove("HF_HUB_OFFLINE").env_remove("HF_TOKEN").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("set HF_TOKEN"));
}
