use manyview_core::Kind;
use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with what was trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that makes no sense for this artifact, input or encoder.
    #[error("{key}: {problem}")]
    Setting {
        /// The setting, as people write it.
        key: String,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A directory without what was to be trained there.
    #[error("{}: expected {missing}; run `manyview {cure}` first", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// What is not there, and what is found in its place.
        missing: String,
        /// The command that makes it.
        cure: String,
    },
    /// Another process works in the same directory.
    #[error("{}: another manyview process is at work here; wait for it, or choose another output.dir", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// A file that holds something else than was written.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// From the seams, and files.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
    /// From the embedded data.
    #[error(transparent)]
    Embedded(#[from] manyview_embedded::Error),
    /// From sources and formats.
    #[error(transparent)]
    Data(#[from] manyview_data::Error),
    /// From the encoder.
    #[error(transparent)]
    Encoder(#[from] manyview_encoder::Error),
    /// From the store.
    #[error(transparent)]
    Store(#[from] manyview_store::Error),
    /// From answers to instructions.
    #[error(transparent)]
    Answer(#[from] manyview_answer::Error),
    /// From reading or applying an adapter.
    #[error(transparent)]
    Adapter(#[from] manyview_adapter::Error),
}

impl Error {
    /// What sort of failure this is; it decides the exit code.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Setting { .. } | Self::Missing { .. } => Kind::Input,
            Self::Busy { .. } | Self::File { .. } => Kind::Io,
            Self::Core(e) => e.kind(),
            Self::Embedded(e) => e.kind(),
            Self::Data(e) => e.kind(),
            Self::Encoder(e) => e.kind(),
            Self::Store(e) => e.kind(),
            Self::Answer(e) => e.kind(),
            Self::Adapter(e) => e.kind(),
        }
    }

    pub(crate) fn setting(key: &str, problem: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), problem: problem.into() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Core(manyview_core::Error::Io { path, source })
    }
}
