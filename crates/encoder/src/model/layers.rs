use super::Place;
use crate::Result;
use crate::checkpoint::Checkpoint;
use burn::tensor::module::{layer_norm, linear};
use burn::tensor::{DType, Tensor};

/// `x W + b`, weight `[dim_in, dim_out]` laid out once as products like it.
pub(crate) struct Dense {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
}

impl Dense {
    /// One layer for several of the same input: their outputs side by side. Each is `(name, dim_out)`; a bias is taken
    /// where all have one.
    pub(crate) fn fused(
        checkpoint: &Checkpoint,
        parts: &[(String, usize)],
        dim_in: usize,
        place: &Place,
    ) -> Result<Self> {
        let dim_out: usize = parts.iter().map(|(_, n)| n).sum();
        let mut weight = vec![0f32; dim_in * dim_out];
        let mut at = 0;
        for (name, n) in parts {
            let rows = checkpoint.values(&format!("{name}.weight"), &[*n, dim_in])?; // [n, dim_in]
            for (column, row) in rows.chunks_exact(dim_in).enumerate() {
                for (i, value) in row.iter().enumerate() {
                    weight[i * dim_out + at + column] = *value;
                }
            }
            at += n;
        }
        let bias = match parts.iter().all(|(name, _)| checkpoint.has(&format!("{name}.bias"))) {
            false => None,
            true => {
                let values = parts.iter().map(|(name, n)| checkpoint.values(&format!("{name}.bias"), &[*n]));
                Some(values.collect::<Result<Vec<_>>>()?.concat())
            }
        };
        Ok(Self {
            weight: place.tensor(weight, [dim_in, dim_out]),
            bias: bias.map(|b| place.tensor(b, [dim_out])),
        })
    }

    /// A single layer.
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        name: &str,
        dim_in: usize,
        dim_out: usize,
        place: &Place,
    ) -> Result<Self> {
        Self::fused(checkpoint, &[(name.into(), dim_out)], dim_in, place)
    }

    /// `[tokens, dim_in]` to `[tokens, dim_out]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        linear(x, self.weight.clone(), self.bias.clone())
    }
}

/// Layer normalisation with a scale and a shift, over the last dimension.
pub(crate) struct LayerNorm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
}

impl LayerNorm {
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        name: &str,
        dim: usize,
        epsilon: f64,
        place: &Place,
    ) -> Result<Self> {
        let gamma = place.load(checkpoint, &format!("{name}.weight"), [dim])?;
        let beta = place.load(checkpoint, &format!("{name}.bias"), [dim])?;
        Ok(Self { gamma, beta, epsilon })
    }

    /// Shape `[tokens, dim]`, kept.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        layer_norm(x, self.gamma.clone(), Some(self.beta.clone()), self.epsilon)
    }
}

/// Root-mean-square normalisation with a scale, over the last dimension.
pub(crate) struct RmsNorm {
    gamma: Tensor<1>,
    epsilon: f64,
}

impl RmsNorm {
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        name: &str,
        dim: usize,
        epsilon: f64,
        place: &Place,
    ) -> Result<Self> {
        Ok(Self { gamma: place.load(checkpoint, &format!("{name}.weight"), [dim])?, epsilon })
    }

    /// Shape kept; computed in `f32`.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let numbers = x.dtype();
        let x = x.cast(DType::F32);
        let inverse = (x.clone().square().mean_dim(D - 1) + self.epsilon).sqrt().recip(); // [.., 1]
        (x * inverse).cast(numbers) * self.gamma.clone().unsqueeze()
    }
}
