use crate::config::Encoder;
use crate::encode::{Tally, Vectors};
use crate::run_dir::{json, publish};
use crate::{Environment, Error, Result, encoder};
use manyview_adapter::{AdapterCard, Saved};
use manyview_core::Progress;
use manyview_data::{Corpus, CorpusConfig, Table, write_npy};
use manyview_store::{Store, Stored};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Texts to give the view of a fitted adapter, and where to put the vectors.
#[derive(Clone, Debug)]
pub struct Inference {
    /// File of texts: `.csv`, `.parquet` or `.jsonl`.
    pub input: PathBuf,
    /// Its column of texts.
    pub text_column: String,
    /// A run directory, a variant's directory in it, or an adapter directory.
    pub adapter: PathBuf,
    /// Directory for `base.npy`, `adapter.npy` and `metadata.json`.
    pub output: PathBuf,
    /// Only the first rows.
    pub limit: Option<usize>,
    /// Encoder in place of the one the adapter names.
    pub encoder: Option<String>,
    /// Device to encode on.
    pub device: String,
    /// The vector store.
    pub store: PathBuf,
}

/// What inference made; `metadata.json` is this.
#[derive(Clone, Debug, Serialize)]
pub struct Inferred {
    /// The file the texts are from.
    pub input: PathBuf,
    /// Number of texts; row `i` of each matrix belongs to text `i`.
    pub rows: usize,
    /// Length of the base vectors.
    pub dim_in: usize,
    /// Length of the view's vectors.
    pub dim_out: usize,
    /// Rows whose text was longer than the encoder reads.
    pub truncated: Vec<usize>,
    /// The adapter.
    pub adapter: AdapterCard,
    /// What encoding took.
    #[serde(skip)]
    pub tally: Tally,
}

/// Encodes the texts of a file, once, and writes their base vectors and their view.
///
/// # Errors
/// Texts, adapters or encoders that cannot be used; [`manyview_core::Error::Fingerprint`] when the encoder is not the
/// one the adapter was made for.
pub fn infer(inference: &Inference, environment: &Environment, progress: &dyn Progress) -> Result<Inferred> {
    let saved = load(&inference.adapter)?;
    let texts = texts(inference)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let config = encoder_of(&saved.card, inference.encoder.as_deref(), &inference.device)?;
    let encoder = encoder::load(&config, environment, progress)?;
    let mut vectors = Vectors::new(Stored::new(encoder, Store::open(&inference.store)?, config.model));
    let base = vectors.encode(&texts, None, progress)?;
    let view = saved.transform(&base, &vectors.fingerprint())?;
    std::fs::create_dir_all(&inference.output).map_err(Error::io(&inference.output))?;
    write_npy(&inference.output.join("base.npy"), &base)?;
    write_npy(&inference.output.join("adapter.npy"), &view)?;
    let inferred = Inferred {
        input: inference.input.clone(),
        rows: texts.len(),
        dim_in: base.dim(),
        dim_out: view.dim(),
        truncated: vectors.truncated.clone(),
        adapter: saved.card,
        tally: vectors.tally,
    };
    let path = inference.output.join("metadata.json");
    publish(&path, &json(&path, &inferred)?)?;
    Ok(inferred)
}

/// The adapter in a run directory, in a variant's directory, or in the directory itself.
pub(crate) fn load(path: &Path) -> Result<Saved> {
    for dir in [path.join("adapter"), path.to_path_buf()] {
        if dir.join("adapter.safetensors").is_file() {
            return Ok(manyview_adapter::load(&dir)?);
        }
    }
    let entries = std::fs::read_dir(path).map_err(Error::io(path))?.flatten().map(|e| e.path());
    let mut variants: Vec<String> = entries
        .filter(|e| e.join("adapter/adapter.safetensors").is_file())
        .map(|e| e.display().to_string())
        .collect();
    variants.sort();
    Err(match variants.is_empty() {
        true => Error::Missing {
            path: path.into(),
            missing: "a fitted adapter, found none".into(),
            cure: "train".into(),
        },
        false => Error::setting(
            "--adapter",
            format!(
                "expected the directory of one adapter, found those of {} in {}; name one of {}",
                variants.len(),
                path.display(),
                variants.join(", ")
            ),
        ),
    })
}

fn texts(inference: &Inference) -> Result<Vec<String>> {
    let table = Table::read_all(std::slice::from_ref(&inference.input), &[&inference.text_column])?;
    let config = CorpusConfig {
        text: inference.text_column.clone(),
        label: None,
        answers: None,
        split: None,
        id: None,
        limit: None,
        seed: 0,
        dedup: false,
        drop_missing: false,
    };
    let mut texts = Corpus::from_table(&table, &config)?.texts;
    texts.truncate(inference.limit.unwrap_or(usize::MAX));
    match texts.is_empty() {
        true => Err(Error::setting("--limit", "expected at least 1 row, found 0")),
        false => Ok(texts),
    }
}

/// The encoder the adapter names, unless another is asked for.
pub(crate) fn encoder_of(card: &AdapterCard, encoder: Option<&str>, device: &str) -> Result<Encoder> {
    let setting = |key: &str| card.settings.get(key);
    let text = |key: &str| setting(key).and_then(|v| v.as_str()).map(String::from);
    let model = encoder.map(String::from).or_else(|| text("model")).unwrap_or_else(|| card.encoder.clone());
    let max_length = match setting("max_length").map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())) {
        Some(None) => {
            return Err(Error::setting("max_length", "expected a number in the adapter's config.json"));
        }
        found => found.flatten(),
    };
    let revision = text("revision").unwrap_or_else(|| Encoder::default().revision);
    Ok(Encoder { model, revision, device: device.into(), max_length, batch_tokens: None })
}
