//! Vectors that came with the corpus, in place of an encoder's.

use crate::config::Data;
use crate::{Error, Result};
use manyview_core::Embeddings;
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
