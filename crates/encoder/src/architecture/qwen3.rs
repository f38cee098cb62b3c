use super::{Description, Heads, Summary, sound, supported};
use crate::layout::Layout;
use crate::{Pooling, Result};
use serde::Deserialize;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embed_tokens.weight";

/// `config.json` of Qwen3 (Yang et al., 2025).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) rms_norm_eps: f64,
    hidden_act: String,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    #[serde(default)]
    use_sliding_window: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Rope {
    rope_theta: Option<f32>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
}

impl Description for Config {
    type Own = crate::native::Qwen3;
    #[cfg(feature = "train")]
    type Burn = crate::model::Qwen3;

    fn read(layout: &Layout) -> Result<Self> {
        let config: Self = layout.config()?;
        supported(layout, "hidden_act", &config.hidden_act, config.hidden_act == "silu", "silu")?;
        supported(layout, "attention", "use_sliding_window", !config.use_sliding_window, "full attention")?;
        let ropes = [&config.rope_parameters, &config.rope_scaling];
        for kind in ropes.into_iter().flatten().filter_map(|r| r.rope_type.as_deref()) {
            supported(layout, "rope_type", kind, kind == "default", "default")?;
        }
        let (hidden, query, key) =
            (config.hidden_size, config.num_attention_heads, config.num_key_value_heads);
        let groups = query > 0 && key > 0 && query % key == 0 && hidden > 0;
        sound(layout, "num_attention_heads as a multiple of num_key_value_heads", groups)?;
        let dim = config.heads().dim;
        sound(layout, "an even head_dim above 0", dim > 0 && dim.is_multiple_of(2))?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.max_position_embeddings,
            pooling: Pooling::LastToken,
            causal: true,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "model.",
        }
    }
}

impl Config {
    pub(crate) fn heads(&self) -> Heads {
        let query = self.num_attention_heads;
        let dim = self.head_dim.unwrap_or(self.hidden_size / query);
        Heads { query, key: self.num_key_value_heads, dim, causal: true }
    }

    /// Cosines and sines of the angles of positions `0..longest`, `[longest, head_dim / 2]` each.
    pub(crate) fn angles(&self, longest: usize) -> (Vec<f32>, Vec<f32>) {
        let parameters = self.rope_parameters.as_ref().and_then(|r| r.rope_theta);
        let theta = self.rope_theta.or(parameters).unwrap_or(10_000.0);
        let dim = self.heads().dim;
        let speeds: Vec<f32> = (0..dim / 2).map(|i| 1.0 / theta.powf((2 * i) as f32 / dim as f32)).collect();
        let table = |f: fn(f32) -> f32| {
            (0..longest).flat_map(|p| speeds.iter().map(move |s| f(p as f32 * s))).collect()
        };
        (table(f32::cos), table(f32::sin))
    }
}
