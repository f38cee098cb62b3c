use super::learnt_positions::{LearntPositions, TOKEN_EMBEDDINGS};
use super::post_norm::{Activation, LayerNames, PostNorm, check_heads, heads};
use super::{Description, Summary, keys};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The keys of `config.json` that are read; some have a second name, as in transformers.
const KEYS: &[&str] = &[
    "vocab_size",
    "dim",
    "hidden_size",
    "n_layers",
    "num_hidden_layers",
    "n_heads",
    "num_attention_heads",
    "hidden_dim",
    "max_position_embeddings",
    "activation",
    "dropout",
    "attention_dropout",
];
/// Added to variances, whatever the configuration says.
const EPSILON: f64 = 1e-12;

/// `config.json` of DistilBERT (Sanh et al., 2019); what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    vocab_size: usize,
    #[serde(alias = "hidden_size")]
    dim: usize,
    #[serde(alias = "num_hidden_layers")]
    n_layers: usize,
    #[serde(alias = "num_attention_heads")]
    n_heads: usize,
    hidden_dim: usize,
    max_position_embeddings: usize,
    dropout: f64,
    attention_dropout: f64,
    activation: String,
    /// What `activation` names.
    #[serde(skip)]
    function: Activation,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30522,
            dim: 768,
            n_layers: 6,
            n_heads: 12,
            hidden_dim: 3072,
            max_position_embeddings: 512,
            dropout: 0.1,
            attention_dropout: 0.1,
            activation: "gelu".into(),
            function: Activation::Gelu,
        }
    }
}

impl Description for Config {
    type Own = crate::native::Bert;
    #[cfg(feature = "train")]
    type Burn = crate::model::DistilBert;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        config.function = Activation::read(layout, "activation", &config.activation)?;
        check_heads(layout, config.dim, config.n_heads)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.dim,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "distilbert.",
            token_types: false,
            longest: Some(self.max_position_embeddings),
        }
    }

    fn tensors(&self) -> Vec<String> {
        self.embeddings().tensors().chain(self.layers().tensors()).collect()
    }
}

impl Config {
    /// What its embeddings are.
    pub(crate) fn embeddings(&self) -> LearntPositions {
        LearntPositions {
            vocabulary: self.vocab_size,
            hidden: self.dim,
            rows: self.max_position_embeddings,
            types: None,
            padding: None,
            epsilon: EPSILON,
            dropout: self.dropout,
        }
    }

    /// What its layers are.
    pub(crate) fn layers(&self) -> PostNorm {
        PostNorm {
            layers: self.n_layers,
            hidden: self.dim,
            intermediate: self.hidden_dim,
            heads: heads(self.dim, self.n_heads),
            epsilon: EPSILON,
            activation: self.function,
            dropout: self.dropout,
            attention_dropout: self.attention_dropout,
            names: |i| {
                let at = |name: &str| format!("transformer.layer.{i}.{name}");
                LayerNames {
                    qkv: ["q", "k", "v"].map(|part| at(&format!("attention.{part}_lin"))),
                    out: at("attention.out_lin"),
                    attention_norm: at("sa_layer_norm"),
                    up: at("ffn.lin1"),
                    down: at("ffn.lin2"),
                    output_norm: at("output_layer_norm"),
                }
            },
        }
    }
}
