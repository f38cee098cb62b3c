use crate::config::Experiment;
use crate::corpus::SplitCorpus;
use crate::encode::Tally;
use crate::fit::{Closeness, FitRecord};
use crate::latency::Timings;
use crate::teacher::Lesson;
use crate::{Error, Result};
use manyview_adapter::{Linear, Offset};
use manyview_core::{Embeddings, Estimate, Fingerprint, Fit, Kind, Paired, Progress, Transform};
use manyview_eval::{Clustering, Comparison, ViewScores};
use manyview_report::{Encoding, Fidelity, FitMetrics, HeldOut, Metrics, Scores, Views};

/// The views of one set of rows, side by side.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// The rows, in the order of the vectors.
    pub rows: Vec<usize>,
    /// The stored vectors as they are, `[rows, dim_in]`.
    pub base: Embeddings,
    /// The stored vectors plus the mean difference to the teacher, `[rows, dim_in]`; none when dimensions differ.
    pub offset: Option<Embeddings>,
    /// The adapter's view, `[rows, dim_out]`.
    pub adapter: Embeddings,
    /// The teacher's vectors, `[rows, dim_out]`; none when it cannot see these rows.
    pub teacher: Option<Embeddings>,
}

impl Sight {
    /// Looks at `rows` through every view.
    ///
    /// # Errors
    /// Vectors the adapter does not take.
    pub(crate) fn of(
        rows: Vec<usize>,
        base: &Embeddings,
        lesson: &Lesson,
        linear: &Linear,
        teacher: Option<Embeddings>,
    ) -> Result<Self> {
        let here = base.select(&rows)?;
        let offset = match base.dim() == lesson.train.dim() {
            false => None,
            true => {
                let pairs = Paired::new(base.select(&lesson.rows)?, lesson.train.clone())?;
                Some(Offset.fit(&pairs)?.transform(&here)?)
            }
        };
        Ok(Self { adapter: linear.transform(&here)?, base: here, offset, teacher, rows })
    }

    /// The views there are, by name, base first.
    pub(crate) fn views(&self) -> Vec<(&'static str, &Embeddings)> {
        let all = [
            ("base", Some(&self.base)),
            ("offset", self.offset.as_ref()),
            ("adapter", Some(&self.adapter)),
            ("teacher", self.teacher.as_ref()),
        ];
        all.into_iter().filter_map(|(name, view)| Some((name, view?))).collect()
    }

    fn compare(
        &self,
        experiment: &Experiment,
        corpus: &SplitCorpus,
        progress: &dyn Progress,
    ) -> Result<Comparison> {
        let protocol = &experiment.evaluate;
        let clustering = Clustering {
            seeds: protocol.seeds,
            restarts: protocol.restarts,
            resamples: protocol.resamples,
            seed: protocol.seed,
        };
        Ok(clustering.compare(&self.views(), &corpus.truth_of(&self.rows), progress)?)
    }
}

/// Everything [`measure`] needs to know of a run.
pub(crate) struct Subject<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its corpus.
    pub corpus: &'a SplitCorpus,
    /// Vectors of all rows, `[n, dim]`.
    pub base: &'a Embeddings,
    /// What the teacher taught.
    pub lesson: &'a Lesson,
    /// The fitted map.
    pub linear: &'a Linear,
    /// What fitting found.
    pub record: &'a FitRecord,
    /// The encoder's fingerprint.
    pub encoder: Fingerprint,
    /// What encoding took.
    pub tally: Tally,
    /// Texts of the corpus whose end was cut.
    pub truncated: usize,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
}

/// Scores every view on the test texts. The only place that reads labels of test and validation rows.
///
/// # Errors
/// Labels or numbers of texts that cannot be scored.
pub(crate) fn measure(subject: &Subject<'_>, timings: &Timings) -> Result<(Metrics, Sight)> {
    let Subject { experiment, corpus, base, lesson, linear, record, .. } = subject;
    let split = &corpus.split;
    let sight = Sight::of(split.test.clone(), base, lesson, linear, lesson.test.clone())?;
    let comparison = sight.compare(experiment, corpus, subject.progress)?;
    let kept = comparison.gain_kept("base", "adapter", "teacher");
    let metrics = Metrics {
        dataset: corpus.name.clone(),
        encoder: experiment.encoder.model.clone(),
        encoder_fingerprint: subject.encoder.to_string(),
        instruction: experiment.teacher.instruction.clone(),
        teacher: experiment.teacher.kind.as_str().into(),
        label: experiment.data.label.clone(),
        classes: comparison.classes,
        n_train: lesson.rows.len(),
        n_val: split.val.len(),
        n_test: split.test.len(),
        views: views(&comparison)?,
        gain: gain(&comparison)?,
        verdict: kept.verdict,
        gain_kept: kept.estimate,
        fidelity: fidelity(experiment, &sight, record)?,
        latency_ms: timings.one,
        batch_latency_ms: timings.batch,
        speedup: timings.one.teacher.map(|t| t.p50 / timings.one.adapter.p50),
        held_out: held_out(subject)?,
        fit: FitMetrics {
            method: record.method.clone(),
            seconds: record.seconds,
            figures: record.figures.clone(),
        },
        encoding: Encoding {
            texts: corpus.corpus.texts.len(),
            encoded: subject.tally.encoded,
            reused: subject.tally.reused,
            truncated: subject.truncated,
            seconds: subject.tally.seconds,
        },
    };
    Ok((metrics, sight))
}

/// The same scores over validation and test texts together, where validation texts chose nothing.
fn held_out(subject: &Subject<'_>) -> Result<Option<HeldOut>> {
    let Subject { experiment, corpus, base, lesson, linear, record, .. } = subject;
    let split = &corpus.split;
    if split.val.is_empty() || record.used_validation {
        return Ok(None);
    }
    let teacher = match (&lesson.val, &lesson.test) {
        (Some(val), Some(test)) => Some(Embeddings::from_rows(val.rows().chain(test.rows()))?),
        _ => None,
    };
    let rows = [&split.val[..], &split.test].concat();
    let sight = Sight::of(rows, base, lesson, linear, teacher)?;
    let comparison = sight.compare(experiment, corpus, subject.progress)?;
    Ok(Some(HeldOut { n: sight.rows.len(), views: views(&comparison)?, gain: gain(&comparison)? }))
}

fn views(comparison: &Comparison) -> Result<Views> {
    let scores = |name: &str| comparison.view(name).map(scores);
    Ok(Views {
        base: scores("base").ok_or_else(unscored)?,
        offset: scores("offset"),
        adapter: scores("adapter").ok_or_else(unscored)?,
        teacher: scores("teacher"),
    })
}

fn scores(view: &ViewScores) -> Scores {
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
    manyview_core::Error::other(Kind::Internal, "base and adapter were compared but have no scores").into()
}

/// How close the view is to the teacher: on the test texts where the teacher sees them, on training texts left out of
/// the fit otherwise.
fn fidelity(experiment: &Experiment, sight: &Sight, record: &FitRecord) -> Result<Fidelity> {
    let knn = experiment.evaluate.knn;
    let close = match &sight.teacher {
        Some(teacher) => Closeness::measure("test", &sight.adapter, &sight.base, teacher, knn)?,
        None => record.closeness.clone(),
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
