//! What `config.json` of Qwen2 and of Qwen3 have in common.
use super::decoder::{Biases, Decoder, Norms, View};
use super::post_norm::Activation;
use super::rotary::{self, Rope};
use super::{Heads, keys, sound, supported};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

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
/// The base of rotary positions where nothing names one.
const THETA: f32 = 10_000.0;
/// The kind of a layer whose tokens see as far as they may.
const FULL: &str = "full_attention";

/// What is the same in both; what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct Common {
    vocab_size: usize,
    pub(super) hidden_size: usize,
    num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    intermediate_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    hidden_act: String,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    use_sliding_window: bool,
    layer_types: Option<Vec<String>>,
    is_causal: Option<bool>,
    use_bidirectional_attention: Option<bool>,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            vocab_size: 151_936,
            hidden_size: 4096,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: Some(32),
            intermediate_size: 22016,
            max_position_embeddings: 32768,
            rms_norm_eps: 1e-6,
            hidden_act: "silu".into(),
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

impl Common {
    /// Reads `config.json`, which may have the keys `others` besides.
    pub(super) fn read(layout: &Layout, others: &[&str]) -> Result<Self> {
        keys::check(layout, &[KEYS, others].concat())?;
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
        Ok(config)
    }

    /// The model, with what the two differ in.
    pub(super) fn decoder(&self, dim: usize, biases: Biases, head_norms: bool) -> Decoder {
        let (query, key) = (self.num_attention_heads, self.key_heads());
        Decoder {
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            max_tokens: self.max_position_embeddings,
            heads: Heads { query, key, dim, causal: self.causal() },
            epsilon: self.rms_norm_eps,
            biases,
            head_norms,
            norms: Norms::BeforeBlocks,
            embedding_scale: 1.0,
            query_scale: 1.0,
            activation: Activation::Silu,
            views: vec![View { theta: self.theta(), window: None }],
            layers: vec![0; self.num_hidden_layers],
        }
    }

    fn key_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Whether a token sees only itself and what stands before it. `is_causal` is what transformers reads;
    /// `use_bidirectional_attention` is read by code that comes with models.
    pub(super) fn causal(&self) -> bool {
        self.is_causal.unwrap_or(true) && !self.use_bidirectional_attention.unwrap_or(false)
    }

    /// The base of rotary positions.
    pub(super) fn theta(&self) -> f32 {
        rotary::theta(self.rope_scaling.as_ref(), self.rope_parameters.as_ref(), self.rope_theta, THETA)
    }

    /// The base that versions before this order read.
    pub(super) fn earlier_theta(&self) -> f32 {
        let inner = self.rope_parameters.as_ref().and_then(|rope| rope.rope_theta);
        self.rope_theta.or(inner).unwrap_or(THETA)
    }
}
