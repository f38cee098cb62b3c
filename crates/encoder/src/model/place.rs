use crate::checkpoint::Checkpoint;
use crate::{Device, Result};
use burn::tensor::{DType, Int, Tensor, TensorData};

/// Where a model's tensors are, and the numbers they are made of and computed in.
pub(crate) struct Place {
    pub(crate) device: Device,
    /// `f32`, or bf16 on a device that computes in it.
    pub(crate) numbers: DType,
}

impl Place {
    /// The tensor of this name and shape.
    pub(super) fn load<const D: usize>(
        &self,
        checkpoint: &Checkpoint,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>> {
        Ok(self.tensor(checkpoint.values(name, &shape)?, shape))
    }

    /// A tensor of these values.
    pub(super) fn tensor<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), (&self.device, self.numbers))
    }

    /// Indices, `[n]`.
    pub(super) fn index(&self, values: impl IntoIterator<Item = usize>) -> Tensor<1, Int> {
        let values: Vec<i64> = values.into_iter().map(|i| i as i64).collect();
        let n = values.len();
        Tensor::from_data(TensorData::new(values, [n]), &self.device)
    }
}
