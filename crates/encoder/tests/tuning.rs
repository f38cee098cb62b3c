//! Fine-tuning: interrupted or not, on any number of threads, to a directory that loads.
#![allow(missing_docs, clippy::unwrap_used)]

use manyview_core::{Encoder, Error, Progress};
use manyview_encoder::tuning::{Lesson, Lora, Method, Step, Target, TrainingProgress, Tuned, TuningConfig};
use manyview_encoder::tuning::{ranking, tune};
use manyview_encoder::{Device, EncoderConfig, TextEncoder};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn load(dir: &Path) -> TextEncoder {
    TextEncoder::load(dir, &EncoderConfig::default(), &Device::flex()).unwrap()
}

/// Stops after so many steps.
struct Until {
    steps: u64,
    done: AtomicU64,
}

impl Progress for Until {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.steps
    }
}

fn learn(
    config: &TuningConfig,
    until: u64,
    folder: &Path,
    steps: &RefCell<Vec<Step>>,
) -> Result<Tuned, manyview_core::Error> {
    learn_telling(config, until, folder, &|step| steps.borrow_mut().push(step.clone()))
}

fn learn_telling(
    config: &TuningConfig,
    until: u64,
    folder: &Path,
    on_step: &dyn Fn(&Step),
) -> Result<Tuned, manyview_core::Error> {
    let bytes = std::fs::read(golden("tuning/pairs.json")).unwrap();
    let pairs: Vec<(String, String)> = serde_json::from_slice(&bytes).unwrap();
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let negatives: Vec<Vec<&str>> =
        (0..pairs.len()).map(|i| vec![passages[(i + 7) % pairs.len()]; i % 2]).collect();
    let lesson = Lesson {
        queries: &queries,
        passages: &passages,
        negatives: &negatives,
        objective: &|batch| ranking(20.0, batch),
        objective_name: "ranking",
        progress: &Until { steps: until, done: AtomicU64::new(0) },
        on_step,
    };
    let base = load(&golden("models/bert-tiny"));
    Ok(tune(&base, config, &lesson, &folder.join("work"), &folder.join("model"))?)
}

fn config(method: Method) -> TuningConfig {
    // 24 pairs in batches of 5: the last of each pass is short.
    TuningConfig { method, epochs: 3, batch: 5, lr: 2e-3, dropout: Some(0.2), ..TuningConfig::default() }
}

fn methods() -> [Method; 2] {
    let targets = vec![Target::Query, Target::Value, Target::AttentionOutput, Target::Output];
    [Method::Full, Method::Lora(Lora { rank: 4, alpha: 8.0, targets })]
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("model/model.safetensors")).unwrap()
}

#[test]
fn a_run_interrupted_anywhere_gives_the_bytes_of_one_that_was_not() {
    for method in methods() {
        let (whole, steps) = (tempfile::tempdir().unwrap(), RefCell::default());
        let tuned = learn(&config(method.clone()), u64::MAX, whole.path(), &steps).unwrap();
        assert_eq!((tuned.steps, tuned.pairs), (15, 24));
        let metrics = std::fs::read_to_string(whole.path().join("work/training_metrics.jsonl")).unwrap();
        for every in [1, 4, 500] {
            let config = TuningConfig { checkpoint_every: every, ..config(method.clone()) };
            let (broken, steps) = (tempfile::tempdir().unwrap(), RefCell::default());
            for stop in [1, 7, 14] {
                let e = learn(&config, stop, broken.path(), &steps).unwrap_err();
                assert!(matches!(e, Error::Interrupted), "{e}");
                assert!(!broken.path().join("model").exists());
            }
            let again = learn(&config, u64::MAX, broken.path(), &steps).unwrap();
            assert_eq!(
                weights(broken.path()),
                weights(whole.path()),
                "{method:?}, checkpoints every {every}"
            );
            assert_eq!(again.losses, tuned.losses);
            assert_eq!(
                std::fs::read_to_string(broken.path().join("work/training_metrics.jsonl")).unwrap(),
                metrics
            );
            let told: Vec<u64> = steps.borrow().iter().map(|step| step.step).collect();
            assert_eq!(told, (1..=15).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_metrics_grow_with_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("work/training_metrics.jsonl");
    let lines = || std::fs::read_to_string(&path).unwrap().lines().count() as u64;
    let told: RefCell<Vec<u64>> = RefCell::default();
    learn_telling(&config(Method::Full), u64::MAX, folder.path(), &|step: &Step| {
        assert_eq!(lines(), step.step - 1, "each step is written before the next");
        told.borrow_mut().push(step.step);
    })
    .unwrap();
    let told = told.into_inner();
    assert_eq!((told.len(), lines()), (15, 15));
    let progress = std::fs::read(folder.path().join("work/training_progress.json")).unwrap();
    assert!(serde_json::from_slice::<TrainingProgress>(&progress).unwrap().training_completed);
}

#[test]
fn steps_lost_to_a_kill_are_done_again() {
    let config = TuningConfig { checkpoint_every: 4, ..config(Method::Full) };
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    learn(&config, u64::MAX, whole.path(), &RefCell::default()).unwrap();
    learn(&config, 6, broken.path(), &RefCell::default()).unwrap_err();
    let checkpoints = broken.path().join("work/checkpoints");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(&checkpoints).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    assert_eq!(found.len(), 2); // after step 4, and when stopped after step 6
    std::fs::remove_dir_all(&found[1]).unwrap();
    learn(&config, u64::MAX, broken.path(), &RefCell::default()).unwrap();
    assert_eq!(weights(broken.path()), weights(whole.path()));
    assert!(!checkpoints.exists());
    let journal =
        |folder: &Path| std::fs::read_to_string(folder.join("work/training_metrics.jsonl")).unwrap();
    assert_eq!(journal(broken.path()), journal(whole.path()));
}

#[test]
fn a_damaged_checkpoint_is_set_aside_for_the_one_before() {
    let config = TuningConfig { checkpoint_every: 4, ..config(Method::Full) };
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    learn(&config, u64::MAX, whole.path(), &RefCell::default()).unwrap();
    learn(&config, 6, broken.path(), &RefCell::default()).unwrap_err();
    let checkpoints = broken.path().join("work/checkpoints");
    let last = std::fs::read_dir(&checkpoints).unwrap().map(|e| e.unwrap().path()).max().unwrap();
    let state = last.join("state.safetensors");
    let mut bytes = std::fs::read(&state).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&state, bytes).unwrap();
    learn(&config, u64::MAX, broken.path(), &RefCell::default()).unwrap();
    assert_eq!(weights(broken.path()), weights(whole.path()));
    assert!(last.with_extension("damaged").is_dir());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for method in methods() {
        let run = |threads| {
            let folder = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                learn(&config(method.clone()), u64::MAX, folder.path(), &RefCell::default()).unwrap()
            });
            weights(folder.path())
        };
        let one = run(1);
        assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{method:?}");
    }
}

