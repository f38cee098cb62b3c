use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// An input file, by its content.
pub(crate) struct Input {
    path: PathBuf,
    /// 64 hex digits.
    pub(crate) blake3: String,
    /// What the file looked like when it was hashed.
    seen: (u64, Option<SystemTime>),
    /// How long hashing took.
    pub(crate) seconds: f64,
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let start = Instant::now();
        let seen = look(path)?;
        let mut hasher = blake3::Hasher::new();
        File::open(path).and_then(|file| hasher.update_reader(file).map(drop)).map_err(Error::io(path))?;
        let blake3 = hasher.finalize().to_hex().to_string();
        Ok(Self { path: path.into(), blake3, seen, seconds: start.elapsed().as_secs_f64() })
    }

    /// That nobody wrote to it since it was opened.
    pub(crate) fn unchanged(&self) -> Result<()> {
        match look(&self.path)? == self.seen {
            true => Ok(()),
            false => {
                let problem = "it was changed while it was read; run again, which starts over".into();
                Err(Error::File { path: self.path.clone(), problem })
            }
        }
    }
}

fn look(path: &Path) -> Result<(u64, Option<SystemTime>)> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    Ok((metadata.len(), metadata.modified().ok()))
}
