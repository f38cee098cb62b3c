use crate::{Error, Usage};
use std::time::Duration;

/// Why there is no answer, and whether asking again could help.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The oracle is busy, slow or in trouble: wait, then ask again.
    Retryable {
        /// What happened.
        error: Error,
        /// How long it asks to wait, where it says.
        after: Option<Duration>,
        /// Whether the question was sent, so that it may have been charged.
        sent: bool,
    },
    /// It answered, and was perhaps paid, but not with scores: ask again.
    Unusable {
        /// What is wrong with the answer.
        error: Error,
        /// What it took.
        usage: Option<Usage>,
    },
    /// It answered, and was perhaps paid, but declined: asking again is in vain.
    Declined {
        /// Why there is no answer.
        error: Error,
        /// What it took.
        usage: Option<Usage>,
    },
    /// This text has no answer, others may.
    Unanswerable(Error),
    /// No text will have one until something is put right.
    Fatal(Error),
}
