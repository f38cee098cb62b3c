use super::learnt_positions::{LearntPositions, TOKEN_EMBEDDINGS};
use super::post_norm::{Activation, LayerNames, PostNorm, check_heads, heads};
use super::{Description, Summary, keys, sound, supported};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// The tensor of attention biases, `[buckets, heads]`.
pub(crate) const ATTENTION_BIAS: &str = "encoder.relative_attention_bias.weight";

/// The id of the padding token, which is fixed: positions are counted from the one after it.
const PADDING: u32 = 1;
/// The buckets of the attention bias: transformers counts 32 whatever the configuration says.
const BUCKETS: usize = 32;
/// The distance from which all keys share the last bucket.
const FARTHEST: f32 = 128.0;

/// The keys of `config.json` that are read.
const KEYS: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "relative_attention_num_buckets",
    "layer_norm_eps",
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
];

/// `config.json` of MPNet (Song et al., 2020); what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    pub(crate) relative_attention_num_buckets: usize,
    layer_norm_eps: f64,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    hidden_act: String,
    /// What `hidden_act` names.
    #[serde(skip)]
    activation: Activation,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30527,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 512,
            relative_attention_num_buckets: BUCKETS,
            layer_norm_eps: 1e-12,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            hidden_act: "gelu".into(),
            activation: Activation::Gelu,
        }
    }
}

impl Description for Config {
    type Own = crate::native::MpNet;
    #[cfg(feature = "train")]
    type Burn = crate::model::MpNet;

    fn read(layout: &Layout) -> Result<Self> {
        keys::check(layout, KEYS)?;
        let mut config: Self = layout.config()?;
        config.activation = Activation::read(layout, "hidden_act", &config.hidden_act)?;
        check_heads(layout, config.hidden_size, config.num_attention_heads)?;
        let buckets = config.relative_attention_num_buckets;
        supported(layout, "relative_attention_num_buckets", &buckets.to_string(), buckets == BUCKETS, "32")?;
        let positions = config.max_position_embeddings;
        sound(layout, "max_position_embeddings of more than 2", positions > PADDING as usize + 1)?;
        Ok(config)
    }

    fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden_size,
            vocabulary: self.vocab_size,
            max_tokens: self.embeddings().max_tokens(),
            causal: false,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "mpnet.",
            token_types: false,
            longest: Some(self.embeddings().max_tokens()),
        }
    }

    fn tensors(&self) -> Vec<String> {
        let bias = [ATTENTION_BIAS.to_string()];
        self.embeddings().tensors().chain(bias).chain(self.layers().tensors()).collect()
    }
}

impl Config {
    /// What its embeddings are.
    pub(crate) fn embeddings(&self) -> LearntPositions {
        LearntPositions {
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            rows: self.max_position_embeddings,
            types: None,
            padding: Some(PADDING),
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
            names: |i| {
                let at = |name: &str| format!("encoder.layer.{i}.{name}");
                LayerNames {
                    qkv: ["q", "k", "v"].map(|part| at(&format!("attention.attn.{part}"))),
                    out: at("attention.attn.o"),
                    attention_norm: at("attention.LayerNorm"),
                    up: at("intermediate.dense"),
                    down: at("output.dense"),
                    output_norm: at("output.LayerNorm"),
                }
            },
        }
    }

    /// The bucket of the attention bias for a key so many tokens after its query: one for each small distance, the larger
    /// ones in buckets that grow with their logarithm, half of all for keys that stand before.
    pub(crate) fn bucket(&self, distance: isize) -> usize {
        let half = self.relative_attention_num_buckets / 2;
        let (after, distance) = (if distance > 0 { half } else { 0 }, distance.unsigned_abs());
        let exact = half / 2;
        if distance < exact {
            return after + distance;
        }
        let share = (distance as f32 / exact as f32).ln() / (FARTHEST / exact as f32).ln();
        after + (exact + (share * (half - exact) as f32) as usize).min(half - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where transformers changes the bucket, from the farthest key before the query to the farthest after it.
    const STARTS: [(isize, usize); 31] = [
        (-300, 15),
        (-90, 14),
        (-63, 13),
        (-45, 12),
        (-31, 11),
        (-22, 10),
        (-15, 9),
        (-11, 8),
        (-7, 7),
        (-6, 6),
        (-5, 5),
        (-4, 4),
        (-3, 3),
        (-2, 2),
        (-1, 1),
        (0, 0),
        (1, 17),
        (2, 18),
        (3, 19),
        (4, 20),
        (5, 21),
        (6, 22),
        (7, 23),
        (8, 24),
        (12, 25),
        (16, 26),
        (23, 27),
        (32, 28),
        (46, 29),
        (64, 30),
        (91, 31),
    ];

    #[test]
    fn buckets_are_those_of_the_reference() {
        let config = r#"{"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1,
            "intermediate_size": 4, "max_position_embeddings": 514, "layer_norm_eps": 1e-5, "hidden_act": "gelu"}"#;
        let config: Config = serde_json::from_str(config).unwrap();
        for distance in -300..=300 {
            let expected = STARTS.iter().rev().find(|(start, _)| *start <= distance).unwrap().1;
            assert_eq!(config.bucket(distance), expected, "{distance}");
        }
    }
}
