use manyview_core::Kind;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a map could not be drawn or a document not be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Views of the same texts must have the same number of rows.
    #[error("map of view {view}: expected {expected} rows, as the first view has, found {found}")]
    Rows {
        /// Which view, from 0.
        view: usize,
        /// Rows of the first view.
        expected: usize,
        /// Rows of this one.
        found: usize,
    },
    /// The vectors have no principal components.
    #[error("map of view {view}: expected principal components, found none; look for extreme values")]
    Components {
        /// Which view, from 0.
        view: usize,
    },
    /// The thread that draws could not be started.
    #[error("map: {source}")]
    Thread {
        /// What the system said.
        source: rayon::ThreadPoolBuildError,
    },
    /// A document could not be put together.
    #[error("report.docx: {reason}")]
    Document {
        /// What the writer of archives said.
        reason: String,
    },
    /// An error of the core.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Rows { .. } => Kind::Input,
            Self::Components { .. } => Kind::Numeric,
            Self::Thread { .. } | Self::Document { .. } => Kind::Internal,
            Self::Core(e) => e.kind(),
        }
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
