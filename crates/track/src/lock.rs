use crate::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The record of a directory, held for this process until this is dropped.
pub(crate) struct Lock(File);

impl Drop for Lock {
    /// Closing the file would not do: a process that is just being started has it open for a moment too.
    fn drop(&mut self) {
        if let Err(e) = self.0.unlock() {
            tracing::warn!(error = %e, "the lock of a record stays until this process ends");
        }
    }
}

/// Holds the record in `dir`.
pub(crate) fn hold(dir: &Path) -> Result<Lock> {
    let path = dir.join(".tracking.lock");
    let file = File::create(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: dir.into() }),
        Err(TryLockError::Error(e)) => Err(Error::io(path)(e)),
    }
}
