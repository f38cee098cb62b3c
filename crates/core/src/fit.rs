use crate::{Embeddings, Result};

/// A method that learns from supervision `D`. The type of `D` says which inputs and labels it takes.
pub trait Fit<D> {
    /// What was learnt.
    type Fitted;

    /// Learns it.
    ///
    /// # Errors
    /// Supervision the method cannot use, or numbers that leave the finite range.
    fn fit(&self, data: &D) -> Result<Self::Fitted>;
}

/// Something that can be computed from stored vectors alone.
pub trait Transform: Send + Sync {
    /// What it computes.
    type Output;

    /// Computes it for `x`, `[n, dim]`.
    ///
    /// # Errors
    /// A `dim` it was not made for, or a result that is not finite.
    fn transform(&self, x: &Embeddings) -> Result<Self::Output>;
}

/// A transform from vectors to vectors: a view of the corpus.
pub trait Adapter: Transform<Output = Embeddings> {}

impl<T: Transform<Output = Embeddings> + ?Sized> Adapter for T {}
