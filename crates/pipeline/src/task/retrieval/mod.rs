//! Retrieval: an adapter, or the encoder itself, learns from pairs of texts that belong together.
//!
//! Queries and passages are encoded once, into the store; training of an adapter sees vectors alone.

mod corpus;
mod data;
mod evaluate;
mod fit;
#[cfg(feature = "train")]
mod gradient;
mod hard_negatives;
#[cfg(feature = "train")]
mod journal;
mod report;
mod spec;

use super::fitted::{ADAPTER, Fitted};
use super::{ComparedScores, Fit, Task};
use crate::config::{Encoder, Experiment};
#[cfg(feature = "train")]
use crate::run::FineTuning;
use crate::run::{Context, Encoded, FitRecord, Stage, TextSet, VariantDir};
use crate::{Environment, Result};
use corpus::SplitPairs;
use data::RetrievalData;
use manyview_core::{Fingerprint, Progress};
use manyview_encoder::finetune::FineTuned;
use manyview_report::{Fact, Measures, RetrievalMetrics, RetrievalSection};
use spec::{RetrievalSource, Spec};
use std::sync::Arc;

/// Every epoch of a training, one JSON object a line.
const METRICS: &str = "training_metrics.jsonl";

/// The task `retrieval`.
#[derive(Debug)]
pub enum Retrieval {}

impl Task for Retrieval {
    const NAME: &'static str = "retrieval";
    const MODEL: &'static str = ADAPTER;
    const TRACKED: &'static [&'static str] =
        &["views.", "gain", "over_bm25", "counts.", "leaks.", "fit.", "encoding."];
    const FIT_FILES: &'static [&'static str] = &[METRICS];
    const FILES: &'static [&'static str] = &[evaluate::QUERIES];

    type Spec = Spec;
    type Source = RetrievalSource;
    type Corpus = SplitPairs;
    type Data = RetrievalData;
    type Model = Fitted;
    type Metrics = RetrievalMetrics;
    type Section = RetrievalSection;

    fn spec(experiment: &Experiment, _: Stage) -> Result<Spec> {
        Spec::of(experiment)
    }

    fn source(spec: &Spec) -> RetrievalSource {
        spec.source.clone()
    }

    fn load(
        source: &RetrievalSource,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<SplitPairs> {
        SplitPairs::load(source, environment, progress)
    }

    fn describe(corpus: &SplitPairs) -> String {
        let [train, val, test] = [&corpus.split.train, &corpus.split.val, &corpus.split.test].map(Vec::len);
        let (documents, passages) = (corpus.documents(), corpus.pairs.passages.len());
        let parts = format!("{train} train, {val} validation, {test} test pairs");
        format!("{}: {parts}, {passages} passages of {documents} documents", corpus.name)
    }

    fn texts<'c>(spec: &Spec, corpus: &'c SplitPairs) -> Result<Vec<TextSet<'c>>> {
        let texts = |all: &'c [String]| all.iter().map(String::as_str).collect();
        Ok(vec![
            TextSet { texts: texts(&corpus.pairs.passages), instruction: None },
            TextSet { texts: texts(&corpus.pairs.queries), instruction: spec.prompt.clone() },
        ])
    }

    fn data(
        spec: &Spec,
        corpus: &Arc<SplitPairs>,
        encoded: Encoded,
        _: &mut Context<'_>,
    ) -> Result<RetrievalData> {
        RetrievalData::of(spec, corpus, &encoded)
    }

    fn key(spec: &Spec, data: &RetrievalData) -> Result<Fingerprint> {
        fit::key(spec, data)
    }

    #[cfg(feature = "train")]
    fn fine_tuning<'d>(
        spec: &Spec,
        corpus: &'d SplitPairs,
        _: &'d RetrievalData,
    ) -> Result<Option<FineTuning<'d>>> {
        Ok(gradient::fine_tuning(spec, corpus))
    }

    fn with_tuned(
        _: &Spec,
        corpus: &SplitPairs,
        data: RetrievalData,
        encoded: Encoded,
        (tuned, _): (&FineTuned, &Encoder),
    ) -> Result<RetrievalData> {
        data.with_tuned(corpus, &encoded, tuned)
    }

    fn fit(
        spec: &Spec,
        data: &RetrievalData,
        key: &Fingerprint,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<(Fitted, FitRecord)> {
        fit::fit(spec, data, key, dir, cx.progress)
    }

    fn save(
        spec: &Spec,
        data: &RetrievalData,
        model: &Fitted,
        record: &FitRecord,
        dir: &VariantDir,
    ) -> Result<()> {
        model.save(&fit::card(spec, data, record), dir)
    }

    fn open(dir: &VariantDir, record: &FitRecord) -> Result<(Fitted, Option<Fingerprint>)> {
        Fitted::open(dir, record)
    }

    fn evaluate(
        spec: &Spec,
        corpus: &SplitPairs,
        data: &RetrievalData,
        fit: &Fit<Self>,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<RetrievalMetrics> {
        evaluate::measure(spec, corpus, data, fit, dir, cx)
    }

    fn scores(m: &RetrievalMetrics) -> ComparedScores {
        let measure = evaluate::MAIN_KEY;
        let of = |view: &Measures| view.get(measure).map(|e| e.value);
        ComparedScores {
            measure,
            base: of(&m.views.base).unwrap_or(f64::NAN),
            adapter: of(&m.views.adapter).unwrap_or(f64::NAN),
            others: vec![("bm25", of(&m.views.bm25))],
            gain: Some(m.gain),
            more: vec![("over_bm25", m.over_bm25.value)],
            of: format!("retrieval of {}, {}", m.dataset, m.encoder),
        }
    }

    fn section(
        title: &str,
        _: &Spec,
        _: &SplitPairs,
        _: &RetrievalData,
        fit: &Fit<Self>,
        metrics: &RetrievalMetrics,
    ) -> Result<RetrievalSection> {
        let curve = Some(fit.record.curve.clone());
        Ok(RetrievalSection { name: title.into(), metrics: metrics.clone(), curve })
    }

    fn facts(
        specs: &[&Spec],
        corpus: &SplitPairs,
        sections: &[RetrievalSection],
    ) -> (Vec<Fact>, Vec<String>) {
        (report::facts(specs, corpus, sections), report::caveats(specs, sections))
    }

    fn note(spec: &Spec) -> String {
        spec.instruction.clone()
    }
}
