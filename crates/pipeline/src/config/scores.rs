use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an oracle scores texts in, and what a head that learns it has to reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// The filter: a `.toml` or `.yaml` file with its dimensions, their weights and the tiers, or its directory.
    pub filter: PathBuf,
    /// Puts each dimension through a rising curve, fitted on texts the head did not learn from.
    pub calibrate: bool,
    /// Column of identifiers in a table; rows have numbers without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Column of titles in a table, put before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The oracle's second scores of some texts: a labelled `.jsonl` file, for the noise ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relabelled: Option<PathBuf>,
    /// Share of the mean's error that must be gone to deploy.
    pub deploy_gain: f64,
    /// Share of the mean's error that must be gone not to fail.
    pub review_gain: f64,
    /// Share that must be gone in every single dimension to deploy.
    pub dimension_gain: f64,
    /// Largest gap between the errors on test and on training texts, as a share of the mean's error, to deploy.
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
