//! Losses of fine-tuning: computed with tensors from the unit vectors of a batch, so that autodiff gives the
//! gradients.

mod distillation;
mod ranking;
mod regression;

pub use distillation::Distillation;
pub use ranking::MultipleNegativesRanking;
pub use regression::HeadRegression;

use burn::tensor::Tensor;
use manyview_core::Result;

/// The loss of a batch.
pub trait Objective: Sync {
    /// Identity of the objective, its settings and its targets. A run is resumed only with the same identity.
    fn name(&self) -> String;

    /// The loss `[1]` of the vectors of a batch, as a function of them.
    ///
    /// # Errors
    /// A batch for which the loss is not defined.
    fn loss(&self, batch: &EmbeddedBatch<'_>) -> Result<Tensor<1>>;
}

/// The vectors of one step.
pub struct EmbeddedBatch<'a> {
    /// Indices of the pairs or texts, `[batch]`.
    pub examples: &'a [usize],
    /// Unit vectors of their queries, `[batch, dim]`.
    pub queries: Tensor<2>,
    /// Unit vectors of their passages in the same order, then of their negatives, `[candidates, dim]`; `None` for
    /// single texts.
    pub passages: Option<Tensor<2>>,
    /// Ids of the queries, equal for equal queries, `[batch]`.
    pub query_ids: &'a [usize],
    /// Ids of the passages, equal for equal passages, `[candidates]`.
    pub passage_ids: &'a [usize],
}

/// A tensor of these values on the device of `like`.
fn beside(like: &Tensor<2>, values: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), &like.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    /// A loss of vectors of the flex device, and its gradients with respect to them.
    pub(super) fn with_gradients(
        rows: [&[f32]; 2],
        dim: usize,
        loss: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
    ) -> (f64, [Vec<f32>; 2]) {
        let device = burn::tensor::Device::flex().autodiff();
        let leaf = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len() / dim, dim]);
            Tensor::<2>::from_data(data, &device).require_grad()
        };
        let leaves = rows.map(leaf);
        let [a, b] = leaves.clone();
        let loss = loss(a, b);
        let gradients = loss.backward();
        let of = |leaf: &Tensor<2>| leaf.grad(&gradients).map(|g| g.into_data().iter().collect());
        (f64::from(loss.into_scalar::<f32>()), leaves.each_ref().map(|leaf| of(leaf).unwrap_or_default()))
    }
}
