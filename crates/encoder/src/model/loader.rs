use crate::checkpoint::Checkpoint;
use crate::{Device, Result};
use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{DType, Int, Tensor, TensorData};

/// Reads a network's parameters onto a device.
pub(crate) struct Loader<'a> {
    pub(crate) checkpoint: &'a Checkpoint,
    pub(crate) device: &'a Device,
    /// `f32`, or bf16 on a device that computes in it.
    pub(crate) dtype: DType,
}

impl Loader<'_> {
    /// The parameter of this name and shape.
    pub(super) fn param<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Param<Tensor<D>>> {
        Ok(self.of(self.checkpoint.values(name, &shape)?, shape))
    }

    /// A linear layer; it has a bias where the file has one.
    pub(super) fn linear(&self, name: &str, [dim_in, dim_out]: [usize; 2]) -> Result<Linear> {
        let rows = self.checkpoint.values(&format!("{name}.weight"), &[dim_out, dim_in])?;
        let mut weight = vec![0f32; rows.len()]; // [dim_in, dim_out]: contiguous, as products like it
        for (output, row) in rows.chunks_exact(dim_in).enumerate() {
            for (input, value) in row.iter().enumerate() {
                weight[input * dim_out + output] = *value;
            }
        }
        let bias = format!("{name}.bias");
        let bias = self.checkpoint.has(&bias).then(|| self.param(&bias, [dim_out])).transpose()?;
        Ok(Linear { weight: self.of(weight, [dim_in, dim_out]), bias })
    }

    /// Layer normalisation with a scale and a shift.
    pub(super) fn layer_norm(&self, name: &str, dim: usize, epsilon: f64) -> Result<LayerNorm> {
        let mut norm = LayerNormConfig::new(dim).with_epsilon(epsilon).init(self.device);
        norm.gamma = self.param(&format!("{name}.weight"), [dim])?;
        norm.beta = Some(self.param(&format!("{name}.bias"), [dim])?);
        Ok(norm)
    }

    fn of<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        let target = (self.device, self.dtype);
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), target))
    }
}

/// Indices, `[n]`.
pub(super) fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|i| i as i64).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
