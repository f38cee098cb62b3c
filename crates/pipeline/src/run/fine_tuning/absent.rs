//! In a build that cannot train.

use super::FineTuning;
use crate::Result;
use crate::config::Encoder;
use crate::run::VariantDir;
use crate::training::needs_training;
use manyview_core::{Fingerprint, Progress};
use manyview_encoder::TextEncoder;
use manyview_encoder::finetune::FineTuned;

impl FineTuning<'_> {
    pub(in crate::run) fn identity(
        &self,
        _: (&TextEncoder, &Encoder),
        _: &dyn Progress,
    ) -> Result<Fingerprint> {
        Err(needs_training())
    }

    pub(in crate::run) fn train(
        &self,
        _: (&TextEncoder, &Encoder),
        _: &VariantDir,
        _: &dyn Progress,
    ) -> Result<FineTuned> {
        Err(needs_training())
    }
}
