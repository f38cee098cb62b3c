//! Contrastive adapters, learnt from pairs of texts that belong together.

use crate::config::Suite;
use crate::{Environment, Error, Result, Stage};
use manyview_core::Progress;

/// Runs the experiments of `suite`: one stage, or all of them.
///
/// # Errors
/// Whatever a stage reports; the stages before it are kept.
pub fn run(
    _suite: &Suite,
    _stage: Option<Stage>,
    _environment: &Environment,
    _progress: &dyn Progress,
) -> Result<()> {
    Err(Error::setting("pairs", "expected an experiment without [pairs]: it is not built yet"))
}
