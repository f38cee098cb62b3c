use super::post_norm::Activation;
use super::rotary::{self, Rope};
use super::{Description, Heads, Summary, keys, sound, tensors};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";
/// The tensor of the embeddings of token types.
pub(crate) const TYPE_EMBEDDINGS: &str = "embeddings.token_type_embeddings.weight";
/// The normalisation of embeddings.
pub(crate) const EMBEDDINGS_NORM: &str = "emb_ln";

/// The keys of `config.json` that are read.
const KEYS: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "head_dim",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "hidden_act",
    "rope_theta",
    "rope_parameters",
    "rope_scaling",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
];
/// The base of rotary positions where nothing names one.
const THETA: f32 = 1000.0;

/// `config.json` of NomicBERT (Nussbaum et al., 2024) as transformers has it; what it leaves out is as there.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // dropout is for training alone
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    head_dim: Option<usize>,
    pub(crate) intermediate_size: usize,
    max_position_embeddings: usize,
    pub(crate) type_vocab_size: usize,
    pub(crate) layer_norm_eps: f64,
    hidden_act: String,
    /// What `hidden_act` names.
    #[serde(skip)]
    pub(crate) activation: Activation,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    pub(crate) hidden_dropout_prob: f64,
    pub(crate) attention_probs_dropout_prob: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30528,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            head_dim: None,
            intermediate_size: 3072,
            max_position_embeddings: 2048,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            hidden_act: "silu".into(),
            activation: Activation::Silu,
            rope_theta: None,
            rope_parameters: None,
            rope_scaling: None,
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
        }
    }
}

impl Description for Config {
    type Own = crate::native::NomicBert;
    #[cfg(feature = "train")]
    type Burn = crate::model::NomicBert;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        config.activation = Activation::read(layout, "hidden_act", &config.hidden_act)?;
        for rope in [&config.rope_parameters, &config.rope_scaling].into_iter().flatten() {
            rope.check(layout)?;
        }
        let fine = config.num_attention_heads > 0 && config.hidden_size > 0;
        sound(layout, "num_attention_heads and hidden_size above 0", fine)?;
        rotary::check_dim(layout, config.heads().dim)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "nomic_bert.",
            token_types: true,
            longest: None,
        }
    }

    fn tensors(&self) -> Vec<String> {
        let embeddings = [TOKEN_EMBEDDINGS, TYPE_EMBEDDINGS].map(str::to_string);
        let norm = tensors::linear(EMBEDDINGS_NORM, true);
        let layers = (0..self.num_hidden_layers).flat_map(|i| {
            let LayerNames { qkv, out, attention_norm, gate, up, down, output_norm } = LayerNames::of(i);
            let norms =
                [attention_norm, output_norm].into_iter().flat_map(|name| tensors::linear(&name, true));
            let others =
                [qkv, out, gate, up, down].into_iter().flat_map(|name| tensors::linear(&name, false));
            norms.chain(others).collect::<Vec<_>>()
        });
        embeddings.into_iter().chain(norm).chain(layers).collect()
    }
}

/// What the parts of one layer are called.
pub(crate) struct LayerNames {
    /// Queries, keys and values in one.
    pub(crate) qkv: String,
    pub(crate) out: String,
    pub(crate) attention_norm: String,
    /// What goes through the activation.
    pub(crate) gate: String,
    pub(crate) up: String,
    pub(crate) down: String,
    pub(crate) output_norm: String,
}

impl LayerNames {
    pub(crate) fn of(layer: usize) -> Self {
        let at = |name: &str| format!("encoder.layers.{layer}.{name}");
        Self {
            qkv: at("attn.Wqkv"),
            out: at("attn.out_proj"),
            attention_norm: at("norm1"),
            gate: at("mlp.fc12"),
            up: at("mlp.fc11"),
            down: at("mlp.fc2"),
            output_norm: at("norm2"),
        }
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        let query = self.num_attention_heads;
        let dim = self.head_dim.unwrap_or(self.hidden_size / query);
        Heads { query, key: query, dim, causal: false }
    }

    /// Cosines and sines of the angles of positions `0..longest`, `[longest, head_dim / 2]` each.
    pub(crate) fn angles(&self, longest: usize) -> (Vec<f32>, Vec<f32>) {
        let (scaling, parameters) = (self.rope_scaling.as_ref(), self.rope_parameters.as_ref());
        let theta = rotary::theta(scaling, parameters, self.rope_theta, THETA);
        rotary::angles(theta, self.heads().dim, longest)
    }
}
