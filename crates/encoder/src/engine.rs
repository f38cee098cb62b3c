use crate::architecture::Architecture;
use crate::checkpoint::Checkpoint;
use crate::model::{Model, Place};
use crate::native::{Native, Past};
use crate::{Device, Error, Pooling, Result};
use burn::tensor::DType;
use serde::{Deserialize, Serialize};

/// What computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// This crate's own steps on plain slices where the device is the pure-Rust CPU, burn's tensors on any other.
    #[default]
    Fastest,
    /// burn's tensors on every device: slower on the CPU, and an independent check of the other.
    Burn,
}

/// What a model's matrices are held as in memory, and what products compute in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// `f32` in both.
    #[default]
    F32,
    /// bf16 in memory, half of `f32`. This crate's own steps have products in `f32`, slower for being given `f32` each
    /// time anew; burn's tensors compute in bf16, where the device does.
    Bf16,
    /// int8 in both, a quarter of `f32`: a scale for each row of a matrix and, made on the way, for each token.
    Int8,
}

impl Weights {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

/// A loaded model.
#[allow(clippy::large_enum_variant)] // one of it, never moved about
pub(crate) enum Runner {
    Native(Native),
    Burn(Model),
}

impl Runner {
    pub(crate) fn load(
        architecture: &Architecture,
        checkpoint: &Checkpoint,
        (engine, weights): (Engine, Weights),
        device: &Device,
    ) -> Result<Self> {
        match (engine, weights) {
            (Engine::Fastest, _) if on_own_cpu(device) => {
                Ok(Self::Native(Native::load(architecture, checkpoint, weights)?))
            }
            (_, Weights::F32) => Self::burn(architecture, checkpoint, device, DType::F32),
            (_, Weights::Bf16) if device.supports_dtype(DType::BF16) => {
                Self::burn(architecture, checkpoint, device, DType::BF16)
            }
            (_, Weights::Bf16 | Weights::Int8) => Err(Error::Setting {
                setting: "weights",
                problem: format!(
                    "expected numbers this device computes in, found {}; every device has f32, LibTorch bf16 as well, \
                     flex bf16 and int8",
                    weights.as_str()
                ),
            }),
        }
    }

    fn burn(
        architecture: &Architecture,
        checkpoint: &Checkpoint,
        device: &Device,
        numbers: DType,
    ) -> Result<Self> {
        let place = Place { device: device.clone(), numbers };
        Ok(Self::Burn(Model::load(architecture, checkpoint, place)?))
    }

    /// What vectors depend on beside the model: its weights as they are held, and what is computed in.
    pub(crate) fn numbers(&self, weights: Weights) -> &'static str {
        match (self, weights) {
            (Self::Burn(_), Weights::Bf16) => "bf16 throughout", // our own steps only hold the weights as bf16
            _ => weights.as_str(),
        }
    }

    /// Whether texts that are computed later may be read later: nothing is shared between all of them.
    pub(crate) fn reads_ahead(&self) -> bool {
        matches!(self, Self::Burn(_))
    }

    /// What texts need of `ids` that stand before them all, where that can be known before the texts are.
    pub(crate) fn past(&self, ids: &[u32]) -> Result<Option<Past>> {
        match self {
            Self::Native(model) => model.past(ids),
            Self::Burn(_) => Ok(None),
        }
    }

    /// Pooled states, `[texts, dim]`, of packed tokens of texts of these lengths, each after the tokens of `past`.
    pub(crate) fn encode(
        &self,
        ids: &[u32],
        lengths: &[usize],
        past: Option<&Past>,
        pooling: Pooling,
    ) -> Result<Vec<f32>> {
        match self {
            Self::Native(model) => model.encode(ids, lengths, past, pooling),
            Self::Burn(model) => model.encode(ids, lengths, pooling),
        }
    }
}

#[cfg(feature = "flex")]
fn on_own_cpu(device: &Device) -> bool {
    use burn::tensor::DeviceType;
    Device::enumerate(DeviceType::Flex).iter().any(|own| own == device)
}

#[cfg(not(feature = "flex"))]
fn on_own_cpu(_: &Device) -> bool {
    false
}
