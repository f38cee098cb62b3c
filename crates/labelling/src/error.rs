use manyview_core::Kind;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between texts and training files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A settings file names a key there is not, or gives one a wrong value.
    #[error("{key} ({}): {problem}", path.display())]
    Config {
        /// The key, dotted.
        key: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A request that cannot be met.
    #[error("{key}: {problem}")]
    Setting {
        /// The option, key or file.
        key: String,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A value that JSON cannot hold.
    #[error("{}: cannot be written as JSON: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What JSON lacks.
        source: serde_json::Error,
    },
    /// From the seams, and files.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
    /// From sources and formats.
    #[error(transparent)]
    Data(#[from] manyview_data::Error),
    /// From an oracle.
    #[error(transparent)]
    Oracle(#[from] manyview_oracle::Error),
}

impl Error {
    /// What sort of failure this is; it decides the exit code.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config { .. } | Self::Setting { .. } => Kind::Input,
            Self::Unwritable { .. } => Kind::Io,
            Self::Core(e) => e.kind(),
            Self::Data(e) => e.kind(),
            Self::Oracle(e) => e.kind(),
        }
    }

    pub(crate) fn setting(key: &str, problem: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), problem: problem.into() }
    }

    pub(crate) fn config(key: impl Into<String>, path: &Path, problem: impl Into<String>) -> Self {
        Self::Config { key: key.into(), path: path.into(), problem: problem.into() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Core(manyview_core::Error::Io { path, source })
    }
}
