//! The models on burn, on any of its devices, one file for each architecture. Each is a burn [`Module`], so the models
//! that encode are also those that are fine-tuned.

mod attention;
mod bert;
#[cfg(all(test, feature = "flex"))]
#[allow(clippy::unwrap_used)] // what sets a scene is part of a test
mod gradients;
mod length_groups;
mod linear;
mod loader;
mod mean;
mod mpnet;
mod post_norm;
mod qwen3;
mod rms_norm;

use crate::Result;
use crate::batch::Batch;
use crate::engine::Model;
use crate::kv_cache::KvCache;
use crate::states::States;
pub(crate) use bert::Bert;
use burn::module::Module;
use burn::tensor::Tensor;
pub(crate) use linear::LoraStart;
pub(crate) use loader::{Loader, Stored, indices, transpose};
pub(crate) use mean::means;
pub(crate) use mpnet::MpNet;
pub(crate) use qwen3::Qwen3;

/// A transformer on burn. Nothing in it is detached from the gradient: on a device with autodiff it is trained.
pub(crate) trait Network: Module + Sync + 'static {
    /// The description of its architecture.
    type Config;

    /// Loads its parameters.
    fn load(config: &Self::Config, loader: &Loader<'_>) -> Result<Self>;

    /// The states of the tokens a batch keeps, `[rows, hidden]`; see [`Model::states`].
    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>>;
}

impl<N: Network> Model for N {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        self.forward(batch, cache).map(States::Tensor)
    }
}
