use crate::scene::Scene;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

const LINE: &str =
    "encode experiment.toml data.source=medquad data.label=label_qtype data.limit=100 name=embedded";

/// The program with nothing but an empty cache.
fn alone(scene: &Scene, line: &str) -> Output {
    let mut command = scene.process(line);
    command.env_remove("MANYVIEW_DATA").env("XDG_CACHE_HOME", scene.path("cache")).output().unwrap()
}

fn unpacked(scene: &Scene) -> PathBuf {
    let mut versions = fs::read_dir(scene.path("cache/manyview")).unwrap();
    let found = versions.next().unwrap().unwrap().path();
    assert!(versions.next().is_none());
    found
}

#[test]
fn the_program_needs_no_source_tree_and_mends_what_it_unpacked() {
    let scene = Scene::new();
    let first = alone(&scene, LINE);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let model = unpacked(&scene).join("minilm/model.safetensors");
    let sound = fs::read(&model).unwrap();
    fs::write(&model, &sound[..sound.len() / 2]).unwrap();
    fs::remove_file(unpacked(&scene).join("medquad/medquad.parquet")).unwrap();
    let second = alone(&scene, LINE);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(fs::read(&model).unwrap() == sound);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let scene = Scene::new();
    scene.write("cache", "a file where a directory should be");
    let output = alone(&scene, LINE);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("cache"), "{errors}");
}
