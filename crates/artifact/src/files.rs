//! Directories that one process at a time holds, and records in JSON.

use crate::{Error, Result};
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The lock file of a directory.
pub const LOCK: &str = ".lock";

/// Locks `dir` until the file is dropped.
///
/// # Errors
/// [`Error::Busy`] while another process has the lock.
pub fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK);
    let lock = File::create(&path).map_err(Error::io(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: dir.into() }),
        Err(TryLockError::Error(e)) => Err(Error::io(path)(e)),
    }
}

/// `value` as readable JSON with a final newline; `path` is where it is to go, for errors.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::File { path: path.into(), problem: format!("cannot be written as JSON: {e}") })?;
    bytes.push(b'\n');
    Ok(bytes)
}
