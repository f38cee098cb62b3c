use super::decoder::{AsDecoder, Biases, Decoder};
use super::qwen::Common;
use super::{Description, Summary, rotary};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// `config.json` of Qwen3 (Yang et al., 2025): queries and keys are normalised.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    common: Common,
    own: Own,
}

/// What Qwen2 has not, or not so; what it leaves out is as in transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct Own {
    head_dim: usize,
    attention_bias: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self { head_dim: 128, attention_bias: false }
    }
}

impl Description for Config {
    type Own = crate::native::Decoder;
    #[cfg(feature = "train")]
    type Burn = crate::model::Decoder<Self>;

    fn read(layout: &Layout) -> Result<Self> {
        let common = Common::read(layout, &["attention_bias"])?;
        let own: Own = layout.config()?;
        rotary::check_dim(layout, own.head_dim)?;
        Ok(Self { common, own })
    }

    fn summary(&self) -> Summary {
        self.decoder().summary()
    }

    fn tensors(&self) -> Vec<String> {
        self.decoder().tensors()
    }

    fn decided_anew(&self) -> Vec<String> {
        let both_ways = (!self.common.causal()).then(|| "attention in both directions".to_string());
        let theta = self.common.theta();
        let other = theta != self.common.earlier_theta();
        both_ways.into_iter().chain(other.then(|| format!("rope_theta {theta}"))).collect()
    }
}

impl AsDecoder for Config {
    fn decoder(&self) -> Decoder {
        let bias = self.own.attention_bias;
        self.common.decoder(self.own.head_dim, Biases { qkv: bias, out: bias }, true)
    }
}
