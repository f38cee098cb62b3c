use super::tensors::linear;
use super::{Heads, sound};
use crate::layout::Layout;
use crate::{Error, Result};

/// The layers of BERT and its descendants: attention in both directions and a feed-forward block, each followed by
/// layer normalisation.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // dropout is for training alone
pub(crate) struct PostNorm {
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    /// Length of a token's vector inside a feed-forward block.
    pub(crate) intermediate: usize,
    pub(crate) heads: Heads,
    pub(crate) epsilon: f64,
    pub(crate) activation: Activation,
    /// Dropout in training, after embeddings and after each block.
    pub(crate) dropout: f64,
    /// Dropout in training of attention weights.
    pub(crate) attention_dropout: f64,
    /// The names of the parts of a layer.
    pub(crate) names: fn(usize) -> LayerNames,
}

/// The function between the two matrices of a feed-forward block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Activation {
    #[default]
    Gelu,
    GeluTanh,
    Relu,
    Silu,
}

/// What the parts of one layer are called in a checkpoint.
pub(crate) struct LayerNames {
    /// Queries, keys and values.
    pub(crate) qkv: [String; 3],
    pub(crate) out: String,
    pub(crate) attention_norm: String,
    pub(crate) up: String,
    pub(crate) down: String,
    pub(crate) output_norm: String,
}

impl LayerNames {
    /// As BERT calls them, and RoBERTa.
    pub(super) fn bert(layer: usize) -> Self {
        let at = |name: &str| format!("encoder.layer.{layer}.{name}");
        Self {
            qkv: ["query", "key", "value"].map(|part| at(&format!("attention.self.{part}"))),
            out: at("attention.output.dense"),
            attention_norm: at("attention.output.LayerNorm"),
            up: at("intermediate.dense"),
            down: at("output.dense"),
            output_norm: at("output.LayerNorm"),
        }
    }
}

impl PostNorm {
    /// The names of the tensors of all layers.
    pub(super) fn tensors(&self) -> impl Iterator<Item = String> {
        let names = self.names;
        (0..self.layers).flat_map(move |i| {
            let LayerNames { qkv, out, attention_norm, up, down, output_norm } = names(i);
            let parts = qkv.into_iter().chain([out, attention_norm, up, down, output_norm]);
            parts.flat_map(|name| linear(&name, true)).collect::<Vec<_>>()
        })
    }
}

impl Activation {
    /// By its name under `key` in `config.json`.
    pub(super) fn read(layout: &Layout, key: &'static str, name: &str) -> Result<Self> {
        match name {
            "gelu" => Ok(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Ok(Self::GeluTanh),
            "relu" => Ok(Self::Relu),
            "silu" | "swish" => Ok(Self::Silu),
            other => Err(Error::Unsupported {
                path: layout.config_path(),
                what: key,
                found: other.into(),
                supported: "gelu, gelu_new, gelu_pytorch_tanh, relu, silu".into(),
            }),
        }
    }
}

/// Heads of attention in both directions, each an equal part of `hidden`.
pub(super) fn heads(hidden: usize, count: usize) -> Heads {
    Heads { query: count, key: count, dim: hidden / count, causal: false }
}

/// Refuses a `hidden_size` that heads cannot share.
pub(super) fn check_heads(layout: &Layout, hidden: usize, count: usize) -> Result<()> {
    let fine = count > 0 && hidden > 0 && hidden.is_multiple_of(count);
    sound(layout, "hidden_size in num_attention_heads equal parts", fine)
}
