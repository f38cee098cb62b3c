use super::decoder::{AsDecoder, Biases, Decoder};
use super::qwen::Common;
use super::{Description, Summary, rotary};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;

/// `config.json` of Qwen2 (Yang et al., 2024), as in gte-Qwen2: queries, keys and values have biases, and none is
/// normalised.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    common: Common,
    head_dim: usize,
}

impl Description for Config {
    type Own = crate::native::Decoder;
    #[cfg(feature = "train")]
    type Burn = crate::model::Decoder<Self>;

    fn read(layout: &Layout) -> Result<Self> {
        #[derive(Deserialize)]
        struct Own {
            head_dim: Option<usize>,
        }
        let common = Common::read(layout, &[])?;
        let Own { head_dim } = layout.config()?;
        let head_dim = head_dim.unwrap_or(common.hidden_size / common.num_attention_heads);
        rotary::check_dim(layout, head_dim)?;
        Ok(Self { common, head_dim })
    }

    fn summary(&self) -> Summary {
        self.decoder().summary()
    }

    fn tensors(&self) -> Vec<String> {
        self.decoder().tensors()
    }
}

impl AsDecoder for Config {
    fn decoder(&self) -> Decoder {
        self.common.decoder(self.head_dim, Biases { qkv: true, out: false }, false)
    }
}
