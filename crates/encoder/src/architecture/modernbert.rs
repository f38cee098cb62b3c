use super::post_norm::{Activation, check_heads, heads};
use super::rotary::{self, Rope};
use super::{Description, Heads, Summary, keys, sound, supported, tensors};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embeddings.tok_embeddings.weight";
/// The normalisation of embeddings.
pub(crate) const EMBEDDINGS_NORM: &str = "embeddings.norm";
/// The normalisation after the last layer.
pub(crate) const FINAL_NORM: &str = "final_norm";

/// The keys of `config.json` that are read, and at the end two that this model does not read.
const KEYS: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "norm_eps",
    "norm_bias",
    "attention_bias",
    "mlp_bias",
    "hidden_activation",
    "layer_types",
    "global_attn_every_n_layers",
    "local_attention",
    "rope_parameters",
    "rope_scaling",
    "global_rope_theta",
    "local_rope_theta",
    "embedding_dropout",
    "attention_dropout",
    "mlp_dropout",
    "layer_norm_eps",
    "position_embedding_type",
];
/// The kinds of layers.
const FULL: &str = "full_attention";
const SLIDING: &str = "sliding_attention";

/// `config.json` of ModernBERT (Warner et al., 2024); what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // dropout is for training alone
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    max_position_embeddings: usize,
    pub(crate) norm_eps: f64,
    norm_bias: bool,
    attention_bias: bool,
    mlp_bias: bool,
    hidden_activation: String,
    /// What `hidden_activation` names.
    #[serde(skip)]
    pub(crate) activation: Activation,
    layer_types: Option<Vec<String>>,
    global_attn_every_n_layers: usize,
    local_attention: usize,
    rope_parameters: Option<Ropes>,
    rope_scaling: Option<Rope>,
    global_rope_theta: Option<f32>,
    local_rope_theta: Option<f32>,
    pub(crate) embedding_dropout: f64,
    pub(crate) attention_dropout: f64,
    pub(crate) mlp_dropout: f64,
}

/// Rotary positions of the two kinds of layers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ropes {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 50368,
            hidden_size: 768,
            num_hidden_layers: 22,
            num_attention_heads: 12,
            intermediate_size: 1152,
            max_position_embeddings: 8192,
            norm_eps: 1e-5,
            norm_bias: false,
            attention_bias: false,
            mlp_bias: false,
            hidden_activation: "gelu".into(),
            activation: Activation::Gelu,
            layer_types: None,
            global_attn_every_n_layers: 3,
            local_attention: 128,
            rope_parameters: None,
            rope_scaling: None,
            global_rope_theta: Some(160_000.0),
            local_rope_theta: Some(10_000.0),
            embedding_dropout: 0.0,
            attention_dropout: 0.0,
            mlp_dropout: 0.0,
        }
    }
}

impl Description for Config {
    type Own = crate::native::ModernBert;
    #[cfg(feature = "train")]
    type Burn = crate::model::ModernBert;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        config.activation = Activation::read(layout, "hidden_activation", &config.hidden_activation)?;
        for kind in config.layer_types.iter().flatten() {
            let fine = [FULL, SLIDING].contains(&kind.as_str());
            supported(layout, "layer_types", kind, fine, "full_attention, sliding_attention")?;
        }
        let layers = config.layer_types.as_ref().is_none_or(|kinds| kinds.len() == config.num_hidden_layers);
        sound(layout, "layer_types with one for each of num_hidden_layers", layers)?;
        sound(layout, "global_attn_every_n_layers above 0", config.global_attn_every_n_layers > 0)?;
        let ropes = config.rope_parameters.clone().unwrap_or_default();
        let each = [&ropes.full_attention, &ropes.sliding_attention, &config.rope_scaling];
        each.into_iter().flatten().try_for_each(|rope| rope.check(layout))?;
        let bases = config.global_rope_theta.is_some() && config.local_rope_theta.is_some();
        sound(layout, "numbers for global_rope_theta and local_rope_theta", bases)?;
        check_heads(layout, config.hidden_size, config.num_attention_heads)?;
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
            prefix: "model.",
            token_types: false,
            longest: None,
        }
    }

    fn tensors(&self) -> Vec<String> {
        let norms = [EMBEDDINGS_NORM, FINAL_NORM].map(str::to_string).into_iter();
        let layers = (0..self.num_hidden_layers).flat_map(|i| {
            let names = LayerNames::of(i);
            let norms = names.attention_norm.into_iter().chain([names.inner_norm]);
            let norms = norms.flat_map(|name| tensors::linear(&name, self.norm_bias));
            let attention = [names.qkv, names.out].into_iter();
            let attention = attention.flat_map(|name| tensors::linear(&name, self.attention_bias));
            let inner = [names.up_gate, names.down].into_iter();
            let inner = inner.flat_map(|name| tensors::linear(&name, self.mlp_bias));
            norms.chain(attention).chain(inner).collect::<Vec<_>>()
        });
        let norms = norms.flat_map(|name| tensors::linear(&name, self.norm_bias));
        [TOKEN_EMBEDDINGS.to_string()].into_iter().chain(norms).chain(layers).collect()
    }
}

/// What the parts of one layer are called.
pub(crate) struct LayerNames {
    /// None in the first layer, whose input is normalised already.
    pub(crate) attention_norm: Option<String>,
    /// Queries, keys and values in one.
    pub(crate) qkv: String,
    pub(crate) out: String,
    pub(crate) inner_norm: String,
    /// What goes through the activation, and then what it is multiplied with.
    pub(crate) up_gate: String,
    pub(crate) down: String,
}

impl LayerNames {
    pub(crate) fn of(layer: usize) -> Self {
        let at = |name: &str| format!("layers.{layer}.{name}");
        Self {
            attention_norm: (layer > 0).then(|| at("attn_norm")),
            qkv: at("attn.Wqkv"),
            out: at("attn.Wo"),
            inner_norm: at("mlp_norm"),
            up_gate: at("mlp.Wi"),
            down: at("mlp.Wo"),
        }
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        heads(self.hidden_size, self.num_attention_heads)
    }

    /// The farthest token that a token of a layer sees; none where it sees all.
    pub(crate) fn window(&self, layer: usize) -> Option<usize> {
        let local = match &self.layer_types {
            Some(kinds) => kinds.get(layer).is_some_and(|kind| kind == SLIDING),
            None => !layer.is_multiple_of(self.global_attn_every_n_layers),
        };
        local.then_some(self.local_attention / 2)
    }

    /// Cosines and sines of the angles of positions `0..longest`, `[longest, head_dim / 2]` each, in layers whose
    /// tokens see all of a text and in those with a window.
    pub(crate) fn angles(&self, longest: usize) -> [(Vec<f32>, Vec<f32>); 2] {
        let ropes = self.rope_parameters.as_ref();
        let bases = [
            (ropes.and_then(|ropes| ropes.full_attention.as_ref()), self.global_rope_theta, 160_000.0),
            (ropes.and_then(|ropes| ropes.sliding_attention.as_ref()), self.local_rope_theta, 10_000.0),
        ];
        let scaling = self.rope_scaling.as_ref().filter(|rope| rope.rope_theta.is_some());
        bases.map(|(rope, beside, default)| {
            rotary::angles(rotary::theta(scaling, rope, beside, default), self.heads().dim, longest)
        })
    }
}
