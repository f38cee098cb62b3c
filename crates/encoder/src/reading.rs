//! How much of a text an encoder reads, and the identity of an encoder: everything its vectors depend on.
use crate::architecture::{self, Summary};
use crate::checkpoint::Checkpoint;
use crate::layout::Layout;
use crate::pooling_config::PoolingConfig;
use crate::tokenizer::{Settings, TextTokenizer};
use crate::{EncoderConfig, Error, Result};
use manyview_core::Fingerprint;

/// Tokens read of each text: what the caller says, else what the files say, as sentence-transformers reads them. Its
/// own `max_seq_length` counts as it is; without it the limit is the smaller of the tokenizer's and the model's.
pub(crate) fn max_length(
    config: &EncoderConfig,
    layout: &Layout,
    settings: &Settings,
    summary: &Summary,
) -> Result<usize> {
    let most = summary.max_tokens;
    let told = layout.reading.max_seq_length;
    let of_tokenizer = settings.max_length()?;
    let forced = if Settings::max_length_is_forced(layout) { of_tokenizer } else { told };
    let own = match forced {
        Some(length) => length.min(summary.longest.unwrap_or(length)),
        None => of_tokenizer.map_or(most, |length| length.min(most)),
    };
    if own != told.unwrap_or(most).min(most) && config.max_length.is_none() {
        tracing::info!(
            "{}: {own} tokens are read of each text, by the settings of its tokenizer, which earlier versions did not read; \
             embeddings that they stored are computed again",
            layout.root.display()
        );
    }
    match config.max_length {
        None => Ok(own),
        Some(n) if (4..=most.max(own)).contains(&n) => Ok(n),
        Some(n) => Err(Error::Setting {
            setting: "max_length",
            problem: format!(
                "expected 4 to {} tokens, which is what this model can read, found {n}",
                most.max(own)
            ),
        }),
    }
}

/// Everything a vector depends on but the text and the instruction.
pub(crate) fn fingerprint(
    checkpoint: &Checkpoint,
    tokenizer: &TextTokenizer,
    layout: &Layout,
    (pooling, max_length, dtype): (&PoolingConfig, usize, &str),
) -> Result<Fingerprint> {
    let config = layout.config_path();
    let config = std::fs::read(&config).map_err(Error::io(&config))?;
    let mut builder = Fingerprint::builder("encoder/1")
        .field("config", &config)
        .field("tokenizer", tokenizer.bytes())
        .field("pooling", pooling.describe().as_bytes())
        .field("prompt", layout.prompts.default.as_deref().unwrap_or_default().as_bytes())
        .field("max_length", &(max_length as u64).to_le_bytes())
        .field("numbers", dtype.as_bytes());
    let mut anew = architecture::decided_anew(layout)?;
    if let Some(changed) = tokenizer.changed() {
        builder = builder.field("tokenizer settings", changed.as_bytes());
        anew.push("the settings of its tokenizer".into());
    }
    for decided in &anew {
        builder = builder.field("decided", decided.as_bytes());
    }
    if !anew.is_empty() {
        tracing::info!(
            "{}: {} are read, which earlier versions did not; embeddings that they stored are computed again",
            layout.root.display(),
            anew.join(", ")
        );
    }
    for path in checkpoint.paths() {
        let mut hasher = blake3::Hasher::new();
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        hasher.update_reader(file).map_err(Error::io(path))?;
        builder = builder.field("weights", hasher.finalize().as_bytes());
    }
    Ok(builder.finish())
}
