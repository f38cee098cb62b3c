//! Vectors that came with the corpus, in place of an encoder's.

use crate::config::{Data, Encoder};
use crate::{Error, Result};
use manyview_core::{Embeddings, Fingerprint};
use std::path::Path;

/// The vectors `data` names, a row for each of the `n` rows of its source; none when an encoder is to make them.
///
/// # Errors
/// A file that holds something else, or another number of rows.
pub(crate) fn read(data: &Data, n: usize) -> Result<Option<Embeddings>> {
    data.vectors
        .as_deref()
        .map(|path| matrix("data.vectors", path, &data.vectors_column, n, &data.source))
        .transpose()
}

/// The matrix in `path`, which has a row for each of the `n` rows of `source`; `key` names the setting in errors.
///
/// # Errors
/// A file that holds something else, or another number of rows.
pub(crate) fn matrix(key: &str, path: &Path, column: &str, n: usize, source: &str) -> Result<Embeddings> {
    let all = manyview_data::read_vectors(path, column)?;
    if all.n() != n {
        let found = format!("found {} in {}", all.n(), path.display());
        return Err(Error::setting(key, format!("expected {n} rows, one for each row of {source}, {found}")));
    }
    Ok(all)
}

/// The identity of an encoder that is known by its name and the length of its vectors alone.
pub(crate) fn fingerprint(encoder: &Encoder, dim: usize) -> Fingerprint {
    Fingerprint::builder("given/1")
        .field("model", encoder.model.as_bytes())
        .field("revision", encoder.revision.as_bytes())
        .field("dim", &dim.to_le_bytes())
        .finish()
}
