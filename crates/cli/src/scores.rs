use crate::environment::environment;
use crate::print;
use crate::progress::Bars;
use crate::say::say;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Stage, scores};

/// Runs one stage of the experiments of `suite`, or all of them, and says what came of it.
pub(crate) fn run(suite: &Suite, stage: Option<Stage>, bars: &Bars) -> anyhow::Result<()> {
    let outcome = scores::run(suite, stage, &environment(), bars)?;
    if let Some(report) = &outcome.report {
        say(report.table())?;
    }
    print::encoding(&outcome.tally, outcome.truncated)?;
    print::untracked(outcome.untracked)?;
    if stage == Some(Stage::Train) {
        for (name, record) in &outcome.fits {
            let figures: Vec<String> =
                record.figures.iter().map(|(figure, value)| format!("{figure} {value:.4}")).collect();
            say(format_args!("{name}: {} on {} rows, {}", record.head, record.rows, figures.join(", ")))?;
        }
    }
    match stage {
        Some(Stage::Evaluate) => say(format_args!("metrics: {}", outcome.dir.join("metrics.json").display())),
        None | Some(Stage::Report) => {
            say(format_args!("report: {}", outcome.dir.join("report.html").display()))
        }
        _ => Ok(()),
    }
}
