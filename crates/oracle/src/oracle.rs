use crate::{Failure, Usage};
use manyview_core::Fingerprint;

/// Something that scores texts well and dearly.
pub trait Oracle: Sync {
    /// Changes whenever an answer could: an answer of another oracle is no answer of this one.
    fn fingerprint(&self) -> Fingerprint;

    /// The most that an answer to `question` can take; none where the oracle cannot say.
    fn largest_usage(&self, _question: &Question) -> Option<Usage> {
        None
    }

    /// Whether it answers the same question in the same words: an answer that came twice will come again.
    fn repeats_itself(&self) -> bool {
        false
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`Failure`], which says whether asking again could help.
    fn ask(&self, question: &Question) -> Result<Answer, Failure>;
}

/// A text to score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name.
    pub id: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its text.
    pub content: String,
}

/// What an oracle says of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// A score in each dimension, `[d]`, within the range of the rubric.
    pub scores: Vec<f64>,
    /// What it took; none where the oracle does not say.
    pub usage: Option<Usage>,
}
