use arrow_array::{ArrayRef, RecordBatch, StringArray};
use manyview_test_server::hub::Server;
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "hf_canary0123456789";
const QWEN: &str = "models/Qwen/Qwen3-Embedding-0.6B";
const MODEL: &str = "97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3";
const CORPUS: &str = "874caa290866b25a86bfa94a4e457c72fb5bdcb2";

/// The settings that make an experiment of `configs/` small, and nothing else.
pub(crate) const SMALL: &[&str] = &[
    "data.limit=90",
    "encoder.max_length=24",
    "train.epochs=3",
    "evaluate.seeds=2",
    "evaluate.restarts=1",
    "evaluate.resamples=50",
    "evaluate.latency_seconds=0",
    "evaluate.batch=2",
];

const TOPICS: [(&str, [&str; 4]); 3] = [
    ("sports", ["match", "team", "goal", "league"]),
    ("science", ["atom", "theory", "probe", "cell"]),
    ("business", ["market", "price", "shares", "bank"]),
];
const PLACES: [&str; 4] = ["france", "kenya", "japan", "peru"];

/// The hub that `configs/nyt-*.toml` name, small: a random Qwen3 model, a corpus in two configurations.
pub(crate) fn hub() -> Server {
    hub_with(&[])
}

/// The same, with other files in its model.
pub(crate) fn hub_with(files: &[(&str, Vec<u8>)]) -> Server {
    let server = Server::new();
    server.require(TOKEN);
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/golden/models/qwen3-tiny");
    let unneeded = [("README.md", "about"), ("pytorch_model.bin", "pickled"), ("onnx/model.onnx", "graph")];
    let unneeded = unneeded.map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
    let files = files.iter().map(|(name, bytes)| (name.to_string(), bytes.clone()));
    server.add(QWEN, MODEL, below(&tiny, "").into_iter().chain(unneeded).chain(files));
    let file = |config: &str| (format!("{config}/test-00000-of-00001.parquet"), articles(config));
    let readme = ("README.md".to_string(), b"about".to_vec());
    server.add(
        "datasets/BrandonZYW/NYTClustering",
        CORPUS,
        ["topic", "location"].map(file).into_iter().chain([readme]),
    );
    server
}

/// Every file below `dir`, by its path from there.
fn below(dir: &Path, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => files.extend(below(&entry.path(), &format!("{name}/"))),
            false => drop(files.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
    files
}

/// Texts of words of their topic and place, as a Parquet file with the columns `text` and `cluster`.
fn articles(config: &str) -> Vec<u8> {
    let row = |i: usize| {
        let ((topic, words), place) = (TOPICS[i % 3], PLACES[i / 3 % 4]);
        let text = format!("{i} {place} {} {} {}", words[i % 4], words[i / 3 % 4], words[i / 5 % 4]);
        (text, if config == "topic" { topic } else { place })
    };
    let (texts, clusters): (Vec<String>, Vec<&str>) = (0..120).map(row).unzip();
    let columns: [(&str, ArrayRef); 2] =
        [("text", Arc::new(StringArray::from(texts))), ("cluster", Arc::new(StringArray::from(clusters)))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// A directory with a cache, runs and a store of its own, and the program started in it.
pub(crate) struct Place {
    dir: TempDir,
}

/// How the program ended, and what it said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `manyview VERB configs/NAME.toml`, made small, with `variables` in its environment beside those of the hub.
    pub(crate) fn process(
        &self,
        verb: &str,
        name: &str,
        endpoint: &str,
        variables: &[(&str, &str)],
    ) -> Command {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../configs/{name}.toml"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_manyview"));
        command.arg(verb).arg(config).args(SMALL).current_dir(self.dir.path());
        for name in ["HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "MLFLOW_TRACKING_URI"] {
            command.env_remove(name);
        }
        command.env("HF_ENDPOINT", endpoint).env("HF_HOME", self.path("home")).env("NO_COLOR", "1");
        command.env("MANYVIEW_DATA", concat!(env!("CARGO_MANIFEST_DIR"), "/../../data"));
        command.envs(variables.iter().copied());
        command
    }

    /// Runs that.
    pub(crate) fn manyview(
        &self,
        verb: &str,
        name: &str,
        endpoint: &str,
        variables: &[(&str, &str)],
    ) -> Said {
        let output = self.process(verb, name, endpoint, variables).output().unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, which must go well; gives its standard output.
    pub(crate) fn done(&self, verb: &str, name: &str, endpoint: &str, variables: &[(&str, &str)]) -> String {
        let said = self.manyview(verb, name, endpoint, variables);
        assert_eq!(said.code, Some(0), "manyview {verb} {name}: {}", said.errors);
        said.out
    }

    /// The scores of every view of a run, without its times.
    pub(crate) fn views(&self, name: &str) -> serde_json::Value {
        let metrics = fs::read(self.path(&format!("runs/{name}/metrics.json"))).unwrap();
        serde_json::from_slice::<serde_json::Value>(&metrics).unwrap()["views"].clone()
    }

    /// Files below this directory in which `word` occurs.
    pub(crate) fn holding(&self, word: &str) -> Vec<String> {
        let found = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        let files = below(self.dir.path(), "");
        files.into_iter().filter(|(_, bytes)| found(bytes)).map(|(name, _)| name).collect()
    }
}
