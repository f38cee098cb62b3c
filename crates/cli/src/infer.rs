use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use clap::{Args, ValueEnum};
use manyview_artifact::{
    FileFormat, GivenVectors, Holds, Inference, InferenceInput, Inferred, Texts, Written,
};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "\
Row i of every matrix is row i of rows.csv, which gives its row in the input, from 0, and whether
its text was truncated. metadata.json records how they were made, and the timings.

Memory does not grow with the input. After a stop or a kill the same command resumes, to
the same bytes; other settings or another input start over.")]
pub(crate) struct Infer {
    /// File of texts: .csv, .tsv, .jsonl, .json, .parquet or .arrow, also packed (.gz, .zst); - for standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "vectors")]
    input: Option<PathBuf>,
    /// Column of texts.
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text_column: String,
    /// A run directory, a variant's directory in it, an adapter directory, or hub:ORG/NAME. May be given several times: the texts
    /// are encoded once. With a fine-tuned encoder, or with --encoder alone, the vectors are base.npy.
    #[arg(long, value_name = "DIR", required_unless_present = "encoder")]
    adapter: Vec<PathBuf>,
    /// Directory for base.npy, adapter.npy (or one matrix named after each of several adapters), rows.csv and
    /// metadata.json.
    #[arg(long, value_name = "DIR", default_value = "out")]
    output_dir: PathBuf,
    /// Column of identifiers to write beside the vectors.
    #[arg(long, value_name = "COLUMN", conflicts_with = "vectors")]
    id_column: Option<String>,
    /// Only the first N rows of the input.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Drops rows with the text of an earlier row.
    #[arg(long, conflicts_with = "vectors")]
    dedup: bool,
    /// Drops rows without a text or an identifier instead of refusing them.
    #[arg(long, conflicts_with = "vectors")]
    drop_missing: bool,
    /// Also encodes the texts with the adapter's instruction: teacher.npy, and the time that takes.
    #[arg(long, conflicts_with = "vectors")]
    with_teacher: bool,
    /// File format of the matrices.
    #[arg(long, value_enum, default_value_t = Format::Npy)]
    format: Format,
    /// Base vectors instead of texts: a .npy matrix, or a list column of a .parquet file. No encoder is loaded.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "encoder"])]
    vectors: Option<PathBuf>,
    /// The list column of a .parquet file.
    #[arg(long, value_name = "COLUMN", default_value = "vector")]
    vectors_column: String,
    /// The fingerprint of the encoder that made the vectors, or its first 12 digits: refuses adapters of another
    /// encoder. Default: read from metadata.json beside the vectors.
    #[arg(long, value_name = "HEX", requires = "vectors")]
    encoder_fingerprint: Option<String>,
    /// Maps the rows as passages, for a retrieval adapter that maps queries and passages differently.
    #[arg(long)]
    passages: bool,
    /// Rows of the input per batch; memory grows with it. Default: 16 MiB of vectors, at most 8192 rows.
    #[arg(long, value_name = "N")]
    chunk_rows: Option<usize>,
    /// Encoder, if the adapter's own cannot be found by name.
    #[arg(long)]
    encoder: Option<String>,
    /// Device to encode on.
    #[arg(long, default_value = "flex")]
    device: String,
    /// The vector store.
    #[arg(long, value_name = "DIR", default_value = "store")]
    store: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// float32 NumPy matrices, with rows.csv beside them.
    Npy,
    /// Parquet: columns row, id, truncated and vector.
    Parquet,
}

/// Applies adapters to texts or vectors, and prints the output paths.
pub(crate) fn run(infer: Infer, bars: &Bars) -> anyhow::Result<()> {
    let inference = infer.inference();
    let inferred = manyview_artifact::infer(&inference, &environment().sources, bars)?;
    print(&inference.output, &inferred)
}

impl Infer {
    fn inference(self) -> Inference {
        let from = match self.vectors {
            Some(path) => InferenceInput::Vectors(GivenVectors {
                path,
                column: self.vectors_column,
                encoder_fingerprint: self.encoder_fingerprint,
            }),
            None => InferenceInput::Texts(Texts {
                input: self.input.unwrap_or_default(),
                text_column: self.text_column,
                id_column: self.id_column,
                dedup: self.dedup,
                drop_missing: self.drop_missing,
                with_teacher: self.with_teacher,
                encoder: self.encoder,
                device: self.device,
                store: self.store,
            }),
        };
        let format = match self.format {
            Format::Npy => FileFormat::Npy,
            Format::Parquet => FileFormat::Parquet,
        };
        let (adapters, output) = (self.adapter, self.output_dir);
        let (limit, chunk_rows, passages) = (self.limit, self.chunk_rows, self.passages);
        Inference { from, adapters, output, format, limit, chunk_rows, passages }
    }
}

fn print(dir: &Path, inferred: &Inferred) -> anyhow::Result<()> {
    let rows = inferred.rows;
    match &inferred.base {
        Some(base) => print_line(format_args!(
            "encoded {} texts in {:.1} s, took {} from the store",
            base.encoded, inferred.seconds.encode, base.reused
        )),
        None => print_line(&inferred.encoder.known),
    }?;
    if let (Some(teacher), seconds) = (&inferred.teacher, inferred.seconds) {
        print_line(format_args!(
            "under the instruction: encoded {} texts in {:.1} s, took {} from the store; the adapter took {:.3} s",
            teacher.encoded, seconds.teacher, teacher.reused, seconds.transform
        ))?;
    }
    for (n, why) in [
        (inferred.dropped.missing, "rows lack a value and were left out"),
        (inferred.dropped.duplicates, "rows repeat a text and were left out"),
        (inferred.truncated.unwrap_or(0), "texts are longer than the encoder reads; their ends were cut"),
        (inferred.normalized.unwrap_or(0), "vectors were not of length 1 and were normalised"),
    ] {
        if n > 0 {
            print_line(format_args!("{n} {why}"))?;
        }
    }
    for Written { file, holds, dim } in &inferred.files {
        let what = match holds {
            Holds::Base { instruction: None } => "base vectors".into(),
            Holds::Base { instruction: Some(_) } => "base vectors of queries, prompted".into(),
            Holds::Teacher { fitted: true, .. } => "vectors under the instruction".into(),
            Holds::Teacher { fitted: false, .. } => {
                "vectors under the instruction, which the adapter was not fitted to".into()
            }
            Holds::View { card, passages, .. } if card.instruction().is_empty() => {
                format!("their view as {}", if *passages { "passages" } else { "queries" })
            }
            Holds::View { card, .. } => format!("their view, {:?}", card.instruction()),
        };
        print_line(format_args!("{}: {what}, [{rows}, {dim}]", dir.join(file).display()))?;
    }
    if inferred.base.is_some() && inferred.files.iter().any(|written| written.file.ends_with(".npy")) {
        print_line(format_args!("{}: which row of the input each is", dir.join("rows.csv").display()))?;
    }
    print_line(format_args!("{}: what made them", dir.join("metadata.json").display()))
}
