//! What a run can fit and measure: a folder for each task, which the one driver takes through its stages.

mod any;
mod card;
mod fitted;
mod metrics;
pub(crate) mod retrieval;
pub(crate) mod scores;
mod source;
pub(crate) mod views;

pub use any::{RunSummary, run};
pub(crate) use any::{of_experiment, of_name};
pub use metrics::{ComparedScores, Tagged};
pub(crate) use metrics::{metrics, untagged};
pub use retrieval::Retrieval;
pub use scores::Scores;
pub use source::fetch as fetch_corpus;
pub use views::{Closeness, Views};

use crate::config::Experiment;
use crate::run::{Context, Encoded, FineTuning, FitRecord, Stage, TextSet, VariantDir};
use crate::{Environment, Result};
use manyview_core::{Embeddings, Fingerprint, Progress};
use manyview_encoder::finetune::FineTuned;
use manyview_report::{Fact, Section};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is fitted over stored vectors and measured on test texts. The driver ([`crate::run_task`]) owns everything else:
/// variants, stages, encoding, cached fits, tracking, metrics, the report.
///
/// `fit` does not see the corpus: what it may learn from, `data` picks out. So no label of a test text reaches a fit.
pub trait Task: Sized {
    /// What files and cards call it.
    const NAME: &'static str;
    /// What it fits, which is the directory or file it saves it in: `adapter`, `head`.
    const MODEL: &'static str;
    /// Beginnings of the keys in `metrics.json` whose figures a tracking server is sent.
    const TRACKED: &'static [&'static str] = &[""];
    /// Files that fitting writes beside those of every task.
    const FIT_FILES: &'static [&'static str] = &[];
    /// Files that measuring writes beside those of every task.
    const FILES: &'static [&'static str] = &[];

    /// What an experiment asks for, checked once.
    type Spec;
    /// What the corpus depends on; variants with the same share one.
    type Source: PartialEq;
    /// The texts, split.
    type Corpus;
    /// Vectors, and what a fit may learn from.
    type Data;
    /// What is fitted.
    type Model;
    /// What is measured: `metrics.json`.
    type Metrics: Serialize + DeserializeOwned;
    /// What a report shows of one variant.
    type Section: Section;

    /// Reads an experiment that is to go as far as `last`.
    ///
    /// # Errors
    /// Settings that do not go together.
    fn spec(experiment: &Experiment, last: Stage) -> Result<Self::Spec>;

    /// What the corpus depends on.
    fn source(spec: &Self::Spec) -> Self::Source;

    /// Reads and splits the corpus.
    ///
    /// # Errors
    /// Files, columns or sizes that cannot be used, each with the cure.
    fn load(
        source: &Self::Source,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<Self::Corpus>;

    /// What there is, in a line.
    fn describe(_corpus: &Self::Corpus) -> String {
        "can be read".into()
    }

    /// The vectors that came with the corpus, `[n, dim]`, in place of an encoder's.
    fn vectors(_corpus: &Self::Corpus) -> Option<&Embeddings> {
        None
    }

    /// The texts to encode.
    ///
    /// # Errors
    /// An instruction that cannot be used.
    fn texts<'c>(spec: &Self::Spec, corpus: &'c Self::Corpus) -> Result<Vec<TextSet<'c>>>;

    /// What a fit may learn from: no label of a test text.
    ///
    /// # Errors
    /// Supervision that cannot be had.
    fn data(
        spec: &Self::Spec,
        corpus: &Arc<Self::Corpus>,
        encoded: Encoded,
        cx: &mut Context<'_>,
    ) -> Result<Self::Data>;

    /// Identity of everything the fit depends on, and of nothing else.
    ///
    /// # Errors
    /// Settings that cannot be written.
    fn key(spec: &Self::Spec, data: &Self::Data) -> Result<Fingerprint>;

    /// How the encoder is trained on this data, where it is to learn.
    ///
    /// # Errors
    /// Data it cannot learn from.
    fn fine_tuning<'d>(
        _spec: &Self::Spec,
        _corpus: &'d Self::Corpus,
        _data: &'d Self::Data,
    ) -> Result<Option<FineTuning<'d>>> {
        Ok(None)
    }

    /// The data with the vectors of the encoder that was trained, which is at `encoder`.
    ///
    /// # Errors
    /// Vectors that make no data.
    fn with_tuned(
        _spec: &Self::Spec,
        _corpus: &Self::Corpus,
        data: Self::Data,
        _encoded: Encoded,
        _tuned: (&FineTuned, &crate::config::Encoder),
    ) -> Result<Self::Data> {
        Ok(data)
    }

    /// Fits; checkpoints go below `dir`, under `key`.
    ///
    /// # Errors
    /// Data the method cannot use, numbers that leave the finite range, an interruption.
    fn fit(
        spec: &Self::Spec,
        data: &Self::Data,
        key: &Fingerprint,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<(Self::Model, FitRecord)>;

    /// Saves what was fitted, and the key of `record` with it, in the directory that `record` names.
    ///
    /// # Errors
    /// Files that cannot be written.
    fn save(
        spec: &Self::Spec,
        data: &Self::Data,
        model: &Self::Model,
        record: &FitRecord,
        dir: &VariantDir,
    ) -> Result<()>;

    /// What was saved, and the key it was saved with.
    ///
    /// # Errors
    /// Files that are not there or are damaged.
    fn open(dir: &VariantDir, record: &FitRecord) -> Result<(Self::Model, Option<Fingerprint>)>;

    /// Figures on validation rows that chose nothing: no part of the fit, and new with every run.
    ///
    /// # Errors
    /// Vectors the model does not take.
    fn validate(
        _spec: &Self::Spec,
        _data: &Self::Data,
        _model: &Self::Model,
    ) -> Result<BTreeMap<String, f64>> {
        Ok(BTreeMap::new())
    }

    /// Measures on the test texts, and writes the files of [`Task::FILES`]. The only place that reads their labels.
    ///
    /// # Errors
    /// Labels or numbers of texts that cannot be scored.
    fn evaluate(
        spec: &Self::Spec,
        corpus: &Self::Corpus,
        data: &Self::Data,
        fit: &Fit<Self>,
        dir: &VariantDir,
        cx: &mut Context<'_>,
    ) -> Result<Self::Metrics>;

    /// The scores to compare runs by: `scores.json`.
    fn scores(metrics: &Self::Metrics) -> ComparedScores;

    /// What the report shows of one variant.
    ///
    /// # Errors
    /// Too few texts to draw.
    fn section(
        title: &str,
        spec: &Self::Spec,
        corpus: &Self::Corpus,
        data: &Self::Data,
        fit: &Fit<Self>,
        metrics: &Self::Metrics,
    ) -> Result<Self::Section>;

    /// What was done, and what to believe of it; `specs` and `sections` are those of all variants.
    fn facts(
        _specs: &[&Self::Spec],
        _corpus: &Self::Corpus,
        _sections: &[Self::Section],
    ) -> (Vec<Fact>, Vec<String>) {
        (Vec::new(), Vec::new())
    }

    /// What a tracking server is told that this is about.
    fn note(_spec: &Self::Spec) -> String {
        String::new()
    }

    /// Words that a tracking server files a variant under.
    fn tags(_metrics: &Self::Metrics) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// What a run needs before it starts, beside encoder and directories: a name, and what was found.
    fn checks(
        spec: &Self::Spec,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Vec<(&'static str, Result<String>)> {
        let corpus = Self::load(&Self::source(spec), environment, progress);
        vec![("corpus", corpus.map(|corpus| Self::describe(&corpus)))]
    }

    /// That the files of [`Task::FILES`] are what was written with `metrics`.
    ///
    /// # Errors
    /// The first that is damaged, with the cure.
    fn check_files(_dir: &VariantDir, _metrics: &Self::Metrics) -> Result<()> {
        Ok(())
    }
}

/// What was fitted, and how.
#[derive(Debug)]
pub struct Fit<T: Task> {
    /// What was fitted.
    pub model: T::Model,
    /// How.
    pub record: FitRecord,
}
