use manyview_core::Kind;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a text and an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What has the wrong size.
        what: &'static str,
        /// The size it must have.
        expected: usize,
        /// The size it has.
        found: usize,
    },
    /// A range of tokens or bytes that is not in its text.
    #[error(
        "{what} {start}..{end}: expected it within 0..{length} and not empty; were they made of another text?"
    )]
    Range {
        /// What the range is of.
        what: &'static str,
        /// Its start.
        start: usize,
        /// Its end.
        end: usize,
        /// The length of what it must lie in.
        length: usize,
    },
    /// Something that must hold a token holds none.
    #[error("{what}: expected at least one token besides special ones, found none; give some words")]
    NoTokens {
        /// What has none.
        what: &'static str,
    },
    /// A file of templates that cannot be used.
    #[error("{place}: {problem}")]
    Template {
        /// The template, by its name, or the file.
        place: String,
        /// What is wrong, and the cure.
        problem: String,
    },
    /// A rule of this crate that cannot be read: a mistake in it.
    #[error("a rule for extraction cannot be read: {0}")]
    Rule(#[from] regex::Error),
    /// From the vectors.
    #[error(transparent)]
    Core(#[from] manyview_core::Error),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Core(e) => e.kind(),
            Self::Rule(_) => Kind::Internal,
            _ => Kind::Input,
        }
    }
}

/// Fails unless `found` is `expected`.
pub(crate) fn same(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}
