use crate::{Error, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that grows at its end, and that can be left and gone on with: [`GrowingFile::go_on`].
#[derive(Debug)]
pub struct GrowingFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl GrowingFile {
    /// Begins an empty file in place of what may be there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, length: 0 })
    }

    /// Opens a file that was left, and keeps its first `length` bytes.
    ///
    /// # Errors
    /// A file that cannot be written, [`Error::File`] for one that holds less.
    pub fn go_on(path: &Path, length: u64) -> Result<Self> {
        let mut file = File::options().write(true).open(path).map_err(Error::io(path))?;
        let there = file.metadata().map_err(Error::io(path))?.len();
        if there < length {
            let problem = format!("expected {length} bytes to go on from, found {there}; delete it");
            return Err(Error::file(path, problem));
        }
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, length })
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until all bytes so far are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
