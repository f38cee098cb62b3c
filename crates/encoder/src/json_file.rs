use crate::{Error, Result};
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::Path;

/// How a pointer of Git LFS begins: a text of three lines that a clone without Git LFS has in place of a large file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// A JSON file as `T`; none when there is no such file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = bytes(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::file(path, e.to_string()))
}

/// The bytes of a file; none when there is no such file.
pub(crate) fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => refuse_pointer(path, &bytes).map(|()| Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(path)(e)),
    }
}

/// Refuses a pointer of Git LFS; `head` is the beginning of the file.
pub(crate) fn refuse_pointer(path: &Path, head: &[u8]) -> Result<()> {
    match head.starts_with(POINTER) {
        true => Err(Error::file(
            path,
            "expected the file itself, found a pointer of Git LFS; run `git lfs pull` in its directory, or download the \
             file",
        )),
        false => Ok(()),
    }
}
