use super::Views;
use super::corpus::SplitCorpus;
use super::data::ViewsData;
use super::fit::Closeness;
use super::latency;
use super::spec::Spec;
use crate::run::Context;
use crate::task::Fit;
use crate::task::fitted::{self, Fitted};
use crate::{Error, Result};
use manyview_adapter::Offset;
use manyview_core::{Embeddings, Estimate, Fit as _, Kind, Paired, Progress, Transform};
use manyview_eval::{Clustering, Comparison, ViewScores as Clusters};
use manyview_report::{Encoding, Fidelity, FitMetrics, HeldOut, Scores, Views as ViewsScores, ViewsMetrics};

/// The views of one set of rows, side by side.
#[derive(Clone, Debug)]
pub(super) struct ViewVectors {
    /// The rows, in the order of the vectors.
    pub rows: Vec<usize>,
    /// The stored vectors as they are, `[rows, dim_in]`.
    pub base: Embeddings,
    /// The stored vectors plus the mean difference to the teacher, `[rows, dim_in]`; none when dimensions differ.
    pub offset: Option<Embeddings>,
    /// The adapter's view, or the vectors of the fine-tuned encoder, `[rows, dim_out]`.
    pub adapter: Embeddings,
    /// The teacher's vectors, `[rows, dim_out]`; none when it cannot see these rows.
    pub teacher: Option<Embeddings>,
}

impl ViewVectors {
    /// Looks at `rows` through every view.
    ///
    /// # Errors
    /// Vectors the adapter does not take.
    pub(super) fn of(
        rows: Vec<usize>,
        data: &ViewsData,
        model: &Fitted,
        teacher: Option<Embeddings>,
    ) -> Result<Self> {
        let (here, training) = (data.base.select(&rows)?, &data.training);
        let offset = match data.base.dim() == training.train.dim() {
            false => None,
            true => {
                let pairs = Paired::new(data.base.select(&training.rows)?, training.train.clone())?;
                Some(Offset.fit(&pairs)?.transform(&here)?)
            }
        };
        let adapter = match model {
            Fitted::Adapter(maps) => maps.queries(&here)?,
            Fitted::Encoder => fitted::tuned(data.tuned.as_ref())?.vectors.select(&rows)?,
        };
        Ok(Self { adapter, base: here, offset, teacher, rows })
    }

    /// Of the test rows.
    ///
    /// # Errors
    /// Vectors the adapter does not take.
    pub(super) fn of_test(corpus: &SplitCorpus, data: &ViewsData, model: &Fitted) -> Result<Self> {
        Self::of(corpus.split.test.clone(), data, model, data.training.test.clone())
    }

    /// The views there are, by name, base first.
    fn views(&self) -> Vec<(&'static str, &Embeddings)> {
        let all = [
            ("base", Some(&self.base)),
            ("offset", self.offset.as_ref()),
            ("adapter", Some(&self.adapter)),
            ("teacher", self.teacher.as_ref()),
        ];
        all.into_iter().filter_map(|(name, view)| Some((name, view?))).collect()
    }

    fn compare(&self, spec: &Spec, corpus: &SplitCorpus, progress: &dyn Progress) -> Result<Comparison> {
        let protocol = &spec.evaluate;
        let clustering = Clustering {
            seeds: protocol.seeds,
            restarts: protocol.restarts,
            resamples: protocol.resamples,
            seed: protocol.seed,
        };
        Ok(clustering.compare(&self.views(), &corpus.truth_of(&self.rows), progress)?)
    }
}

