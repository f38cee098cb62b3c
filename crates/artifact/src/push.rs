use super::export::{Export, Format, export};
use crate::{Error, Result, Sources};
use manyview_core::Progress;
use manyview_data::{Upload, Uploaded};
use std::path::Path;

/// Files by which an export is known, beside its card.
const EXPORTS: &[&str] =
    &["modules.json", "adapter.onnx", "weight.npy", "adapter.safetensors", "head.safetensors"];

/// Sends what `export` made to a hub, as it is; of a run or an adapter that is not exported, what exporting it as
/// [`Format::Adapter`] makes.
///
/// # Errors
/// A directory that is neither, a hub that refuses or cannot be reached, or an interruption.
pub fn push(from: &Path, upload: &Upload, sources: &Sources, progress: &dyn Progress) -> Result<Uploaded> {
    if from.join("README.md").is_file() && EXPORTS.iter().any(|name| from.join(name).is_file()) {
        return Ok(sources.hub.upload(from, upload, progress)?);
    }
    let scratch = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let output = scratch.path().join("adapter");
    let adapter = Export {
        adapter: from.into(),
        output: output.clone(),
        format: Format::Adapter,
        encoder: None,
        device: String::new(),
    };
    export(&adapter, sources, progress)?;
    Ok(sources.hub.upload(&output, upload, progress)?)
}
