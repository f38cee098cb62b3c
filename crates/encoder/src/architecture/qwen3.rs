use super::rotary::{self, Rope};
use super::{Description, Heads, Summary, keys, sound, supported, tensors};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embed_tokens.weight";

/// The keys of `config.json` that are read.
const KEYS: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "attention_bias",
    "rope_theta",
    "rope_parameters",
    "rope_scaling",
    "use_sliding_window",
    "sliding_window",
    "max_window_layers",
    "layer_types",
    "is_causal",
    "use_bidirectional_attention",
];
/// The parts of a layer but for its attention.
const LAYER: &[&str] = &[
    "self_attn.q_norm",
    "self_attn.k_norm",
    "input_layernorm",
    "post_attention_layernorm",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];
/// The base of rotary positions where nothing names one.
const THETA: f32 = 10_000.0;
/// The kind of a layer whose tokens see as far as they may.
const FULL: &str = "full_attention";

/// `config.json` of Qwen3 (Yang et al., 2025); what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) rms_norm_eps: f64,
    hidden_act: String,
    attention_bias: bool,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    use_sliding_window: bool,
    layer_types: Option<Vec<String>>,
    is_causal: Option<bool>,
    use_bidirectional_attention: Option<bool>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 151_936,
            hidden_size: 4096,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: Some(32),
            head_dim: 128,
            intermediate_size: 22016,
            max_position_embeddings: 32768,
            rms_norm_eps: 1e-6,
            hidden_act: "silu".into(),
            attention_bias: false,
            rope_theta: None,
            rope_parameters: None,
            rope_scaling: None,
            use_sliding_window: false,
            layer_types: None,
            is_causal: None,
            use_bidirectional_attention: None,
        }
    }
}

impl Description for Config {
    type Own = crate::native::Qwen3;
    #[cfg(feature = "train")]
    type Burn = crate::model::Qwen3;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let config: Self = layout.config()?;
        supported(layout, "hidden_act", &config.hidden_act, config.hidden_act == "silu", "silu")?;
        supported(layout, "attention", "use_sliding_window", !config.use_sliding_window, "full attention")?;
        let kinds = config.layer_types.iter().flatten();
        for kind in kinds {
            supported(layout, "layer_types", kind, kind == FULL, FULL)?;
        }
        let layers = config.layer_types.as_ref().is_none_or(|kinds| kinds.len() == config.num_hidden_layers);
        sound(layout, "layer_types with one for each of num_hidden_layers", layers)?;
        for rope in [&config.rope_parameters, &config.rope_scaling].into_iter().flatten() {
            rope.check(layout)?;
        }
        let both = (config.is_causal, config.use_bidirectional_attention) == (Some(true), Some(true));
        sound(layout, "either is_causal or use_bidirectional_attention", !both)?;
        let (hidden, query, key) = (config.hidden_size, config.num_attention_heads, config.key_heads());
        let groups = query > 0 && key > 0 && query % key == 0 && hidden > 0;
        sound(layout, "num_attention_heads as a multiple of num_key_value_heads", groups)?;
        rotary::check_dim(layout, config.heads().dim)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            causal: self.causal(),
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "model.",
            token_types: false,
            longest: None,
        }
    }

    fn tensors(&self) -> Vec<String> {
        let layers = (0..self.num_hidden_layers).flat_map(|i| {
            let at = move |name: &&str| format!("layers.{i}.{name}");
            let attention =
                ["q_proj", "k_proj", "v_proj", "o_proj"].map(|name| format!("layers.{i}.self_attn.{name}"));
            let attention =
                attention.into_iter().flat_map(|name| tensors::linear(&name, self.attention_bias));
            let others = LAYER.iter().map(at).flat_map(|name| tensors::linear(&name, false));
            attention.chain(others).collect::<Vec<_>>()
        });
        [TOKEN_EMBEDDINGS, "norm.weight"].map(str::to_string).into_iter().chain(layers).collect()
    }

    fn decided_anew(&self) -> Vec<String> {
        let both_ways = (!self.causal()).then(|| "attention in both directions".to_string());
        let earlier = self.rope_theta.or(self.rope_parameters.as_ref().and_then(|rope| rope.rope_theta));
        let other = self.theta() != earlier.unwrap_or(THETA);
        both_ways.into_iter().chain(other.then(|| format!("rope_theta {}", self.theta()))).collect()
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        let query = self.num_attention_heads;
        Heads { query, key: self.key_heads(), dim: self.head_dim, causal: self.causal() }
    }

    fn key_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Whether a token sees only itself and what stands before it. `is_causal` is what transformers reads;
    /// `use_bidirectional_attention` is read by code that comes with models.
    fn causal(&self) -> bool {
        self.is_causal.unwrap_or(true) && !self.use_bidirectional_attention.unwrap_or(false)
    }

    /// The base of rotary positions.
    fn theta(&self) -> f32 {
        rotary::theta(self.rope_scaling.as_ref(), self.rope_parameters.as_ref(), self.rope_theta, THETA)
    }

    /// Cosines and sines of the angles of positions `0..longest`, `[longest, head_dim / 2]` each.
    pub(crate) fn angles(&self, longest: usize) -> (Vec<f32>, Vec<f32>) {
        rotary::angles(self.theta(), self.head_dim, longest)
    }
}