#[test]
fn what_was_learnt_loads_as_another_encoder_and_the_same_call_again_learns_nothing() {
    for method in methods() {
        let (folder, steps) = (tempfile::tempdir().unwrap(), RefCell::default());
        let tuned = learn(&config(method.clone()), u64::MAX, folder.path(), &steps).unwrap();
        assert!(tuned.losses[2] < 0.95 * tuned.losses[0], "{:?}", tuned.losses);
        let (base, learnt) = (load(&golden("models/bert-tiny")), load(&folder.path().join("model")));
        assert_ne!(base.fingerprint(), learnt.fingerprint());
        assert_eq!((base.max_length(), base.pooling()), (learnt.max_length(), learnt.pooling()));
        let vectors = |encoder: &TextEncoder| encoder.encode(&["the cat sat"], None).unwrap().vectors;
        assert_ne!(vectors(&base), vectors(&learnt));
        let text = std::fs::read(folder.path().join("work/training_progress.json")).unwrap();
        let progress: TrainingProgress = serde_json::from_slice(&text).unwrap();
        assert!(progress.training_completed && progress.steps == 15 && progress.train_examples == 24);
        let again = learn(&config(method.clone()), u64::MAX, folder.path(), &steps).unwrap();
        assert_eq!(again, tuned);
        assert_eq!(steps.borrow().len(), 15);
        std::fs::remove_file(folder.path().join("model/model.safetensors")).unwrap();
        learn(&config(method), u64::MAX, folder.path(), &steps).unwrap();
        assert_eq!(load(&folder.path().join("model")).fingerprint(), learnt.fingerprint());
    }
}

#[test]
fn low_rank_changes_touch_their_matrices_alone_and_are_saved_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let [_, method] = methods();
    let tuned = learn(&config(method), u64::MAX, folder.path(), &RefCell::default()).unwrap();
    assert_eq!(tuned.learnt, 2 * (3 * 4 * (16 + 16) + 4 * (24 + 16))); // two layers, rank 4
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    let (before, after) = (read(golden("models/bert-tiny/model.safetensors")), weights(folder.path()));
    let (before, after) = (tensors(&before), tensors(&after));
    let lora = read(folder.path().join("model/lora/adapter_model.safetensors"));
    let lora = tensors(&lora);
    assert_eq!(lora.names().len(), 2 * 4 * 2);
    let mut changed = 0;
    for name in before.names() {
        let (old, new) = (before.tensor(name).unwrap(), after.tensor(name).unwrap());
        let part = |kind: &str| {
            let name = name.trim_end_matches(".weight");
            lora.tensor(&format!("base_model.model.{name}.lora_{kind}.weight")).ok()
        };
        let (Some(a), Some(b)) = (part("A"), part("B")) else {
            assert_eq!(old.data(), new.data(), "{name}");
            continue;
        };
        let (dim_in, (a, b)) = (a.shape()[1], (floats(a.data()), floats(b.data())));
        for (at, (old, new)) in floats(old.data()).iter().zip(floats(new.data())).enumerate() {
            let change: f32 = (0..4).map(|r| b[at / dim_in * 4 + r] * a[r * dim_in + at % dim_in]).sum();
            assert!((old + 2.0 * change - new).abs() < 1e-5, "{name}");
        }
        changed += 1;
    }
    assert_eq!(changed, 2 * 4);
}

#[test]
fn what_cannot_learn_is_refused() {
    let learn = |base: &str, queries: &[&str], passages: &[&str]| {
        let lesson = Lesson {
            queries,
            passages,
            negatives: &[],
            objective: &|batch| ranking(20.0, batch),
            objective_name: "ranking",
            progress: &manyview_core::Quiet,
            on_step: &|_| (),
        };
        let folder = tempfile::tempdir().unwrap();
        let (base, to) = (load(&golden(base)), folder.path().join("model"));
        let e = tune(&base, &TuningConfig::default(), &lesson, folder.path(), &to).unwrap_err();
        assert!(!to.exists());
        e.to_string()
    };
    let two = ["rain", "stone"];
    assert!(learn("models/qwen3-tiny", &two, &two).contains("qwen3"));
    assert!(learn("models/bert-tiny", &two, &two[..1]).contains("expected 2"));
    assert!(learn("models/bert-tiny", &two[..1], &two[..1]).contains("at least 2 pairs"));
    assert!(learn("models/bert-tiny", &two, &[]).contains("passages to rank"));
}

fn tensors(bytes: &[u8]) -> safetensors::SafeTensors<'_> {
    safetensors::SafeTensors::deserialize(bytes).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}
