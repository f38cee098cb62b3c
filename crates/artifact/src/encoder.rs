use crate::{Encoder, Error, Result, Sources, device};
use manyview_core::Progress;
use manyview_embedded::MINILM;
use manyview_encoder::{EncoderConfig, TextEncoder};
use manyview_store::{CachedEncoder, Store};
use std::path::{Path, PathBuf};

/// Loads the encoder a configuration names.
///
/// # Errors
/// A model that is not there or cannot be used, or a device this build does not have.
pub fn load(config: &Encoder, sources: &Sources, progress: &dyn Progress) -> Result<TextEncoder> {
    let device = device::device(&config.device)?;
    let dir = fetch(config, sources, progress)?;
    let streams = device::streams(&config.device);
    let options = EncoderConfig {
        max_length: config.max_length,
        long: config.long,
        truncate_dim: config.truncate_dim,
        batch_tokens: config.batch_tokens.unwrap_or_else(|| device::batch_tokens(&config.device)),
        streams,
        engine: config.engine,
        weights: config.weights,
    };
    tracing::info!(model = config.model, device = config.device, "loading the encoder");
    Ok(TextEncoder::load(&dir, &options, &device)?)
}

/// The encoder of a configuration with a memory: the store at `path`.
///
/// # Errors
/// A store that cannot be used.
pub fn cached<E: manyview_core::Encoder>(
    config: &Encoder,
    encoder: E,
    path: &Path,
) -> Result<CachedEncoder<E>> {
    let stored = CachedEncoder::new(encoder, Store::open(path)?, config.model.clone());
    Ok(match device::part_rows(&config.device) {
        Some(rows) => stored.with_part_rows(rows),
        None => stored,
    })
}

/// The directory of `encoder.model`, fetched where it is not local.
///
/// # Errors
/// A model that is not there.
pub fn fetch(config: &Encoder, sources: &Sources, progress: &dyn Progress) -> Result<PathBuf> {
    if config.model == MINILM {
        return Ok(sources.embedded.path(MINILM)?);
    }
    if let Some(repo) = config.model.strip_prefix("hub:") {
        return Ok(sources.hub.fetch_model(repo, &config.revision, progress)?);
    }
    let dir = PathBuf::from(&config.model);
    match dir.is_dir() {
        true => Ok(dir),
        false => Err(Error::setting(
            "encoder.model",
            format!(
                "`{}` is neither `{}`, a directory, nor `hub:ORG/NAME`; for a hub model write hub:{}",
                config.model, MINILM, config.model
            ),
        )),
    }
}
