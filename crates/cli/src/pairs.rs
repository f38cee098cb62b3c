use crate::environment::environment;
use crate::print;
use crate::progress::Bars;
use crate::say::say;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{Stage, pairs};

/// Runs one stage of the experiments of `suite`, or all of them.
pub(crate) fn run(suite: &Suite, stage: Option<Stage>, bars: &Bars) -> anyhow::Result<()> {
    let outcome = pairs::run(suite, stage, &environment(), bars)?;
    if let Some(report) = &outcome.report {
        say(report.table())?;
    }
    print::encoding(&outcome.tally, outcome.truncated)?;
    if stage == Some(Stage::Train) {
        for (name, fit) in &outcome.fits {
            let (rows, figures) = (fit.rows, print::figures(&fit.figures));
            say(format_args!("{name}: {rows} pairs in {:.2} s, {figures}", fit.seconds))?;
        }
    }
    print::untracked(outcome.untracked)?;
    match stage {
        None | Some(Stage::Report) => {
            say(format_args!("report: {}", outcome.dir.join("report.html").display()))
        }
        Some(Stage::Evaluate) => say(format_args!("metrics: {}", outcome.dir.join("metrics.json").display())),
        Some(_) => Ok(()),
    }
}
