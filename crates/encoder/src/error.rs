use manyview_core::Kind;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a directory and its vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model cannot be understood.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected, what was found, and the cure.
        problem: String,
    },
    /// A tensor is missing, has another shape, or holds values that are not finite.
    #[error("{}, tensor `{tensor}`: {problem}", path.display())]
    Tensor {
        /// The weights file, or the directory when no file has it.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// What was expected and what was found.
        problem: String,
    },
    /// A model this crate does not run.
    #[error("{}: {what} `{found}` is not supported; supported: {supported}", path.display())]
    Unsupported {
        /// The file that asks for it.
        path: PathBuf,
        /// What kind of thing it is.
        what: &'static str,
        /// Its name.
        found: String,
        /// What is supported in its place.
        supported: String,
    },
    /// A setting that does not fit the model.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What was expected and what was found.
        problem: String,
    },
    /// The tokenizer failed on a text, or gave ids the model does not have.
    #[error("text {index}: {problem}")]
    Text {
        /// Which text of the batch, from 0.
        index: usize,
        /// What went wrong, and the cure.
        problem: String,
    },
    /// From the seams, and files.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Core(e) => e.kind(),
            _ => Kind::Input,
        }
    }

    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Core(manyview_core::Error::Io { path, source })
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
