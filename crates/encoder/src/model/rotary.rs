use super::loader::indices;
use crate::batch::Batch;
use burn::tensor::{Tensor, TensorData};

/// Cosines and sines of the angle of each packed token, `[tokens, 1, dim / 2]`.
pub(super) struct Angles {
    cos: Tensor<3>,
    sin: Tensor<3>,
}

impl Angles {
    /// Of tables `[positions, dim / 2]`, for a batch whose texts start at position `first`, in the type and on the
    /// device of `like`.
    pub(super) fn of(
        (cos, sin): (Vec<f32>, Vec<f32>),
        dim: usize,
        batch: &Batch<'_>,
        first: usize,
        like: &Tensor<2>,
    ) -> Self {
        let (half, device) = (dim / 2, like.device());
        let rows = |table: Vec<f32>| {
            let longest = table.len() / half;
            let table = TensorData::new(table, [longest, half]);
            let table = Tensor::<2>::from_data(table, (&device, like.dtype()));
            table.select(0, indices(batch.positions(first), &device)).unsqueeze_dim::<3>(1) // [tokens, 1, half]
        };
        Self { cos: rows(cos), sin: rows(sin) }
    }

    /// Rotates the two halves of each head against each other, `[tokens, heads, dim]`; not neighbouring pairs.
    pub(super) fn rotate(&self, x: Tensor<3>) -> Tensor<3> {
        let half = x.dims()[2] / 2;
        let (a, b) = (x.clone().narrow(2, 0, half), x.narrow(2, half, half));
        let (cos, sin) = (&self.cos, &self.sin);
        let first = a.clone() * cos.clone() - b.clone() * sin.clone();
        Tensor::cat(vec![first, b * cos.clone() + a * sin.clone()], 2)
    }
}
