use crate::error::{Error, Result, same};
use crate::late_interaction::{Question, late_interaction};
use crate::sentence::sentences;
use crate::span::{MAX_TOKENS, Span, spans};
use crate::states::{States, dot, unit_rows};
use manyview_core::Embeddings;
use std::ops::Range;

/// A text with its sentences and the states of its tokens: encoded once, asked often.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    spans: Vec<Span>,
    states: States,
    /// The mean state of each span, of length 1, `[spans, dim]`.
    means: Embeddings,
}

impl Document {
    /// Joins a text with the bytes that each of its tokens stands for, in order, and their states; special tokens have
    /// no bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is an offset for each state, [`Error::Range`] for one outside the text, and
    /// [`Error::NoTokens`] where no sentence has a token.
    pub fn new(text: impl Into<String>, offsets: &[Range<usize>], states: States) -> Result<Self> {
        let text = text.into();
        same("offsets of tokens", states.tokens(), offsets.len())?;
        let outside = |o: &&Range<usize>| text.get((*o).clone()).is_none();
        if let Some(offset) = offsets.iter().find(outside) {
            let (start, end, length) = (offset.start, offset.end, text.len());
            return Err(Error::Range { what: "bytes of a token", start, end, length });
        }
        let spans = spans(&text, &sentences(&text), offsets, MAX_TOKENS);
        if spans.is_empty() {
            return Err(Error::NoTokens { what: "the sentences of the text" });
        }
        let sums = Embeddings::from_rows(spans.iter().map(|span| states.sum(&span.tokens)))?;
        Ok(Self { text, spans, means: unit_rows(&sums, None), states })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its sentences, long ones in pieces, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The states of its tokens.
    pub fn states(&self) -> &States {
        &self.states
    }

    /// Bytes of memory that it takes, about.
    pub fn bytes(&self) -> usize {
        let means = size_of_val(self.means.as_slice());
        self.text.len() + self.states.bytes() + means + self.spans.len() * size_of::<Span>()
    }

    /// How well each sentence answers a question: [`late_interaction`], `[spans]`.
    ///
    /// # Errors
    /// A question of another encoder's dimension.
    pub fn scores(&self, question: &Question) -> Result<Vec<f32>> {
        let tokens: Vec<_> = self.spans.iter().map(|span| span.tokens.clone()).collect();
        late_interaction(question, &self.states, &tokens)
    }

    /// How much of the text each sentence says: the cosine of its mean state with the mean over all sentences,
    /// `[spans]`.
    pub fn centrality(&self) -> Vec<f32> {
        let mut whole = vec![0f32; self.means.dim()];
        for (row, span) in self.means.rows().zip(&self.spans) {
            let weight = span.tokens.len() as f32;
            whole.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
        let norm = dot(&whole, &whole).sqrt();
        let scale = if norm.is_normal() { norm.recip() } else { 0.0 };
        self.means.rows().map(|row| scale * dot(row, &whole)).collect()
    }
}
