use crate::architecture::{self, Description, Own as _, Visitor};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::kv_cache::KvCache;
use crate::layout::Layout;
use crate::states::States;
use crate::{Device, Error, Result};
use serde::{Deserialize, Serialize};

/// What computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// This crate's own kernels where the device is the pure-Rust CPU, burn on any other device.
    #[default]
    Own,
    /// burn on every device: slower on the CPU, and an independent check of the other.
    Burn,
}

/// What a model's matrices are held as in memory, and what products compute in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// `f32` in both.
    #[default]
    F32,
    /// bf16 in memory, half of `f32`. This crate's own engine computes products in `f32`, slower for converting weights
    /// each time; burn computes in bf16, where the device does.
    Bf16,
    /// int8 in both, a quarter of `f32`: a scale for each row of a matrix and, at run time, for each token.
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

/// A transformer: token ids to token states. Pooling and normalisation come after it.
pub(crate) trait Model: Send + Sync {
    /// The states of a batch's tokens after the last layer, `[rows, hidden]`. With a cache, the batch's one text continues
    /// the sequence of the cache, and its keys and values are appended.
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States>;
}

/// A model on an engine.
pub(crate) struct Loaded {
    pub(crate) model: Box<dyn Model>,
    /// What vectors depend on beside the model: its weights as they are held, and what is computed in.
    pub(crate) dtype: &'static str,
    /// Whether the next texts are tokenised while a batch is computed: the device is not the CPU that tokenises.
    pub(crate) reads_ahead: bool,
}

/// Loads the model of `layout` on the engine and the device.
pub(crate) fn load(
    layout: &Layout,
    checkpoint: &Checkpoint,
    (engine, weights): (Engine, Weights),
    device: &Device,
) -> Result<Loaded> {
    architecture::accept(layout, Load { checkpoint, engine, weights, device })
}

struct Load<'a> {
    checkpoint: &'a Checkpoint,
    engine: Engine,
    weights: Weights,
    device: &'a Device,
}

impl Visitor for Load<'_> {
    type Output = Loaded;

    fn visit<C: Description>(self, config: C) -> Result<Loaded> {
        let Self { checkpoint, engine, weights, device } = self;
        if engine == Engine::Burn || !on_own_cpu(device) {
            return self.on_burn(config);
        }
        let model = Box::new(C::Own::load(&config, checkpoint, weights)?);
        Ok(Loaded { model, dtype: weights.as_str(), reads_ahead: false })
    }
}

impl Load<'_> {
    #[cfg(feature = "train")]
    fn on_burn<C: Description>(self, config: C) -> Result<Loaded> {
        use crate::model::{Loader, Network as _};
        use burn::tensor::DType;

        let Self { checkpoint, weights, device, .. } = self;
        let (dtype, name) = match weights {
            Weights::F32 => (DType::F32, weights.as_str()),
            // Not "bf16": the own engine only holds weights as bf16.
            Weights::Bf16 if device.supports_dtype(DType::BF16) => (DType::BF16, "bf16 throughout"),
            Weights::Bf16 | Weights::Int8 => return Err(unsupported(weights)),
        };
        let model = Box::new(C::Burn::load(&config, &Loader::new(checkpoint, device, dtype))?);
        Ok(Loaded { model, dtype: name, reads_ahead: true })
    }

    #[cfg(not(feature = "train"))]
    fn on_burn<C: Description>(self, _: C) -> Result<Loaded> {
        Err(Error::Setting {
            setting: "engine",
            problem:
                "expected own, found burn, which this build does not have; build with `--features train`"
                    .into(),
        })
    }
}

#[cfg(feature = "train")]
fn unsupported(weights: Weights) -> Error {
    Error::Setting {
        setting: "weights",
        problem: format!(
            "expected a type this engine and device compute in, found {}; burn computes in f32 on every device and in \
             bf16 on LibTorch, the own engine on flex holds f32, bf16 and int8",
            weights.as_str()
        ),
    }
}

/// Whether `device` is the CPU as this crate's own engine uses it: the only device without burn.
pub(crate) fn on_own_cpu(device: &Device) -> bool {
    manyview_train::device_name(device) == "flex"
}
