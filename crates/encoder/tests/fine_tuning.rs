//! Fine-tuning: interrupted or not, on any number of threads, to a directory that loads; by each engine.
#![cfg(feature = "train")]
#![allow(missing_docs, clippy::unwrap_used)]

use manyview_core::{Embeddings, Encoder, Error, Progress, Quiet};
use manyview_encoder::finetune::{
    Distillation, FineTuneConfig, FineTuned, FineTuner, Lora, Method, MultipleNegativesRanking, Objective,
    StepMetrics, TrainingData, TrainingProgress,
};
use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

type Steps = Mutex<Vec<StepMetrics>>;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn load(dir: &Path) -> TextEncoder {
    TextEncoder::load(dir, &EncoderConfig::default(), &Device::flex()).unwrap()
}

fn base(case: &Case) -> TextEncoder {
    load(&golden("models").join(case.model))
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

/// What is trained, and by what.
#[derive(Clone, Debug)]
struct Case {
    model: &'static str,
    config: FineTuneConfig,
}

fn case(model: &'static str, engine: Engine, method: Method) -> Case {
    // 24 pairs in batches of 5: the last of each epoch is short.
    let config = FineTuneConfig {
        method,
        engine,
        epochs: 3,
        batch: 5,
        lr: 2e-3,
        dropout: Some(0.2),
        ..FineTuneConfig::default()
    };
    Case { model, config }
}

fn lora(targets: &[&str], dropout: f64) -> Method {
    let targets = targets.iter().map(|target| target.to_string()).collect();
    Method::Lora(Lora { rank: 4, alpha: 8.0, targets, dropout })
}

/// Layers of BERT of every shape.
const TARGETS: [&str; 4] = ["query", "value", "attention.output.dense", "intermediate.dense"];

/// Both engines, both architectures, both methods.
fn cases() -> Vec<Case> {
    vec![
        case("bert-tiny", Engine::Own, Method::Full),
        case("bert-tiny", Engine::Own, lora(&TARGETS, 0.0)),
        case("bert-tiny", Engine::Burn, Method::Full),
        case("bert-tiny", Engine::Own, lora(&TARGETS, 0.1)),
        case("qwen3-small", Engine::Own, Method::Full),
        case("qwen3-small", Engine::Own, lora(&["all-linear"], 0.1)),
    ]
}

/// The other architectures, by both methods: LoRA changes the layers it changes where none is named.
fn other_architectures() -> Vec<Case> {
    let both = |model| [Method::Full, lora(&[], 0.0)].map(|method| case(model, Engine::Own, method));
    let models = ["mpnet-tiny", "xlm-roberta-tiny", "distilbert-tiny", "modernbert-tiny", "nomic-bert-tiny"];
    models.into_iter().flat_map(both).collect()
}

fn train(case: &Case, until: u64, folder: &Path, steps: &Steps) -> Result<FineTuned, Error> {
    train_telling(case, until, folder, &|step| steps.lock().unwrap().push(step.clone()))
}

fn pairs() -> Vec<(String, String)> {
    serde_json::from_slice(&std::fs::read(golden("fine_tuning/pairs.json")).unwrap()).unwrap()
}

fn train_telling(
    case: &Case,
    until: u64,
    folder: &Path,
    on_step: &(dyn Fn(&StepMetrics) + Sync),
) -> Result<FineTuned, Error> {
    let pairs = pairs();
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let negatives: Vec<Vec<&str>> =
        (0..pairs.len()).map(|i| vec![passages[(i + 7) % pairs.len()]; i % 2]).collect();
    let data = TrainingData {
        queries: &queries,
        passages: &passages,
        negatives: &negatives,
        objective: &MultipleNegativesRanking { scale: 20.0 },
        progress: &Until { steps: until, done: AtomicU64::new(0) },
        on_step,
    };
    let tuner = FineTuner::new(case.config.clone(), Device::flex());
    Ok(tuner.run(&base(case), &data, &folder.join("work"), &folder.join("model"))?)
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("model/model.safetensors")).unwrap()
}

fn metrics(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("work/training_metrics.jsonl")).unwrap()
}

/// The checkpoints in `folder`, in order.
fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let list = |dir: &Path| std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> =
        list(&folder.join("work/checkpoints")).flat_map(|run| list(&run).collect::<Vec<_>>()).collect();
    found.sort();
    found
}

fn every(steps: usize, case: &Case) -> Case {
    let config = FineTuneConfig { checkpoint_every: steps, ..case.config.clone() };
    Case { config, ..case.clone() }
}

