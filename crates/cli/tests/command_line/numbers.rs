//! The same numbers, whatever runs beside them and wherever they come from.

use crate::scene::{Scene, npy};
use std::collections::BTreeSet;

fn infer(scene: &Scene, threads: &str, out: &str) -> [Vec<u8>; 2] {
    let line = format!("infer --input corpus.csv --adapter runs/weather --output-dir {out}");
    let output = scene.process(&line).env("RAYON_NUM_THREADS", threads).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ["base.npy", "adapter.npy"].map(|name| scene.read(&format!("{out}/{name}")))
}

/// The numbers of a `.npy` file with a header of 128 bytes.
fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes[128..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn d4_any_number_of_threads_gives_the_same_vectors_and_the_same_number_the_same_bits() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let (mut tried, mut distinct, mut worst) = (0, BTreeSet::new(), 0.0_f32);
    let mut first: Option<[Vec<u8>; 2]> = None;
    for threads in ["1", "2", "3", "4", "16"] {
        let mut of_this = BTreeSet::new();
        for run in 0..3 {
            std::fs::remove_dir_all(scene.path("store")).unwrap(); // or nothing is computed
            let found = infer(&scene, threads, &format!("out-{threads}-{run}"));
            let first = first.get_or_insert_with(|| found.clone());
            for (a, b) in first.iter().zip(&found) {
                assert_eq!(a.len(), b.len());
                let gaps = numbers(a).into_iter().zip(numbers(b)).map(|(a, b)| (a - b).abs());
                worst = gaps.fold(worst, f32::max);
            }
            of_this.insert(found.clone());
            distinct.insert(found);
            tried += 1;
        }
        assert_eq!(of_this.len(), 1, "{threads} threads give other bits from run to run");
    }
    assert!(worst <= 1e-6, "{worst}");
    println!(
        "reliability: D4 tried={tried} runs of 1 to 16 threads, {} different in bits, by {worst:e} at most",
        distinct.len() - 1
    );
}

#[test]
fn d7_vectors_from_the_store_are_those_that_were_computed() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let stored = infer(&scene, "2", "stored");
    std::fs::remove_dir_all(scene.path("store")).unwrap();
    let computed = infer(&scene, "2", "computed");
    let again = infer(&scene, "2", "again");
    assert!(stored == computed && computed == again);
    let base = numbers(&again[0]);
    scene.write("base.npy", npy(&base.chunks(384).map(<[f32]>::to_vec).collect::<Vec<_>>()));
    scene.done("infer --vectors base.npy --adapter runs/weather --output-dir given");
    assert!(scene.read("given/adapter.npy") == again[1], "the view of given vectors is another");
    println!("reliability: D7 tried=4 ways to a view: computed, stored twice, given");
}
