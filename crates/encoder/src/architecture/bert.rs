use super::post_norm::{Activation, LayerNames, PostNorm, check_heads, heads};
use super::{Description, Heads, Summary, supported};
use crate::layout::Layout;
use crate::{Pooling, Result};
use serde::Deserialize;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// `config.json` of BERT (Devlin et al., 2019).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    #[serde(default = "two")]
    pub(crate) type_vocab_size: usize,
    pub(crate) layer_norm_eps: f64,
    #[serde(default = "tenth")]
    pub(crate) hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    pub(crate) attention_probs_dropout_prob: f64,
    hidden_act: String,
    /// What `hidden_act` names.
    #[serde(skip)]
    pub(crate) activation: Activation,
    #[serde(default)]
    position_embedding_type: Option<String>,
}

fn two() -> usize {
    2
}

fn tenth() -> f64 {
    0.1
}

impl Description for Config {
    type Own = crate::native::Bert;
    #[cfg(feature = "train")]
    type Burn = crate::model::Bert;

    fn read(layout: &Layout) -> Result<Self> {
        let mut config: Self = layout.config()?;
        let position_type = config.position_embedding_type.as_deref().unwrap_or("absolute");
        supported(layout, "position_embedding_type", position_type, position_type == "absolute", "absolute")?;
        config.activation = Activation::read(layout, &config.hidden_act)?;
        check_heads(layout, config.hidden_size, config.num_attention_heads)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            pooling: Pooling::Mean,
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "bert.",
        }
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        heads(self.hidden_size, self.num_attention_heads)
    }

    /// What its layers are.
    pub(crate) fn layers(&self) -> PostNorm {
        PostNorm {
            layers: self.num_hidden_layers,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            heads: self.heads(),
            epsilon: self.layer_norm_eps,
            activation: self.activation,
            dropout: self.hidden_dropout_prob,
            attention_dropout: self.attention_probs_dropout_prob,
            names: |i| {
                let at = |name: &str| format!("encoder.layer.{i}.{name}");
                LayerNames {
                    qkv: ["query", "key", "value"].map(|part| at(&format!("attention.self.{part}"))),
                    out: at("attention.output.dense"),
                    attention_norm: at("attention.output.LayerNorm"),
                    up: at("intermediate.dense"),
                    down: at("output.dense"),
                    output_norm: at("output.LayerNorm"),
                }
            },
        }
    }
}
