use crate::{Embeddings, Fingerprint, Instruction, Result};

/// Turns texts into vectors. Implement it to put any model behind the rest of Manyview.
pub trait Encoder: Send + Sync {
    /// Length of every vector this encoder makes.
    fn dim(&self) -> usize;

    /// Changes whenever a vector could: weights, tokenizer, pooling, maximum length, numeric class.
    ///
    /// It is the key under which vectors are stored, and what ties an adapter to its encoder.
    fn fingerprint(&self) -> Fingerprint;

    /// One vector a text, in the order given, optionally under an instruction.
    ///
    /// # Errors
    /// An empty batch, or whatever the model behind it reports.
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<Encoded>;
}

impl<E: Encoder + ?Sized> Encoder for &E {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn fingerprint(&self) -> Fingerprint {
        (**self).fingerprint()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<Encoded> {
        (**self).encode(texts, instruction)
    }
}

impl<E: Encoder + ?Sized> Encoder for std::sync::Arc<E> {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn fingerprint(&self) -> Fingerprint {
        (**self).fingerprint()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<Encoded> {
        (**self).encode(texts, instruction)
    }
}

/// What an [`Encoder`] made of a batch of `n` texts. `Embeddings::into` makes one where only the vectors are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// The vectors, `[n, dim]`, L2-normalised.
    pub vectors: Embeddings,
    /// The L2 norm each vector had before it was normalised, `[n]`.
    pub norms: Vec<f32>,
    /// Whether the text was longer than the model reads and its end was cut, `[n]`.
    pub truncated: Vec<bool>,
}

impl From<Embeddings> for Encoded {
    fn from(vectors: Embeddings) -> Self {
        Self { norms: vec![1.0; vectors.n()], truncated: vec![false; vectors.n()], vectors }
    }
}
