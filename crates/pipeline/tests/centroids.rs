//! A task of one's own through the driver: each label is fitted by the mean of its training vectors, and a
//! test text is given the label whose mean is nearest.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Embeddings, Fingerprint, Progress, Quiet};
use manyview_data::Table;
use manyview_pipeline::config::{Data, Experiment, Suite};
use manyview_pipeline::{
    ComparedScores, Context, Encoded, Environment, Fit, FitRecord, Result, Stage, Stages, Task, TextSet,
    VariantDir, run_task,
};
use manyview_report::{Curve, Report, Section};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, sync::Arc};

#[derive(Debug)]
enum Centroids {}

/// Texts with their labels; every fifth is a test text.
type Labelled = Vec<(String, String)>;
type Means = BTreeMap<String, Vec<f32>>;

struct Learnt {
    base: Embeddings,
    train: Vec<(usize, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Accuracy(BTreeMap<String, f64>);

impl Section for Accuracy {
    fn table(report: &Report<Self>) -> String {
        format!("{:?}", report.sections)
    }
}

impl Task for Centroids {
    const NAME: &'static str = "centroids";
    const MODEL: &'static str = "centroids.json";
    type Spec = Data;
    type Source = Data;
    type Corpus = Labelled;
    type Data = Learnt;
    type Model = Means;
    type Metrics = Accuracy;
    type Section = Accuracy;

    fn spec(experiment: &Experiment, _: Stage) -> Result<Data> {
        Ok(experiment.data.clone())
    }
    fn source(spec: &Data) -> Data {
        spec.clone()
    }
    fn load(source: &Data, _: &Environment, _: &dyn Progress) -> Result<Labelled> {
        let table = Table::read_all(&[source.source.clone().into()], &[])?;
        let (texts, labels) = (table.column(&source.text)?, table.column(&source.label)?);
        Ok(texts.iter().flatten().cloned().zip(labels.iter().flatten().cloned()).collect())
    }
    fn texts<'c>(_: &Data, corpus: &'c Labelled) -> Result<Vec<TextSet<'c>>> {
        Ok(vec![TextSet { texts: corpus.iter().map(|(text, _)| text.as_str()).collect(), instruction: None }])
    }
    fn data(_: &Data, corpus: &Arc<Labelled>, encoded: Encoded, _: &mut Context<'_>) -> Result<Learnt> {
        let [base] = encoded.sets()?;
        let train = corpus.iter().enumerate().filter(|(row, _)| row % 5 != 0);
        Ok(Learnt {
            base: base.clone(),
            train: train.map(|(row, (_, label))| (row, label.clone())).collect(),
        })
    }
    fn key(_: &Data, data: &Learnt) -> Result<Fingerprint> {
        let base: Vec<u8> = data.base.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
        let train = serde_json::to_vec(&data.train).unwrap();
        Ok(Fingerprint::builder("centroids/1").field("train", &train).field("base", &base).finish())
    }
    fn fit(
        _: &Data,
        data: &Learnt,
        key: &Fingerprint,
        _: &VariantDir,
        _: &mut Context<'_>,
    ) -> Result<(Means, FitRecord)> {
        let mut means = Means::new();
        for (row, label) in &data.train {
            let sum = means.entry(label.clone()).or_insert_with(|| vec![0.0; data.base.dim()]);
            sum.iter_mut().zip(data.base.row(*row)).for_each(|(sum, v)| *sum += v);
        }
        Ok((means, FitRecord::new(key, "mean", data.train.len(), Curve::epochs(1, "none", [1]))))
    }
    fn save(_: &Data, _: &Learnt, model: &Means, r: &FitRecord, dir: &VariantDir) -> Result<()> {
        dir.write(Self::MODEL, &(model, &r.key))
    }
    fn open(dir: &VariantDir, _: &FitRecord) -> Result<(Means, Option<Fingerprint>)> {
        Ok(dir.read(Self::MODEL)?.unwrap_or_default())
    }
    fn evaluate(
        _: &Data,
        corpus: &Labelled,
        data: &Learnt,
        fit: &Fit<Self>,
        _: &VariantDir,
        _: &mut Context<'_>,
    ) -> Result<Accuracy> {
        let dot = |row: usize, mean: &[f32]| -> f32 {
            data.base.row(row).iter().zip(mean).map(|(a, b)| a * b).sum()
        };
        let nearest = |row| fit.model.iter().max_by(|a, b| dot(row, a.1).total_cmp(&dot(row, b.1))).unwrap();
        let tested = corpus.iter().enumerate().step_by(5);
        let right = tested.filter(|(row, (_, label))| nearest(*row).0 == label).count();
        let share = right as f64 / corpus.len().div_ceil(5) as f64;
        Ok(Accuracy([("accuracy".to_string(), share)].into()))
    }
    fn scores(Accuracy(m): &Accuracy) -> ComparedScores {
        ComparedScores::new("accuracy", [0.0, m["accuracy"]], "labels")
    }
    fn section(
        title: &str,
        _: &Data,
        _: &Labelled,
        _: &Learnt,
        _: &Fit<Self>,
        Accuracy(m): &Accuracy,
    ) -> Result<Accuracy> {
        Ok(Accuracy([(title.to_string(), m["accuracy"])].into()))
    }
}

#[test]
fn a_task_of_ones_own_goes_through_every_stage_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let topics = [("wet", "rain and storm"), ("dry", "sun and heat"), ("dim", "fog and mist")];
    let rows: String =
        (0..60).map(|i| format!("{} day {i},{}\n", topics[i % 3].1, topics[i % 3].0)).collect();
    fs::write(at("texts.csv"), format!("text,label\n{rows}")).unwrap();
    let (source, runs, store) = (at("texts.csv"), at("runs"), at("store"));
    let text = format!(
        "name = 'run'\nencoder.max_length = 16\ndata.source = {source:?}\noutput.dir = {runs:?}\n\
         output.store = {store:?}\n[variants.a]\n[variants.b]\n"
    );
    let suite = Suite::parse(&text, "test", &[]).unwrap();
    let run = |stages| run_task::<Centroids>(&suite, stages, &Environment::new(at("hub")), &Quiet);
    assert!(run(Stages::Only(Stage::Evaluate)).unwrap_err().to_string().contains("a fitted centroids"));
    let outcome = run(Stages::All).unwrap();
    assert_eq!(outcome.report.unwrap().table(), r#"[Accuracy({"a": 1.0}), Accuracy({"b": 1.0})]"#);
    assert_eq!(outcome.tally.encoded, 60, "variants share their vectors");
    let page = fs::read_to_string(at("runs/run/report.html")).unwrap();
    assert!(page.contains("Accuracy") && page.contains("</html>"));
    let changed = || fs::metadata(at("runs/run/a/centroids.json")).unwrap().modified().unwrap();
    let (before, again) = (changed(), run(Stages::All).unwrap());
    assert!(again.tally.encoded == 0 && changed() == before, "fitted again");
}
