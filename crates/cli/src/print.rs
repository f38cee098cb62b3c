use manyview_pipeline::{Check, Inferred, Outcome, Quantized, Stage, Tally};
use std::path::Path;

/// The table of a finished run, and where its report is.
pub(crate) fn outcome(outcome: &Outcome) {
    if let Some(report) = &outcome.report {
        print!("{}", report.table());
    }
    println!();
    encoding(&outcome.tally, outcome.truncated);
    println!("report: {}", outcome.dir.join("report.html").display());
}

/// What one stage did.
pub(crate) fn stage(stage: Stage, outcome: &Outcome) {
    encoding(&outcome.tally, outcome.truncated);
    match stage {
        Stage::Encode => {}
        Stage::Train => {
            for (name, record) in &outcome.fits {
                let figures: Vec<String> =
                    record.figures.iter().map(|(figure, value)| format!("{figure} {value:.4}")).collect();
                println!("{name}: {} on {} rows, {}", record.method, record.rows, figures.join(", "));
            }
        }
        Stage::Evaluate => println!("metrics: {}", outcome.dir.join("metrics.json").display()),
        Stage::Report => self::outcome(outcome),
    }
}

fn encoding(tally: &Tally, truncated: usize) {
    println!(
        "encoded {} texts in {:.1} s, took {} from the store",
        tally.encoded, tally.seconds, tally.reused
    );
    if truncated > 0 {
        println!("{truncated} texts of the corpus are longer than the encoder reads; their ends were cut");
    }
}

/// What was inferred, and where it is.
pub(crate) fn inferred(dir: &Path, inferred: &Inferred) {
    println!("encoded {} texts, took {} from the store", inferred.tally.encoded, inferred.tally.reused);
    println!("{}: base vectors, [{}, {}]", dir.join("base.npy").display(), inferred.rows, inferred.dim_in);
    println!("{}: their view, [{}, {}]", dir.join("adapter.npy").display(), inferred.rows, inferred.dim_out);
    println!("{}: what made them", dir.join("metadata.json").display());
}

/// What was made smaller.
pub(crate) fn quantized(to: &Path, made: &Quantized) {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{}: {:.1} MiB, was {:.1} MiB; {} int8 matrices",
        to.display(),
        mib(made.after),
        mib(made.before),
        made.matrices
    );
}

/// Prints each check; gives the number of those that failed.
pub(crate) fn checks(checks: &[Check]) -> usize {
    for check in checks {
        match &check.found {
            Ok(found) => println!("ok    {}: {found}", check.what),
            Err(problem) => println!("FAIL  {}: {problem}", check.what),
        }
    }
    checks.iter().filter(|check| check.found.is_err()).count()
}
