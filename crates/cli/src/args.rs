use crate::calibrate::Calibrate;
use crate::infer::Infer;
use crate::label::Label;
use crate::prepare::Prepare;
use crate::score::Score;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Encode a corpus once; see it under any instruction.
#[derive(Debug, Parser)]
#[command(
    name = "manyview",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Start with `manyview quickstart`: real texts, a real encoder, no network, about a minute.

Exit codes: 0 done, 1 a fault of manyview, 2 bad input or configuration, 3 a file that cannot be read or written,
4 network, 5 disk full, 6 numbers out of range, 130 interrupted (run the same command again to go on).

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
    /// Says more: -v what is done, -vv every detail.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Shows no progress bars.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole pipeline on the embedded encoder and corpus; writes runs/quickstart/report.html.
    Quickstart {
        /// Changes to the embedded experiment, such as data.limit=500.
        #[arg(value_name = "KEY=VALUE")]
        overrides: Vec<String>,
        #[command(flatten)]
        on: On,
    },
    /// Runs an experiment from text to report: encode, train, evaluate, report.
    Run(Experiment),
    /// Fetches the encoder and the corpus of an experiment, and says where they are.
    Fetch(Fetch),
    /// Encodes the corpus into the store, once.
    Encode(Experiment),
    /// Asks the teacher and fits the adapter.
    Train(Experiment),
    /// Measures base, adapter and teacher on the test texts; writes metrics.json.
    Evaluate(Experiment),
    /// Writes report.html and report.md from the metrics.
    Report(Experiment),
    /// Finds out on samples whether an oracle's prompt can be trusted with a batch.
    Calibrate {
        #[command(subcommand)]
        command: Calibrate,
    },
    /// Asks an oracle for the scores of texts, once each.
    Label(Label),
    /// Makes training files from an oracle's labels.
    Prepare {
        #[command(subcommand)]
        command: Prepare,
    },
    /// Encodes the texts of any file and gives them the view of a fitted adapter.
    Infer(Infer),
    /// Scores the texts of any file with a fitted head: a line out for each row in.
    Score(Score),
    /// Writes a fitted adapter or head and a model card for others: sentence-transformers, ONNX, NumPy.
    Export(Export),
    /// Sends an export, or the adapter or head of a run, to a hub as one commit.
    Push(Push),
    /// Says what is missing before a long job starts.
    Doctor {
        /// An experiment to check as well.
        config: Option<PathBuf>,
        /// Changes to it.
        #[arg(value_name = "KEY=VALUE")]
        overrides: Vec<String>,
        /// Also reads every part of its stores and what its run directory holds of adapters, heads and measures, moves
        /// damaged parts aside, and removes what killed processes left.
        #[arg(long, requires = "config")]
        deep: bool,
    },
    /// Writes a copy of an encoder with int8 weights, a scale for each row: a quarter of the size.
    Quantize {
        /// Directory of the encoder, sentence-transformers layout.
        from: PathBuf,
        /// Directory to make.
        to: PathBuf,
    },
    /// Compares what earlier runs were and found.
    Runs {
        /// The directory of run directories.
        #[arg(long, default_value = "runs", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Runs,
    },
    /// Sends to a tracking server what it missed of earlier runs.
    Track {
        /// The directory of run directories.
        #[arg(long, default_value = "runs", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Track,
    },
    /// Looks after the vector store.
    Store {
        /// The store's directory.
        #[arg(long, default_value = "store", global = true)]
        dir: PathBuf,
        #[command(subcommand)]
        command: Store,
    },
}

/// An experiment file, and changes to it.
#[derive(Debug, Args)]
pub(crate) struct Experiment {
    /// Experiment file (TOML); see configs/.
    pub(crate) config: PathBuf,
    /// Changes to it, such as train.lr=1e-3 or data.source=my.csv.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<String>,
    #[command(flatten)]
    pub(crate) on: On,
}

/// Where an experiment computes.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// Device to encode and train on, as encoder.device=NAME: flex, ndarray, libtorch or libtorch:cuda:N.
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
    /// Prints the BLAKE3 of each file and its name, in place of where it is.
    #[arg(long)]
    pub(crate) hashes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A run directory, a variant's directory in it, or the directory of an adapter or a head.
    pub(crate) adapter: PathBuf,
    /// What to write.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) to: ExportFormat,
    /// Directory to make; it appears whole or not at all.
    pub(crate) output: PathBuf,
    /// Encoder, where the adapter's own is not to be found by name.
    #[arg(long)]
    pub(crate) encoder: Option<String>,
    /// Device to load the encoder on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
HF_TOKEN holds a token that may write. HF_ENDPOINT names another hub than huggingface.co. A second push sends
what has changed and removes nothing.")]
pub(crate) struct Push {
    /// A directory that `export` made; or a run directory, a variant's directory in it, or the directory of an adapter or
    /// a head.
    pub(crate) from: PathBuf,
    /// The repository; it is made where there is none.
    #[arg(value_name = "ORG/NAME")]
    pub(crate) repo: String,
    /// The branch; it is made where there is none.
    #[arg(long, default_value = "main")]
    pub(crate) revision: String,
    /// Makes the repository private; refuses to push where everyone can see it.
    #[arg(long)]
    pub(crate) private: bool,
    /// What the commit says of itself.
    #[arg(long, value_name = "TEXT", default_value = "A view made with Manyview")]
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Encoder and adapter as one model that Python's sentence-transformers loads.
    SentenceTransformers,
    /// The adapter alone as a graph, adapter.onnx: base vectors in, view out.
    Onnx,
    /// The adapter alone as weight.npy, and bias.npy where it has one.
    Npy,
    /// The adapter alone as `manyview infer` reads it, or the head as `manyview score` does.
    Adapter,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// Lists runs with their scores.
    Ls,
    /// Shows the experiment, the hashes and the figures of one.
    Show {
        /// Its name or path.
        run: PathBuf,
    },
    /// Shows where two differ.
    Diff {
        /// The name or path of the first.
        a: PathBuf,
        /// Of the second.
        b: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Track {
    /// Sends what is left of every record below the directory, each event once.
    Sync {
        /// The MLflow server's address; MLFLOW_TRACKING_URI without it.
        #[arg(long)]
        uri: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Lists what is stored: encoder, instruction, rows, bytes.
    Ls,
    /// Checks every file; moves bad ones aside, so that their vectors are computed again.
    Verify,
    /// Puts small files together in large ones; it is done by itself where they become many.
    Compact,
    /// Removes the vectors of one encoder and instruction, by the key that `ls` shows.
    Rm {
        /// The key, or the start of it.
        key: String,
    },
}
