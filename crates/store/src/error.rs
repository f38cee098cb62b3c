use manyview_core::Kind;
use std::io;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a text and its stored vector. Damage to a part is none of these: it is repaired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the encoder within, of the file system, or a request to stop.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
    /// Something else stands where the store should be.
    #[error("store {}: expected a directory, found a file; name another place for the store", path.display())]
    NotADirectory {
        /// Where the store should be.
        path: PathBuf,
    },
    /// The store was written by a later release.
    #[error(
        "{}: expected a store of schema {supported}, found schema {found}; use the release that wrote it, or name \
         another place for the store",
        path.display()
    )]
    Schema {
        /// The file that says so.
        path: PathBuf,
        /// The schema it names.
        found: u64,
        /// The schema this release reads and writes.
        supported: u64,
    },
    /// A description of the store or of a space that cannot be read.
    #[error("{}: expected {expected}, found {found}; {cure}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong with it.
        found: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// A part could not be put together.
    #[error("a part for {}: {source}", path.display())]
    Parquet {
        /// The directory of the space it was made for.
        path: PathBuf,
        /// What the Parquet writer said.
        source: parquet::errors::ParquetError,
    },
    /// The encoder's answer does not fit the question.
    #[error("encoder {encoder}: expected {expected}, found {found}; nothing of this chunk was stored")]
    Answer {
        /// The name the encoder is stored under.
        encoder: String,
        /// What it had to give.
        expected: String,
        /// What it gave.
        found: String,
    },
    /// Vectors of another length are stored under this encoder's fingerprint.
    #[error(
        "{}: expected vectors of length {expected} as encoder {encoder} makes them, found length {found} under the \
         same fingerprint; a fingerprint must change when a vector can",
        path.display()
    )]
    Dim {
        /// The description of the space.
        path: PathBuf,
        /// The name the encoder is stored under.
        encoder: String,
        /// The encoder's length.
        expected: usize,
        /// The length of what is stored.
        found: usize,
    },
    /// No space has a key that starts so.
    #[error("no space with a key that starts with {prefix:?}; there is {there}")]
    NoSpace {
        /// What was asked for.
        prefix: String,
        /// What there is.
        there: String,
    },
    /// Several spaces have keys that start so.
    #[error("expected the start of one key, found {prefix:?}, which fits {there}; give more of the key")]
    AmbiguousSpace {
        /// What was asked for.
        prefix: String,
        /// What it fits.
        there: String,
    },
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Core(e) => e.kind(),
            Self::Parquet { .. } | Self::Answer { .. } | Self::Dim { .. } => Kind::Internal,
            Self::NotADirectory { .. }
            | Self::Schema { .. }
            | Self::Description { .. }
            | Self::NoSpace { .. }
            | Self::AmbiguousSpace { .. } => Kind::Input,
        }
    }

    /// Says which file an error of the system is about.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Core(manyview_core::Error::Io { path: path.into(), source })
    }
}

impl From<Error> for manyview_core::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Core(e) => e,
            e => Self::other(e.kind(), e),
        }
    }
}
