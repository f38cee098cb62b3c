use super::decoder::{AsDecoder, Biases, Decoder, Norms, View};
use super::post_norm::Activation;
use super::rotary::{Rope, check_dim};
use super::{Description, Heads, Summary, keys, sound, supported};
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
    "hidden_activation",
    "attention_bias",
    "query_pre_attn_scalar",
    "rope_theta",
    "rope_local_base_freq",
    "rope_parameters",
    "rope_scaling",
    "sliding_window",
    "sliding_window_pattern",
    "_sliding_window_pattern",
    "cache_implementation",
    "layer_types",
    "is_causal",
    "use_bidirectional_attention",
];
/// The kind of a layer whose tokens see as far as they may.
const FULL: &str = "full_attention";
/// The kind of a layer whose tokens see what is near.
const SLIDING: &str = "sliding_attention";

/// `config.json` of the texts' part of Gemma 3 (Gemma Team, 2025), as in EmbeddingGemma; what it leaves out is as in
/// transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    hidden_activation: String,
    attention_bias: bool,
    query_pre_attn_scalar: f64,
    rope_theta: Option<f32>,
    rope_local_base_freq: Option<f32>,
    rope_parameters: Option<Ropes>,
    rope_scaling: Option<Rope>,
    sliding_window: Option<usize>,
    sliding_window_pattern: usize,
    layer_types: Option<Vec<String>>,
    is_causal: Option<bool>,
    use_bidirectional_attention: Option<bool>,
}

/// Rotary positions by the kind of a layer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ropes {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 262_208,
            hidden_size: 2304,
            num_hidden_layers: 26,
            num_attention_heads: 8,
            num_key_value_heads: 4,
            head_dim: 256,
            intermediate_size: 9216,
            max_position_embeddings: 131_072,
            rms_norm_eps: 1e-6,
            hidden_activation: "gelu_pytorch_tanh".into(),
            attention_bias: false,
            query_pre_attn_scalar: 256.0,
            rope_theta: None,
            rope_local_base_freq: None,
            rope_parameters: None,
            rope_scaling: None,
            sliding_window: Some(4096),
            sliding_window_pattern: 6,
            layer_types: None,
            is_causal: None,
            use_bidirectional_attention: None,
        }
    }
}

impl Description for Config {
    type Own = crate::native::Decoder;
    #[cfg(feature = "train")]
    type Burn = crate::model::Decoder<Self>;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let config: Self = layout.config()?;
        let gelu = matches!(config.hidden_activation.as_str(), "gelu_pytorch_tanh" | "gelu_new");
        supported(layout, "hidden_activation", &config.hidden_activation, gelu, "gelu_pytorch_tanh")?;
        let both_ways =
            "true or absent; use_bidirectional_attention says that attention is in both directions";
        supported(layout, "is_causal", "false", config.is_causal != Some(false), both_ways)?;
        for rope in config.ropes().into_iter().chain([&config.rope_scaling]).flatten() {
            rope.check(layout)?;
        }
        for kind in config.layer_types.iter().flatten() {
            let known = [FULL, SLIDING].contains(&kind.as_str());
            supported(layout, "layer_types", kind, known, "full_attention, sliding_attention")?;
        }
        sound(layout, "a sliding_window_pattern above 0", config.sliding_window_pattern > 0)?;
        let layers = config.layer_types.as_ref().is_none_or(|kinds| kinds.len() == config.num_hidden_layers);
        sound(layout, "layer_types with one for each of num_hidden_layers", layers)?;
        let window = config.sliding_window.is_some_and(|window| config.both_ways() || window > 0);
        sound(layout, "a sliding_window above 0", window || !config.sliding().contains(&true))?;
        let (query, key) = (config.num_attention_heads, config.num_key_value_heads);
        let groups = query > 0 && key > 0 && query % key == 0 && config.hidden_size > 0;
        sound(layout, "num_attention_heads as a multiple of num_key_value_heads", groups)?;
        sound(layout, "a query_pre_attn_scalar above 0", config.query_pre_attn_scalar > 0.0)?;
        check_dim(layout, config.head_dim)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        self.decoder().summary()
    }

    fn tensors(&self) -> Vec<String> {
        self.decoder().tensors()
    }
}

impl Config {
    /// Whether a token sees what comes after it as well.
    fn both_ways(&self) -> bool {
        self.use_bidirectional_attention.unwrap_or(false)
    }

    /// Whether tokens see what is near alone, layer by layer.
    fn sliding(&self) -> Vec<bool> {
        match &self.layer_types {
            Some(kinds) => kinds.iter().map(|kind| kind == SLIDING).collect(),
            None => (1..=self.num_hidden_layers).map(|i| i % self.sliding_window_pattern != 0).collect(),
        }
    }

    /// The rotary positions of layers whose tokens see all, and of the others.
    fn ropes(&self) -> [&Option<Rope>; 2] {
        match &self.rope_parameters {
            Some(ropes) => [&ropes.full_attention, &ropes.sliding_attention],
            None => [&None, &None],
        }
    }

    /// What layers see whose tokens see all, and what the others do. `rope_scaling` is of the former, and counts more
    /// than `rope_parameters`; the base in either counts more than the one beside them.
    fn views(&self) -> Vec<View> {
        let theta = |rope: &Option<Rope>| rope.as_ref().and_then(|rope| rope.rope_theta);
        let [full, sliding] = self.ropes().map(theta);
        let full = theta(&self.rope_scaling).or(full).or(self.rope_theta);
        let near = |window: usize| if self.both_ways() { window / 2 } else { window.saturating_sub(1) };
        vec![
            View { theta: full.unwrap_or(1_000_000.0), window: None },
            View {
                theta: sliding.or(self.rope_local_base_freq).unwrap_or(10_000.0),
                window: self.sliding_window.map(near),
            },
        ]
    }
}

impl AsDecoder for Config {
    fn decoder(&self) -> Decoder {
        let (query, key, dim) = (self.num_attention_heads, self.num_key_value_heads, self.head_dim);
        let bias = self.attention_bias;
        Decoder {
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            max_tokens: self.max_position_embeddings,
            heads: Heads { query, key, dim, causal: !self.both_ways() },
            epsilon: self.rms_norm_eps,
            biases: Biases { qkv: bias, out: bias },
            head_norms: true,
            norms: Norms::AroundBlocks,
            embedding_scale: (self.hidden_size as f64).sqrt() as f32,
            query_scale: (dim as f64 / self.query_pre_attn_scalar).sqrt() as f32,
            activation: Activation::GeluTanh,
            views: self.views(),
            layers: self.sliding().into_iter().map(usize::from).collect(),
        }
    }
}
