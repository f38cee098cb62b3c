//! What the tasks share that fit an adapter, or fine-tune the encoder in its place.

use super::card;
use crate::Result;
use crate::run::{FitRecord, VariantDir};
use manyview_adapter::{Card, Maps};
use manyview_artifact::{ENCODER, write_encoder_card};
use manyview_core::{Fingerprint, Kind};
use manyview_encoder::finetune::FineTuned;
use manyview_report::Curve;

/// The directory of an adapter in a variant's.
pub(super) const ADAPTER: &str = "adapter";
/// What a fine-tuned encoder costs, whatever the task.
pub(super) const REENCODE: &str = "A fine-tuned encoder is another encoder: every stored text has to be encoded again, \
                                   and an index of them built again.";

/// What was fitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Fitted {
    /// An adapter over the vectors of the frozen encoder.
    Adapter(Maps),
    /// The encoder itself, whose vectors are used as they are.
    Encoder,
}

impl Fitted {
    /// Saves it with `card` in the directory of a variant; training wrote the encoder there already.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub(super) fn save(&self, card: &Card, dir: &VariantDir) -> Result<()> {
        match self {
            Self::Encoder => Ok(write_encoder_card(&dir.artifact(ENCODER), card)?),
            Self::Adapter(maps) => {
                Ok(manyview_adapter::save(&dir.artifact(ADAPTER), &maps.clone().into(), card)?)
            }
        }
    }

    /// What was saved in the directory of a variant, and the key of the fit it was saved with.
    ///
    /// # Errors
    /// Files that are not there or are damaged.
    pub(super) fn open(dir: &VariantDir, record: &FitRecord) -> Result<(Self, Option<Fingerprint>)> {
        if record.artifact == ENCODER {
            return Ok((Self::Encoder, Some(record.key.clone())));
        }
        let saved = manyview_adapter::load(&dir.artifact(ADAPTER))?.adapter()?;
        Ok((Self::Adapter(saved.model), card::fit(&saved.card.settings)))
    }
}

/// The record of an encoder fine-tuned by the method `how`, of which `training` says how it went.
pub(super) fn encoder_record(how: &str, training: &FineTuned, key: &Fingerprint) -> FitRecord {
    let losses = &training.losses;
    let curve = Curve::epochs(losses.len(), "its place, the last", 1..=losses.len())
        .with("train_loss", losses.iter().map(|loss| Some(*loss)));
    let mut record = FitRecord::new(key, how, training.examples, curve);
    record.artifact = ENCODER.into();
    record.metrics.insert("steps".into(), training.steps as f64);
    record.metrics.insert("values".into(), training.parameters as f64);
    record.metrics.extend(losses.last().map(|loss| ("train_loss".to_string(), *loss)));
    record
}

/// The vectors of the fine-tuned encoder, where there are some.
///
/// # Errors
/// None, though the fit is that of an encoder: the driver trains it first.
pub(super) fn tuned<T>(vectors: Option<&T>) -> Result<&T> {
    let problem = "no encoder was trained for this fit";
    vectors.ok_or_else(|| manyview_core::Error::other(Kind::Internal, problem).into())
}

/// What a report says of the encoder `model`.
pub(super) fn encoder_fact(model: &str, fine_tunes: bool) -> String {
    match fine_tunes {
        true => format!("{model}, before and after fine-tuning"),
        false => format!("{model}, frozen"),
    }
}
