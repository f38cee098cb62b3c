//! States of a text's tokens in memory, in f32, int8 or one bit a dimension.

mod bits;
mod int8;

use crate::error::{Error, Result, same};
use crate::late_interaction::Question;
use bits::Bits;
use int8::Int8;
use manyview_core::Embeddings;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How states are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StateForm {
    /// Four bytes a dimension.
    F32,
    /// A byte a dimension, and a scale a token.
    #[default]
    Int8,
    /// A bit a dimension: the sign of the state less the mean of the corpus.
    Bits,
}

/// The states of the tokens of a text, `[tokens, dim]`, as directions.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    rows: Rows,
    tokens: usize,
    dim: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Rows {
    F32(Embeddings),
    Int8(Int8),
    Bits(Bits),
}

impl States {
    /// In f32, each row of length 1.
    pub fn f32(states: &Embeddings) -> Self {
        Self::of(states, Rows::F32(unit_rows(states, None)))
    }

    /// In int8: each row of length 1 times a scale.
    pub fn int8(states: &Embeddings) -> Self {
        Self::of(states, Rows::Int8(Int8::of(&unit_rows(states, None))))
    }

    /// The signs of each state less `mean`, `[dim]`: the mean of the states of a corpus ([`mean()`]). A question meets
    /// them in f32, [centred](Question::centred) by the same mean.
    ///
    /// # Errors
    /// [`Error::Shape`] when the mean has another dimension.
    pub fn bits(states: &Embeddings, mean: &[f32]) -> Result<Self> {
        same("dimensions of the mean", states.dim(), mean.len())?;
        Ok(Self::of(states, Rows::Bits(Bits::of(states, mean))))
    }

    fn of(states: &Embeddings, rows: Rows) -> Self {
        Self { rows, tokens: states.n(), dim: states.dim() }
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The length of each state.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The form they are held in.
    pub fn form(&self) -> StateForm {
        match self.rows {
            Rows::F32(_) => StateForm::F32,
            Rows::Int8(_) => StateForm::Int8,
            Rows::Bits(_) => StateForm::Bits,
        }
    }

    /// The bytes that the values take.
    pub fn bytes(&self) -> usize {
        match &self.rows {
            Rows::F32(rows) => size_of_val(rows.as_slice()),
            Rows::Int8(rows) => rows.bytes(),
            Rows::Bits(rows) => rows.bytes(),
        }
    }

    /// The sum of the directions of some tokens, `[dim]`.
    pub(crate) fn sum(&self, tokens: &Range<usize>) -> Vec<f32> {
        let mut sum = vec![0f32; self.dim];
        for token in tokens.clone() {
            match &self.rows {
                Rows::F32(rows) => sum.iter_mut().zip(rows.row(token)).for_each(|(sum, value)| *sum += value),
                Rows::Int8(rows) => rows.add(token, &mut sum),
                Rows::Bits(rows) => rows.add(token, &mut sum),
            }
        }
        sum
    }

    /// Puts the tokens of `next` after these.
    ///
    /// # Errors
    /// [`Error::Shape`] for states of another dimension or form.
    pub fn append(&mut self, next: &Self) -> Result<()> {
        same("dimensions of states", self.dim, next.dim)?;
        match (&mut self.rows, &next.rows) {
            (Rows::F32(rows), Rows::F32(more)) => {
                let values = [rows.as_slice(), more.as_slice()].concat();
                *rows = Embeddings::new(values, self.dim)?;
            }
            (Rows::Int8(rows), Rows::Int8(more)) => rows.append(more),
            (Rows::Bits(rows), Rows::Bits(more)) => rows.append(more),
            _ => return Err(Error::Shape { what: "forms of states", expected: 1, found: 2 }),
        }
        self.tokens += next.tokens;
        Ok(())
    }

    /// Fails for a question that was centred where these are not, or the other way round.
    pub(crate) fn fits(&self, question: &Question) -> Result<()> {
        let is_centred = self.form() == StateForm::Bits;
        let (expected, found) = (usize::from(is_centred), usize::from(question.is_centred()));
        same("means taken from the question's states", expected, found)
    }

    /// The cosine of `row`, of length 1, with each token, to `cosines`, `[tokens]`.
    pub(crate) fn cosines(&self, row: &[f32], cosines: &mut [f32]) {
        match &self.rows {
            Rows::F32(rows) => rows.rows().zip(cosines).for_each(|(own, cosine)| *cosine = dot(own, row)),
            Rows::Int8(rows) => rows.cosines(row, cosines),
            Rows::Bits(rows) => rows.cosines(row, cosines),
        }
    }
}

/// The mean of the states of a corpus, `[dim]`, for one bit a dimension. `None` without texts.
///
/// # Errors
/// [`Error::Shape`] for states of several dimensions.
pub fn mean<'a>(texts: impl IntoIterator<Item = &'a Embeddings>) -> Result<Option<Vec<f32>>> {
    let (mut sums, mut count) = (Vec::new(), 0usize);
    for states in texts {
        if count == 0 {
            sums = vec![0f64; states.dim()];
        }
        same("dimensions of states", sums.len(), states.dim())?;
        for row in states.rows() {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        count += states.n();
    }
    Ok((count > 0).then(|| sums.iter().map(|sum| (sum / count as f64) as f32).collect()))
}

/// The rows, less `mean`, each of length 1; a row without a direction stays as it is.
pub(crate) fn unit_rows(states: &Embeddings, mean: Option<&[f32]>) -> Embeddings {
    let mut unit = states.clone().into_vec();
    for row in unit.chunks_exact_mut(states.dim()) {
        if let Some(mean) = mean {
            row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        }
        let norm = dot(row, row).sqrt();
        if norm.is_normal() {
            row.iter_mut().for_each(|value| *value /= norm);
        }
    }
    Embeddings::new(unit, states.dim()).unwrap_or_else(|_| states.clone())
}

/// Sums in eight lanes, so that the compiler uses vectors.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
