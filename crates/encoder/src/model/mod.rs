//! The models on burn, on any of its devices, one file for each architecture. Each is a burn [`Module`], so the models
//! that encode are also those that are fine-tuned.

mod activation;
mod attention;
mod bert;
mod decoder;
mod distilbert;
mod learnt_positions;
mod length_groups;
mod linear;
mod loader;
mod mean;
mod modernbert;
mod mpnet;
mod nomic_bert;
mod post_norm;
mod rms_norm;
mod roberta;
mod rotary;
mod window;

use crate::Result;
use crate::batch::Batch;
use crate::engine::Model;
use crate::kv_cache::KvCache;
use crate::states::States;
pub(crate) use bert::Bert;
use burn::module::Module;
use burn::tensor::Tensor;
pub(crate) use decoder::Decoder;
pub(crate) use distilbert::DistilBert;
pub(crate) use linear::LoraStart;
pub(crate) use loader::{Loader, Stored, indices, transpose};
pub(crate) use mean::means;
pub(crate) use modernbert::ModernBert;
pub(crate) use mpnet::MpNet;
pub(crate) use nomic_bert::NomicBert;
pub(crate) use roberta::Roberta;

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

#[cfg(all(test, feature = "train"))]
#[allow(clippy::unwrap_used)] // what sets a scene is part of a test
mod tests {
    use super::{Bert, Decoder, DistilBert, Loader, ModernBert, MpNet, Network, NomicBert, Roberta};
    use crate::Device;
    use crate::architecture::{Description, gemma3, qwen2, qwen3};
    use crate::batch::{Batch, Keep};
    use crate::checkpoint::Checkpoint;
    use crate::layout::Layout;
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::{DType, Gradients, Tensor};
    use std::path::Path;

    /// Counts parameters, and those whose gradient is there and finite.
    struct Count<'a> {
        gradients: &'a Gradients,
        all: usize,
        reached: usize,
    }

    impl ModuleVisitor for Count<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.all += 1;
            let sum = param.val().grad(self.gradients).map(|g| g.abs().sum().into_scalar::<f32>());
            self.reached += usize::from(sum.is_some_and(f32::is_finite));
        }
    }

    fn check<N: Network>(model: &str)
    where
        N::Config: Description,
    {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models");
        let layout = Layout::read(&models.join(model)).unwrap();
        let config = N::Config::read(&layout).unwrap();
        let checkpoint = Checkpoint::open(&layout.transformer, &config.summary()).unwrap();
        let device = &Device::flex().autodiff();
        let network = N::load(&config, &Loader::new(&checkpoint, device, DType::F32)).unwrap();
        let ids: Vec<u32> = (0..19).map(|i| 5 + i * 7 % 20).collect();
        let batch = Batch { ids: &ids, lengths: &[7, 7, 5], prefix: None, keep: Keep::All };
        let loss = network.forward(&batch, None).unwrap().powi_scalar(3).sum();
        let mut count = Count { gradients: &loss.backward(), all: 0, reached: 0 };
        network.visit(&mut count);
        assert!(count.all > 20, "{model}: {} parameters", count.all);
        assert_eq!(count.reached, count.all, "{model}: parameters with a gradient");
    }

    /// On a device with autodiff, so that the models can be trained.
    #[test]
    fn every_parameter_has_a_gradient() {
        check::<Bert>("bert-tiny");
        check::<DistilBert>("distilbert-tiny");
        check::<ModernBert>("modernbert-tiny");
        check::<Decoder<gemma3::Config>>("gemma3-tiny");
        check::<MpNet>("mpnet-tiny");
        check::<NomicBert>("nomic-bert-tiny");
        check::<Roberta>("xlm-roberta-tiny");
        check::<Decoder<qwen2::Config>>("qwen2-tiny");
        check::<Decoder<qwen3::Config>>("qwen3-tiny");
    }
}
