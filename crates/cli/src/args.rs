use crate::calibrate::Calibrate;
use crate::infer::Infer;
use crate::instruct::Instruct;
use crate::label::Label;
use crate::prepare::Prepare;
use crate::score::Score;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Encodes a corpus once and views it under any instruction.
#[derive(Debug, Parser)]
#[command(
    name = "manyview",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Start with `manyview quickstart`: real texts, a real encoder, no network, about a minute.

Exit codes: 0 success, 1 internal error, 2 bad input or configuration, 3 a file that cannot be read or written,
4 network, 5 disk full, 6 invalid numbers (NaN, infinity), 130 interrupted (run the same command to resume).

Environment: MANYVIEW_DATA (the embedded data), HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE,
MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, RAYON_NUM_THREADS."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: Log,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Logs more: -v each step, -vv every detail.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Hides progress bars.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Format of log lines.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// Human-readable text.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole pipeline on the embedded encoder and corpus; writes runs/quickstart/report.html.
    Quickstart {
        /// Overrides of the embedded experiment, such as data.limit=500.
        #[arg(value_name = "KEY=VALUE")]
        overrides: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// Runs an experiment from texts to report: encode, train, evaluate, report.
    Run(Experiment),
    /// Fetches the encoder and the corpus of an experiment, and prints their paths.
    Fetch(Fetch),
    /// Encodes the corpus into the vector store, once.
    Encode(Experiment),
    /// Computes the teacher's vectors and fits the adapter.
    Train(Experiment),
    /// Evaluates base, adapter and teacher on the test texts; writes metrics.json.
    Evaluate(Experiment),
    /// Writes report.html and report.md from the metrics.
    Report(Experiment),
    /// Checks on samples whether an oracle's prompt is good enough to label a batch.
    Calibrate {
        #[command(subcommand)]
        command: Calibrate,
    },
    /// Labels texts with scores from an oracle, once each.
    Label(Label),
    /// Makes training files from an oracle's labels.
    Prepare {
        #[command(subcommand)]
        command: Prepare,
    },
    /// Encodes the texts of any file and applies a fitted adapter.
    Infer(Infer),
    /// Predicts the scores of the texts of any file with a fitted head: one output line per row.
    Score(Score),
    /// Answers instructions about a text, or about the rows of a file: questions, summaries, dates, numbers, names.
    Instruct(Instruct),
    /// Exports a fitted adapter or head with a model card: sentence-transformers, ONNX, NumPy.
    Export(Export),
    /// Uploads an export, or the adapter or head of a run, to a hub as one commit.
    Push(Push),
    /// Checks the requirements of a long job before it starts.
    Doctor {
        /// An experiment to check too.
        config: Option<PathBuf>,
        /// Overrides, such as data.limit=500.
        #[arg(value_name = "KEY=VALUE")]
        overrides: Vec<String>,
        /// Also reads every part of its stores and the adapters, heads and metrics of its run directory, moves
        /// damaged parts aside, and removes files left by killed processes.
        #[arg(long, requires = "config")]
        deep: bool,
    },
    /// Writes a copy of an encoder with int8 weights and a scale for each row: a quarter of the size.
    Quantize {
        /// Directory of the encoder, in the sentence-transformers layout.
        from: PathBuf,
        /// Directory to create.
        to: PathBuf,
    },
    /// Compares the settings and results of earlier runs.
    Runs {
        /// The directory of run directories.
        #[arg(long, default_value = "runs", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Runs,
    },
    /// Sends records that a tracking server missed in earlier runs.
    Track {
        /// The directory of run directories.
        #[arg(long, default_value = "runs", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Track,
    },
    /// Maintains the vector store.
    Store {
        /// The store's directory.
        #[arg(long, default_value = "store", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Store,
    },
}

/// An experiment file and overrides.
#[derive(Debug, Args)]
pub(crate) struct Experiment {
    /// Experiment file (TOML); see configs/.
    pub(crate) config: PathBuf,
    /// Overrides, such as train.lr=1e-3 or data.source=my.csv.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<String>,
    #[command(flatten)]
    pub(crate) on: On,
}

/// Device of an experiment.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// Device for encoding and training (sets encoder.device): flex, ndarray, libtorch or libtorch:cuda:N.
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
}

impl On {
    /// `overrides`, and the device after them.
    pub(crate) fn with(&self, overrides: &[String]) -> Vec<String> {
        let device = self.device.iter().map(|name| format!("encoder.device={name}"));
        overrides.iter().cloned().chain(device).collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) experiment: Experiment,
    /// Prints the BLAKE3 hash and the name of each file instead of the paths.
    #[arg(long)]
    pub(crate) hashes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A run directory, a variant's directory in it, the directory of an adapter or a head, or hub:ORG/NAME.
    pub(crate) adapter: PathBuf,
    /// Export format.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) to: ExportFormat,
    /// Directory to create; it is written completely or not at all.
    pub(crate) output: PathBuf,
    /// Encoder, if the adapter's own cannot be found by name.
    #[arg(long)]
    pub(crate) encoder: Option<String>,
    /// Device for the encoder.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
HF_TOKEN holds a token with write access. HF_ENDPOINT selects another hub than huggingface.co. A second push
sends changed files and removes nothing.")]
pub(crate) struct Push {
    /// A directory written by `export`; or a run directory, a variant's directory in it, or the directory of an
    /// adapter or a head.
    pub(crate) from: PathBuf,
    /// The repository; created if it does not exist.
    #[arg(value_name = "ORG/NAME")]
    pub(crate) repo: String,
    /// The branch; created if it does not exist.
    #[arg(long, default_value = "main")]
    pub(crate) revision: String,
    /// Makes the repository private; refuses to push to a public one.
    #[arg(long)]
    pub(crate) private: bool,
    /// Commit message.
    #[arg(long, value_name = "TEXT", default_value = "A view made with Manyview")]
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Encoder and adapter as one model that Python's sentence-transformers loads.
    SentenceTransformers,
    /// The adapter alone as a graph, adapter.onnx: base vectors in, view out.
    Onnx,
    /// The adapter alone as weight.npy, and bias.npy if it has a bias.
    Npy,
    /// The adapter alone in the format of `manyview infer`, or the head in that of `manyview score`.
    Adapter,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// Lists runs with their scores.
    Ls,
    /// Shows the experiment, hashes and metrics of a run.
    Show {
        /// Its name or path.
        run: PathBuf,
    },
    /// Shows the differences between two runs.
    Diff {
        /// Name or path of the first run.
        a: PathBuf,
        /// Name or path of the second run.
        b: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Track {
    /// Sends the unsent part of every record below the directory, each event once.
    Sync {
        /// The MLflow server's address; default: MLFLOW_TRACKING_URI.
        #[arg(long)]
        uri: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Lists what is stored: encoder, instruction, rows, bytes.
    Ls,
    /// Checks every file; moves damaged ones aside, so that their vectors are computed again.
    Verify,
    /// Merges small files into large ones; it is also done automatically when there are many.
    Compact,
    /// Removes the vectors of one encoder and instruction, by the key that `ls` shows.
    Rm {
        /// The key, or a prefix of it.
        key: String,
    },
}
