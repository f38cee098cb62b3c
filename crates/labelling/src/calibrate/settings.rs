use crate::{Error, Result};
use manyview_data::Filter;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The table `calibration` of a filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Words of texts on the topic.
    pub(super) positive: Vec<String>,
    /// Words of texts off it.
    pub(super) negative: Vec<String>,
    /// What a text on the topic is like, for samples by similarity.
    pub(super) positive_text: String,
    /// What a text off it is like.
    pub(super) negative_text: String,
    /// Where the weighted means of each group should lie.
    pub(super) expected: BTreeMap<String, [f64; 2]>,
    /// Least share of a group within its range to pass.
    pub(super) agreement: f64,
    /// Least share to be reviewed rather than to fail.
    pub(super) agreement_review: f64,
    /// How far the mean of texts on the topic should be above that of texts off it.
    pub(super) separation: f64,
    /// Least standard deviation of a dimension.
    pub(super) spread: f64,
    /// Largest share of one dimension's scores at either end, texts off the topic aside.
    pub(super) saturation: f64,
    /// Largest mean absolute difference of the weighted mean when the same text is labelled again.
    pub(super) disagreement: f64,
    /// Largest loss of agreement from calibration to validation.
    pub(super) drop: f64,
    /// Fewest rows of a group.
    pub(super) rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            positive: Vec::new(),
            negative: Vec::new(),
            positive_text: String::new(),
            negative_text: String::new(),
            expected: BTreeMap::new(),
            agreement: 0.8,
            agreement_review: 0.6,
            separation: 2.0,
            spread: 0.5,
            saturation: 0.5,
            disagreement: 1.0,
            drop: 0.1,
            rows: 10,
        }
    }
}

impl Settings {
    /// What the filter says; defaults where it says nothing. Texts on the topic are expected in the upper half of the
    /// range, texts off it in the lower three tenths.
    pub(super) fn of(filter: &Filter) -> Result<Self> {
        let mut settings: Self = filter.section("calibration")?.unwrap_or_default();
        let fail = |problem: String| {
            Err(Error::Setting { key: format!("calibration ({})", filter.path.display()), problem })
        };
        if let Some(name) =
            settings.expected.keys().find(|name| !["positive", "negative", "edge"].contains(&name.as_str()))
        {
            return fail(format!("expected.{name}: expected positive, negative or edge"));
        }
        if let Some((name, [low, high])) =
            settings.expected.iter().find(|(_, [low, high])| low > high || low.is_nan() || high.is_nan())
        {
            return fail(format!("expected.{name}: expected a low and a high mean, found [{low}, {high}]"));
        }
        let shares = [settings.agreement, settings.agreement_review, settings.saturation, settings.drop];
        if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            return fail(format!("expected shares from 0 to 1, found {share}"));
        }
        let [low, high] = filter.range;
        settings.expected.entry("positive".into()).or_insert([low + 0.5 * (high - low), high]);
        settings.expected.entry("negative".into()).or_insert([low, low + 0.3 * (high - low)]);
        Ok(settings)
    }
}
