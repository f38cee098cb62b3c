//! The models, one file each; adding one is a file and an arm here.

mod bert;
mod qwen3;

use crate::layout::Layout;
use crate::{Device, Error, Pooling, Result};
use bert::Bert;
use burn::tensor::Tensor;
use qwen3::Qwen3;
use serde::Deserialize;
use std::path::PathBuf;

/// A loaded model, by the `model_type` of its `config.json`.
#[allow(clippy::large_enum_variant)] // one of it, never moved about
pub(crate) enum Model {
    Bert(Bert),
    Qwen3(Qwen3),
}

#[derive(Deserialize)]
struct ModelType {
    model_type: Option<String>,
}

impl Model {
    pub(crate) fn load(layout: &Layout, device: &Device) -> Result<Self> {
        let kind = layout.config::<ModelType>()?.model_type.unwrap_or_default();
        match kind.as_str() {
            "bert" => Ok(Self::Bert(Bert::load(layout, device)?)),
            "qwen3" => Ok(Self::Qwen3(Qwen3::load(layout, device)?)),
            _ => Err(Error::Unsupported {
                path: layout.config_path(),
                what: "model_type",
                found: kind,
                supported: "bert, qwen3",
            }),
        }
    }

    /// States of packed tokens of texts of these lengths, `[tokens, dim]`.
    pub(crate) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Tensor<2> {
        match self {
            Self::Bert(model) => model.forward(ids, lengths),
            Self::Qwen3(model) => model.forward(ids, lengths),
        }
    }

    /// Length of its vectors.
    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Bert(model) => model.dim(),
            Self::Qwen3(model) => model.dim(),
        }
    }

    /// The pooling of this architecture where a directory names none.
    pub(crate) fn usual_pooling(&self) -> Pooling {
        match self {
            Self::Bert(_) => Pooling::Mean,
            Self::Qwen3(_) => Pooling::LastToken,
        }
    }

    /// Number of ids it knows.
    pub(crate) fn vocabulary(&self) -> usize {
        match self {
            Self::Bert(model) => model.vocabulary(),
            Self::Qwen3(model) => model.vocabulary(),
        }
    }

    /// Tokens it can read of one text.
    pub(crate) fn positions(&self) -> usize {
        match self {
            Self::Bert(model) => model.positions(),
            Self::Qwen3(model) => model.positions(),
        }
    }

    /// Its weights files, in a fixed order.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Bert(model) => model.files(),
            Self::Qwen3(model) => model.files(),
        }
    }
}

/// The position of every packed token in its text.
fn positions(lengths: &[usize]) -> Vec<i64> {
    lengths.iter().flat_map(|&n| 0..n as i64).collect()
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
