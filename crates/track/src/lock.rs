use crate::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Holds the record in `dir` for this process, until the file is dropped.
pub(crate) fn hold(dir: &Path) -> Result<File> {
    let path = dir.join(".tracking.lock");
    let file = File::create(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: dir.into() }),
        Err(TryLockError::Error(e)) => Err(Error::io(path)(e)),
    }
}
