use crate::environment::environment;
use crate::progress::Bars;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Stage, pairs};

/// Runs one stage of the experiments of `suite`, or all of them.
pub(crate) fn run(suite: &Suite, stage: Option<Stage>, bars: &Bars) -> anyhow::Result<()> {
    Ok(pairs::run(suite, stage, &environment(), bars)?)
}
