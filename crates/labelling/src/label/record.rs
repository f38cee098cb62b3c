use super::settings::Asked;
use crate::prepare::filter_fingerprint;
use manyview_core::Fingerprint;
use manyview_data::Filter;
use manyview_oracle::{Ended, Labelled, Totals};
use serde::{Deserialize, Serialize};

/// What a labelling was and came to: the record beside the labelled file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelRecord {
    /// Name of the filter.
    pub filter: String,
    /// Its version.
    pub version: String,
    /// Changes whenever its dimensions, weights, tiers or range do.
    pub fingerprint: Fingerprint,
    /// The hash of the prompt; none where nothing was asked with words.
    pub prompt: Option<Fingerprint>,
    /// Changes whenever an answer could.
    pub oracle: Fingerprint,
    /// The model, or the file of labels.
    pub model: String,
    /// Which time the texts were asked about.
    pub round: u32,
    /// Texts that were to be labelled.
    pub texts: usize,
    /// Texts with a label.
    pub labelled: usize,
    /// Answers that were asked for, rather than known from before.
    pub asked: u64,
    /// Names of the texts that were asked about in vain.
    pub failed: usize,
    /// What the ledger comes to.
    pub totals: Totals,
    /// What costs are counted in.
    pub currency: String,
    /// Why it ended: `done`, `budget`, or the error.
    pub ended: String,
}

pub(super) fn of(filter: &Filter, asked: &Asked, labelled: &Labelled, round: u32) -> LabelRecord {
    LabelRecord {
        filter: filter.name.clone(),
        version: filter.version.clone(),
        fingerprint: filter_fingerprint(filter),
        prompt: asked.prompt.clone(),
        oracle: asked.oracle.fingerprint(),
        model: asked.model.clone(),
        round,
        texts: labelled.scores.len(),
        labelled: labelled.scores.iter().flatten().count(),
        asked: labelled.asked,
        failed: labelled.failed.len(),
        totals: labelled.totals,
        currency: asked.currency.clone(),
        ended: match &labelled.ended {
            Ended::Error(error) => error.to_string(),
            Ended::Budget => "budget".into(),
            _ => "done".into(),
        },
    }
}
