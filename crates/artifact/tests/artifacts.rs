//! What was trained, opened and applied to batches of rows: no program is spawned, and no model is loaded.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_adapter::{
    Card, Head, Layer, Linear, Map, Maps, Model, ScoreDimension, ScoreTier, Shape, TaskCard, save,
};
use manyview_artifact::{
    Applier, Artifact, Batch, FileFormat, GivenVectors, Inference, InferenceInput, Opening, Outcome, Rows,
    Sources, Summary, Target, Writer, infer, open,
};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Kind, Progress, Quiet};
use manyview_data::write_npy;
use manyview_store::{CachedEncoder, Store};
use manyview_test_server::hub::{COMMIT, Server};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

const DIM: usize = 4;

/// Directions from the letters of a text; it counts what it is asked.
#[derive(Default)]
struct Letters(AtomicUsize);

impl Encoder for Letters {
    fn dim(&self) -> usize {
        DIM
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("letters/1").finish()
    }

    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        self.0.fetch_add(texts.len(), Ordering::Relaxed);
        let row = |text: &&str| {
            let text = instruction.map_or((*text).to_string(), |instruction| instruction.prompt(text));
            let mut row = [0.1f32; DIM];
            text.bytes()
                .enumerate()
                .for_each(|(i, byte)| row[(i + usize::from(byte)) % DIM] += f32::from(byte % 7));
            row
        };
        let vectors = Embeddings::from_rows(texts.iter().map(row))?.normalized()?;
        let truncated = texts.iter().map(|text| text.len() > 8).collect();
        Ok(Encoded { vectors, norms: vec![1.0; texts.len()], truncated })
    }
}

fn card(task: TaskCard, dim_out: usize) -> Card {
    Card {
        task,
        encoder: "letters".into(),
        encoder_fingerprint: Letters::default().fingerprint(),
        dim_in: DIM,
        dim_out,
        method: "by hand".into(),
        n_train: 1,
        settings: BTreeMap::new(),
    }
}

fn views(instruction: &str) -> TaskCard {
    TaskCard::Views { instruction: instruction.into(), teacher: "names".into() }
}

fn linear(seed: f32) -> Linear {
    Linear::new((0..DIM * DIM).map(|i| (i as f32 + seed).sin()).collect(), DIM, Some(vec![0.1; DIM])).unwrap()
}

fn head() -> (Model, Card) {
    let layer = Layer::new((0..DIM * 2).map(|i| (i as f32).cos() * 3.0).collect(), vec![4.0, 5.0]).unwrap();
    let dimension = |name: &str, weight| ScoreDimension { name: name.into(), weight };
    let task = TaskCard::Scores {
        filter: "news".into(),
        dimensions: vec![dimension("scope", 0.75), dimension("proof", 0.25)],
        tiers: vec![ScoreTier { name: "high".into(), threshold: 5.0 }],
    };
    (Head::new(vec![layer]).unwrap().into(), card(task, 2))
}

/// A directory with the adapters `near` and `far`, the head `head`, and a store.
struct Scene {
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        for (name, seed) in [("near", 0.3), ("far", 2.0)] {
            save(&scene.at(name), &linear(seed).into(), &card(views("Identify the topic"), DIM)).unwrap();
        }
        let (model, card) = head();
        save(&scene.at("head"), &model, &card).unwrap();
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn applier(&self, names: &[&str]) -> Applier<Letters> {
        let models = names.iter().map(|name| open(&self.at(name)).unwrap()).collect();
        let store = Store::open(self.at("store")).unwrap();
        let stored = CachedEncoder::new(Letters::default(), store, "letters");
        Applier::new(models, false).unwrap().with_encoder(stored).unwrap()
    }
}

fn texts(n: usize) -> Vec<Option<String>> {
    (0..n).map(|i| (i % 5 != 3).then(|| format!("text {i}{}", "x".repeat(i % 4)))).collect()
}

/// The rows, so many at a time.
fn batches(rows: &[Option<String>], at_once: usize) -> Vec<Batch> {
    let batch = |(i, rows): (usize, &[Option<String>])| Batch::new(Rows::Texts(rows.to_vec()), i * at_once);
    rows.chunks(at_once).enumerate().map(batch).collect()
}

fn key() -> Fingerprint {
    Fingerprint::builder("rows").finish()
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.path().is_file() && entry.file_name() != ".lock");
    files.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

fn matrices(dir: PathBuf, format: FileFormat) -> Target {
    Target::Matrices { dir, format, ids: false }
}

