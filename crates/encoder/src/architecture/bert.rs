use super::learnt_positions::{LearntPositions, TOKEN_EMBEDDINGS};
use super::post_norm::{Activation, LayerNames, PostNorm, check_heads, heads};
use super::{Description, Heads, Summary, keys, supported};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The keys of `config.json` that are read.
const KEYS: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "hidden_act",
    "position_embedding_type",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
];

/// `config.json` of BERT (Devlin et al., 2019); what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) type_vocab_size: usize,
    pub(crate) layer_norm_eps: f64,
    pub(crate) hidden_dropout_prob: f64,
    pub(crate) attention_probs_dropout_prob: f64,
    hidden_act: String,
    /// What `hidden_act` names.
    #[serde(skip)]
    pub(crate) activation: Activation,
    position_embedding_type: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            hidden_act: "gelu".into(),
            activation: Activation::Gelu,
            position_embedding_type: None,
        }
    }
}

impl Description for Config {
    type Own = crate::native::Bert;
    #[cfg(feature = "train")]
    type Burn = crate::model::Bert;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        let position_type = config.position_embedding_type.as_deref().unwrap_or("absolute");
        supported(layout, "position_embedding_type", position_type, position_type == "absolute", "absolute")?;
        config.activation = Activation::read(layout, "hidden_act", &config.hidden_act)?;
        check_heads(layout, config.hidden_size, config.num_attention_heads)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "bert.",
            token_types: true,
            longest: Some(self.max_position_embeddings),
        }
    }

    fn tensors(&self) -> Vec<String> {
        self.embeddings().tensors().chain(self.layers().tensors()).collect()
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        heads(self.hidden_size, self.num_attention_heads)
    }

    /// What its embeddings are.
    pub(crate) fn embeddings(&self) -> LearntPositions {
        LearntPositions {
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            rows: self.max_position_embeddings,
            types: Some(self.type_vocab_size),
            padding: None,
            epsilon: self.layer_norm_eps,
            dropout: self.hidden_dropout_prob,
        }
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
            names: LayerNames::bert,
        }
    }
}
