use super::{Encoder, Retrieval, Scores, Teacher, Train};
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An experiment file: all settings of a run. It is saved with the run, with every key filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// Name of the run; its directory is `output.dir/name`.
    pub name: String,
    /// Where the texts come from and how they are split.
    pub data: Data,
    /// The frozen encoder.
    pub encoder: Encoder,
    /// The teacher of the adapter.
    pub teacher: Teacher,
    /// Scores of an oracle, for a head in place of a view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
    /// Pairs of queries and passages, for a retrieval adapter in place of a view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
    /// How it is fitted: the keys depend on the task and on `train.method`.
    #[serde(deserialize_with = "unread")]
    pub train: Train,
    /// How the views are evaluated.
    pub evaluate: Evaluate,
    /// Where results and vectors are kept.
    pub output: Output,
    /// The tracking server.
    pub tracking: Tracking,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            name: "run".into(),
            data: Data::default(),
            encoder: Encoder::default(),
            teacher: Teacher::default(),
            scores: None,
            retrieval: None,
            train: Train::default(),
            evaluate: Evaluate::default(),
            output: Output::default(),
            tracking: Tracking::default(),
        }
    }
}

/// Leaves `[train]` unparsed: its keys depend on the method.
fn unread<'de, D: Deserializer<'de>>(train: D) -> Result<Train, D::Error> {
    IgnoredAny::deserialize(train).map(|_| Train::default())
}

/// Where the texts come from and how they are split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// An embedded corpus (`medquad`, `clinc150`), a `.parquet`, `.csv` or `.jsonl` file, or `hub:ORG/NAME`; empty for
    /// vectors without texts, which can be fitted but not scored.
    pub source: String,
    /// Configuration of a hub data set that has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Revision of a hub data set: a branch, a tag or, best, a commit.
    pub revision: String,
    /// Column of the texts.
    pub text: String,
    /// Column that the views are scored against.
    pub label: String,
    /// File of base vectors, a row for each row of the source, in place of an encoder: `.npy`, or a list column of a
    /// `.parquet` file. `encoder.model` then only names what made them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<PathBuf>,
    /// Column of `data.vectors` in a `.parquet` file.
    pub vectors_column: String,
    /// Column of each text's answer to `teacher.question`; read for training rows only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
    /// Column with `train`, `val` or `test`; without it the split is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Number of rows, after a seeded shuffle; default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Fraction of rows for training.
    pub train: f64,
    /// Fraction of rows for validation.
    pub val: f64,
    /// Fraction of rows for the test.
    pub test: f64,
    /// Stratifies a random split by label.
    pub stratify: bool,
    /// Drops rows whose text was seen before.
    pub dedup: bool,
    /// Drops rows without a text or a label instead of refusing them.
    pub drop_missing: bool,
    /// Seed of the shuffle and the split.
    pub seed: u64,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            source: "medquad".into(),
            config: None,
            revision: "main".into(),
            text: "text".into(),
            label: "label".into(),
            vectors: None,
            vectors_column: "vector".into(),
            answers: None,
            split: None,
            limit: None,
            train: 0.7,
            val: 0.2,
            test: 0.1,
            stratify: true,
            dedup: true,
            drop_missing: false,
            seed: 42,
        }
    }
}

/// The tracking server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracking {
    /// Address of an MLflow server, `http://` or `https://`; default: `MLFLOW_TRACKING_URI`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Name of the MLflow experiment; default: the name of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
}

/// How the views are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluate {
    /// Number of k-means seeds; use at least 10 for meaningful scores.
    pub seeds: usize,
    /// Restarts of k-means for each seed.
    pub restarts: usize,
    /// Bootstrap resamples for the intervals.
    pub resamples: usize,
    /// Nearest neighbours compared with the teacher's.
    pub knn: usize,
    /// Texts in the batch whose latency is measured.
    pub batch: usize,
    /// Seconds spent on each latency measurement.
    pub latency_seconds: f64,
    /// Seed of the first k-means and of the bootstrap.
    pub seed: u64,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self { seeds: 10, restarts: 10, resamples: 1000, knn: 10, batch: 32, latency_seconds: 1.0, seed: 0 }
    }
}

/// Where results and vectors are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Directory of the run directories.
    pub dir: PathBuf,
    /// Directory of the vector store.
    pub store: PathBuf,
    /// Texts drawn on each map of the report.
    pub map_texts: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self { dir: "runs".into(), store: "store".into(), map_texts: 400 }
    }
}
