//! Scores of an oracle: a head learns them from the vectors of the encoder, which may learn below it.

mod corpus;
mod data;
mod decision;
mod evaluate;
mod files;
#[cfg(feature = "train")]
mod fine_tuning;
mod fit;
#[cfg(feature = "train")]
mod gradient;
mod report;
mod spec;

use super::{ComparedScores, Fit, Task, card};
use crate::config::Encoder;
use crate::config::Experiment;
#[cfg(feature = "train")]
use crate::run::FineTuning;
use crate::run::{Context, Encoded, FitRecord, Stage, TextSet, VariantDir};
use crate::{Environment, Result};
use corpus::ScoredCorpus;
use data::ScoresData;
use manyview_adapter::{Head, load, save};
use manyview_core::{Embeddings, Fingerprint, Progress, Transform};
use manyview_encoder::finetune::FineTuned;
use manyview_eval::RegressionMeasure::Mae;
use manyview_report::{Fact, ScoresMetrics, ScoresSection};
use spec::{HeadFit, ScoresSource, Spec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The task `scores`.
#[derive(Debug)]
pub enum Scores {}

impl Task for Scores {
    const NAME: &'static str = "scores";
    const MODEL: &'static str = "head";
    const FILES: &'static [&'static str] = &[files::PREDICTIONS, files::METADATA];

    type Spec = Spec;
    type Source = ScoresSource;
    type Corpus = ScoredCorpus;
    type Data = ScoresData;
    type Model = Head;
    type Metrics = ScoresMetrics;
    type Section = ScoresSection;

    fn spec(experiment: &Experiment, _: Stage) -> Result<Spec> {
        Spec::of(experiment)
    }

    fn source(spec: &Spec) -> ScoresSource {
        spec.source.clone()
    }

    fn load(
        source: &ScoresSource,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<ScoredCorpus> {
        ScoredCorpus::load(source, environment, progress)
    }

    fn describe(corpus: &ScoredCorpus) -> String {
        let [train, val, test] = [&corpus.split.train, &corpus.split.val, &corpus.split.test].map(Vec::len);
        let names = corpus.filter.names().join(", ");
        format!("{}: {train} train, {val} validation, {test} test, scored in {names}", corpus.name)
    }

    fn vectors(corpus: &ScoredCorpus) -> Option<&Embeddings> {
        corpus.vectors.as_ref()
    }

    fn texts<'c>(_: &Spec, corpus: &'c ScoredCorpus) -> Result<Vec<TextSet<'c>>> {
        Ok(vec![TextSet { texts: corpus.all_texts(), instruction: None }])
    }

    fn data(
        spec: &Spec,
        corpus: &Arc<ScoredCorpus>,
        encoded: Encoded,
        _: &mut Context<'_>,
    ) -> Result<ScoresData> {
        ScoresData::of(spec, corpus, &encoded)
    }

    fn key(spec: &Spec, data: &ScoresData) -> Result<Fingerprint> {
        fit::key(spec, data)
    }

    #[cfg(feature = "train")]
    fn fine_tuning<'d>(
        spec: &Spec,
        corpus: &'d ScoredCorpus,
        data: &'d ScoresData,
    ) -> Result<Option<FineTuning<'d>>> {
        data.fine_tuning(spec, corpus)
    }

    fn with_tuned(
        spec: &Spec,
        corpus: &ScoredCorpus,
        data: ScoresData,
        encoded: Encoded,
        (tuned, encoder): (&FineTuned, &Encoder),
    ) -> Result<ScoresData> {
        data.with_tuned(spec, corpus, &encoded, (tuned, encoder))
    }

    fn fit(
        spec: &Spec,
        data: &ScoresData,
        key: &Fingerprint,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<(Head, FitRecord)> {
        fit::fit(spec, data, key, dir, cx.progress)
    }

    fn save(spec: &Spec, data: &ScoresData, head: &Head, record: &FitRecord, dir: &VariantDir) -> Result<()> {
        let card = fit::card(spec, data, head, record);
        Ok(save(&dir.artifact(Self::MODEL), &head.clone().into(), &card)?)
    }

    fn open(dir: &VariantDir, _: &FitRecord) -> Result<(Head, Option<Fingerprint>)> {
        let saved = load(&dir.artifact(Self::MODEL))?.head()?;
        Ok((saved.model, card::fit(&saved.card.settings)))
    }

    /// The error on validation texts, which are no part of a fit in closed form; a head by gradient was chosen by it.
    fn validate(spec: &Spec, data: &ScoresData, head: &Head) -> Result<BTreeMap<String, f64>> {
        let Some(val) = data.val.as_ref().filter(|_| matches!(spec.fit, HeadFit::Ridge(_))) else {
            return Ok(BTreeMap::new());
        };
        let mae = Mae.overall(val.targets(), &head.transform(val.base())?)?;
        Ok([("val_mae".to_string(), mae)].into())
    }

    fn evaluate(
        spec: &Spec,
        corpus: &ScoredCorpus,
        data: &ScoresData,
        fit: &Fit<Self>,
        dir: &VariantDir,
        _: &mut Context<'_>,
    ) -> Result<ScoresMetrics> {
        let predictions = evaluate::Predictions::of(spec, corpus, data, &fit.model)?;
        let metrics = evaluate::measure(spec, corpus, data, &fit.record, &predictions)?;
        files::write(spec, corpus, dir, (&metrics, &fit.record), &predictions.tested)?;
        Ok(metrics)
    }

    fn scores(m: &ScoresMetrics) -> ComparedScores {
        let of = |errors: &manyview_report::Errors| errors.spearman.map(|e| e.value);
        ComparedScores {
            measure: "mae",
            base: m.overall.mean.mae.value,
            adapter: m.overall.head.mae.value,
            others: vec![("neighbours", Some(m.overall.neighbours.mae.value))],
            gain: m.overall.gain,
            more: of(&m.overall.head).map(|value| ("spearman", value)).into_iter().collect(),
            of: format!("{} of {}, {}", m.filter, m.dataset, m.encoder),
        }
    }

    fn section(
        title: &str,
        spec: &Spec,
        corpus: &ScoredCorpus,
        data: &ScoresData,
        fit: &Fit<Self>,
        metrics: &ScoresMetrics,
    ) -> Result<ScoresSection> {
        let tested = evaluate::Tested::of(corpus, data, &fit.model)?;
        Ok(report::section(title, spec, corpus, (metrics, &fit.record), &tested))
    }

    fn facts(specs: &[&Spec], _: &ScoredCorpus, sections: &[ScoresSection]) -> (Vec<Fact>, Vec<String>) {
        (report::facts(specs, sections), report::caveats(sections))
    }

    fn note(spec: &Spec) -> String {
        format!("Scores by {}", spec.source.filter.display())
    }

    fn tags(metrics: &ScoresMetrics) -> Vec<(&'static str, String)> {
        vec![("decision", metrics.decision.verdict.as_str().into())]
    }

    fn check_files(dir: &VariantDir, metrics: &ScoresMetrics) -> Result<()> {
        files::check(dir, metrics)
    }
}
