//! Scoring texts by a head that was fitted.

mod apply;

pub(crate) use apply::head_in;
pub use apply::{ScoredFile, Scoring, score};

use crate::run::{ENCODER, TUNED, encoder_of};
use manyview_adapter::HeadCard;
use manyview_core::Fingerprint;
use std::path::{Path, PathBuf};

/// The encoder that was trained below the head in `dir`: beside that in a run, within it where it was exported.
pub(crate) fn learnt_encoder(dir: &Path, card: &HeadCard) -> Option<PathBuf> {
    let run: Fingerprint = serde_json::from_value(card.settings.get(TUNED)?.clone()).ok()?;
    let beside = dir.parent().and_then(|variant| encoder_of(variant, &run));
    beside.or_else(|| Some(dir.join(ENCODER)).filter(|path| path.is_dir()))
}