#[test]
fn a_run_interrupted_anywhere_gives_the_bytes_of_one_that_was_not() {
    for case in cases() {
        let whole = tempfile::tempdir().unwrap();
        let trained = train(&case, u64::MAX, whole.path(), &Steps::default()).unwrap();
        assert_eq!((trained.steps, trained.examples), (15, 24));
        for case in [1, 4, 500].map(|steps| every(steps, &case)) {
            let (broken, steps) = (tempfile::tempdir().unwrap(), Steps::default());
            for stop in [1, 7, 14] {
                let e = train(&case, stop, broken.path(), &steps).unwrap_err();
                assert!(matches!(e, Error::Interrupted), "{e}");
                assert!(!broken.path().join("model").exists());
            }
            let again = train(&case, u64::MAX, broken.path(), &steps).unwrap();
            assert_eq!(weights(broken.path()), weights(whole.path()), "{case:?}");
            assert_eq!(again.losses, trained.losses);
            assert_eq!(metrics(broken.path()), metrics(whole.path()));
            let told: Vec<usize> = steps.into_inner().unwrap().iter().map(|step| step.step).collect();
            assert_eq!(told, (1..=15).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_metrics_grow_with_every_step() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("work/training_metrics.jsonl");
        let lines = || std::fs::read_to_string(&path).unwrap_or_default().lines().count();
        let told = Mutex::new(Vec::new());
        train_telling(&case, u64::MAX, folder.path(), &|step: &StepMetrics| {
            assert_eq!(lines(), step.step - 1, "each step is written before the next");
            told.lock().unwrap().push(step.step);
        })
        .unwrap();
        assert_eq!((told.into_inner().unwrap().len(), lines()), (15, 15));
        let progress = std::fs::read(folder.path().join("work/training_progress.json")).unwrap();
        assert!(serde_json::from_slice::<TrainingProgress>(&progress).unwrap().training_completed);
    }
}

#[test]
fn steps_lost_to_a_kill_are_done_again() {
    for case in cases().iter().map(|case| every(4, case)) {
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        train(&case, u64::MAX, whole.path(), &Steps::default()).unwrap();
        train(&case, 6, broken.path(), &Steps::default()).unwrap_err();
        let found = checkpoints(broken.path());
        assert_eq!(found.len(), 2); // after step 4, and when stopped after step 6
        std::fs::remove_dir_all(&found[1]).unwrap();
        train(&case, u64::MAX, broken.path(), &Steps::default()).unwrap();
        assert_eq!(weights(broken.path()), weights(whole.path()), "{case:?}");
        assert!(!broken.path().join("work/checkpoints").exists());
        assert_eq!(metrics(broken.path()), metrics(whole.path()));
    }
}

#[test]
fn a_damaged_checkpoint_is_set_aside_for_the_one_before() {
    for case in cases().iter().map(|case| every(4, case)) {
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        train(&case, u64::MAX, whole.path(), &Steps::default()).unwrap();
        train(&case, 6, broken.path(), &Steps::default()).unwrap_err();
        let state = checkpoints(broken.path()).pop().unwrap().join("state.safetensors");
        let mut bytes = std::fs::read(&state).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&state, bytes).unwrap();
        train(&case, u64::MAX, broken.path(), &Steps::default()).unwrap();
        assert_eq!(weights(broken.path()), weights(whole.path()), "{case:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_an_error_and_not_an_empty_one() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        train(&case, 6, folder.path(), &Steps::default()).unwrap_err();
        let path = folder.path().join("work/training_metrics.jsonl");
        let text = std::fs::read(&path).unwrap();
        for damaged in [&b"\xff\xfe"[..], b"{}\n", &text[..text.len() / 2]] {
            std::fs::write(&path, damaged).unwrap();
            let e = train(&case, u64::MAX, folder.path(), &Steps::default()).unwrap_err().to_string();
            assert!(e.contains("training_metrics.jsonl") && e.contains("remove"), "{e}");
        }
        std::fs::write(&path, &text).unwrap();
        train(&case, u64::MAX, folder.path(), &Steps::default()).unwrap();
        assert!(metrics(folder.path()).starts_with(std::str::from_utf8(&text).unwrap()));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for case in cases() {
        let run = |threads| {
            let folder = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&case, u64::MAX, folder.path(), &Steps::default()).unwrap());
            weights(folder.path())
        };
        let one = run(1);
        assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one), "{case:?}");
    }
}

#[test]
fn a_fine_tuned_encoder_loads_as_another_and_the_same_call_again_trains_nothing() {
    for case in cases().into_iter().chain(other_architectures()) {
        let (folder, steps) = (tempfile::tempdir().unwrap(), Steps::default());
        let trained = train(&case, u64::MAX, folder.path(), &steps).unwrap();
        // That Qwen3 learns is seen by its student: three epochs are too few for a model of random weights.
        let learns = trained.losses[2] < 0.95 * trained.losses[0];
        assert!(learns || case.model != "bert-tiny", "{case:?}: {:?}", trained.losses);
        let (before, after) = (base(&case), load(&folder.path().join("model")));
        assert_ne!(before.fingerprint(), after.fingerprint());
        assert_eq!((before.max_length(), before.pooling()), (after.max_length(), after.pooling()));
        let vectors = |encoder: &TextEncoder| encoder.encode(&["the cat sat"], None).unwrap().vectors;
        assert_ne!(vectors(&before), vectors(&after));
        let text = std::fs::read(folder.path().join("work/training_progress.json")).unwrap();
        let progress: TrainingProgress = serde_json::from_slice(&text).unwrap();
        assert!(progress.training_completed && progress.steps == 15 && progress.train_examples == 24);
        let again = train(&case, u64::MAX, folder.path(), &steps).unwrap();
        assert_eq!(again, trained);
        assert_eq!(steps.lock().unwrap().len(), 15);
        std::fs::remove_file(folder.path().join("model/model.safetensors")).unwrap();
        train(&case, u64::MAX, folder.path(), &steps).unwrap();
        assert_eq!(load(&folder.path().join("model")).fingerprint(), after.fingerprint());
    }
}

