use crate::args::Runs as Command;
use crate::stdout::print_line;
use manyview_pipeline::{PastRun, past_run, past_runs, run_difference};
use serde_json::Value;
use std::path::Path;

/// Runs one `manyview runs` command.
pub(crate) fn run(dir: &Path, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Ls => list(&past_runs(dir)?),
        Command::Show { run } => show(&past_run(&place(dir, &run))?),
        Command::Diff { a, b } => {
            let (a, b) = (past_run(&place(dir, &a))?, past_run(&place(dir, &b))?);
            diff(&a, &b)
        }
    }
}

/// A run by its name below `dir`, or by its path.
fn place(dir: &Path, run: &Path) -> std::path::PathBuf {
    let named = dir.join(run);
    if named.is_dir() || !run.is_dir() { named } else { run.into() }
}

fn list(runs: &[PastRun]) -> anyhow::Result<()> {
    print_line(format_args!(
        "{:32}  {:>6}  {:>7}  {:16}  label and encoder",
        "run", "base", "adapter", "gain"
    ))?;
    for run in runs {
        for view in &run.views {
            let name = run.path.file_name().unwrap_or_default().to_string_lossy();
            let name = if view.name.is_empty() { name.into() } else { format!("{name}/{}", view.name) };
            let Some(scores) = &view.scores else {
                let reached = if view.fit.is_some() { "fitted, not evaluated" } else { "not fitted" };
                print_line(format_args!("{name:32}  {reached}"))?;
                continue;
            };
            let (base, adapter, of) = (scores.base, scores.adapter, &scores.of);
            let gain =
                scores.gain.map_or("–".into(), |gain| format!("{:+.3} ({:+.3})", gain.value, gain.low));
            print_line(format_args!("{name:32}  {base:6.3}  {adapter:7.3}  {gain:16}  {of}"))?;
        }
    }
    print_line(
        "V-measures on test texts; of retrieval nDCG@10 on test queries; of scores the mean absolute error, base the mean's.",
    )?;
    print_line(
        "The gain with the lower end of its 95% interval; of scores the share of the mean's error taken away.",
    )
}

fn show(run: &PastRun) -> anyhow::Result<()> {
    for (key, value) in run.config.iter().chain(&run.metrics()) {
        print_line(format_args!("{key} = {}", shown(Some(value))))?;
    }
    Ok(())
}

fn diff(a: &PastRun, b: &PastRun) -> anyhow::Result<()> {
    let differences = run_difference(a, b);
    if differences.is_empty() {
        return print_line("the same experiment, the same metrics");
    }
    let width = differences.iter().map(|d| d.key.len()).max().unwrap_or_default();
    for d in &differences {
        let change = match (d.a.as_ref().and_then(Value::as_f64), d.b.as_ref().and_then(Value::as_f64)) {
            (Some(a), Some(b)) => format!("  ({:+.4})", b - a),
            _ => String::new(),
        };
        let (a, b) = (shown(d.a.as_ref()), shown(d.b.as_ref()));
        print_line(format_args!("{:width$}  {a} → {b}{change}", d.key))?;
    }
    Ok(())
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "–".into(),
        Some(Value::Number(n)) if n.is_f64() => format!("{:.4}", n.as_f64().unwrap_or_default()),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
