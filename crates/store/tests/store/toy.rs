//! A small batch-invariant encoder that counts its calls, and a look at what the store holds.

use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Progress, Result};
use manyview_store::{CachedEncoder, Store};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const DIM: usize = 5;

/// Makes a unit vector of a hash of the prompt, and remembers the batches it was given.
#[derive(Default)]
pub(crate) struct Toy {
    pub(crate) batches: Mutex<Vec<Vec<String>>>,
}

impl Toy {
    pub(crate) fn encoded(&self) -> usize {
        self.batches.lock().unwrap().iter().map(Vec::len).sum()
    }
}

impl Encoder for Toy {
    fn dim(&self) -> usize {
        DIM
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("encoder/1").field("name", b"toy").finish()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<Encoded> {
        self.batches.lock().unwrap().push(texts.iter().map(|t| t.to_string()).collect());
        let rows = texts.iter().map(|text| {
            let prompt = instruction.map_or(text.to_string(), |i| i.prompt(text));
            let hash = blake3::hash(prompt.as_bytes());
            hash.as_bytes().iter().take(DIM).map(|&b| f32::from(b) - 127.4).collect::<Vec<_>>()
        });
        let vectors = Embeddings::from_rows(rows)?;
        let norms = vectors.rows().map(|v| v.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
        Ok(Encoded {
            vectors: vectors.normalized()?,
            norms,
            truncated: texts.iter().map(|text| text.len() > 8).collect(),
        })
    }
}

/// Asks to stop once `after` steps are done, and keeps what it was told.
pub(crate) struct StopAfter {
    pub(crate) after: u64,
    pub(crate) done: AtomicU64,
    pub(crate) stages: Mutex<Vec<(String, u64)>>,
}

impl StopAfter {
    pub(crate) fn new(after: u64) -> Self {
        Self { after, done: AtomicU64::new(0), stages: Mutex::default() }
    }
}

impl Progress for StopAfter {
    fn begin(&self, stage: &str, total: u64) {
        self.stages.lock().unwrap().push((stage.into(), total));
    }
    fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.after
    }
}

/// The toy over the store in `root`, four rows a part.
pub(crate) fn stored(root: &Path) -> CachedEncoder<Toy> {
    CachedEncoder::new(Toy::default(), Store::open(root).unwrap(), "toy").with_part_rows(4)
}

/// `n` texts of differing lengths.
pub(crate) fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("text {i}{}", "!".repeat(i * 7 % 11))).collect()
}

pub(crate) fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// All parts under `root`, in order.
pub(crate) fn parts(root: &Path) -> Vec<PathBuf> {
    files(&root.join("spaces"))
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "parquet"))
        .collect()
}

/// All files under `dir`, in order; none if it is not there.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files_or_dir(path) } else { vec![path] })
        .collect();
    files.sort();
    files
}

fn files_or_dir(path: PathBuf) -> Vec<PathBuf> {
    match files(&path) {
        none if none.is_empty() => vec![path],
        files => files,
    }
}
