use manyview_core::Kind;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in a measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting or a count outside its range.
    #[error("{what}: expected {expected}, found {found}")]
    Range {
        /// The setting or count.
        what: &'static str,
        /// The range it must lie in.
        expected: String,
        /// What it is.
        found: usize,
    },
    /// Two lists over the same texts have different lengths.
    #[error("{what}: expected {expected}, one a text, found {found}; give both for the same texts")]
    Length {
        /// The list.
        what: String,
        /// How many entries it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// There is nothing to tell apart.
    #[error("labels: all texts carry one label: expected at least 2; give labels that divide the texts")]
    OneClass,
    /// Every text is its own class.
    #[error(
        "labels: all {n} texts carry different labels: expected some texts to share one; give coarser labels"
    )]
    AllDistinct {
        /// The number of texts.
        n: usize,
    },
    /// A setting outside its range.
    #[error("{what}: expected {expected}, found {found}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// The range it must lie in.
        expected: &'static str,
        /// What it is.
        found: f64,
    },
    /// A query that no document answers.
    #[error("relevance of query {query}: expected at least one document, found none; leave such queries out")]
    NoneRelevant {
        /// The query.
        query: usize,
    },
    /// A document that is not there.
    #[error(
        "relevance of query {query}: expected rows below {documents}, found {document}; count rows from 0"
    )]
    NoDocument {
        /// The query.
        query: usize,
        /// The row named.
        document: usize,
        /// The number of documents.
        documents: usize,
    },
    /// Values that are all the same, where the measure divides by their spread.
    #[error("{what}, dimension {dimension}: expected values that differ, found one value throughout")]
    Constant {
        /// The values.
        what: &'static str,
        /// The dimension, counted from 0.
        dimension: usize,
    },
    /// No view, or two of one name.
    #[error("views: expected at least one view, each under its own name, found {found}")]
    Views {
        /// What is wrong with them.
        found: String,
    },
    /// An error of the vectors themselves.
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
}

impl From<Error> for manyview_core::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Core(e) => e,
            e => Self::other(e.kind(), e),
        }
    }
}

/// Fails unless `found` is `expected`.
pub(crate) fn same_length(what: impl Into<String>, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Length { what: what.into(), expected, found }) }
}

/// Fails unless `found >= least`.
pub(crate) fn at_least(what: &'static str, least: usize, found: usize) -> Result<()> {
    if found >= least {
        Ok(())
    } else {
        Err(Error::Range { what, expected: format!("at least {least}"), found })
    }
}
