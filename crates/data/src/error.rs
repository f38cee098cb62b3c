use manyview_core::Kind;
use std::path::{Path, PathBuf};

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a source, a file or a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A line of a text file that cannot be read.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A column that is not there.
    #[error("{source_name}: no column `{column}`{}; the columns are {}", near(nearest), list(columns))]
    Column {
        /// The file or files.
        source_name: String,
        /// The column that was asked for.
        column: String,
        /// The columns there are.
        columns: Vec<String>,
        /// The one spelled most alike.
        nearest: Option<String>,
    },
    /// A row without a value where one is needed.
    #[error(
        "column `{column}`, row {row}: expected a value, found none; repair the row or set `drop_missing` to leave \
         such rows out"
    )]
    Missing {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
    },
    /// A corpus that cannot be used.
    #[error("corpus: {problem}")]
    Corpus {
        /// What is wrong and what to do.
        problem: String,
    },
    /// Labels that cannot be learnt or scored.
    #[error("labels in column `{column}`: {problem}")]
    Labels {
        /// The column.
        column: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A split that cannot be made.
    #[error("split: {problem}")]
    Split {
        /// What is wrong and what to do.
        problem: String,
    },
    /// Vectors in a file that are not finite, not rectangular or not there.
    #[error("{}: {source}", path.display())]
    Vectors {
        /// The file.
        path: PathBuf,
        /// What is wrong with them, with the row.
        source: manyview_core::Error,
    },
    /// A name, revision or content of a hub repository that cannot be used.
    #[error("hub:{repo}: {problem}")]
    Repository {
        /// The repository.
        repo: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The hub knows no such thing or does not show it to everyone.
    #[error("hub:{repo}: the hub answers {status} for {url}: {problem}")]
    Refused {
        /// The repository.
        repo: String,
        /// The HTTP status.
        status: u16,
        /// The address.
        url: String,
        /// What that means and what to do.
        problem: String,
    },
    /// The hub does not answer, or breaks off.
    #[error("{url}: {problem}; check the connection and run again, what was transferred is kept")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        problem: String,
    },
    /// The hub answers, but wrongly.
    #[error("{url}: {problem}")]
    Answer {
        /// The address.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// Something is not in the cache and the network may not be used.
    #[error(
        "hub:{repo} at `{revision}` is not whole in {}; unset HF_HUB_OFFLINE or fetch it once while online",
        cache.display()
    )]
    Offline {
        /// The repository.
        repo: String,
        /// The revision.
        revision: String,
        /// The directory of the cache.
        cache: PathBuf,
    },
    /// An error of the vocabulary below.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Vectors { source, .. } | Self::Core(source) => source.kind(),
            Self::Unreachable { .. } | Self::Answer { .. } | Self::Offline { .. } => Kind::Network,
            _ => Kind::Input,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Core(manyview_core::Error::Io { path: path.into(), source })
    }

    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn line(path: &Path, line: u64, problem: impl Into<String>) -> Self {
        Self::Line { path: path.into(), line, problem: problem.into() }
    }

    pub(crate) fn column(source: impl Into<String>, column: &str, columns: Vec<String>) -> Self {
        let nearest = columns
            .iter()
            .map(|c| (strsim::jaro_winkler(&c.to_lowercase(), &column.to_lowercase()), c))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, c)| c.clone());
        Self::Column { source_name: source.into(), column: column.into(), columns, nearest }
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

fn near(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |n| format!(", perhaps `{n}`"))
}

/// The names in backticks, the first dozen of them.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|n| format!("`{}`", n.as_ref())).collect();
    match names.len() {
        0 => "none".into(),
        n if n > MOST => format!("{} and {} more", shown.join(", "), n - MOST),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_column_is_answered_with_the_nearest_name() {
        let e = Error::column("a.csv", "labl", vec!["text".into(), "label".into()]);
        assert_eq!(
            e.to_string(),
            "a.csv: no column `labl`, perhaps `label`; the columns are `text`, `label`"
        );
    }

    #[test]
    fn a_core_error_comes_back_as_itself() {
        let e = manyview_core::Error::from(Error::Core(manyview_core::Error::Interrupted));
        assert!(matches!(e, manyview_core::Error::Interrupted));
    }
}
