use crate::layout::json;
use crate::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// How the states of a text's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean over all tokens.
    Mean,
    /// The first token.
    Cls,
    /// The last token.
    LastToken,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolingFile {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
    pooling_mode: Option<String>,
    include_prompt: Option<bool>,
}

impl Pooling {
    /// The name in pooling configurations and fingerprints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::LastToken => "lasttoken",
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file: PoolingFile =
            json(path)?.ok_or_else(|| Error::file(path, "expected the pooling, found no such file"))?;
        let unsupported = |found: &str| Error::Unsupported {
            path: path.into(),
            what: "pooling",
            found: found.into(),
            supported: "mean, cls, lasttoken, one of them, over prompt and text".into(),
        };
        if file.include_prompt == Some(false) {
            return Err(unsupported("include_prompt = false"));
        }
        let named = file.pooling_mode.as_deref().unwrap_or_default();
        let modes = [
            (file.pooling_mode_cls_token, "cls"),
            (file.pooling_mode_mean_tokens, "mean"),
            (file.pooling_mode_lasttoken, "lasttoken"),
            (file.pooling_mode_max_tokens, "max"),
            (file.pooling_mode_mean_sqrt_len_tokens, "mean_sqrt_len_tokens"),
            (file.pooling_mode_weightedmean_tokens, "weightedmean"),
        ];
        let chosen: Vec<&str> = modes.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let chosen = if chosen.is_empty() { named.to_string() } else { chosen.join(" + ") };
        match chosen.as_str() {
            "mean" => Ok(Self::Mean),
            "cls" => Ok(Self::Cls),
            "lasttoken" => Ok(Self::LastToken),
            other => Err(unsupported(other)),
        }
    }
}
