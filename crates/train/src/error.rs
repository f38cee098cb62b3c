use manyview_core::Kind;
use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of a loss, a score, a file, and [`manyview_core::Error::Interrupted`].
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
    /// A setting outside its range.
    #[error("{name}: expected {expected}, found {found}; correct the setting")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value given.
        found: String,
    },
    /// What a training step measured is not finite.
    #[error(
        "training, epoch {epoch}, batch {batch}: expected a finite {what}, found {found}; lower `lr` or set `clip`"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The batch within it, from 1.
        batch: usize,
        /// What is not finite: the loss, a metric, the norm of the gradient.
        what: &'static str,
        /// Its value.
        found: f64,
    },
    /// A file that is not what was saved.
    #[error("{}: expected {expected}, found {found}; remove it to train from the start", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A value that cannot be written as JSON or safetensors.
    #[error("{what}: cannot be written: {reason}")]
    Unwritable {
        /// What was to be written.
        what: &'static str,
        /// What the writer said.
        reason: String,
    },
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Core(e) => e.kind(),
            Self::Setting { .. } | Self::Damaged { .. } => Kind::Input,
            Self::Diverged { .. } => Kind::Numeric,
            Self::Unwritable { .. } => Kind::Internal,
        }
    }

    /// An input or output error at `path`.
    #[cfg(feature = "burn")]
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Core(manyview_core::Error::Io { path, source })
    }
}

impl From<Error> for manyview_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(e) => e,
            other => Self::other(other.kind(), other),
        }
    }
}
