//! What a person is shown of a run that fits heads.

use super::corpus::ScoredCorpus;
use super::evaluate::Tested;
use super::spec::Spec;
use crate::run::FitRecord;
use manyview_report::{CurveRows, Fact, ScoresMetrics, ScoresSection, WorstText};

/// Texts shown where the head is furthest off.
const WORST: usize = 10;
/// Characters of a text that a report may show.
const SHOWN: usize = 400;

/// One head for the report.
pub(super) fn section(
    title: &str,
    spec: &Spec,
    corpus: &ScoredCorpus,
    (metrics, record): (&ScoresMetrics, &FitRecord),
    tested: &Tested,
) -> ScoresSection {
    let (truth, found) = (tested.truth.columns(), tested.head.columns());
    let points = truth
        .iter()
        .zip(&found)
        .map(|(t, f)| t.iter().copied().zip(f.iter().copied()).take(spec.shown).collect());
    ScoresSection {
        name: title.into(),
        points: points.collect(),
        worst: worst(corpus, tested),
        metrics: metrics.clone(),
        curve: record.curve.clone(),
    }
}

fn worst(corpus: &ScoredCorpus, tested: &Tested) -> Vec<WorstText> {
    let pairs = tested.truth.rows().zip(tested.head.rows());
    let error = |(t, f): (&[f64], &[f64])| t.iter().zip(f).map(|(t, f)| (t - f).abs()).sum::<f64>();
    let mut order: Vec<(usize, f64)> = pairs.map(error).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let text = |i: usize| {
        let row = *corpus.split.test.get(i)?;
        Some(WorstText {
            id: corpus.ids.get(row)?.clone(),
            text: corpus.texts.get(row)?.chars().take(SHOWN).collect(),
            truth: tested.truth.rows().nth(i)?.to_vec(),
            predicted: tested.head.rows().nth(i)?.to_vec(),
        })
    };
    order.into_iter().take(WORST).filter_map(|(i, _)| text(i)).collect()
}

/// What was done.
pub(super) fn facts(specs: &[&Spec], views: &[ScoresSection]) -> Vec<Fact> {
    let Some(spec) = specs.first() else { return Vec::new() };
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.into(), value });
    if let Some(ScoresSection { metrics: m, .. }) = views.first() {
        fact("Data", m.dataset.clone());
        fact("Filter", m.filter.clone());
        fact("Split", format!("{} to learn from, {} held back, {} to test", m.n_train, m.n_val, m.n_test));
        let frozen = specs.iter().all(|spec| spec.fine_tuning.is_none());
        let how = if frozen { ", frozen" } else { "" };
        fact("Encoder", format!("{} ({}){how}", m.encoder, m.encoder_fingerprint.short()));
    }
    let evaluate = &spec.evaluate;
    fact("Intervals", format!("95%, from {} resamples of the test texts", evaluate.resamples));
    facts
}

/// What to believe, and what not.
pub(super) fn caveats(views: &[ScoresSection]) -> Vec<String> {
    let mut caveats = vec![
        "The truth here is what the oracle said. A head that repeats its mistakes scores well.".to_string(),
        "An interval covers the choice of test texts, not that of training texts, of the encoder or of the oracle.".into(),
        "A small error says little by itself: scores that hardly vary are predicted well by their mean. Look at the share of the error that is gone.".into(),
    ];
    if views.iter().all(|v| v.metrics.noise.is_none()) {
        caveats.push("How far the oracle is from itself was not measured; without it nobody knows how small the error can become. Label some texts twice and name the file in scores.relabelled.".into());
    }
    if views.iter().any(|v| v.metrics.calibrated && v.curve.rows == CurveRows::Epochs) {
        caveats.push(
            "The validation texts chose the epoch and fitted the calibration; test texts did neither.".into(),
        );
    }
    caveats
}
