//! Measuring a head on test texts, beside what costs nothing.

use super::corpus::ScoredCorpus;
use super::data::ScoresData;
use super::decision::decide;
use super::spec::Spec;
use crate::Result;
use crate::run::FitRecord;
use manyview_adapter::Head;
use manyview_core::{Estimate, Targets, Transform};
use manyview_eval::RegressionMeasure::{Mae, R2, Rmse, Spearman};
use manyview_eval::{Bootstrap, NearestMean, RegressionMeasure, Tiers, mean_prediction};
use manyview_report::{Errors, NamedErrors, Noise, ScoresMetrics, TierMetrics};
use std::collections::BTreeMap;

/// The test texts, each `[n_test, dimensions]`.
pub(super) struct Tested {
    /// The oracle's scores.
    pub(super) truth: Targets,
    /// The head's.
    pub(super) head: Targets,
}

impl Tested {
    pub(super) fn of(corpus: &ScoredCorpus, data: &ScoresData, head: &Head) -> Result<Self> {
        let test = &corpus.split.test;
        Ok(Self { truth: corpus.targets.select(test)?, head: head.transform(&data.base.select(test)?)? })
    }
}

/// What texts are predicted to have.
pub(super) struct Predictions {
    pub(super) tested: Tested,
    /// The mean of the training texts, for each test text.
    mean: Targets,
    /// The mean over the nearest training texts.
    neighbours: Targets,
    /// The scores of the training texts, and what the head gives them.
    train: (Targets, Targets),
}

impl Predictions {
    pub(super) fn of(spec: &Spec, corpus: &ScoredCorpus, data: &ScoresData, head: &Head) -> Result<Self> {
        let (known, targets) = (data.train.base(), data.train.targets());
        let queries = data.base.select(&corpus.split.test)?;
        let k = spec.evaluate.knn;
        Ok(Self {
            tested: Tested::of(corpus, data, head)?,
            mean: mean_prediction(targets, queries.n())?,
            neighbours: NearestMean { k }.predict(known, targets, &queries)?,
            train: (targets.clone(), head.transform(known)?),
        })
    }

    /// The same of one figure of each text.
    fn map(&self, of: impl Fn(&Targets) -> Result<Targets>) -> Result<Self> {
        Ok(Self {
            tested: Tested { truth: of(&self.tested.truth)?, head: of(&self.tested.head)? },
            mean: of(&self.mean)?,
            neighbours: of(&self.neighbours)?,
            train: (of(&self.train.0)?, of(&self.train.1)?),
        })
    }

    fn errors(&self, name: &str, bootstrap: &Bootstrap) -> Result<NamedErrors> {
        let (truth, head) = (&self.tested.truth, &self.tested.head);
        let mut absent = BTreeMap::new();
        let mut taken = |key: String, found: manyview_eval::Result<Estimate>| -> Result<Option<Estimate>> {
            match found {
                Ok(estimate) => Ok(Some(estimate)),
                Err(e @ manyview_eval::Error::Constant { .. }) => {
                    absent.insert(key, e.to_string());
                    Ok(None)
                }
                Err(e) => Err(e.into()),
            }
        };
        let mut of = |view: &str, found: &Targets| -> Result<Errors> {
            let estimate = |measure: RegressionMeasure| measure.estimate(truth, found, bootstrap);
            Ok(Errors {
                mae: estimate(Mae)?,
                rmse: estimate(Rmse)?,
                spearman: taken(format!("{view}.spearman"), estimate(Spearman))?,
                r2: taken(format!("{view}.r2"), estimate(R2))?,
            })
        };
        let [of_head, mean, neighbours] =
            [of("head", head)?, of("mean", &self.mean)?, of("neighbours", &self.neighbours)?];
        Ok(NamedErrors {
            name: name.into(),
            head: of_head,
            mean,
            neighbours,
            gain: taken("gain".into(), Mae.reduction(truth, head, &self.mean, bootstrap))?,
            train_mae: Mae.overall(&self.train.0, &self.train.1)?,
            absent,
        })
    }
}

/// Everything that is measured of one head.
pub(super) fn measure(
    spec: &Spec,
    corpus: &ScoredCorpus,
    data: &ScoresData,
    record: &FitRecord,
    predictions: &Predictions,
) -> Result<ScoresMetrics> {
    let bootstrap = Bootstrap { resamples: spec.evaluate.resamples, seed: spec.evaluate.seed };
    let names = corpus.filter.names();
    let dimension = |(d, name): (usize, &&str)| {
        let one = predictions.map(|all| Ok(Targets::new(all.column(d).unwrap_or_default(), 1)?))?;
        one.errors(name, &bootstrap)
    };
    let dimensions = names.iter().enumerate().map(dimension).collect::<Result<Vec<_>>>()?;
    let overall = predictions.errors("all dimensions", &bootstrap)?;
    let weighted = predictions.map(|all| Ok(Targets::new(corpus.weighted(all), 1)?))?;
    let noise = spec.relabelled.as_deref().map(|path| corpus.retest(path)).transpose()?;
    let noise = noise.map(|(texts, mae)| {
        let overall = mae.iter().sum::<f64>() / mae.len() as f64;
        Noise { texts, mae, overall }
    });
    let mean = overall.mean.mae.value;
    let overfitting = (mean > 0.0).then(|| (overall.head.mae.value - overall.train_mae) / mean);
    let decision = decide(&spec.thresholds, &overall, &dimensions, overfitting, noise.as_ref());
    Ok(ScoresMetrics {
        dataset: corpus.name.clone(),
        filter: format!("{} {}", corpus.filter.name, corpus.filter.version),
        encoder: spec.encoder_name.clone(),
        encoder_fingerprint: data.encoder.clone(),
        head: record.method.clone(),
        calibrated: spec.calibrate,
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
        fit: record.metrics.clone(),
        knn: spec.evaluate.knn,
    })
}

/// The tiers, the highest first; none where the test texts lie in one tier.
fn tiers(corpus: &ScoredCorpus, weighted: &Predictions) -> Result<Vec<TierMetrics>> {
    let filter = &corpus.filter;
    let low = filter.range.first().copied().unwrap_or(f64::NEG_INFINITY);
    // What lies below the lowest threshold is a tier of its own, but where nothing can.
    let thresholds: Vec<f64> = filter.tiers.iter().rev().map(|t| t.threshold).filter(|t| *t > low).collect();
    if thresholds.is_empty() {
        return Ok(Vec::new());
    }
    let cut = Tiers::new(thresholds)?;
    let of = |found: &Targets| match cut.scores(weighted.tested.truth.as_slice(), found.as_slice()) {
        Ok(scores) => Ok(Some(scores)),
        Err(manyview_eval::Error::OneClass) => Ok(None),
        Err(e) => Err(e),
    };
    let (Some(head), Some(neighbours)) = (of(&weighted.tested.head)?, of(&weighted.neighbours)?) else {
        return Ok(Vec::new());
    };
    let all = filter.tiers.iter().map(|t| (t.name.as_str(), Some(t.threshold)));
    let names = all.chain([("below all tiers", None)]);
    let scores = head.iter().zip(&neighbours).rev();
    let figures = names.zip(scores).map(|((name, threshold), (score, near))| TierMetrics {
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
