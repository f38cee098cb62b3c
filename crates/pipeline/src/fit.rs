use crate::config::{Experiment, Method};
use crate::corpus::SplitCorpus;
use crate::device;
use crate::run_dir::Member;
use crate::teacher::Lesson;
use crate::{Error, Result};
use manyview_adapter::{AdapterCard, Gradient, Linear, Monitored, Ridge};
use manyview_core::{Embeddings, Fingerprint, Fit, Paired, Progress};
use manyview_eval::{KMeans, v_measure};
use manyview_report::Curve;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

const RECORD: &str = "fit.json";

/// What fitting found, kept beside the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// Identity of everything the fit depends on: the same key, the same adapter.
    pub key: Fingerprint,
    /// `ridge` or `gradient`.
    pub method: String,
    /// Training rows it learnt from.
    pub rows: usize,
    /// Wall time, seconds.
    pub seconds: f64,
    /// What was chosen or reached, by name.
    pub figures: BTreeMap<String, f64>,
    /// How the penalty was chosen, or how training went.
    pub curve: Curve,
    /// How close the view of training rows comes to the teacher when each row is left out of the fit.
    pub leave_one_out: Option<Closeness>,
}

/// How close vectors are to the teacher's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closeness {
    /// Mean cosine.
    pub cosine: f64,
    /// Mean share of nearest neighbours in common.
    pub knn_overlap: f64,
}

/// Fits the adapter of `experiment` from `base`, the vectors of all rows, or takes the saved one when everything it
/// depends on is the same.
///
/// # Errors
/// Supervision the method cannot use, numbers that leave the finite range, an interruption, or files that cannot be
/// written.
pub fn fit(
    experiment: &Experiment,
    corpus: &SplitCorpus,
    base: &Embeddings,
    lesson: &Lesson,
    encoder: (&str, Fingerprint),
    member: &Member,
    progress: &dyn Progress,
) -> Result<(Linear, FitRecord)> {
    let pairs = Paired::new(base.select(&lesson.rows)?, lesson.train.clone())?;
    let key = key(experiment, &pairs, lesson, base, corpus, &encoder.1)?;
    if let Some(saved) = saved(member, &key) {
        tracing::info!(path = %member.adapter().display(), "the adapter is up to date");
        return Ok(saved);
    }
    let start = Instant::now();
    let (linear, mut record) = match experiment.train.method {
        Method::Ridge => ridge(experiment, &pairs)?,
        Method::Gradient => gradient(experiment, corpus, base, lesson, pairs, member, progress)?,
    };
    record.seconds = start.elapsed().as_secs_f64();
    record.key = key;
    let card = card(experiment, &linear, &record, encoder);
    manyview_adapter::save(&member.adapter(), &linear, &card)?;
    member.write(RECORD, &record)?;
    Ok((linear, record))
}

/// The adapter and record of an earlier fit.
///
/// # Errors
/// [`Error::Missing`] when there is none.
pub fn load(member: &Member) -> Result<(manyview_adapter::Saved, FitRecord)> {
    let missing = || Error::Missing {
        path: member.path().into(),
        missing: "a fitted adapter".into(),
        cure: "train".into(),
    };
    let record = member.read(RECORD)?.ok_or_else(missing)?;
    Ok((manyview_adapter::load(&member.adapter())?, record))
}
