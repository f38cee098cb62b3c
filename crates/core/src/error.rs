use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong at a seam. The crates above have their own errors and turn them into [`Error::Source`] here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that must hold at least one item holds none.
    #[error("{what}: expected at least one row and one column, found none")]
    Empty {
        /// What is empty.
        what: String,
    },
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What has the wrong shape.
        what: String,
        /// The shape it must have.
        expected: String,
        /// The shape it has.
        found: String,
    },
    /// A NaN or an infinity.
    #[error("{what}, row {row}: expected finite numbers, found NaN or infinity; repair or drop that row")]
    NonFinite {
        /// What holds it.
        what: String,
        /// The first such row, from 0.
        row: usize,
    },
    /// A vector without a direction.
    #[error(
        "{what}, row {row}: expected a vector with a direction, found one of length 0; repair or drop that row"
    )]
    ZeroRow {
        /// What holds it.
        what: String,
        /// The first such row, from 0.
        row: usize,
    },
    /// Vectors of one encoder were given to something made for another.
    #[error(
        "{what}: expected vectors of encoder {expected}, found {found}; encode with that encoder or fit again"
    )]
    Fingerprint {
        /// What refused.
        what: String,
        /// The fingerprint it was made for.
        expected: String,
        /// The fingerprint it was given.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The user asked to stop; what was finished is kept.
    #[error("interrupted; what was finished is kept: run the same command again to go on")]
    Interrupted,
    /// An error of the crate that implements a seam.
    #[error("{source}")]
    Source {
        /// What sort of failure it is.
        kind: Kind,
        /// The error itself.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Wraps the error of an implementation.
    pub fn other(kind: Kind, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Source { kind, source: source.into() }
    }

    /// Says which file an error of the system is about.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Empty { .. } | Self::Shape { .. } | Self::Fingerprint { .. } => Kind::Input,
            Self::NonFinite { .. } | Self::ZeroRow { .. } => Kind::Numeric,
            Self::Io { source, .. } => Kind::of_io(source),
            Self::Interrupted => Kind::Interrupted,
            Self::Source { kind, .. } => *kind,
        }
    }
}

/// Sorts of failure, each with a stable exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A broken promise of Manyview itself.
    Internal,
    /// Bad data, configuration or arguments.
    Input,
    /// A file or directory that cannot be read or written.
    Io,
    /// A server that cannot be reached or answers wrongly.
    Network,
    /// No space left.
    DiskFull,
    /// NaN, infinity, or a vector without a direction.
    Numeric,
    /// Stopped on request.
    Interrupted,
}

impl Kind {
    /// The exit code of a program that ends with this.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Input => 2,
            Self::Io => 3,
            Self::Network => 4,
            Self::DiskFull => 5,
            Self::Numeric => 6,
            Self::Interrupted => 130,
        }
    }

    /// [`Kind::DiskFull`] where the system says so, [`Kind::Io`] otherwise.
    pub fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::DiskFull,
            _ => Self::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_own_exit_code() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let e = Error::Io { path: "x".into(), source: full };
        assert_eq!(e.kind().exit_code(), 5);
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert_eq!(Error::Io { path: "x".into(), source: gone }.kind().exit_code(), 3);
    }
}
