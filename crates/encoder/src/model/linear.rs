use burn::module::{Module, Param};
use burn::nn::Dropout;
use burn::tensor::Tensor;
use burn::tensor::module::linear;

/// `x W + b`, and `+ scale · dropout(x) A B` where LoRA is trained.
#[derive(Module, Debug)]
pub(super) struct Linear {
    pub(super) weight: Param<Tensor<2>>, // [dim_in, dim_out]
    pub(super) bias: Option<Param<Tensor<1>>>,
    pub(super) lora: Option<Lora>,
}

/// A low-rank change (Hu et al., 2022), next to the layer, so that the layer's own weight needs no gradient. burn's
/// `apply_lora` multiplies it out, which has no place for dropout and computes that gradient.
#[derive(Module, Debug)]
pub(super) struct Lora {
    pub(super) a: Param<Tensor<2>>, // [dim_in, rank]
    pub(super) b: Param<Tensor<2>>, // [rank, dim_out]
    pub(super) dropout: Dropout,
    pub(super) scale: f64,
}

/// What a low-rank change starts from.
pub(crate) struct LoraStart {
    /// `[rank, dim_in]`.
    pub(crate) a: Vec<f32>,
    /// `[dim_out, rank]`.
    pub(crate) b: Vec<f32>,
    pub(crate) rank: usize,
    pub(crate) scale: f64,
    pub(crate) dropout: f64,
}

impl Linear {
    /// `[tokens, dim_in]` to `[tokens, dim_out]`.
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let bias = self.bias.as_ref().map(Param::val);
        match &self.lora {
            None => linear(x, self.weight.val(), bias),
            Some(lora) => linear(x.clone(), self.weight.val(), bias) + lora.forward(x),
        }
    }
}

impl Lora {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.dropout.forward(x).matmul(self.a.val()).matmul(self.b.val()) * self.scale
    }
}
