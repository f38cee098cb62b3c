//! Vectors in place of an encoder.

use crate::scene::Scene;

/// A two-dimensional array of `f32` in NumPy's format.
fn npy(rows: &[Vec<f32>]) -> Vec<u8> {
    let shape = format!("({}, {})", rows.len(), rows[0].len());
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n"); // with the 10 bytes before it, a multiple of 64
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(rows.iter().flatten().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// `n` rows of `dim` values that differ from row to row and from `salt` to `salt`.
fn rows(n: usize, dim: usize, salt: usize) -> Vec<Vec<f32>> {
    let value = |i: usize, j: usize| ((i * 37 + j * 101 + salt * 13 + i * j) % 97) as f32 / 97.0 - 0.4;
    (0..n).map(|i| (0..dim).map(|j| value(i, j)).collect()).collect()
}

const SETTINGS: &str =
    "data.vectors=base.npy teacher.kind=vectors teacher.vectors=teacher.npy encoder.model=their-api";

#[test]
fn vectors_of_unequal_length_are_fitted_and_scored_without_an_encoder() {
    let scene = Scene::new();
    scene.write("base.npy", npy(&rows(60, 6, 0)));
    scene.write("teacher.npy", npy(&rows(60, 4, 1)));
    let line = format!("run experiment.toml {SETTINGS} data.dedup=false");
    scene.refused(&line, 2, &["train.towards", "procrustes", "6 values", "4"]);
    scene.done(&format!("{line} train.towards=procrustes"));
    let metrics = scene.json("runs/weather/metrics.json");
    assert_eq!(metrics["encoder"], "their-api");
    assert_eq!(metrics["encoding"]["encoded"], 0);
    assert!(metrics["latency_ms"]["base"].is_null() && metrics["speedup"].is_null(), "{metrics}");
    assert!(metrics["views"]["offset"].is_null(), "no offset between vectors of 6 and of 4 values");
    let card = scene.json("runs/weather/adapter/config.json");
    assert_eq!((card["dim_in"].as_u64(), card["dim_out"].as_u64()), (Some(6), Some(4)));
    assert!(!scene.path("store").exists(), "nothing is stored that came with the corpus");
}

#[test]
fn vectors_without_texts_are_fitted_but_not_scored() {
    let scene = Scene::new();
    scene.write("base.npy", npy(&rows(40, 6, 0)));
    scene.write("teacher.npy", npy(&rows(40, 6, 1)));
    scene.done(&format!("train experiment.toml {SETTINGS} data.source="));
    assert!(scene.path("runs/weather/adapter/adapter.safetensors").exists());
    let line = format!("run experiment.toml {SETTINGS} data.source=");
    scene.refused(&line, 2, &["data.source", "labels", "manyview train"]);
}

#[test]
fn vectors_of_another_number_of_rows_are_refused() {
    let scene = Scene::new();
    scene.write("base.npy", npy(&rows(59, 6, 0)));
    scene.write("teacher.npy", npy(&rows(60, 6, 1)));
    scene.refused(
        &format!("run experiment.toml {SETTINGS}"),
        2,
        &["data.vectors", "60 rows", "59", "base.npy"],
    );
}

#[test]
fn a_teacher_that_asks_the_encoder_is_refused_where_there_is_none() {
    let scene = Scene::new();
    scene.write("base.npy", npy(&rows(60, 6, 0)));
    let line = "run experiment.toml data.vectors=base.npy teacher.kind=names";
    scene.refused(line, 2, &["teacher.kind", "names", "data.vectors", "use `vectors`"]);
}
