//! What a person is shown of a run that fits heads, and what other programs read of it.

use super::evaluate::Predictions;
use super::fit::{HISTORY, HeadLesson, HeadRecord};
use crate::config::{Experiment, Learning, Suite};
use crate::run_dir::{METRICS, Member, publish};
use crate::{Result, report::reproduce};
use manyview_core::publish::write_whole_with;
use manyview_data::CsvWriter;
use manyview_report::{Fact, HeadCurve, HeadMetrics, HeadReport, HeadView, WorstText};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const METADATA: &str = "training_metadata.json";
pub(super) const PREDICTIONS: &str = "predictions.csv";
/// Texts shown where the head is furthest off.
const WORST: usize = 10;
/// Characters of a text that a report may show.
const SHOWN: usize = 400;

/// Writes what was measured, `metrics.json`, `predictions.csv` and `training_metadata.json`; and, where they were lost, the
/// figures of the fit.
pub(super) fn keep(
    lesson: &HeadLesson<'_>,
    member: &Member,
    metrics: &HeadMetrics,
    record: &HeadRecord,
    predictions: &Predictions,
) -> Result<()> {
    member.write(METRICS, metrics)?;
    member.write(HISTORY, &record.curve)?;
    member.write(METADATA, &Metadata::of(lesson, metrics, record))?;
    let names = lesson.corpus.filter.names();
    let heads: Vec<String> = ["id".to_string()]
        .into_iter()
        .chain(names.iter().flat_map(|name| [name.to_string(), format!("{name}_predicted")]))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let path = member.path().join(PREDICTIONS);
    let rows = predictions.truth.rows().zip(predictions.head.rows()).zip(&lesson.corpus.split.test);
    let rows = rows.map(|((truth, found), &row)| {
        let id = lesson.corpus.ids.get(row).cloned().unwrap_or_default();
        let figures = truth.iter().zip(found).flat_map(|(t, f)| [t.to_string(), f.to_string()]);
        [id].into_iter().chain(figures).collect::<Vec<_>>()
    });
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
    fn of(lesson: &'a HeadLesson<'_>, metrics: &'a HeadMetrics, record: &'a HeadRecord) -> Self {
        let best = match &record.curve {
            HeadCurve::Training { best_epoch, .. } => Some(*best_epoch),
            HeadCurve::Penalty { .. } => None,
        };
        Self {
            manyview: env!("CARGO_PKG_VERSION"),
            filter: &metrics.filter,
            dimensions: lesson.corpus.filter.names(),
            encoder: &metrics.encoder,
            encoder_fingerprint: metrics.encoder_fingerprint.as_str(),
            dataset: &metrics.dataset,
            head: &metrics.head,
            calibrated: metrics.calibrated,
            train_examples: metrics.n_train,
            val_examples: metrics.n_val,
            test_examples: metrics.n_test,
            seconds: metrics.fit_seconds,
            fit: &record.figures,
            best_epoch: best,
            best_val_mae: record.figures.get("validation MAE").copied(),
            test_mae: metrics.overall.head.mae.value,
            decision: metrics.decision.verdict.as_str(),
            experiment: lesson.experiment,
        }
    }
}

/// One head for the report.
pub(super) fn view(
    title: &str,
    lesson: &HeadLesson<'_>,
    metrics: HeadMetrics,
    curve: HeadCurve,
    predictions: &Predictions,
) -> HeadView {
    let shown = lesson.experiment.output.map_texts;
    let (truth, found) = (predictions.truth.columns(), predictions.head.columns());
    let points =
        truth.iter().zip(&found).map(|(t, f)| t.iter().copied().zip(f.iter().copied()).take(shown).collect());
    HeadView {
        name: title.into(),
        points: points.collect(),
        worst: worst(lesson, predictions),
        metrics,
        curve,
    }
}

fn worst(lesson: &HeadLesson<'_>, predictions: &Predictions) -> Vec<WorstText> {
    let pairs = predictions.truth.rows().zip(predictions.head.rows());
    let error = |(t, f): (&[f64], &[f64])| t.iter().zip(f).map(|(t, f)| (t - f).abs()).sum::<f64>();
    let mut order: Vec<(usize, f64)> = pairs.map(error).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let text = |i: usize| {
        let row = *lesson.corpus.split.test.get(i)?;
        Some(WorstText {
            id: lesson.corpus.ids.get(row)?.clone(),
            text: lesson.corpus.texts.get(row)?.chars().take(SHOWN).collect(),
            truth: predictions.truth.rows().nth(i)?.to_vec(),
            predicted: predictions.head.rows().nth(i)?.to_vec(),
        })
    };
    order.into_iter().take(WORST).filter_map(|(i, _)| text(i)).collect()
}

/// The report of a suite.
pub(super) fn report(suite: &Suite, views: Vec<HeadView>) -> HeadReport {
    HeadReport {
        name: suite.base.name.clone(),
        summary: summary(suite, &views),
        reproduce: reproduce(suite),
        caveats: caveats(&views),
        views,
    }
}

/// Writes `report.html`, `report.md` and `report.docx`.
pub(super) fn write(dir: &Path, report: &HeadReport) -> Result<()> {
    publish(&dir.join("report.html"), report.html().as_bytes())?;
    publish(&dir.join("report.md"), report.markdown().as_bytes())?;
    publish(&dir.join("report.docx"), &report.docx()?)
}

fn summary(suite: &Suite, views: &[HeadView]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.into(), value });
    let experiment = suite.members().first().map_or(&suite.base, |(_, e)| *e);
    if let Some(HeadView { metrics: m, .. }) = views.first() {
        fact("Data", m.dataset.clone());
        fact("Filter", m.filter.clone());
        fact("Split", format!("{} to learn from, {} held back, {} to test", m.n_train, m.n_val, m.n_test));
        let frozen = suite.members().iter().all(|(_, e)| e.train.encoder == Learning::Frozen);
        let how = if frozen { ", frozen" } else { "" };
        fact("Encoder", format!("{} ({}){how}", m.encoder, m.encoder_fingerprint.short()));
    }
    let evaluate = &experiment.evaluate;
    fact("Intervals", format!("95%, from {} resamples of the test texts", evaluate.resamples));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let device = &experiment.encoder.device;
    fact("Machine", format!("{threads} threads, device {device}, manyview {}", env!("CARGO_PKG_VERSION")));
    facts
}

fn caveats(views: &[HeadView]) -> Vec<String> {
    let mut caveats = vec![
        "The truth here is what the oracle said. A head that repeats its mistakes scores well.".to_string(),
        "An interval covers the choice of test texts, not that of training texts, of the encoder or of the oracle.".into(),
        "A small error says little by itself: scores that hardly vary are predicted well by their mean. Look at the share of the error that is gone.".into(),
    ];
    if views.iter().all(|v| v.metrics.noise.is_none()) {
        caveats.push("How far the oracle is from itself was not measured; without it nobody knows how small the error can become. Label some texts twice and name the file in scores.relabelled.".into());
    }
    if views.iter().any(|v| v.metrics.calibrated && matches!(v.curve, HeadCurve::Training { .. })) {
        caveats.push(
            "The validation texts chose the epoch and fitted the calibration; test texts did neither.".into(),
        );
    }
    caveats
}
