//! What a run that fits heads leaves for other programs: `predictions.csv` and `training_metadata.json`.

use super::corpus::ScoredCorpus;
use super::evaluate::Tested;
use super::spec::Spec;
use crate::config::Experiment;
use crate::run::{FitRecord, VariantDir};
use crate::{Error, Result};
use manyview_core::publish::write_whole_with;
use manyview_data::{CsvWriter, Table};
use manyview_report::{CurveRows, ScoresMetrics};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const METADATA: &str = "training_metadata.json";
pub(super) const PREDICTIONS: &str = "predictions.csv";

/// Writes both.
///
/// # Errors
/// Files that cannot be written.
pub(super) fn write(
    spec: &Spec,
    corpus: &ScoredCorpus,
    dir: &VariantDir,
    (metrics, record): (&ScoresMetrics, &FitRecord),
    tested: &Tested,
) -> Result<()> {
    dir.write(METADATA, &Metadata::of(spec, corpus, metrics, record))?;
    let names = corpus.filter.names();
    let heads: Vec<String> = ["id".to_string()]
        .into_iter()
        .chain(names.iter().flat_map(|name| [name.to_string(), format!("{name}_predicted")]))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let rows = tested.truth.rows().zip(tested.head.rows()).zip(&corpus.split.test);
    let rows = rows.map(|((truth, found), &row)| {
        let id = corpus.ids.get(row).cloned().unwrap_or_default();
        let values = truth.iter().zip(found).flat_map(|(t, f)| [t.to_string(), f.to_string()]);
        [id].into_iter().chain(values).collect::<Vec<_>>()
    });
    let path = dir.path().join(PREDICTIONS);
    write_whole_with(&path, |hidden| Ok(CsvWriter::create(hidden, &heads)?.append(rows)?))
}

/// What trained the head, for programs that know nothing of Manyview.
#[derive(Serialize)]
struct Metadata<'a> {
    manyview: &'static str,
    filter: &'a str,
    dimensions: Vec<&'a str>,
    encoder: &'a str,
    encoder_fingerprint: &'a str,
    dataset: &'a str,
    head: &'a str,
    calibrated: bool,
    train_examples: usize,
    val_examples: usize,
    test_examples: usize,
    seconds: f64,
    fit: &'a BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_epoch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_val_mae: Option<f64>,
    test_mae: f64,
    decision: &'a str,
    experiment: &'a Experiment,
}

impl<'a> Metadata<'a> {
    fn of(
        spec: &'a Spec,
        corpus: &'a ScoredCorpus,
        metrics: &'a ScoresMetrics,
        record: &'a FitRecord,
    ) -> Self {
        let best = record.curve.chosen.first().filter(|_| record.curve.rows == CurveRows::Epochs);
        Self {
            manyview: env!("CARGO_PKG_VERSION"),
            filter: &metrics.filter,
            dimensions: corpus.filter.names(),
            encoder: &metrics.encoder,
            encoder_fingerprint: metrics.encoder_fingerprint.as_str(),
            dataset: &metrics.dataset,
            head: &metrics.head,
            calibrated: metrics.calibrated,
            train_examples: metrics.n_train,
            val_examples: metrics.n_val,
            test_examples: metrics.n_test,
            seconds: metrics.fit_seconds,
            fit: &record.metrics,
            best_epoch: best.map(|epoch| *epoch as usize),
            best_val_mae: record.metrics.get("val_mae").copied(),
            test_mae: metrics.overall.head.mae.value,
            decision: metrics.decision.verdict.as_str(),
            experiment: &spec.experiment,
        }
    }
}

/// That both are there, with the predictions of every test text.
///
/// # Errors
/// The first that is damaged, with the cure.
pub(super) fn check(dir: &VariantDir, metrics: &ScoresMetrics) -> Result<()> {
    let wrong = |name: &str, found: String| {
        let problem = format!("expected what belongs to the head, found {found}; run `manyview run` again");
        Err(Error::File { path: dir.path().join(name), problem })
    };
    if dir.read::<Value>(METADATA)?.is_none() {
        return wrong(METADATA, "no file".into());
    }
    match predictions(&dir.path().join(PREDICTIONS), metrics) {
        Ok(rows) if rows == metrics.n_test => Ok(()),
        Ok(rows) => wrong(PREDICTIONS, format!("predictions of {rows} texts, not of {}", metrics.n_test)),
        Err(e) => wrong(PREDICTIONS, e.to_string()),
    }
}

/// The rows of a table of predictions up to the first that lacks a number.
fn predictions(path: &Path, metrics: &ScoresMetrics) -> Result<usize> {
    let table = Table::read_all(&[path.into()], &[])?;
    let mut whole = table.n();
    for dimension in &metrics.dimensions {
        for name in [dimension.name.clone(), format!("{}_predicted", dimension.name)] {
            let number =
                |cell: &Option<String>| cell.as_ref().is_some_and(|cell| cell.parse::<f64>().is_ok());
            whole = whole.min(table.column(&name)?.iter().take_while(|cell| number(cell)).count());
        }
    }
    Ok(whole)
}
