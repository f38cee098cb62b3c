use crate::{Error, Result};
use manyview_core::publish::write_whole;
use serde::Serialize;
use std::path::Path;

/// Writes `value` as readable JSON with a final newline, whole or not at all.
pub(crate) fn publish_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|source| Error::Unwritable { path: path.into(), source })?;
    bytes.push(b'\n');
    Ok(write_whole(path, &bytes)?)
}