fn written(target: &Target, applier: &Applier<Letters>, batches: Vec<Batch>) -> Summary {
    let Opening::Open(mut writer) = Writer::open(target, &key(), applier).unwrap() else { panic!("begun") };
    writer.write(applier, batches.into_iter().map(Ok), &Quiet).unwrap();
    writer.finish().unwrap()
}

/// Asks to stop once so many rows are written.
struct StopAfter(usize, AtomicUsize, AtomicBool);

impl Progress for StopAfter {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        let rows = self.1.fetch_add(by as usize, Ordering::Relaxed) + by as usize;
        self.2.fetch_or(rows >= self.0, Ordering::Relaxed);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.2.load(Ordering::Relaxed)
    }
}

#[test]
fn rows_give_the_same_in_one_batch_and_in_many() {
    let (scene, rows) = (Scene::new(), texts(103));
    let applier = scene.applier(&["near", "far", "head"]);
    let all = |at_once: usize| {
        let (mut views, mut scores, mut cut) = (Vec::new(), Vec::new(), Vec::new());
        for batch in batches(&rows, at_once) {
            let applied = applier.apply(&batch, &Quiet).unwrap();
            cut.extend(applied.truncated);
            for outcome in applied.outcomes {
                match outcome {
                    Outcome::View(view) => views.push(view.into_vec()),
                    Outcome::Scores(found) => scores.extend(found.as_slice().to_vec()),
                }
            }
        }
        let (near, far) = (views.iter().step_by(2), views.iter().skip(1).step_by(2));
        (
            near.flatten().copied().collect::<Vec<f32>>(),
            far.flatten().copied().collect::<Vec<f32>>(),
            scores,
            cut,
        )
    };
    let whole = all(rows.len());
    assert_eq!(whole.2.len(), rows.iter().flatten().count() * 2);
    for at_once in [1, 2, 10, 64] {
        let parts = all(at_once);
        let close =
            |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(&parts.0, &whole.0) && close(&parts.1, &whole.1), "{at_once} at once");
        assert!(parts.2 == whole.2 && parts.3 == whole.3, "{at_once} at once");
    }
}

#[test]
fn given_vectors_and_texts_of_the_same_vectors_give_the_same() {
    let scene = Scene::new();
    let rows: Vec<Option<String>> = texts(20).into_iter().flatten().map(Some).collect();
    let applier = scene.applier(&["near", "head"]);
    let of_texts = applier.apply(&Batch::new(Rows::Texts(rows), 0), &Quiet).unwrap();
    let of_vectors = applier.apply(&Batch::new(Rows::Vectors(of_texts.base.unwrap()), 0), &Quiet).unwrap();
    assert_eq!(of_vectors.outcomes, of_texts.outcomes);
    assert!(of_vectors.base.is_none());
}

#[test]
fn writing_goes_on_after_an_error_or_a_stop_to_the_same_bytes() {
    let rows = texts(90);
    for format in [Some(FileFormat::Npy), Some(FileFormat::Parquet), None] {
        let (plain, broken) = (Scene::new(), Scene::new());
        let models: &[&str] = if format.is_some() { &["near", "far"] } else { &["head"] };
        let rows: Vec<_> = rows.iter().filter(|text| format.is_none() || text.is_some()).cloned().collect();
        let target = |scene: &Scene| match format {
            Some(format) => matrices(scene.at("out"), format),
            None => {
                fs::create_dir_all(scene.at("out")).unwrap();
                Target::Lines { file: scene.at("out/scores.jsonl") }
            }
        };
        let summary = written(&target(&plain), &plain.applier(models), batches(&rows, 8));
        assert_eq!((summary.read, summary.rows), (rows.len(), rows.len()));
        assert_eq!(summary.blank, rows.iter().filter(|text| text.is_none()).count());

        if format.is_some() {
            let target = matrices(plain.at("blank"), FileFormat::Npy);
            let Opening::Open(mut writer) = Writer::open(&target, &key(), &plain.applier(models)).unwrap()
            else {
                panic!("begun")
            };
            let some = batches(&texts(9), 4).into_iter().map(Ok);
            let e = writer.write(&plain.applier(models), some, &Quiet).unwrap_err().to_string();
            assert!(e.contains("row 3: expected a text"), "{e}");
        }
        let target = target(&broken);
        let unreadable = || manyview_core::Error::Empty { what: "the fourth batch".into() }.into();
        let some = batches(&rows, 8).into_iter().map(Ok).take(3).chain([Err(unreadable())]);
        let applier = broken.applier(models);
        let Opening::Open(mut writer) = Writer::open(&target, &key(), &applier).unwrap() else {
            panic!("begun")
        };
        assert!(Writer::open(&target, &key(), &applier).is_err(), "two at work in one place");
        let e = writer.write(&applier, some, &Quiet).unwrap_err().to_string();
        assert!(e.contains("the fourth batch"), "{e}");
        drop(writer);
        assert!(files(&broken.at("out")).is_empty(), "a file that is not whole has its name");

        let applier = broken.applier(models);
        let Opening::Open(mut writer) = Writer::open(&target, &key(), &applier).unwrap() else {
            panic!("begun")
        };
        assert_eq!(writer.read(), 24);
        let stop = StopAfter(10, AtomicUsize::new(0), AtomicBool::new(false));
        let e = writer.write(&applier, batches(&rows, 8).into_iter().map(Ok), &stop).unwrap_err();
        assert_eq!(e.kind(), Kind::Interrupted, "{e}");
        let kept = writer.read();
        assert!(kept > 24 && kept < rows.len(), "{kept}");
        drop(writer);
        assert_eq!(written(&target, &broken.applier(models), batches(&rows, 8)), summary);
        assert!(files(&broken.at("out")) == files(&plain.at("out")), "{format:?}: other bytes");
        let hidden = fs::read_dir(broken.at("out")).unwrap().flatten().filter(|entry| entry.path().is_dir());
        assert_eq!(hidden.count(), 0);
    }
}

