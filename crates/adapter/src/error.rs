use manyview_core::Kind;
use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while an adapter is fitted, applied, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the seams: shapes, non-finite numbers, files, another encoder.
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
    /// Fewer rows than the method can learn from.
    #[error("{what}: expected at least {expected} rows, found {found}; add training texts")]
    TooFewRows {
        /// The method.
        what: &'static str,
        /// The fewest it takes.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// A decomposition did not converge.
    #[error(
        "{what}: expected a decomposition, found that it does not converge; look for huge values in the vectors"
    )]
    Decomposition {
        /// The matrix.
        what: &'static str,
    },
    /// No penalty of the grid gave finite leave-one-out scores.
    #[error(
        "ridge: expected a finite leave-one-out score, found none on the grid of {penalties}; use larger penalties"
    )]
    NoFiniteScore {
        /// The number of penalties tried.
        penalties: usize,
    },
    /// An error of training.
    #[error(transparent)]
    Train(#[from] manyview_train::Error),
    /// A file that is not what was saved.
    #[error("{}: expected {expected}, found {found}; copy it from its source again, or fit again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A directory that is in use for something else.
    #[error("{}: expected a new or empty directory or a saved adapter, found other files; choose another one", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// A card that an earlier release wrote.
    #[error(
        "{}: expected schema {expected}, found {found} of an earlier release; fit it again: `manyview train`",
        path.display()
    )]
    Earlier {
        /// The file.
        path: PathBuf,
        /// The schema that is read.
        expected: &'static str,
        /// The schema it has.
        found: String,
    },
    /// A head in place of an adapter, or the other way round.
    #[error("expected {expected}, found {found}; `manyview infer` takes adapters, `manyview score` heads")]
    OtherKind {
        /// What was asked for.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// An adapter that is more than one matrix for all texts.
    #[error(
        "expected a linear adapter that maps all texts alike, found {found}; `manyview infer` takes any adapter"
    )]
    NotLinear {
        /// What it is.
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
            Self::Train(e) => e.kind(),
            Self::NotLinear { .. }
            | Self::Earlier { .. }
            | Self::OtherKind { .. }
            | Self::Setting { .. }
            | Self::TooFewRows { .. }
            | Self::Damaged { .. }
            | Self::Occupied { .. } => Kind::Input,
            Self::Decomposition { .. } | Self::NoFiniteScore { .. } => Kind::Numeric,
            Self::Unwritable { .. } => Kind::Internal,
        }
    }

    /// An input or output error at `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Core(manyview_core::Error::Io { path, source })
    }
}

impl From<Error> for manyview_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(e) => e,
            Error::Train(e) => e.into(),
            other => Self::other(other.kind(), other),
        }
    }
}

/// Refuses a setting that does not fit.
pub(crate) fn setting(name: &'static str, fits: bool, expected: &'static str, found: String) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::Setting { name, expected, found }) }
}

/// Refuses a setting that is not above 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<()> {
    setting(name, value.is_finite() && value > 0.0, "a positive finite number", value.to_string())
}

/// Refuses a setting below 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<()> {
    setting(name, value.is_finite() && value >= 0.0, "a finite number of at least 0", value.to_string())
}
