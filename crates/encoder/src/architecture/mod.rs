//! What `config.json` says of a model, one file for each architecture; adding one is a file and an arm here.

pub(crate) mod bert;
pub(crate) mod qwen3;

use crate::layout::Layout;
use crate::{Error, Pooling, Result};
use serde::Deserialize;

/// A model by the `model_type` of its `config.json`.
pub(crate) enum Architecture {
    Bert(bert::Config),
    Qwen3(qwen3::Config),
}

#[derive(Deserialize)]
struct ModelType {
    model_type: Option<String>,
    /// Code that comes with the model, by the class it is to stand in for.
    auto_map: Option<serde::de::IgnoredAny>,
}

impl Architecture {
    /// Reads the configuration, and refuses whatever would change what the model computes.
    pub(crate) fn read(layout: &Layout) -> Result<Self> {
        let ModelType { model_type, auto_map } = layout.config()?;
        if auto_map.is_some() {
            let path = layout.config_path();
            tracing::warn!(
                "{}: `auto_map` names code that comes with the model; it is not run",
                path.display()
            );
        }
        let kind = model_type.unwrap_or_default();
        match kind.as_str() {
            "bert" => Ok(Self::Bert(bert::Config::read(layout)?)),
            "qwen3" => Ok(Self::Qwen3(qwen3::Config::read(layout)?)),
            _ => Err(Error::Unsupported {
                path: layout.config_path(),
                what: "model_type",
                found: kind,
                supported: "bert, qwen3",
            }),
        }
    }

    /// Length of its vectors.
    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Bert(config) => config.hidden_size,
            Self::Qwen3(config) => config.hidden_size,
        }
    }

    /// Number of ids it knows.
    pub(crate) fn vocabulary(&self) -> usize {
        match self {
            Self::Bert(config) => config.vocab_size,
            Self::Qwen3(config) => config.vocab_size,
        }
    }

    /// Tokens it can read of one text.
    pub(crate) fn positions(&self) -> usize {
        match self {
            Self::Bert(config) => config.max_position_embeddings,
            Self::Qwen3(config) => config.max_position_embeddings,
        }
    }

    /// The pooling of this architecture where a directory names none.
    pub(crate) fn usual_pooling(&self) -> Pooling {
        match self {
            Self::Bert(_) => Pooling::Mean,
            Self::Qwen3(_) => Pooling::LastToken,
        }
    }

    /// A tensor it must have.
    pub(crate) fn anchor(&self) -> &'static str {
        match self {
            Self::Bert(_) => bert::WORDS,
            Self::Qwen3(_) => qwen3::WORDS,
        }
    }
}

/// Heads of an attention layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    /// Query heads.
    pub(crate) query: usize,
    /// Key and value heads; each serves `query / key` query heads.
    pub(crate) key: usize,
    /// Length of each head's vectors.
    pub(crate) dim: usize,
    /// Whether a token sees only itself and what stands before it.
    pub(crate) causal: bool,
}

impl Heads {
    /// Length of a token's queries, keys and values side by side.
    pub(crate) fn width(&self) -> usize {
        (self.query + 2 * self.key) * self.dim
    }
}

/// Refuses a setting of `config.json` that changes what the model computes.
fn supported(
    layout: &Layout,
    what: &'static str,
    found: &str,
    fine: bool,
    supported: &'static str,
) -> Result<()> {
    match fine {
        true => Ok(()),
        false => Err(Error::Unsupported { path: layout.config_path(), what, found: found.into(), supported }),
    }
}

/// Refuses sizes that no model has: they would divide by zero, or not divide.
fn sound(layout: &Layout, what: &str, fine: bool) -> Result<()> {
    match fine {
        true => Ok(()),
        false => Err(Error::file(&layout.config_path(), format!("expected {what}"))),
    }
}
