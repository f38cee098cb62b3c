use super::Loader;
use crate::Result;
use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor};

/// Root-mean-square normalisation with a scale, over the last dimension. burn's own divides in the type of its input,
/// which costs bf16 precision, and is slower by the division.
#[derive(Module, Debug)]
pub(super) struct RmsNorm {
    gamma: Param<Tensor<1>>,
    epsilon: f64,
    offset: f64,
}

impl RmsNorm {
    /// `offset` is added to the scale that is stored.
    pub(super) fn load(
        loader: &Loader<'_>,
        name: &str,
        dim: usize,
        epsilon: f64,
        offset: f32,
    ) -> Result<Self> {
        let gamma = loader.param(&format!("{name}.weight"), [dim])?;
        Ok(Self { gamma, epsilon, offset: offset.into() })
    }

    /// Shape kept; computed in `f32`.
    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let inverse = (x.clone().square().mean_dim(D - 1) + self.epsilon).sqrt().recip(); // [.., 1]
        let gamma = self.gamma.val();
        match self.offset {
            0.0 => (x * inverse).cast(dtype) * gamma.unsqueeze(),
            offset => (x * inverse * (gamma.cast(DType::F32) + offset).unsqueeze()).cast(dtype),
        }
    }
}
