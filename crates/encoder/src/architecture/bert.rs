use super::{Heads, sound, supported};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The tensor of word vectors.
pub(crate) const WORDS: &str = "embeddings.word_embeddings.weight";

/// `config.json` of BERT (Devlin et al., 2019).
#[derive(Clone, Deserialize)]
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
    #[serde(default)]
    position_embedding_type: Option<String>,
}

/// The function between the two matrices of a feed-forward block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation {
    Gelu,
    GeluTanh,
    Relu,
}

fn two() -> usize {
    2
}

fn tenth() -> f64 {
    0.1
}

impl Config {
    pub(super) fn read(layout: &Layout) -> Result<Self> {
        let config: Self = layout.config()?;
        let position_type = config.position_embedding_type.as_deref().unwrap_or("absolute");
        supported(layout, "position_embedding_type", position_type, position_type == "absolute", "absolute")?;
        let known = ["gelu", "gelu_new", "gelu_pytorch_tanh", "relu"].contains(&config.hidden_act.as_str());
        supported(
            layout,
            "hidden_act",
            &config.hidden_act,
            known,
            "gelu, gelu_new, gelu_pytorch_tanh, relu",
        )?;
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        sound(
            layout,
            "hidden_size in num_attention_heads equal parts",
            heads > 0 && hidden > 0 && hidden % heads == 0,
        )?;
        Ok(config)
    }

    pub(crate) fn activation(&self) -> Activation {
        match self.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "relu" => Activation::Relu,
            _ => Activation::GeluTanh,
        }
    }

    pub(crate) fn heads(&self) -> Heads {
        let heads = self.num_attention_heads;
        Heads { query: heads, key: heads, dim: self.hidden_size / heads, causal: false }
    }
}