#[test]
fn another_input_or_model_starts_over() {
    let scene = Scene::new();
    let target = Target::Lines { file: scene.at("scores.jsonl") };
    let begun = |key: &Fingerprint| {
        let applier = scene.applier(&["head"]);
        let Opening::Open(mut writer) = Writer::open(&target, key, &applier).unwrap() else {
            panic!("begun")
        };
        let read = writer.read();
        let unreadable = || Err(manyview_core::Error::Empty { what: "a batch".into() }.into());
        let some = batches(&texts(20), 4).into_iter().map(Ok).take(2).chain([unreadable()]);
        writer.write(&applier, some, &Quiet).unwrap_err();
        read
    };
    assert_eq!([begun(&key()), begun(&key())], [0, 8]);
    assert_eq!(begun(&Fingerprint::builder("other rows").finish()), 0);
    let (_, card) = head();
    let layer = Layer::new(vec![1.0; DIM * 2], vec![0.0; 2]).unwrap();
    save(&scene.at("head"), &Head::new(vec![layer]).unwrap().into(), &card).unwrap();
    assert_eq!(begun(&Fingerprint::builder("other rows").finish()), 0);
}

#[test]
fn models_and_targets_that_do_not_go_together_say_which_command_does() {
    let scene = Scene::new();
    let refused = |target: &Target, models: &[&str]| {
        Writer::open(target, &key(), &scene.applier(models)).err().unwrap().to_string()
    };
    let e = refused(&matrices(scene.at("out"), FileFormat::Npy), &["head"]);
    assert!(e.contains("head") && e.contains("manyview score"), "{e}");
    let e = refused(&Target::Lines { file: scene.at("scores.jsonl") }, &["near"]);
    assert!(e.contains("near") && e.contains("manyview infer"), "{e}");
    assert!(!scene.at("out").exists());
}

#[test]
fn rows_are_queries_or_passages_of_maps_of_any_shape() {
    let scene = Scene::new();
    let identity = || Map::from(Linear::identity(DIM).unwrap());
    let mlp = Map::new(Shape::Mlp, vec![Linear::identity(DIM).unwrap(), linear(1.0)]).unwrap();
    let base = Embeddings::new(vec![0.5, 0.5, 0.5, 0.5], DIM).unwrap();
    let view = |maps: &Maps, passages| {
        let task = TaskCard::Retrieval { instruction: String::new() };
        save(&scene.at("pairs"), &maps.clone().into(), &card(task, DIM)).unwrap();
        let applier = Applier::<Letters>::new(vec![open(&scene.at("pairs"))?], passages)?;
        let applied = applier.apply(&Batch::new(Rows::Vectors(base.clone()), 0), &Quiet)?;
        Ok::<_, manyview_artifact::Error>(applied.outcomes)
    };
    let as_it_is = [Outcome::View(base.clone())];
    let mapped = view(&Maps::Both(mlp.clone()), true).unwrap();
    assert!(mapped != as_it_is);
    let dual = Maps::Dual { query: identity(), passage: linear(1.0).into() };
    assert_eq!(view(&dual, false).unwrap(), as_it_is);
    assert!(view(&dual, true).unwrap() != as_it_is);
    assert_eq!(view(&Maps::Query(mlp.clone()), false).unwrap(), mapped);
    let e = view(&Maps::Query(mlp), true).unwrap_err().to_string();
    assert!(e.contains("query-only"), "{e}");
}

