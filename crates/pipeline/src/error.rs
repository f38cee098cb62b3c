use manyview_core::Kind;
use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a configuration and a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration names a key there is not, or gives one a wrong value.
    #[error("{key} ({origin}): {problem}")]
    Config {
        /// The key, dotted.
        key: String,
        /// The file, or the command line.
        origin: String,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A setting that makes no sense for this corpus or encoder.
    #[error("{key}: {problem}")]
    Setting {
        /// The key, dotted.
        key: String,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A stage was asked for before the one it builds on.
    #[error("{}: expected {missing}; run `manyview {cure}` first", path.display())]
    Missing {
        /// The run directory.
        path: PathBuf,
        /// What is not there, and what is found in its place.
        missing: String,
        /// The command that makes it.
        cure: String,
    },
    /// A file that should hold what an earlier stage wrote holds something else.
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
    /// From what was trained, and from encoders and devices by name.
    #[error(transparent)]
    Artifact(#[from] manyview_artifact::Error),
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
    /// From fitting or applying an adapter.
    #[error(transparent)]
    Adapter(#[from] manyview_adapter::Error),
    /// From the measurements.
    #[error(transparent)]
    Eval(#[from] manyview_eval::Error),
    /// From the record of a run.
    #[error(transparent)]
    Track(#[from] manyview_track::Error),
    /// From the report.
    #[error(transparent)]
    Report(#[from] manyview_report::Error),
}

impl Error {
    /// What sort of failure this is; it decides the exit code.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config { .. } | Self::Setting { .. } | Self::Missing { .. } => Kind::Input,
            Self::File { .. } => Kind::Io,
            Self::Artifact(e) => e.kind(),
            Self::Core(e) => e.kind(),
            Self::Embedded(e) => e.kind(),
            Self::Data(e) => e.kind(),
            Self::Encoder(e) => e.kind(),
            Self::Store(e) => e.kind(),
            Self::Adapter(e) => e.kind(),
            Self::Eval(e) => e.kind(),
            Self::Track(e) => e.kind(),
            Self::Report(e) => e.kind(),
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
