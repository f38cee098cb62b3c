//! Views for an instruction: an adapter learns a teacher's vectors from those of the encoder, or the encoder itself is
//! fine-tuned towards them.

mod corpus;
mod data;
mod evaluate;
#[cfg(feature = "train")]
mod fine_tuning;
mod fit;
#[cfg(feature = "train")]
mod gradient;
mod latency;
mod report;
mod spec;
mod teacher;

pub use fit::Closeness;

use super::fitted::{ADAPTER, Fitted};
use super::{ComparedScores, Fit, Task};
use crate::config::{Data, Encoder, Experiment};
#[cfg(feature = "train")]
use crate::run::FineTuning;
use crate::run::{Context, Encoded, FitRecord, Stage, TextSet, VariantDir};
use crate::{Environment, Result};
use corpus::SplitCorpus;
use data::ViewsData;
use manyview_core::{Embeddings, Fingerprint, Progress};
use manyview_encoder::finetune::FineTuned;
use manyview_report::{Fact, ViewsMetrics, ViewsSection};
use spec::Spec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The task `views`.
#[derive(Debug)]
pub enum Views {}

impl Task for Views {
    const NAME: &'static str = "views";
    const MODEL: &'static str = ADAPTER;
    const TRACKED: &'static [&'static str] =
        &["views.", "gain", "fidelity.", "latency_ms.", "speedup", "n_", "fit.seconds", "encoding."];

    type Spec = Spec;
    type Source = Data;
    type Corpus = SplitCorpus;
    type Data = ViewsData;
    type Model = Fitted;
    type Metrics = ViewsMetrics;
    type Section = ViewsSection;

    fn spec(experiment: &Experiment, last: Stage) -> Result<Spec> {
        Spec::of(experiment, last)
    }

    fn source(spec: &Spec) -> Data {
        spec.data.clone()
    }

    fn load(source: &Data, environment: &Environment, progress: &dyn Progress) -> Result<SplitCorpus> {
        SplitCorpus::load(source, environment, progress)
    }

    fn describe(corpus: &SplitCorpus) -> String {
        let [train, val, test] = [&corpus.split.train, &corpus.split.val, &corpus.split.test].map(Vec::len);
        let labels = corpus.truth.names.len();
        format!("{}: {train} train, {val} validation, {test} test, {labels} labels", corpus.name)
    }

    fn vectors(corpus: &SplitCorpus) -> Option<&Embeddings> {
        corpus.vectors.as_ref()
    }

    fn texts<'c>(_: &Spec, corpus: &'c SplitCorpus) -> Result<Vec<TextSet<'c>>> {
        Ok(vec![TextSet { texts: corpus.all_texts(), instruction: None }])
    }

    fn data(
        spec: &Spec,
        corpus: &Arc<SplitCorpus>,
        encoded: Encoded,
        cx: &mut Context<'_>,
    ) -> Result<ViewsData> {
        ViewsData::of(spec, corpus, encoded, cx)
    }

    fn key(spec: &Spec, data: &ViewsData) -> Result<Fingerprint> {
        fit::key(spec, data)
    }

    #[cfg(feature = "train")]
    fn fine_tuning<'d>(
        spec: &Spec,
        corpus: &'d SplitCorpus,
        data: &'d ViewsData,
    ) -> Result<Option<FineTuning<'d>>> {
        fine_tuning::fine_tuning(spec, corpus, data)
    }

    fn with_tuned(
        _: &Spec,
        _: &SplitCorpus,
        data: ViewsData,
        encoded: Encoded,
        tuned: (&FineTuned, &Encoder),
    ) -> Result<ViewsData> {
        data.with_tuned(&encoded, tuned)
    }

    fn fit(
        spec: &Spec,
        data: &ViewsData,
        key: &Fingerprint,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<(Fitted, FitRecord)> {
        fit::fit(spec, data, key, dir, cx.progress)
    }

    fn save(
        spec: &Spec,
        data: &ViewsData,
        model: &Fitted,
        record: &FitRecord,
        dir: &VariantDir,
    ) -> Result<()> {
        model.save(&fit::card(spec, data, record), dir)
    }

    fn open(dir: &VariantDir, record: &FitRecord) -> Result<(Fitted, Option<Fingerprint>)> {
        Fitted::open(dir, record)
    }

    fn validate(_: &Spec, data: &ViewsData, _: &Fitted) -> Result<BTreeMap<String, f64>> {
        fit::validate(data)
    }

    fn evaluate(
        spec: &Spec,
        corpus: &SplitCorpus,
        data: &ViewsData,
        fit: &Fit<Self>,
        _: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<ViewsMetrics> {
        evaluate::measure(spec, corpus, data, fit, cx)
    }

    fn scores(m: &ViewsMetrics) -> ComparedScores {
        ComparedScores {
            measure: "v_measure",
            base: m.views.base.v_measure.mean,
            adapter: m.views.adapter.v_measure.mean,
            others: vec![
                ("offset", m.views.offset.map(|view| view.v_measure.mean)),
                ("teacher", m.views.teacher.map(|view| view.v_measure.mean)),
            ],
            gain: Some(m.gain),
            more: vec![("cosine", m.fidelity.cosine), ("knn_overlap", m.fidelity.knn_overlap)],
            of: format!("{} of {}, {}", m.label, m.dataset, m.encoder),
        }
    }

    fn section(
        title: &str,
        spec: &Spec,
        corpus: &SplitCorpus,
        data: &ViewsData,
        fit: &Fit<Self>,
        metrics: &ViewsMetrics,
    ) -> Result<ViewsSection> {
        report::section(title, spec, corpus, data, fit, metrics)
    }

    fn facts(specs: &[&Spec], corpus: &SplitCorpus, sections: &[ViewsSection]) -> (Vec<Fact>, Vec<String>) {
        (report::facts(specs, corpus, sections), report::caveats(specs, sections))
    }

    fn note(spec: &Spec) -> String {
        spec.teacher.instruction.clone()
    }

    fn checks(
        spec: &Spec,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Vec<(&'static str, Result<String>)> {
        let corpus = SplitCorpus::load(&spec.data, environment, progress);
        let teacher = teacher::ready(&spec.teacher, &spec.data);
        vec![("corpus", corpus.map(|corpus| Self::describe(&corpus))), ("teacher", teacher)]
    }
}
