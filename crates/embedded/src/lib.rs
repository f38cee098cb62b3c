//! The default encoder and the corpora, inside the program.
//!
//! The first type to know is [`EmbeddedData`]: it gives the path of an embedded file or directory.
//!
//! One decision: files are unpacked into a cache and read from there like any other, so there is one way to load a model.
//! What is in the cache is compared with what is embedded each time; reading 25 MB costs some milliseconds.
#![forbid(unsafe_code)]

mod files;

use files::FILES;
use manyview_core::Kind;
use manyview_core::publish::{create_directory, write_whole};
use std::path::{Path, PathBuf};

/// Directory of the embedded encoder, all-MiniLM-L6-v2 with int8 weights, in the sentence-transformers layout.
pub const MINILM: &str = "minilm";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program was built without the files, or there is none of this name.
    #[error(
        "expected the embedded `{name}`, found none in this build; build with the feature `embedded`, or set \
         MANYVIEW_DATA to the `data` directory of the source"
    )]
    NotEmbedded {
        /// What was asked for.
        name: String,
    },
    /// A directory of data that lacks what was asked for.
    #[error(
        "{}: expected the embedded data there, found nothing; set MANYVIEW_DATA to the `data` directory of the source, or \
         unset it to use what the program carries", path.display()
    )]
    NotThere {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file that cannot be written.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is; it decides the exit code.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotEmbedded { .. } => Kind::Input,
            Self::NotThere { .. } => Kind::Io,
            Self::Core(e) => e.kind(),
        }
    }
}

/// Where embedded files are found.
#[derive(Clone, Debug)]
pub struct EmbeddedData(Location);

#[derive(Clone, Debug)]
enum Location {
    /// Unpacked below this directory.
    Cache(PathBuf),
    /// Kept in this directory.
    Directory(PathBuf),
}

impl EmbeddedData {
    /// The files of this program, unpacked below `cache` when they are asked for.
    pub fn unpacked_in(cache: impl Into<PathBuf>) -> Self {
        Self(Location::Cache(cache.into()))
    }

    /// The files in `dir`, which has the layout of `data/` in the source tree.
    pub fn directory(dir: impl Into<PathBuf>) -> Self {
        Self(Location::Directory(dir.into()))
    }

    /// The path of the file or directory `name`, such as `minilm` or `medquad/medquad.parquet`, unpacked where it is not
    /// there yet.
    ///
    /// # Errors
    /// [`Error::NotEmbedded`] or [`Error::NotThere`] where there is none; a cache that cannot be written.
    pub fn path(&self, name: &str) -> Result<PathBuf, Error> {
        match &self.0 {
            Location::Cache(cache) => unpack(cache, name),
            Location::Directory(dir) => {
                let path = dir.join(name);
                if path.exists() { Ok(path) } else { Err(Error::NotThere { path }) }
            }
        }
    }
}

fn unpack(cache: &Path, name: &str) -> Result<PathBuf, Error> {
    let dir = cache.join(format!("embedded-{}", fingerprint()));
    let mut found = false;
    for file in FILES.iter().filter(|file| is_below(file.path, name)) {
        found = true;
        let path = dir.join(file.path);
        if std::fs::read(&path).is_ok_and(|bytes| bytes == file.bytes) {
            continue;
        }
        tracing::debug!(path = %path.display(), "unpacking");
        if let Some(parent) = path.parent() {
            create_directory(parent)?;
        }
        write_whole(&path, file.bytes)?;
    }
    if found { Ok(dir.join(name)) } else { Err(Error::NotEmbedded { name: name.into() }) }
}

/// Whether `path` is `name` or lies in the directory `name`.
fn is_below(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The hash of all embedded files and their paths, 16 hexadecimal digits.
fn fingerprint() -> String {
    let mut hasher = blake3::Hasher::new();
    for file in FILES {
        hasher
            .update(file.path.as_bytes())
            .update(&(file.bytes.len() as u64).to_le_bytes())
            .update(file.bytes);
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(test, feature = "files"))]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_is_unpacked_whole_and_no_other() {
        let cache = tempfile::tempdir().unwrap();
        let dir = EmbeddedData::unpacked_in(cache.path()).path(MINILM).unwrap();
        for file in FILES.iter().filter(|file| file.path.starts_with("minilm/")) {
            assert_eq!(
                fs::read(dir.join(&file.path["minilm/".len()..])).unwrap(),
                file.bytes,
                "{}",
                file.path
            );
        }
        assert!(!dir.with_file_name("medquad").exists());
    }

    #[test]
    fn a_damaged_file_is_written_again_and_a_sound_one_is_left() {
        let cache = tempfile::tempdir().unwrap();
        let data = EmbeddedData::unpacked_in(cache.path());
        let pairs = data.path("medquad/pairs.parquet").unwrap();
        let before = fs::metadata(&pairs).unwrap().modified().unwrap();
        data.path("medquad/pairs.parquet").unwrap();
        assert_eq!(fs::metadata(&pairs).unwrap().modified().unwrap(), before);
        let sound = fs::read(&pairs).unwrap();
        let mut damaged = sound.clone();
        damaged[100] ^= 1;
        fs::write(&pairs, damaged).unwrap();
        data.path("medquad/pairs.parquet").unwrap();
        assert_eq!(fs::read(&pairs).unwrap(), sound);
    }

    #[test]
    fn what_is_not_embedded_is_named() {
        let cache = tempfile::tempdir().unwrap();
        for name in ["mini", "qwen3", "medquad/medquad"] {
            let error = EmbeddedData::unpacked_in(cache.path()).path(name).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")) && error.contains("MANYVIEW_DATA"), "{error}");
        }
    }

    #[test]
    fn a_directory_without_the_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = EmbeddedData::directory(dir.path()).path(MINILM).unwrap_err().to_string();
        assert!(error.contains(&dir.path().join(MINILM).display().to_string()), "{error}");
    }
}
