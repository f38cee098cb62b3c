use manyview_core::Kind;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a text could not be scored. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process writes the same ledger.
    #[error("{}: another process is labelling with this ledger; wait until it has ended", path.display())]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// A line of a ledger other than the last is not an entry.
    #[error("{}, line {line}: expected an entry, found {problem}; repair the line, it was paid for", path.display())]
    Line {
        /// The ledger.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting that cannot be used.
    #[error("{key}: {problem}")]
    Setting {
        /// The setting.
        key: String,
        /// What was expected and found, and the cure.
        problem: String,
    },
    /// The oracle is down, slow or in trouble; later may be better.
    #[error("{oracle}: {problem}; every answer so far is kept, run the same command again to go on")]
    Unreachable {
        /// Its address.
        oracle: String,
        /// What happened.
        problem: String,
    },
    /// The oracle says no.
    #[error("{oracle}: status {status}: {problem}; {cure}")]
    Refused {
        /// Its address.
        oracle: String,
        /// The HTTP status.
        status: u16,
        /// What it says.
        problem: String,
        /// What may help.
        cure: String,
    },
    /// The oracle's answer holds no scores.
    #[error("{oracle}: expected {expected}, found {found}; check the prompt and the model")]
    Answer {
        /// Its address.
        oracle: String,
        /// What an answer should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A file of labels has none for a text.
    #[error("{}: expected a label for `{id}`, found none; add it or remove the text", path.display())]
    NoLabel {
        /// The file.
        path: PathBuf,
        /// The name of the text.
        id: String,
    },
    /// An error of the core.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } => Kind::of_io(source),
            Self::Busy { .. } => Kind::Io,
            Self::Line { .. } | Self::Setting { .. } | Self::NoLabel { .. } => Kind::Input,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Answer { .. } => Kind::Network,
            Self::Core(e) => e.kind(),
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }

    pub(crate) fn setting(key: &str, problem: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), problem: problem.into() }
    }
}
