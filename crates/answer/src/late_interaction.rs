use crate::error::{Error, Result, same};
use crate::states::{States, unit_rows};
use manyview_core::Embeddings;
use std::ops::Range;

/// The states of a question's tokens, each of length 1, `[m, dim]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    rows: Embeddings,
    mean: Option<Vec<f32>>,
}

impl Question {
    /// Takes the states of the question's tokens, `[m, dim]`, without special tokens, for states in f32 or int8.
    pub fn new(states: &Embeddings) -> Self {
        Self { rows: unit_rows(states, None), mean: None }
    }

    /// The same less the mean of a corpus, `[dim]`, for states of one bit a dimension that were made with that mean.
    ///
    /// # Errors
    /// [`Error::Shape`] when the mean has another dimension.
    pub fn centred(states: &Embeddings, mean: &[f32]) -> Result<Self> {
        same("dimensions of the mean", states.dim(), mean.len())?;
        Ok(Self { rows: unit_rows(states, Some(mean)), mean: Some(mean.to_vec()) })
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.rows.n()
    }

    /// The length of each state.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.rows.rows()
    }

    pub(crate) fn is_centred(&self) -> bool {
        self.mean.is_some()
    }
}

/// How well each span answers: the mean over the question's tokens of the best cosine with a token of the span,
/// `[spans]`, between -1 and 1. Spans are ranges of tokens; special tokens belong to none.
///
/// ```
/// use manyview_answer::{Question, States, late_interaction};
/// use manyview_core::Embeddings;
///
/// let states = Embeddings::new(vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0], 2)?; // [3, 2]
/// let question = Question::new(&Embeddings::new(vec![1.0, 0.0, 0.0, 5.0], 2)?); // [2, 2]
/// let scores = late_interaction(&question, &States::f32(&states), &[0..1, 0..2, 1..3])?;
/// assert_eq!(scores, [0.5, 1.0, 1.0]);
/// # Ok::<(), manyview_answer::Error>(())
/// ```
///
/// # Errors
/// States of another dimension; a span without tokens or outside the states.
pub fn late_interaction(question: &Question, states: &States, spans: &[Range<usize>]) -> Result<Vec<f32>> {
    same("dimensions of the question's states", states.dim(), question.dim())?;
    let length = states.tokens();
    if let Some(span) = spans.iter().find(|span| span.is_empty() || span.end > length) {
        let (start, end) = (span.start, span.end);
        return Err(Error::Range { what: "tokens of a span", start, end, length });
    }
    states.fits(question)?;
    let mut sums = vec![0f32; spans.len()];
    let mut cosines = vec![0f32; length];
    for row in question.rows() {
        states.cosines(row, &mut cosines);
        for (sum, span) in sums.iter_mut().zip(spans) {
            let own = cosines.get(span.clone()).unwrap_or_default();
            *sum += own.iter().copied().fold(f32::MIN, f32::max);
        }
    }
    let m = question.tokens() as f32;
    sums.iter_mut().for_each(|sum| *sum /= m);
    Ok(sums)
}
