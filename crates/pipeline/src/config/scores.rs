use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Scores of an oracle, and the thresholds for deploying a head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// The filter: a `.toml` or `.yaml` file with its dimensions, their weights and the tiers, or its directory.
    pub filter: PathBuf,
    /// Calibrates each dimension with an isotonic curve, fitted on texts that the head was not trained on.
    pub calibrate: bool,
    /// Column of identifiers in a table; default: row numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Column of titles in a table, put before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The oracle's second scores of some texts: a labelled `.jsonl` file, for the noise ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relabelled: Option<PathBuf>,
    /// Minimum reduction of the error, as a fraction of the error of the mean, to deploy.
    pub deploy_gain: f64,
    /// Minimum reduction of the error below which the decision is to fail.
    pub review_gain: f64,
    /// Minimum reduction in every dimension to deploy.
    pub dimension_gain: f64,
    /// Maximum gap between test and training error, as a fraction of the error of the mean, to deploy.
    pub overfitting: f64,
}

impl Default for Scores {
    fn default() -> Self {
        Self {
            filter: PathBuf::new(),
            calibrate: false,
            id: None,
            title: None,
            relabelled: None,
            deploy_gain: 0.2,
            review_gain: 0.05,
            dimension_gain: 0.05,
            overfitting: 0.25,
        }
    }
}