#[test]
fn lora_changes_its_layers_alone_and_is_saved_by_itself() {
    let loras = cases().into_iter().filter(|case| matches!(case.config.method, Method::Lora(_)));
    for case in loras {
        let folder = tempfile::tempdir().unwrap();
        let trained = train(&case, u64::MAX, folder.path(), &Steps::default()).unwrap();
        let read = |path: PathBuf| std::fs::read(path).unwrap();
        let before = read(golden("models").join(case.model).join("model.safetensors"));
        let (before, after) = (tensors(&before), weights(folder.path()));
        let lora = read(folder.path().join("model/lora/adapter_model.safetensors"));
        let (after, lora) = (tensors(&after), tensors(&lora));
        let numbers: usize =
            lora.tensors().iter().map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum();
        assert_eq!(trained.parameters, numbers);
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
        let in_layer = if case.model == "bert-tiny" { 4 } else { 7 };
        assert_eq!((changed, lora.names().len()), (2 * in_layer, 2 * 2 * in_layer), "two layers");
    }
}

#[test]
fn a_student_comes_nearer_to_its_teacher() {
    for case in [
        case("bert-tiny", Engine::Own, Method::Full),
        case("qwen3-small", Engine::Own, lora(&["all-linear"], 0.0)),
    ] {
        let (folder, pairs) = (tempfile::tempdir().unwrap(), pairs());
        let texts: Vec<&str> = pairs.iter().map(|(_, passage)| passage.as_str()).collect();
        let base = base(&case);
        let teacher = base.encode(&texts.iter().rev().copied().collect::<Vec<_>>(), None).unwrap().vectors;
        let cosine = |student: &TextEncoder| {
            let found = student.encode(&texts, None).unwrap().vectors;
            let dots = found.as_slice().iter().zip(teacher.as_slice()).map(|(a, b)| f64::from(a * b));
            dots.sum::<f64>() / found.n() as f64
        };
        let objective = Distillation::new(teacher.clone(), 1.0, 1.0).unwrap();
        let data = TrainingData {
            queries: &texts,
            passages: &[],
            negatives: &[],
            objective: &objective,
            progress: &Quiet,
            on_step: &|_| (),
        };
        let config = FineTuneConfig { epochs: 20, dropout: Some(0.0), lr: 1e-2, ..case.config.clone() };
        let (work, to) = (folder.path().join("work"), folder.path().join("model"));
        FineTuner::new(config, Device::flex()).run(&base, &data, &work, &to).unwrap();
        let (before, after) = (cosine(&base), cosine(&load(&to)));
        assert!(1.0 - after < 0.5 * (1.0 - before), "{case:?}: {before} {after}");
    }
}

#[test]
fn what_cannot_be_trained_on_is_refused() {
    let refusal = |objective: &dyn Objective, config: FineTuneConfig, queries: &[&str], passages: &[&str]| {
        let data =
            TrainingData { queries, passages, negatives: &[], objective, progress: &Quiet, on_step: &|_| () };
        let folder = tempfile::tempdir().unwrap();
        let (base, to) = (load(&golden("models/bert-tiny")), folder.path().join("model"));
        let tuner = FineTuner::new(config, Device::flex());
        let e = tuner.run(&base, &data, folder.path(), &to).unwrap_err();
        assert!(!to.exists());
        e.to_string()
    };
    let two = ["rain", "stone"];
    let ranking = &MultipleNegativesRanking { scale: 20.0 };
    for engine in [Engine::Own, Engine::Burn] {
        let config = || FineTuneConfig { engine, ..FineTuneConfig::default() };
        assert!(refusal(ranking, config(), &two, &two[..1]).contains("expected 2"));
        assert!(refusal(ranking, config(), &two[..1], &two[..1]).contains("at least 2 pairs"));
        assert!(refusal(ranking, config(), &two, &[]).contains("passages to rank"));
        let unknown = FineTuneConfig { method: lora(&["q_proj"], 0.0), ..config() };
        assert!(refusal(ranking, unknown, &two, &two).contains("`q_proj`"));
        let teacher = Distillation::new(Embeddings::new(vec![1.0; 6], 3).unwrap(), 1.0, 1.0).unwrap();
        assert!(refusal(&teacher, config(), &two, &[]).contains("expected 3"));
    }
}

fn tensors(bytes: &[u8]) -> safetensors::SafeTensors<'_> {
    safetensors::SafeTensors::deserialize(bytes).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}
