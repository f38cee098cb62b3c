use assert_cmd::Command;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The embedded data, taken from the source tree: a test leaves nothing in the cache of whoever runs it.
pub(crate) const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");

/// What every experiment here starts from: quick to encode, quick to score.
const EXPERIMENT: &str = "\
name = 'weather'
data.source = 'corpus.csv'
encoder.max_length = 16
[teacher]
kind = 'names'
instruction = 'Identify the weather'
question = 'What is the weather?'
[evaluate]
seeds = 2
restarts = 1
resamples = 50
latency_seconds = 0.0
batch = 2
[output]
map_texts = 50
";

const WEATHER: [(&str, [&str; 5]); 3] = [
    ("rain", ["drizzle", "umbrella", "puddle", "storm", "wet"]),
    ("fog", ["mist", "haze", "dim", "grey", "blurred"]),
    ("sun", ["heat", "bright", "summer", "beach", "glare"]),
];

/// A directory with `experiment.toml` and `corpus.csv`, and the program started in it.
pub(crate) struct Scene {
    dir: TempDir,
}

impl Scene {
    /// A corpus of 60 rows.
    pub(crate) fn new() -> Self {
        Self::of(60)
    }

    /// A corpus of `n` rows.
    pub(crate) fn of(n: usize) -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        scene.write("experiment.toml", EXPERIMENT);
        scene.write("corpus.csv", corpus(n));
        scene
    }

    /// The place of `name` in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs the program; gives its standard output.
    pub(crate) fn done(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "manyview {line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must end with `code`, without a panic and with all of `words` in its last message,
    /// which this gives.
    pub(crate) fn refused(&self, line: &str, code: i32, words: &[&str]) -> String {
        let output = self.command(line).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "manyview {line}: {errors}");
        assert_refusal(line, &errors, words);
        errors
    }

    /// The program with the words of `line` as arguments, in this directory, without network.
    pub(crate) fn command(&self, line: &str) -> Command {
        Command::from_std(self.process(line))
    }

    /// The same, to start and leave alone.
    pub(crate) fn process(&self, line: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program());
        command.args(line.split_whitespace()).current_dir(self.dir.path());
        command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", self.path("hub")).env("NO_COLOR", "1");
        command.env("MANYVIEW_DATA", DATA).env_remove("MLFLOW_TRACKING_URI");
        command
    }

    /// Every file below `name` in order, but for locks; the program may be at work there.
    pub(crate) fn paths(&self, name: &str) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let mut open = vec![self.path(name)];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => open.push(path),
                    path if path.ends_with(".lock") => {}
                    path => drop(files.insert(path)),
                }
            }
        }
        files
    }

    /// The same with their bytes, when nothing is at work there.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        self.paths(name).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// A copy of the tiny encoder of the tests, `[.., 32]`.
    pub(crate) fn tiny_encoder(&self) -> PathBuf {
        self.model("qwen3-tiny", "tiny")
    }

    /// A copy of one of the encoders of the tests.
    pub(crate) fn model(&self, name: &str, to: &str) -> PathBuf {
        let to = self.path(to);
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/golden/models");
        copy(&models.join(name), &to);
        to
    }
}

/// The program under test.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_manyview")
}

/// That `errors` is a refusal in words: no panic, and each of `words` in it.
pub(crate) fn assert_refusal(line: &str, errors: &str, words: &[&str]) {
    assert!(!errors.contains("panicked"), "manyview {line}: {errors}");
    assert!(errors.lines().any(|l| l.starts_with("manyview: ")), "manyview {line}: {errors}");
    for word in words {
        assert!(errors.contains(word), "manyview {line}: no `{word}` in: {errors}");
    }
}

/// `n` texts made of words of their label, each different: text, label, answer, split.
pub(crate) fn corpus(n: usize) -> String {
    let row = |i: usize| {
        let (label, words) = WEATHER[i % 3];
        let text = (0..8).map(|j| words[(i / 3 * (j + 1) + j) % 5]).collect::<Vec<_>>().join(" ");
        let split = ["train", "train", "train", "train", "val", "test"][i / 3 % 6];
        format!("{text} {i},{label},it is {label} {},{split}\n", i % 5)
    };
    format!("text,label,answer,split\n{}", (0..n).map(row).collect::<String>())
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

/// A `.npy` file of `rows` equally long rows of float32.
pub(crate) fn npy(rows: &[Vec<f32>]) -> Vec<u8> {
    let shape = format!("({}, {})", rows.len(), rows[0].len());
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|v| v.to_le_bytes()));
    bytes
}
