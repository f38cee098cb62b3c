//! A linear layer for burn's CPU backend.
use crate::{Linear, Result};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Columns of a block: wide enough for a product at full speed, few enough for several blocks.
const COLUMNS: usize = 128;

/// `x W + b` with the columns of W in blocks. The products of the blocks are a batch, which burn's CPU backend computes side
/// by side, one block on one thread, where it would synchronise all threads many times within one product of a few rows.
#[derive(Module, Debug)]
pub(crate) struct BlockedLinear {
    weight: Param<Tensor<3>>,       // [blocks, dim_in, columns]
    bias: Option<Param<Tensor<1>>>, // [dim_out]
}

impl BlockedLinear {
    pub(crate) fn new(linear: &Linear, device: &Device) -> Self {
        let (dim_in, dim_out) = (linear.dim_in(), linear.dim_out());
        let columns = columns(dim_out);
        let shape = [dim_out / columns, dim_in, columns];
        let weight = reordered(linear.weight(), [dim_in, dim_out / columns, columns]);
        let bias = |bias: &[f32]| Param::from_data(TensorData::new(bias.to_vec(), [dim_out]), device);
        Self {
            weight: Param::from_data(TensorData::new(weight, shape), device),
            bias: linear.bias().map(bias),
        }
    }

    /// `[n, dim_in]` to `[n, dim_out]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let n = x.dims()[0];
        let products = x.unsqueeze::<3>().matmul(self.weight.val()); // [blocks, n, columns]
        let [blocks, _, columns] = products.dims();
        let output = products.swap_dims(0, 1).reshape([n, blocks * columns]); // [n, dim_out]
        match &self.bias {
            Some(bias) => output + bias.val().unsqueeze::<2>(),
            None => output,
        }
    }

    /// The layer as it stands.
    pub(crate) fn to_linear(&self) -> Result<Linear> {
        let [blocks, dim_in, columns] = self.weight.dims();
        let values = |data: TensorData| data.iter::<f32>().collect::<Vec<f32>>();
        let bias = self.bias.as_ref().map(|bias| values(bias.val().into_data()));
        Linear::new(
            reordered(&values(self.weight.val().into_data()), [blocks, dim_in, columns]),
            dim_in,
            bias,
        )
    }
}

/// The widest block of at most [`COLUMNS`] columns of which `dim_out` is a multiple, and at least half of that, or all.
fn columns(dim_out: usize) -> usize {
    let widths = (COLUMNS / 2..=COLUMNS).rev();
    widths.into_iter().find(|width| dim_out.is_multiple_of(*width)).unwrap_or(dim_out)
}

/// `[a, b, c]` to `[b, a, c]`.
fn reordered(values: &[f32], [a, b, c]: [usize; 3]) -> Vec<f32> {
    let row = |i: usize, j: usize| &values[(i * b + j) * c..][..c];
    (0..b).flat_map(|j| (0..a).flat_map(move |i| row(i, j))).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use manyview_core::Transform;

    #[test]
    fn blocks_give_what_the_whole_layer_gives_and_come_back() {
        let device = Device::flex();
        let x = normal(5, 7, 1);
        for (dim_out, blocks) in [(3, 1), (128, 1), (131, 1), (256, 2), (300, 3), (384, 3), (1024, 8)] {
            for bias in [None, Some(normal(1, dim_out, 3).into_vec())] {
                let linear = Linear::new(normal(7, dim_out, 2).into_vec(), 7, bias).unwrap();
                let layer = BlockedLinear::new(&linear, &device);
                assert_eq!(layer.weight.dims()[0], blocks, "{dim_out}");
                let rows = Tensor::from_data(TensorData::new(x.as_slice().to_vec(), [5, 7]), &device);
                let found: Vec<f32> = layer.forward(rows).into_data().iter().collect();
                let found = manyview_core::Embeddings::new(found, dim_out).unwrap().normalized().unwrap();
                let expected = linear.transform(&x).unwrap();
                let apart = found.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f32::max) < 1e-6, "{dim_out}");
                assert_eq!(layer.to_linear().unwrap(), linear);
            }
        }
    }
}
