use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use clap::Args;
use manyview_artifact::Scoring;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Writes one line for each row, in order: {\"id\": …, \"scores\": {DIMENSION: …}, \"weighted\": …, \"tier\": …}. A row
without a text keeps its line, with null instead of scores. Memory does not grow with the file. After a stop or
a kill the same command resumes, to the same bytes; another head or input starts over.")]
pub(crate) struct Score {
    /// File of texts: .csv, .tsv, .jsonl, .json, .parquet or .arrow, also packed (.gz, .zst); - for standard input.
    input: PathBuf,
    /// A run directory, a variant's directory in it, a head's directory, or hub:ORG/NAME.
    #[arg(long, value_name = "DIR")]
    head: PathBuf,
    /// File to write; it is written completely or not at all.
    #[arg(long, value_name = "FILE", default_value = "scores.jsonl")]
    output: PathBuf,
    /// Column of texts.
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text_column: String,
    /// Column of titles, prepended to the text.
    #[arg(long, value_name = "COLUMN")]
    title_column: Option<String>,
    /// Column of identifiers; default: row numbers from 0.
    #[arg(long, value_name = "COLUMN")]
    id_column: Option<String>,
    /// Encoder, if the head's own cannot be found by name.
    #[arg(long)]
    encoder: Option<String>,
    /// Device to encode on.
    #[arg(long, default_value = "flex")]
    device: String,
    /// The vector store.
    #[arg(long, value_name = "DIR", default_value = "store")]
    store: PathBuf,
}

/// Scores the rows of a file, and prints the counts.
pub(crate) fn run(score: Score, bars: &Bars) -> anyhow::Result<()> {
    let scoring = Scoring {
        input: score.input,
        head: score.head,
        output: score.output,
        text_column: score.text_column,
        title_column: score.title_column,
        id_column: score.id_column,
        encoder: score.encoder,
        device: score.device,
        store: score.store,
    };
    let done = manyview_artifact::score(&scoring, &environment().sources, bars)?;
    print_line(format_args!(
        "encoded {} texts, took {} from the store",
        done.encoding.encoded, done.encoding.reused
    ))?;
    for (n, why) in [
        (done.blank, "rows have no text and so no scores"),
        (done.truncated, "texts are longer than the encoder reads; their ends were cut"),
    ] {
        if n > 0 {
            print_line(format_args!("{n} {why}"))?;
        }
    }
    print_line(format_args!("{}: {} rows", scoring.output.display(), done.rows))
}
