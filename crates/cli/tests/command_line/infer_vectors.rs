//! `infer` of vectors that are there already.

use crate::infer::{fitted, matrices};
use crate::scene::{Scene, npy as npy_bytes};
use crate::steps::npy;

const LINE: &str = "infer --adapter runs/weather/far --vectors";

/// A scene with `base.npy` and `view.npy`, the base vectors and the view of its corpus.
fn given() -> Scene {
    let scene = fitted();
    scene.done("infer --input corpus.csv --adapter runs/weather/far");
    scene.write("base.npy", scene.read("out/base.npy"));
    scene
}

/// The start of the fingerprint of the encoder.
fn fingerprint(scene: &Scene) -> String {
    let card = scene.json("runs/weather/far/adapter/config.json");
    card["encoder_fingerprint"].as_str().unwrap()[..12].into()
}

#[test]
fn vectors_get_the_view_their_texts_would_get_without_an_encoder_or_a_store() {
    let scene = given();
    std::fs::remove_dir_all(scene.path("store")).unwrap();
    for (chunk, out) in [("60", "whole"), ("7", "pieces")] {
        let said = scene.done(&format!("{LINE} base.npy --chunk-rows {chunk} --output-dir {out}"));
        assert!(said.contains("nothing says which encoder made base.npy: you vouch"), "{said}");
        assert!(scene.read(&format!("{out}/adapter.npy")) == scene.read("out/adapter.npy"), "{chunk}");
        assert_eq!(matrices(&scene, out).into_keys().collect::<Vec<_>>(), ["adapter.npy"]);
    }
    assert!(scene.json("whole/metadata.json")["encoder"]["fingerprint"].is_null());
    scene.done(&format!("{LINE} base.npy --limit 9 --output-dir few"));
    let (shape, few) = npy(&scene.read("few/adapter.npy"));
    assert_eq!(shape, [9, 384]);
    assert!(few == npy(&scene.read("out/adapter.npy")).1[..9 * 384]);
    assert!(!scene.path("store").exists());
}

#[test]
fn vectors_of_another_length_than_1_are_normalised_and_counted() {
    let scene = given();
    let (_, values) = npy(&scene.read("base.npy"));
    let rows: Vec<Vec<f32>> =
        values.chunks(384).zip(1..).map(|(row, k)| row.iter().map(|v| v * k as f32).collect()).collect();
    scene.write("long.npy", npy_bytes(&rows));
    let said = scene.done(&format!("{LINE} long.npy --output-dir long"));
    assert!(said.contains("59 vectors were not of length 1"), "{said}");
    let (long, view) = (npy(&scene.read("long/adapter.npy")).1, npy(&scene.read("out/adapter.npy")).1);
    assert!(long.iter().zip(&view).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn the_encoder_is_checked_where_anyone_says_what_it_is() {
    let scene = given();
    let known = fingerprint(&scene);
    let said = scene.done(&format!("{LINE} base.npy --encoder-fingerprint {known} --output-dir said"));
    assert!(said.contains("as --encoder-fingerprint says"), "{said}");
    let other = "0123456789ab";
    let words = ["expected vectors of encoder", known.as_str(), other];
    scene.refused(&format!("{LINE} base.npy --encoder-fingerprint {other}"), 2, &words);
    scene.refused(&format!("{LINE} base.npy --encoder-fingerprint 12"), 2, &["at least 12 hex digits"]);

    let said = scene.done(&format!("{LINE} out/base.npy --output-dir beside"));
    assert!(said.contains("as metadata.json beside out/base.npy says"), "{said}");
    let foreign = String::from_utf8(scene.read("out/metadata.json")).unwrap().replace(&known, other);
    scene.write("foreign/metadata.json", foreign);
    scene.write("foreign/base.npy", scene.read("base.npy"));
    scene.refused(&format!("{LINE} foreign/base.npy"), 2, &words);
    scene.refused(
        &format!("{LINE} out/adapter.npy --output-dir x"),
        2,
        &["expected base vectors", "of a view"],
    );
    scene.refused(
        &format!("{LINE} out/base.npy --output-dir ./out"),
        2,
        &["--output-dir", "would be replaced"],
    );
}

#[test]
fn vectors_that_cannot_be_used_are_refused_with_their_row() {
    let scene = given();
    let row = |v: f32| vec![v; 384];
    let mut rows = vec![row(0.5); 30];
    rows[23][7] = f32::NAN;
    scene.write("nan.npy", npy_bytes(&rows));
    rows[23] = row(0.0);
    scene.write("zero.npy", npy_bytes(&rows));
    scene.write("short.npy", npy_bytes(&[vec![1.0; 7]]));
    for (name, code, words) in [
        ("nan.npy", 6, ["nan.npy", "row 23"]),
        ("zero.npy", 6, ["row 23", "length 0"]),
        ("short.npy", 2, ["expected vectors of length 384", "found length 7"]),
        ("nothere.npy", 3, ["nothere.npy", "No such file"]),
        ("corpus.csv", 2, [".npy", ".parquet"]),
    ] {
        scene.refused(&format!("{LINE} {name} --chunk-rows 4 --output-dir bad"), code, &words);
    }
    assert!(!scene.path("bad/adapter.npy").exists());
    for other in ["--input corpus.csv", "--dedup", "--with-teacher", "--encoder minilm"] {
        let output = scene.command(&format!("{LINE} base.npy {other}")).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("cannot be used with"), "{errors}");
    }
}
