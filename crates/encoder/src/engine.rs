use crate::architecture::Architecture;
use crate::checkpoint::Checkpoint;
use crate::model::Model;
use crate::native::Native;
use crate::{Device, Pooling, Result};
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
        engine: Engine,
        device: &Device,
    ) -> Result<Self> {
        match engine {
            Engine::Fastest if on_own_cpu(device) => {
                Ok(Self::Native(Native::load(architecture, checkpoint)?))
            }
            _ => Ok(Self::Burn(Model::load(architecture, checkpoint, device)?)),
        }
    }

    /// Pooled states, `[texts, dim]`, of packed tokens of texts of these lengths.
    pub(crate) fn encode(&self, ids: &[u32], lengths: &[usize], pooling: Pooling) -> Result<Vec<f32>> {
        match self {
            Self::Native(model) => model.encode(ids, lengths, pooling),
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
