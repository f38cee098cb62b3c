use crate::say::say;
use clap::{Args, ValueEnum};
use manyview_pipeline::{Converted, PairForm, PairOrigin, convert_pairs};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Pairs {
    /// What the input is.
    #[arg(long, value_enum)]
    from: From,
    /// The file to read.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The .jsonl file to write; it appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// What each line is.
    #[arg(long, value_enum, default_value_t = To::Pairs)]
    to: To,
    /// What a summary answers, with --to instructed.
    #[arg(long, value_name = "TEXT", default_value = "Summarise the text")]
    instruction: String,
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
    /// {query, passage, document, answer}: what belongs together, for [pairs].
    Pairs,
    /// {text, instruction, answer, document}: what each text says under an instruction.
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
    let Converted { written, skipped } =
        convert_pairs(&wanted.input, &wanted.output, origin, form, &wanted.instruction)
            .map_err(manyview_pipeline::Error::from)?;
    let output = wanted.output.display();
    say(format_args!("{output}: {written} lines; {skipped} that lack a text were left out"))
}
