//! Measuring a head on test texts, beside what costs nothing.

use super::corpus::ScoredCorpus;
use super::decision::decide;
use super::fit::{HeadLesson, HeadRecord};
use crate::Result;
use manyview_adapter::Head;
use manyview_core::{Estimate, Targets, Transform};
use manyview_eval::RegressionMeasure::{Mae, R2, Rmse, Spearman};
use manyview_eval::{Bootstrap, NearestMean, RegressionMeasure, Tiers, mean_prediction};
use manyview_report::{Errors, HeadMetrics, NamedErrors, Noise, TierFigures};

/// What the test texts are predicted to have, each `[n_test, dimensions]`.
pub(super) struct Predictions {
    pub(super) truth: Targets,
    pub(super) head: Targets,
    mean: Targets,
    neighbours: Targets,
    /// The figures of the training texts, and what the head gives them.
    train: (Targets, Targets),
}

impl Predictions {
    pub(super) fn of(lesson: &HeadLesson<'_>, head: &Head) -> Result<Self> {
        let (corpus, base) = (lesson.corpus, lesson.base);
        let known = base.select(&corpus.split.train)?;
        let targets = corpus.targets.select(&corpus.split.train)?;
        let queries = base.select(&corpus.split.test)?;
        let k = lesson.experiment.evaluate.knn;
        Ok(Self {
            truth: corpus.targets.select(&corpus.split.test)?,
            head: head.transform(&queries)?,
            mean: mean_prediction(&targets, queries.n())?,
            neighbours: NearestMean { k }.predict(&known, &targets, &queries)?,
            train: (targets, head.transform(&known)?),
        })
    }

    /// The same of one figure of each text.
    fn map(&self, of: impl Fn(&Targets) -> Result<Targets>) -> Result<Self> {
        Ok(Self {
            truth: of(&self.truth)?,
            head: of(&self.head)?,
            mean: of(&self.mean)?,
            neighbours: of(&self.neighbours)?,
            train: (of(&self.train.0)?, of(&self.train.1)?),
        })
    }

    fn errors(&self, name: &str, bootstrap: &Bootstrap) -> Result<NamedErrors> {
        let of = |found: &Targets| -> Result<Errors> {
            let estimate = |measure: RegressionMeasure| measure.estimate(&self.truth, found, bootstrap);
            Ok(Errors {
                mae: estimate(Mae)?,
                rmse: estimate(Rmse)?,
                spearman: estimate(Spearman).ok(), // none where all are one
                r2: estimate(R2).ok(),
            })
        };
        let gain = Mae.reduction(&self.truth, &self.head, &self.mean, bootstrap);
        Ok(NamedErrors {
            name: name.into(),
            head: of(&self.head)?,
            mean: of(&self.mean)?,
            neighbours: of(&self.neighbours)?,
            gain: gain.unwrap_or(Estimate { value: 0.0, low: 0.0, high: 0.0 }), // nothing to take away
            train_mae: Mae.overall(&self.train.0, &self.train.1)?,
        })
    }
}

/// Every figure of one head.
pub(super) fn measure(
    lesson: &HeadLesson<'_>,
    record: &HeadRecord,
    predictions: &Predictions,
) -> Result<HeadMetrics> {
    let (experiment, corpus, scores) = (lesson.experiment, lesson.corpus, lesson.scores);
    let evaluate = &experiment.evaluate;
    let bootstrap = Bootstrap { resamples: evaluate.resamples, seed: evaluate.seed };
    let names = corpus.filter.names();
    let dimension = |(d, name): (usize, &&str)| {
        let one = predictions.map(|all| Ok(Targets::new(all.column(d).unwrap_or_default(), 1)?))?;
        one.errors(name, &bootstrap)
    };
    let dimensions = names.iter().enumerate().map(dimension).collect::<Result<Vec<_>>>()?;
    let overall = predictions.errors("all dimensions", &bootstrap)?;
    let weighted = predictions.map(|all| Ok(Targets::new(corpus.weighted(all), 1)?))?;
    let noise = scores.relabelled.as_deref().map(|path| corpus.retest(path)).transpose()?;
    let noise = noise.map(|(texts, mae)| {
        let overall = mae.iter().sum::<f64>() / mae.len() as f64;
        Noise { texts, mae, overall }
    });
    let overfitting = match overall.mean.mae.value {
        mean if mean > 0.0 => (overall.head.mae.value - overall.train_mae) / mean,
        _ => 0.0,
    };
    let decision = decide(scores, &overall, &dimensions, overfitting, noise.as_ref());
    Ok(HeadMetrics {
        dataset: corpus.name.clone(),
        filter: format!("{} {}", corpus.filter.name, corpus.filter.version),
        encoder: lesson.encoder_name(),
        encoder_fingerprint: lesson.encoder.clone(),
        head: record.head.clone(),
        calibrated: scores.calibrate,
        n_train: corpus.split.train.len(),
        n_val: corpus.split.val.len(),
        n_test: corpus.split.test.len(),
        weighted: weighted.errors("weighted", &bootstrap)?,
        tiers: tiers(corpus, &weighted)?,
        dimensions,
        overall,
        noise,
        overfitting,
        decision,
        fit_seconds: record.seconds,
        fit: record.figures.clone(),
        knn: evaluate.knn,
    })
}

/// The tiers, the highest first; none where the test texts lie in one tier.
fn tiers(corpus: &ScoredCorpus, weighted: &Predictions) -> Result<Vec<TierFigures>> {
    let filter = &corpus.filter;
    let low = filter.range.first().copied().unwrap_or(f64::NEG_INFINITY);
    // What lies below the lowest threshold is a tier of its own, but where nothing can.
    let thresholds: Vec<f64> = filter.tiers.iter().rev().map(|t| t.threshold).filter(|t| *t > low).collect();
    if thresholds.is_empty() {
        return Ok(Vec::new());
    }
    let cut = Tiers::new(thresholds)?;
    let of = |found: &Targets| match cut.scores(weighted.truth.as_slice(), found.as_slice()) {
        Ok(scores) => Ok(Some(scores)),
        Err(manyview_eval::Error::OneClass) => Ok(None),
        Err(e) => Err(e),
    };
    let (Some(head), Some(neighbours)) = (of(&weighted.head)?, of(&weighted.neighbours)?) else {
        return Ok(Vec::new());
    };
    let all = filter.tiers.iter().map(|t| (t.name.as_str(), Some(t.threshold)));
    let names = all.chain([("below all tiers", None)]);
    let scores = head.iter().zip(&neighbours).rev();
    let figures = names.zip(scores).map(|((name, threshold), (score, near))| TierFigures {
        name: name.into(),
        threshold,
        precision: score.precision,
        recall: score.recall,
        f1: score.f1,
        neighbours_f1: near.f1,
        texts: score.texts,
    });
    Ok(figures.collect())
}
