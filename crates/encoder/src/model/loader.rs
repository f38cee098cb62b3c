use super::linear::{Linear, Lora, LoraStart};
use crate::checkpoint::Checkpoint;
use crate::{Device, Result};
use burn::module::{Param, ParamId};
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{DType, Int, Tensor, TensorData};
use std::cell::RefCell;
use std::collections::HashMap;

/// Reads a network's parameters onto a device.
pub(crate) struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    device: &'a Device,
    dtype: DType,
    dropout: Option<f64>,
    lora: Option<&'a StartLora<'a>>,
    stored: RefCell<HashMap<ParamId, Stored>>,
}

/// For a linear layer of this name and `[dim_in, dim_out]`: its low-rank change, if it has one.
pub(crate) type StartLora<'a> = dyn Fn(&str, [usize; 2]) -> Option<LoraStart> + 'a;

/// How the file of a model, or of LoRA, holds a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Its name there.
    pub(crate) name: String,
    /// Rows and columns here where the file has them the other way round.
    pub(crate) transposed: Option<[usize; 2]>,
}

impl<'a> Loader<'a> {
    /// `dtype` is `f32`, or bf16 on a device that computes in it.
    pub(crate) fn new(checkpoint: &'a Checkpoint, device: &'a Device, dtype: DType) -> Self {
        Self { checkpoint, device, dtype, dropout: None, lora: None, stored: RefCell::default() }
    }

    /// With that share of values left out in training in place of what the model's configuration says, and low-rank
    /// changes next to linear layers.
    pub(crate) fn for_training(self, dropout: Option<f64>, lora: Option<&'a StartLora<'a>>) -> Self {
        Self { dropout, lora, ..self }
    }

    /// How the files hold the parameters loaded so far.
    pub(crate) fn into_stored(self) -> HashMap<ParamId, Stored> {
        self.stored.into_inner()
    }

    /// The parameter of this name and shape.
    pub(super) fn param<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Param<Tensor<D>>> {
        Ok(self.of(
            self.checkpoint.values(name, &shape)?,
            shape,
            Stored { name: name.into(), transposed: None },
        ))
    }

    /// A linear layer; it has a bias where the file has one.
    pub(super) fn linear(&self, name: &str, dims: [usize; 2]) -> Result<Linear> {
        let [dim_in, dim_out] = dims;
        let weight = format!("{name}.weight");
        let rows = self.checkpoint.values(&weight, &[dim_out, dim_in])?;
        let bias = format!("{name}.bias");
        let bias = self.checkpoint.has(&bias).then(|| self.param(&bias, [dim_out])).transpose()?;
        let lora = self.lora.and_then(|lora| lora(name, dims)).map(|start| self.low_rank(name, dims, start));
        Ok(Linear { weight: self.transposed(&rows, dims, weight), bias, lora })
    }

    /// Layer normalisation with a scale and, where the file has one, a shift.
    pub(super) fn layer_norm(&self, name: &str, dim: usize, epsilon: f64) -> Result<LayerNorm> {
        let mut norm = LayerNormConfig::new(dim).with_epsilon(epsilon).init(self.device);
        norm.gamma = self.param(&format!("{name}.weight"), [dim])?;
        let shift = format!("{name}.bias");
        norm.beta = self.checkpoint.has(&shift).then(|| self.param(&shift, [dim])).transpose()?;
        Ok(norm)
    }

    /// Dropout, where the model's configuration says `share`.
    pub(super) fn dropout(&self, share: f64) -> Dropout {
        DropoutConfig::new(self.dropout.unwrap_or(share)).init()
    }

    fn low_rank(&self, name: &str, [dim_in, dim_out]: [usize; 2], start: LoraStart) -> Lora {
        let of = |kind: &str, rows: &[f32], dims| {
            self.transposed(rows, dims, format!("{name}.lora_{kind}.weight"))
        };
        Lora {
            a: of("A", &start.a, [dim_in, start.rank]),
            b: of("B", &start.b, [start.rank, dim_out]),
            dropout: DropoutConfig::new(start.dropout).init(),
            scale: start.scale,
        }
    }

    /// The parameter `[dim_in, dim_out]`, contiguous, as products like it, of the file's `[dim_out, dim_in]`.
    fn transposed(&self, rows: &[f32], dims: [usize; 2], name: String) -> Param<Tensor<2>> {
        let [dim_in, dim_out] = dims;
        self.of(transpose(rows, dim_in), [dim_in, dim_out], Stored { name, transposed: Some(dims) })
    }

    fn of<const D: usize>(&self, values: Vec<f32>, shape: [usize; D], stored: Stored) -> Param<Tensor<D>> {
        let target = (self.device, self.dtype);
        let param = Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), target));
        self.stored.borrow_mut().insert(param.id, stored);
        param
    }
}

/// `[rows, columns]` to `[columns, rows]`.
pub(crate) fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = values.len() / columns;
    let mut out = vec![0f32; values.len()];
    for (i, row) in values.chunks_exact(columns).enumerate() {
        for (j, value) in row.iter().enumerate() {
            out[j * rows + i] = *value;
        }
    }
    out
}

/// Indices, `[n]`.
pub(crate) fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|i| i as i64).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
