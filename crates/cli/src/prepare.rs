use crate::convert;
use crate::stdout::print_line;
use clap::{Args, Subcommand};
use manyview_labelling::prepare::{self, Left, Preparation, Prepared, RECORD};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Prepare {
    /// Splits an oracle's labels into train.jsonl, val.jsonl and test.jsonl.
    Scores(Scores),
    /// Converts questions with answers, or documents with summaries, to pairs, one JSON object per line.
    Pairs(convert::Pairs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The split is stratified by tier. Rows with the id or the text of an earlier row are dropped.
prepare.json records what was read, dropped and written; the same rows, settings and seed give the same bytes.")]
pub(crate) struct Scores {
    /// The filter: a .toml or .yaml file, or the directory of one version.
    #[arg(long, value_name = "FILTER")]
    filter: PathBuf,
    /// A labelled file (JSONL): id, title, content and NAME_analysis.dimensions. May be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    input: Vec<PathBuf>,
    /// Directory for the training files and prepare.json.
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Fraction of training rows; the three sum to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    train_ratio: f64,
    /// Fraction of validation rows, for model selection; may be 0.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    val_ratio: f64,
    /// Fraction of test rows, evaluated once at the end.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    test_ratio: f64,
    /// Seed of the split.
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// The field with the source of a row: all rows of one source are in one part.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Drops unusable rows instead of refusing them.
    #[arg(long)]
    drop_bad: bool,
}

/// Runs one `manyview prepare` command.
pub(crate) fn run(command: Prepare) -> anyhow::Result<()> {
    match command {
        Prepare::Scores(scores) => prepare_scores(scores),
        Prepare::Pairs(pairs) => convert::run(&pairs),
    }
}

fn prepare_scores(scores: Scores) -> anyhow::Result<()> {
    let preparation = Preparation {
        filter: scores.filter,
        inputs: scores.input,
        output: scores.output_dir,
        shares: [scores.train_ratio, scores.val_ratio, scores.test_ratio],
        seed: scores.seed,
        group: scores.group,
        drop_bad: scores.drop_bad,
    };
    let prepared = prepare::run(&preparation)?;
    left(prepared.read, &prepared.left)?;
    if let Some(group) = &prepared.group {
        let (groups, largest) = (prepared.groups, prepared.largest_group);
        print_line(format_args!("{groups} groups by {group}, the largest of {largest} rows"))?;
    }
    tiers(&prepared)?;
    let dir = &preparation.output;
    for file in [&prepared.files.train, &prepared.files.val, &prepared.files.test] {
        print_line(format_args!("{}: {} rows", dir.join(&file.file).display(), file.rows))?;
    }
    print_line(format_args!("{}: what was read, left out and written", dir.join(RECORD).display()))
}

fn left(read: usize, left: &Left) -> anyhow::Result<()> {
    print_line(format_args!("read {read} rows"))?;
    for (n, why) in [
        (left.bad, "cannot be used and were left out"),
        (left.repeated_ids, "have the id of an earlier row and were left out"),
        (left.repeated_texts, "have the text of an earlier row and were left out"),
        (left.scored_otherwise, "of the repeated rows were scored otherwise than the first"),
    ] {
        if n > 0 {
            print_line(format_args!("{n} {why}"))?;
        }
    }
    Ok(())
}

fn tiers(prepared: &Prepared) -> anyhow::Result<()> {
    if prepared.tiers.is_empty() {
        return Ok(());
    }
    let width =
        prepared.tiers.iter().map(|row| row.tier.chars().count()).max().unwrap_or(0).max("tier".len());
    print_line(format_args!(
        "{:width$}  {:>5}  {:>14}  {:>14}  {:>14}",
        "tier", "from", "train", "val", "test"
    ))?;
    let files = &prepared.files;
    for row in &prepared.tiers {
        let from = row.threshold.map_or_else(|| "–".into(), |from| from.to_string());
        let cell = |n: usize, of: usize| match of {
            0 => "–".into(),
            of => format!("{n} ({:.1}%)", 100.0 * n as f64 / of as f64),
        };
        print_line(format_args!(
            "{:width$}  {from:>5}  {:>14}  {:>14}  {:>14}",
            row.tier,
            cell(row.train, files.train.rows),
            cell(row.val, files.val.rows),
            cell(row.test, files.test.rows)
        ))?;
    }
    Ok(())
}