#[test]
fn a_run_a_variant_and_a_directory_are_opened_and_several_are_listed() {
    let scene = Scene::new();
    let (model, of_scores) = head();
    for variant in ["runs/a/one", "runs/a/two", "runs/b"] {
        save(&scene.at(variant).join("adapter"), &linear(0.5).into(), &card(views("x"), DIM)).unwrap();
    }
    for path in ["runs/a/one", "runs/a/one/adapter", "runs/b", "near"] {
        let opened = open(&scene.at(path)).unwrap();
        assert!(matches!(opened.artifact, Artifact::Adapter(_)), "{path}");
    }
    let e = open(&scene.at("runs/a")).unwrap_err();
    let told = e.to_string();
    assert!(
        told.contains("runs/a/one") && told.contains("runs/a/two") && told.contains("name one"),
        "{told}"
    );
    assert_eq!(e.kind(), Kind::Input);
    fs::create_dir(scene.at("empty")).unwrap();
    let e = open(&scene.at("empty")).unwrap_err().to_string();
    assert!(e.contains("found none") && e.contains("manyview train"), "{e}");
    assert_eq!(open(&scene.at("nowhere")).unwrap_err().kind(), Kind::Io);

    // Of what was fitted one after the other in the same place, the record says which is the last.
    save(&scene.at("runs/b/head"), &model, &of_scores).unwrap();
    fs::write(scene.at("runs/b/fit.json"), r#"{"artifact": "head"}"#).unwrap();
    assert!(matches!(open(&scene.at("runs/b")).unwrap().artifact, Artifact::Head(_)));
}

#[test]
fn what_an_earlier_release_saved_is_refused_with_the_cure() {
    for (name, schema) in [("view", "manyview-adapter/2"), ("head", "manyview-head/1")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/earlier").join(name);
        let e = open(&path).unwrap_err();
        let told = e.to_string();
        assert!(told.contains(schema) && told.contains("earlier release"), "{told}");
        assert!(told.contains("manyview train"), "{told}");
        assert_eq!(e.kind(), Kind::Input);
    }
}

#[test]
fn what_was_sent_to_a_hub_is_opened_by_the_name_of_its_repository() {
    let root = tempfile::tempdir().unwrap();
    let (saved, output) = (root.path().join("saved"), root.path().join("out"));
    save(&saved, &Maps::from(linear(1.0)).into(), &card(views("Group by topic."), DIM)).unwrap();
    let read = |name: &str| (name.to_string(), fs::read(saved.join(name)).unwrap());
    let server = Server::new();
    server.add("models/org/topics", COMMIT, ["config.json", "adapter.safetensors"].map(read));
    let mut sources = Sources::new(root.path().join("cache"));
    sources.hub = sources.hub.with_endpoint(&server.endpoint);
    let named = |name: &str| sources.artifact(Path::new(name), &Quiet);
    let opened = open(&named("hub:org/topics").unwrap()).unwrap();
    assert_eq!(opened.artifact, open(&saved).unwrap().artifact);
    assert_eq!(named(&format!("hub:org/topics@{COMMIT}")).unwrap(), opened.dir);
    assert_eq!(named("no/hub").unwrap(), Path::new("no/hub"));
    assert_eq!(named("hub:org/other").unwrap_err().kind(), Kind::Input);

    write_npy(&root.path().join("base.npy"), &Embeddings::new(vec![0.5; 2 * DIM], DIM).unwrap()).unwrap();
    let vectors = |adapters: &[&str]| Inference {
        from: InferenceInput::Vectors(GivenVectors {
            path: root.path().join("base.npy"),
            column: "vector".into(),
            encoder_fingerprint: None,
        }),
        adapters: adapters.iter().map(PathBuf::from).collect(),
        output: output.clone(),
        format: FileFormat::Npy,
        limit: None,
        chunk_rows: None,
        passages: false,
    };
    let inferred = infer(&vectors(&["hub:org/topics", saved.to_str().unwrap()]), &sources, &Quiet).unwrap();
    let files: Vec<_> = inferred.files.iter().map(|written| written.file.as_str()).collect();
    assert_eq!(files, ["topics.npy", "saved.npy"]);
}
