use crate::stdout::print_line;
use anyhow::Result;
use manyview_pipeline::{Check, Quantized, RunSummary, Stage, Stages, Tally};
use std::collections::BTreeMap;
use std::path::Path;

/// What a run left: the table of its report, what was fitted, and where the files are.
pub(crate) fn run(stages: Stages, run: &RunSummary) -> Result<()> {
    if let Some(table) = &run.table {
        print_line(table)?;
    }
    encoding(&run.tally, run.truncated, run.share_read)?;
    if stages == Stages::Only(Stage::Train) {
        for (name, fit) in &run.fits {
            let (method, rows, seconds) = (&fit.method, fit.rows, fit.seconds);
            let metrics = metrics(&fit.metrics);
            print_line(format_args!("{name}: {method} on {rows} rows in {seconds:.2} s, {metrics}"))?;
        }
    }
    if run.untracked > 0 {
        let left = run.untracked;
        print_line(format_args!(
            "{left} events have not reached the tracking server; `manyview track sync` sends them"
        ))?;
    }
    match stages.last() {
        Stage::Encode | Stage::Train => Ok(()),
        Stage::Evaluate => print_line(format_args!("metrics: {}", run.dir.join("metrics.json").display())),
        Stage::Report => print_line(format_args!("report: {}", run.dir.join("report.html").display())),
    }
}

/// Name and value of each metric, in one line.
fn metrics(metrics: &BTreeMap<String, f64>) -> String {
    let metric = |(name, value): (&String, &f64)| match value.fract() == 0.0 {
        true => format!("{name} {value}"),
        false => format!("{name} {value:.4}"),
    };
    metrics.iter().map(metric).collect::<Vec<_>>().join(", ")
}

/// What encoding took.
fn encoding(tally: &Tally, truncated: usize, share_read: Option<f64>) -> Result<()> {
    let Tally { encoded, reused, seconds } = tally;
    print_line(format_args!("encoded {encoded} texts in {seconds:.1} s, took {reused} from the store"))?;
    if truncated > 0 {
        let share = share_read.map(|share| format!(": {:.0}% of the tokens were read", share * 100.0));
        print_line(format_args!(
            "{truncated} texts of the corpus are longer than the encoder reads; their ends were cut{}",
            share.unwrap_or_default()
        ))?;
    }
    Ok(())
}

/// What was made smaller.
pub(crate) fn quantized(to: &Path, made: &Quantized) -> Result<()> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    print_line(format_args!(
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
            Ok(found) => print_line(format_args!("ok    {}: {found}", check.what)),
            Err(problem) => print_line(format_args!("FAIL  {}: {problem}", check.what)),
        }?;
    }
    Ok(checks.iter().filter(|check| check.found.is_err()).count())
}
