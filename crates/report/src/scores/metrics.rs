use manyview_core::{Estimate, Fingerprint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was measured of one head on test texts, beside what costs nothing: `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoresMetrics {
    /// The data.
    pub dataset: String,
    /// The filter and its version.
    pub filter: String,
    /// The encoder, as people name it.
    pub encoder: String,
    /// The encoder, exactly.
    pub encoder_fingerprint: Fingerprint,
    /// `ridge`, `linear` or `mlp`.
    pub head: String,
    /// Whether its figures were put through rising curves.
    pub calibrated: bool,
    /// Texts it learnt from.
    pub n_train: usize,
    /// Texts for early stopping and calibration.
    pub n_val: usize,
    /// Texts all figures here are from.
    pub n_test: usize,
    /// Each dimension, in the order of the filter.
    pub dimensions: Vec<NamedErrors>,
    /// The means over the dimensions.
    pub overall: NamedErrors,
    /// The weighted score.
    pub weighted: NamedErrors,
    /// How well the tiers of the weighted score are found, the highest first; none without tiers.
    pub tiers: Vec<TierMetrics>,
    /// How far the oracle is from itself, where it labelled texts twice.
    pub noise: Option<Noise>,
    /// The error on test texts less that on training texts, as a share of the mean's error; none where that is 0.
    pub overfitting: Option<f64>,
    /// What to do with it.
    pub decision: Decision,
    /// Wall time of the fit, seconds.
    pub fit_seconds: f64,
    /// What fitting chose or reached, by name.
    pub fit: BTreeMap<String, f64>,
    /// Neighbours behind the baseline of that name.
    pub knn: usize,
}

/// The errors of one dimension, or of several together: of the head, and of two baselines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedErrors {
    /// Its name.
    pub name: String,
    /// The head on test texts.
    pub head: Errors,
    /// The mean of the training texts, for every text.
    pub mean: Errors,
    /// The mean over the nearest training texts.
    pub neighbours: Errors,
    /// Share of the mean's absolute error that the head takes away; none where the mean has no error to take away.
    pub gain: Option<Estimate>,
    /// The head's mean absolute error on the texts it learnt from.
    pub train_mae: f64,
    /// Why a measure of these is absent, by its key: `gain`, `head.spearman` and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<String, String>,
}

/// Measures with 95% intervals over test texts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Mean absolute error, in the unit of the scores.
    pub mae: Estimate,
    /// Root of the mean squared error, in the unit of the scores.
    pub rmse: Estimate,
    /// Correlation of ranks; none where all predictions, or all scores, are one.
    pub spearman: Option<Estimate>,
    /// Share of the variance explained; none where all texts have one score.
    pub r2: Option<Estimate>,
}

/// How well one tier is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierMetrics {
    /// Its name.
    pub name: String,
    /// The lowest weighted score in it; none for what lies below all tiers.
    pub threshold: Option<f64>,
    /// Share of the texts predicted in it that lie in it.
    pub precision: f64,
    /// Share of the texts in it that are predicted there.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Harmonic mean of both for the nearest training texts.
    pub neighbours_f1: f64,
    /// Test texts in it.
    pub texts: usize,
}

/// How far the oracle's second scores are from its first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Texts scored twice.
    pub texts: usize,
    /// Mean absolute difference of each dimension.
    pub mae: Vec<f64>,
    /// The mean over dimensions.
    pub overall: f64,
}

/// What to do with a head, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The word.
    pub verdict: Verdict,
    /// The reasons, in words.
    pub reasons: Vec<String>,
}

/// Whether a head is fit for use, by the thresholds of the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It meets every threshold.
    Deploy,
    /// Someone should look first.
    Review,
    /// A measure that decides could not be taken.
    Undecided,
    /// It is hardly better than the mean.
    Fail,
}

impl Verdict {
    /// The word in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "DEPLOY",
            Self::Review => "REVIEW",
            Self::Undecided => "UNDECIDED",
            Self::Fail => "FAIL",
        }
    }
}
