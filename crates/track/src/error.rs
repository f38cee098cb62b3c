use manyview_core::Kind;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not be recorded or sent. No message holds a token or a password.
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
    /// Another tracker, or another `sync`, has the directory.
    #[error("{}: another process records or sends this run; wait until it has ended", path.display())]
    Busy {
        /// The directory of the run.
        path: PathBuf,
    },
    /// The file holds no run.
    #[error("{}: expected a run, found none; run it first", path.display())]
    NoRun {
        /// The file.
        path: PathBuf,
    },
    /// A line other than the last is not an event.
    #[error("{}, line {line}: expected an event, found {problem}; move the file away to record anew", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A key or the name of an artifact that no server would take.
    #[error(
        "name {name:?}: expected 1 to 250 letters, digits, `_`, `-`, `.`, spaces and single `/` between parts that are \
         not `.` or `..`; rename it"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A tag that holds the identity of the run.
    #[error("tag {name:?}: it holds the identity of the run; choose another name")]
    Reserved {
        /// The name.
        name: String,
    },
    /// Something given as an artifact that is none.
    #[error("artifact {}: expected a file with a UTF-8 path, found {found}", path.display())]
    Artifact {
        /// Its path.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// An address that is not one of a tracking server.
    #[error("tracking server {uri}: expected http:// or https:// and a host, found {problem}")]
    Uri {
        /// The address, without user and password.
        uri: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server is down, slow or in trouble; later may be better.
    #[error("tracking server {server}: {problem}; what it missed is kept, send it with `sync`")]
    Unreachable {
        /// Its address.
        server: String,
        /// What happened.
        problem: String,
    },
    /// The server says no.
    #[error("tracking server {server}: status {status}: {problem}; {}", cure(problem))]
    Refused {
        /// Its address.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What it says.
        problem: String,
    },
    /// The server says something that is not MLflow's REST API 2.0.
    #[error(
        "tracking server {server}: expected an answer of MLflow's REST API 2.0, found {problem}; check the address"
    )]
    Answer {
        /// Its address.
        server: String,
        /// What is wrong with it.
        problem: String,
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
            Self::Busy { .. } | Self::NoRun { .. } | Self::Line { .. } => Kind::Input,
            Self::Name { .. } | Self::Reserved { .. } | Self::Artifact { .. } | Self::Uri { .. } => {
                Kind::Input
            }
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Answer { .. } => Kind::Network,
            Self::Core(e) => e.kind(),
        }
    }

    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().into(), source }
    }
}

/// What to do about a refusal.
fn cure(problem: &str) -> &'static str {
    let problem = problem.to_lowercase();
    match problem.contains("deleted") || problem.contains("active' state") || problem.contains("active state")
    {
        true => {
            "restore the experiment or the run on the server, or name another experiment, then send what it missed \
             with `sync`"
        }
        false => "put that right, then send what it missed with `sync`",
    }
}

impl From<Error> for manyview_core::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Core(e) => e,
            Error::Io { path, source } => Self::Io { path, source },
            e => Self::other(e.kind(), e),
        }
    }
}
