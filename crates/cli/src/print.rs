use crate::say::say;
use anyhow::Result;
use manyview_pipeline::{Check, Outcome, Quantized, Stage, Tally};
use std::collections::BTreeMap;
use std::path::Path;

/// The table of a finished run, and where its report is.
pub(crate) fn outcome(outcome: &Outcome) -> Result<()> {
    if let Some(report) = &outcome.report {
        say(report.table())?;
    }
    encoding(&outcome.tally, outcome.truncated)?;
    untracked(outcome.untracked)?;
    say(format_args!("report: {}", outcome.dir.join("report.html").display()))
}

/// What a tracking server missed.
pub(crate) fn untracked(left: u64) -> Result<()> {
    match left {
        0 => Ok(()),
        left => say(format_args!(
            "{left} events have not reached the tracking server; `manyview track sync` sends them"
        )),
    }
}

/// What one stage did.
pub(crate) fn stage(stage: Stage, outcome: &Outcome) -> Result<()> {
    if stage == Stage::Report {
        return self::outcome(outcome);
    }
    encoding(&outcome.tally, outcome.truncated)?;
    if stage == Stage::Train {
        for (name, record) in &outcome.fits {
            let (method, rows) = (&record.method, record.rows);
            say(format_args!("{name}: {method} on {rows} rows, {}", figures(&record.figures)))?;
        }
    }
    untracked(outcome.untracked)?;
    if stage == Stage::Evaluate {
        say(format_args!("metrics: {}", outcome.dir.join("metrics.json").display()))?;
    }
    Ok(())
}

/// What was chosen or reached, in one line.
pub(crate) fn figures(figures: &BTreeMap<String, f64>) -> String {
    let figure = |(name, value): (&String, &f64)| match value.fract() == 0.0 {
        true => format!("{name} {value}"),
        false => format!("{name} {value:.4}"),
    };
    figures.iter().map(figure).collect::<Vec<_>>().join(", ")
}

/// What encoding took.
pub(crate) fn encoding(tally: &Tally, truncated: usize) -> Result<()> {
    let Tally { encoded, reused, seconds } = tally;
    say(format_args!("encoded {encoded} texts in {seconds:.1} s, took {reused} from the store"))?;
    if truncated > 0 {
        say(format_args!(
            "{truncated} texts of the corpus are longer than the encoder reads; their ends were cut"
        ))?;
    }
    Ok(())
}

/// What was made smaller.
pub(crate) fn quantized(to: &Path, made: &Quantized) -> Result<()> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    say(format_args!(
        "{}: {:.1} MiB, was {:.1} MiB; {} int8 matrices",
        to.display(),
        mib(made.after),
        mib(made.before),
        made.matrices
    ))
}

/// Prints each check; gives the number of those that failed.
pub(crate) fn checks(checks: &[Check]) -> Result<usize> {
    for check in checks {
        match &check.found {
            Ok(found) => say(format_args!("ok    {}: {found}", check.what)),
            Err(problem) => say(format_args!("FAIL  {}: {problem}", check.what)),
        }?;
    }
    Ok(checks.iter().filter(|check| check.found.is_err()).count())
}