/// Scores every view on the test texts. The only place that reads labels of test and validation rows.
///
/// # Errors
/// Labels or numbers of texts that cannot be scored.
pub(super) fn measure(
    spec: &Spec,
    corpus: &SplitCorpus,
    data: &ViewsData,
    fit: &Fit<Views>,
    cx: &mut Context<'_>,
) -> Result<ViewsMetrics> {
    let timings = latency::measure(spec, corpus, data, &fit.model, cx)?;
    let (split, record) = (&corpus.split, &fit.record);
    let vectors = ViewVectors::of_test(corpus, data, &fit.model)?;
    let comparison = vectors.compare(spec, corpus, cx.progress)?;
    let kept = comparison.gain_kept("base", "adapter", "teacher");
    let tally = cx.tally();
    Ok(ViewsMetrics {
        dataset: corpus.name.clone(),
        encoder: spec.encoder.model.clone(),
        fine_tuned: spec.fine_tunes(),
        encoder_fingerprint: data.encoder.to_string(),
        instruction: spec.teacher.instruction.clone(),
        teacher: spec.teacher.kind.as_str().into(),
        label: spec.data.label.clone(),
        classes: comparison.classes,
        n_train: data.training.rows.len(),
        n_val: split.val.len(),
        n_test: split.test.len(),
        views: views(&comparison)?,
        gain: gain(&comparison)?,
        verdict: kept.verdict,
        gain_kept: kept.estimate,
        fidelity: fidelity(spec, &vectors, record.closeness.as_ref())?,
        latency_ms: timings.one,
        batch_latency_ms: timings.batch,
        speedup: timings.one.teacher.map(|t| t.p50 / timings.one.adapter.p50),
        held_out: held_out(spec, corpus, data, fit, cx.progress)?,
        fit: FitMetrics {
            method: record.method.clone(),
            seconds: record.seconds,
            metrics: record.metrics.clone(),
        },
        encoding: Encoding {
            texts: corpus.corpus.texts.len(),
            encoded: tally.encoded,
            reused: tally.reused,
            truncated: data.truncated,
            share_read: data.share_read,
            seconds: tally.seconds,
        },
    })
}

/// The same scores over validation and test texts together, where validation texts chose nothing.
fn held_out(
    spec: &Spec,
    corpus: &SplitCorpus,
    data: &ViewsData,
    fit: &Fit<Views>,
    progress: &dyn Progress,
) -> Result<Option<HeldOut>> {
    let split = &corpus.split;
    if split.val.is_empty() || fit.record.used_validation {
        return Ok(None);
    }
    let teacher = match (&data.training.val, &data.training.test) {
        (Some(val), Some(test)) => Some(Embeddings::from_rows(val.rows().chain(test.rows()))?),
        _ => None,
    };
    let rows = [&split.val[..], &split.test].concat();
    let vectors = ViewVectors::of(rows, data, &fit.model, teacher)?;
    let comparison = vectors.compare(spec, corpus, progress)?;
    Ok(Some(HeldOut { n: vectors.rows.len(), views: views(&comparison)?, gain: gain(&comparison)? }))
}

fn views(comparison: &Comparison) -> Result<ViewsScores> {
    let scores = |name: &str| comparison.view(name).map(scores);
    Ok(ViewsScores {
        base: scores("base").ok_or_else(unscored)?,
        offset: scores("offset"),
        adapter: scores("adapter").ok_or_else(unscored)?,
        teacher: scores("teacher"),
    })
}

fn scores(view: &Clusters) -> Scores {
    Scores {
        v_measure: view.v_measure,
        homogeneity: view.homogeneity,
        completeness: view.completeness,
        ami: view.ami,
        ari: view.ari,
    }
}

fn gain(comparison: &Comparison) -> Result<Estimate> {
    comparison.difference("adapter", "base").ok_or_else(unscored)
}

fn unscored() -> Error {
    manyview_core::Error::other(Kind::Internal, "base and adapter were compared but were not measured").into()
}

/// How close the view is to the teacher: on the test texts where the teacher sees them, on training texts left out of
/// the fit otherwise.
fn fidelity(spec: &Spec, vectors: &ViewVectors, of_training: Option<&Closeness>) -> Result<Fidelity> {
    let knn = spec.evaluate.knn;
    let close = match (&vectors.teacher, of_training) {
        (Some(teacher), _) => Closeness::measure("test", &vectors.adapter, &vectors.base, teacher, knn)?,
        (None, Some(close)) => close.clone(),
        (None, None) => return Err(unscored()),
    };
    Ok(Fidelity {
        cosine: close.cosine,
        knn_overlap: close.knn_overlap,
        knn,
        base_cosine: close.base_cosine,
        base_knn_overlap: close.base_knn_overlap,
        measured_on: close.measured_on,
    })
}
