//! What every card says of the encoder and of the fit.

use crate::config::Encoder;
use crate::run::FitRecord;
use manyview_core::Fingerprint;
use manyview_encoder::{LongTexts, Weights};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a card says which fit it is of.
const FIT: &str = "fit";

/// The settings of a card: the encoder, as it has to be loaded, the data set, and the key of the fit.
pub(super) fn settings(encoder: &Encoder, dataset: &str, record: &FitRecord) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::from([
        ("model".to_string(), Value::from(encoder.model.clone())),
        ("revision".into(), encoder.revision.clone().into()),
        ("dataset".into(), dataset.into()),
        (FIT.into(), record.key.as_str().into()),
    ]);
    if encoder.weights != Weights::F32 {
        settings
            .extend(serde_json::to_value(encoder.weights).map(|weights| ("weights".to_string(), weights)));
    }
    if encoder.long != LongTexts::Cut {
        settings.insert("long".into(), encoder.long.as_str().into());
    }
    settings.extend(encoder.max_length.map(|n| ("max_length".to_string(), n.into())));
    settings.extend(encoder.truncate_dim.map(|n| ("truncate_dim".to_string(), n.into())));
    settings
}

/// The key of the fit that a card with these settings is of.
pub(super) fn fit(settings: &BTreeMap<String, Value>) -> Option<Fingerprint> {
    serde_json::from_value(settings.get(FIT)?.clone()).ok()
}
