//! Training that is stopped at any step, killed at any time, fed with what has nothing to teach, or left with checkpoints
//! that are none.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed
use manyview_adapter::{
    Device, Gradient, GradientConfig, GradientFit, Map, Monitored, Ridge, Schedule, TrainConfig,
};
use manyview_core::{Embeddings, Error, Fit, Kind, Paired, Progress, Quiet, Transform};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DIM: usize = 24;
const ROOT: &str = "MANYVIEW_ADAPTER_TEST_ROOT";

fn random(n: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..n * DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    Embeddings::new(values, DIM).unwrap().normalized().unwrap()
}

fn pairs(n: usize, seed: u64) -> Paired {
    Paired::new(random(n, seed), random(n, seed + 1)).unwrap()
}

/// Four steps an epoch.
fn config(epochs: usize) -> GradientConfig {
    let (schedule, clip) = (Schedule::Cosine, Some(0.05));
    let train =
        TrainConfig { epochs, batch: 16, lr: 3e-3, schedule, warmup: 0.1, clip, ..Default::default() };
    GradientConfig { train, bias: true, ..Default::default() }
}

fn fit(gradient: &Gradient, progress: &dyn Progress) -> manyview_core::Result<GradientFit> {
    let validation = Some(pairs(20, 2));
    gradient.fit(&Monitored { train: pairs(60, 1), validation, score: None, progress })
}

fn kept_in(root: &Path, epochs: usize) -> Gradient {
    Gradient::new(config(epochs), Device::flex()).with_checkpoints(root)
}

/// Asks to stop at the given question.
struct StopAt(u64, AtomicU64);

impl Progress for StopAt {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) >= self.0
    }
}

