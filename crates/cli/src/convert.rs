use crate::stdout::print_line;
use anyhow::bail;
use clap::{Args, ValueEnum};
use manyview_pipeline::{Conversion, Converted, Error, Fractions, PairForm, PairOrigin, convert_pairs};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Pairs {
    /// Format of the input.
    #[arg(long, value_enum)]
    from: From,
    /// Input file.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Output file (.jsonl); it is written completely or not at all.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Format of the output lines.
    #[arg(long, value_enum, default_value_t = To::Pairs)]
    to: To,
    /// Instruction that a summary answers, with --to instructed.
    #[arg(long, value_name = "TEXT", default_value = "Summarise the text")]
    instruction: String,
    /// Adds a column `split` with train, val or test in these fractions, such as 0.7,0.1,0.2; no document is in two
    /// parts.
    #[arg(long, value_name = "TRAIN,VAL,TEST", value_delimiter = ',')]
    split: Vec<f64>,
    /// Seed of the split.
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    /// SQuAD's JSON: data[].paragraphs[].qas[].
    Squad,
    /// JSON objects with a document and its summary.
    Summaries,
    /// JSON objects with a question and its answer, or with a list of them.
    Qa,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    /// {query, passage, document, answer}: pairs for [retrieval].
    Pairs,
    /// {text, instruction, answer, document}: the answer of each text to an instruction.
    Instructed,
}

/// Converts one file.
pub(crate) fn run(wanted: &Pairs) -> anyhow::Result<()> {
    let origin = match wanted.from {
        From::Squad => PairOrigin::Squad,
        From::Summaries => PairOrigin::Summaries,
        From::Qa => PairOrigin::Qa,
    };
    let form = match wanted.to {
        To::Pairs => PairForm::Pairs,
        To::Instructed => PairForm::Instructed,
    };
    let conversion =
        Conversion { origin, form, instruction: &wanted.instruction, split: split(wanted, form)? };
    let Converted { written, skipped, parts } =
        convert_pairs(&wanted.input, &wanted.output, &conversion).map_err(Error::from)?;
    let output = wanted.output.display();
    print_line(format_args!("{output}: {written} lines; {skipped} that lack a text were left out"))?;
    let Some([train, val, test]) = parts else { return Ok(()) };
    print_line(format_args!(
        "{train} train, {val} val, {test} test, drawn by document with seed {}",
        wanted.seed
    ))
}

fn split(wanted: &Pairs, form: PairForm) -> anyhow::Result<Option<(Fractions, u64)>> {
    let refuse = |problem: &str| Error::Setting { key: "--split".into(), problem: problem.into() };
    match (wanted.split.as_slice(), form) {
        ([], _) => Ok(None),
        (_, PairForm::Instructed) => bail!(refuse("expected --to pairs, which are split by document")),
        (&[train, val, test], PairForm::Pairs) => {
            Ok(Some((Fractions::new(train, val, test).map_err(Error::from)?, wanted.seed)))
        }
        (shares, _) => {
            bail!(refuse(&format!("expected three shares, such as 0.7,0.1,0.2, found {}", shares.len())))
        }
    }
}
