use super::learnt_positions::{LearntPositions, TOKEN_EMBEDDINGS};
use super::post_norm::{Activation, LayerNames, PostNorm, check_heads, heads};
use super::{Description, Summary, keys, sound, supported};
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
    "pad_token_id",
    "type_vocab_size",
    "layer_norm_eps",
    "hidden_act",
    "position_embedding_type",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
];

/// `config.json` of RoBERTa (Liu et al., 2019), XLM-RoBERTa (Conneau et al., 2020) and CamemBERT (Martin et al., 2020):
/// BERT with positions counted from the one after the padding token's. What it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    model_type: String,
    vocab_size: Option<usize>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    pad_token_id: Option<u32>,
    type_vocab_size: usize,
    layer_norm_eps: f64,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    hidden_act: String,
    /// What `hidden_act` names.
    #[serde(skip)]
    activation: Activation,
    position_embedding_type: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model_type: String::new(),
            vocab_size: None,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 512,
            pad_token_id: Some(1),
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
    type Burn = crate::model::Roberta;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        let position_type = config.position_embedding_type.as_deref().unwrap_or("absolute");
        supported(layout, "position_embedding_type", position_type, position_type == "absolute", "absolute")?;
        config.activation = Activation::read(layout, "hidden_act", &config.hidden_act)?;
        check_heads(layout, config.hidden_size, config.num_attention_heads)?;
        let fits = |padding: u32| (padding as usize).saturating_add(1) < config.max_position_embeddings;
        let fine = config.pad_token_id.is_some_and(fits);
        sound(layout, "a pad_token_id, and max_position_embeddings of more than one above it", fine)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        let embeddings = self.embeddings();
        Summary {
            hidden: self.hidden_size,
            vocabulary: embeddings.vocabulary,
            max_tokens: embeddings.max_tokens(),
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "roberta.",
            token_types: true,
            longest: Some(embeddings.max_tokens()),
        }
    }

    fn tensors(&self) -> Vec<String> {
        self.embeddings().tensors().chain(self.layers().tensors()).collect()
    }
}

impl Config {
    /// What its embeddings are.
    pub(crate) fn embeddings(&self) -> LearntPositions {
        let vocabulary = if self.model_type == "roberta" { 50265 } else { 30522 };
        LearntPositions {
            vocabulary: self.vocab_size.unwrap_or(vocabulary),
            hidden: self.hidden_size,
            rows: self.max_position_embeddings,
            types: Some(self.type_vocab_size),
            padding: self.pad_token_id,
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
            heads: heads(self.hidden_size, self.num_attention_heads),
            epsilon: self.layer_norm_eps,
            activation: self.activation,
            dropout: self.hidden_dropout_prob,
            attention_dropout: self.attention_probs_dropout_prob,
            names: LayerNames::bert,
        }
    }
}