fn stop_at(question: u64) -> StopAt {
    StopAt(question, AtomicU64::new(0))
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn checkpoints(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(root).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn e1_a_run_stopped_at_any_of_forty_steps_goes_on_to_the_same_bits() {
    let whole = fit(&Gradient::new(config(10), Device::flex()), &Quiet).unwrap();
    for step in 0..40 {
        let root = scratch();
        let gradient = kept_in(root.path(), 10);
        assert!(matches!(fit(&gradient, &stop_at(step)).unwrap_err(), Error::Interrupted));
        assert_eq!(fit(&gradient, &Quiet).unwrap(), whole, "stopped at step {step}");
        let damaged = |path: &PathBuf| path.extension().is_some_and(|e| e == "damaged");
        assert!(!checkpoints(root.path()).iter().any(damaged), "stopped at step {step}: begun anew");
    }
    println!("reliability: E1 tried=40 stops, one at each step");
}

/// The process that is killed. It stops after each epoch, which writes a checkpoint, and goes on.
fn train(root: &str) {
    while fit(&kept_in(root.as_ref(), 200), &stop_at(5)).is_err() {
        println!("epoch");
    }
}

#[test]
fn e1_a_run_killed_a_hundred_times_goes_on_to_the_same_bits() {
    if let Ok(root) = std::env::var(ROOT) {
        return train(&root); // started below
    }
    let rounds = std::env::var("ROUNDS").map_or(100, |n| n.parse().unwrap());
    let whole = fit(&Gradient::new(config(200), Device::flex()), &Quiet).unwrap();
    let (mut rng, mut root) = (ChaCha8Rng::seed_from_u64(1), scratch());
    let (mut cut, mut finished) = (0, 0);
    while cut < rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["e1_a_run_killed_a_hundred_times_goes_on_to_the_same_bits", "--exact", "--nocapture"])
            .env(ROOT, root.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let epochs = rng.random_range(1..15);
        (0..epochs)
            .for_each(|_| drop(said.by_ref().find(|line| line.as_ref().is_ok_and(|line| line == "epoch"))));
        std::thread::sleep(Duration::from_micros(rng.random_range(0..4000)));
        child.kill().unwrap();
        if !child.wait().unwrap().success() {
            cut += 1;
            continue;
        }
        assert_eq!(fit(&kept_in(root.path(), 200), &stop_at(0)).unwrap(), whole);
        (root, finished) = (scratch(), finished + 1);
    }
    assert_eq!(fit(&kept_in(root.path(), 200), &Quiet).unwrap(), whole, "the last one, gone on with here");
    println!("reliability: E1 tried={cut} kills of processes that train, over {} runs", finished + 1);
}

/// Files of one step beside those of another, cut at any place, and of another run.
#[test]
fn e2_a_checkpoint_of_mixed_cut_or_foreign_files_is_not_believed() {
    let whole = fit(&Gradient::new(config(6), Device::flex()), &Quiet).unwrap();
    let files = ["state.safetensors", "history.json", "manifest.json"];
    let mut tried = 0;
    let mut check = |what: &str, damage: &dyn Fn(&Path, &Path)| {
        let root = scratch();
        let gradient = kept_in(root.path(), 6);
        for question in [9, 5] {
            fit(&gradient, &stop_at(question)).unwrap_err();
        }
        let [old, new] = <[PathBuf; 2]>::try_from(checkpoints(root.path())).unwrap();
        damage(&old, &new);
        assert_eq!(fit(&gradient, &Quiet).unwrap(), whole, "{what}");
        assert!(new.with_extension("damaged").exists(), "{what}: it was believed");
        tried += 1;
    };
    for file in files {
        check(file, &|old, new| assert!(fs::copy(old.join(file), new.join(file)).is_ok()));
        check(file, &|_, new| fs::remove_file(new.join(file)).unwrap());
        for eighth in 0..8 {
            check(file, &|_, new| {
                let bytes = fs::read(new.join(file)).unwrap();
                fs::write(new.join(file), &bytes[..bytes.len() * eighth / 8]).unwrap();
            });
        }
    }
    println!("reliability: E2 tried={tried} checkpoints with files of another step, missing or cut");
}

/// What was good before training went astray is kept, and holds no NaN.
#[test]
fn e3_a_run_that_diverges_stops_at_once_and_leaves_what_was_good() {
    let root = scratch();
    let gradient = |lr| {
        let mut config = config(6);
        (config.train.lr, config.train.warmup, config.train.clip) = (lr, 0.0, None);
        Gradient::new(config, Device::flex()).with_checkpoints(root.path())
    };
    fit(&gradient(3e-3), &stop_at(9)).unwrap_err();
    let good = checkpoints(root.path());
    let bytes = |path: &PathBuf| fs::read(path.join("state.safetensors")).unwrap();
    let before: Vec<_> = good.iter().map(bytes).collect();
    let rates = [1e30, 1e34, 1e38];
    for lr in rates {
        let e = fit(&gradient(lr), &Quiet).unwrap_err();
        assert_eq!(e.kind(), Kind::Numeric, "{lr}: {e}");
        assert!(e.to_string().contains("epoch 1, batch 2"), "{lr}: {e}");
        assert_eq!(checkpoints(root.path()), good, "{lr}: something was kept of it");
    }
    assert_eq!(good.iter().map(bytes).collect::<Vec<_>>(), before);
    println!(
        "reliability: E3 tried={} rates at which training diverges, each noticed at the next step",
        rates.len()
    );
}

fn is_finite(map: &Map, x: &Embeddings) -> bool {
    map.transform(x)
        .map_or_else(|e| e.kind() == Kind::Numeric, |view| view.as_slice().iter().all(|v| v.is_finite()))
}

/// Rows that are all the same, opposite, nearly of no length, few, or one a batch.
#[test]
fn e4_data_with_nothing_to_learn_gives_a_map_or_an_error_and_no_nan() {
    let same = |n: usize| Embeddings::from_rows(vec![random(1, 7).into_vec(); n]).unwrap();
    let scaled = |x: &Embeddings, by: f32| {
        Embeddings::new(x.as_slice().iter().map(|v| v * by).collect(), DIM).unwrap()
    };
    let zero = |n: usize| Embeddings::new(vec![0.0; n * DIM], DIM).unwrap();
    let mut tried = 0;
    for n in [1, 2, 3, 17] {
        let bases =
            [random(n, 3), same(n), scaled(&random(n, 3), 1e-30), scaled(&random(n, 3), 1e18), zero(n)];
        for (i, base) in bases.iter().enumerate() {
            let teachers = [random(n, 4), same(n), base.clone(), scaled(base, -1.0), zero(n)];
            for (j, teacher) in teachers.iter().enumerate() {
                let Ok(paired) = Paired::new(base.clone(), teacher.clone()) else { continue };
                for batch in [1, 16] {
                    let mut config = config(3);
                    config.train.batch = batch;
                    let data =
                        Monitored { train: paired.clone(), validation: None, score: None, progress: &Quiet };
                    match Gradient::new(config, Device::flex()).fit(&data) {
                        Ok(fit) => {
                            assert!(
                                fit.history.iter().all(|e| e.train_loss.is_finite()),
                                "{n}, {i}, {j}, {batch}"
                            );
                            assert!(is_finite(&fit.map, &random(5, 9)), "{n}, {i}, {j}, {batch}");
                        }
                        Err(e) => {
                            assert!([Kind::Numeric, Kind::Input].contains(&e.kind()), "{n}, {i}, {j}: {e}")
                        }
                    }
                    tried += 1;
                }
                match Ridge::default().fit(&paired) {
                    Ok(fit) => assert!(is_finite(&fit.linear.into(), &random(5, 9)), "ridge, {n}, {i}, {j}"),
                    Err(e) => {
                        assert!([Kind::Numeric, Kind::Input].contains(&e.kind()), "ridge, {n}, {i}, {j}: {e}")
                    }
                }
                tried += 1;
            }
        }
    }
    println!("reliability: E4 tried={tried} fits to data with nothing to learn");
}
