use crate::layout::json;
use crate::{Error, Result};
use burn::tensor::{Int, Tensor, TensorData};
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
            supported: "mean, cls, lasttoken, one of them, over prompt and text",
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

    /// One vector a text, `[texts, hidden]`, from packed states `[tokens, hidden]` of texts of these lengths.
    pub(crate) fn pool(self, states: Tensor<2>, lengths: &[usize]) -> Tensor<2> {
        let mut start = 0;
        let starts = lengths.iter().map(|n| {
            let at = start;
            start += n;
            at
        });
        match self {
            Self::Cls => pick(states, starts.collect()),
            Self::LastToken => pick(states, starts.zip(lengths).map(|(at, n)| at + n - 1).collect()),
            Self::Mean => {
                let spans: Vec<(usize, usize)> = starts.zip(lengths.iter().copied()).collect();
                let means = spans.into_iter().map(|(at, n)| states.clone().narrow(0, at, n).mean_dim(0)); // [1, hidden]
                Tensor::cat(means.collect(), 0) // [texts, hidden]
            }
        }
    }
}

fn pick(states: Tensor<2>, rows: Vec<usize>) -> Tensor<2> {
    let n = rows.len();
    let rows: Vec<i64> = rows.into_iter().map(|r| r as i64).collect();
    let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &states.device()); // [texts]
    states.select(0, rows)
}
