//! Steps of both engines are those of PyTorch (`tests/golden/fine_tuning.py`).
use super::engine::Job;
use super::tokenized::TokenizedTexts;
use super::{FineTuneConfig, MultipleNegativesRanking, Objective, TrainingData};
use crate::{Device, EncoderConfig, TextEncoder};
use manyview_core::{Fingerprint, Quiet};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Pairs of a step.
pub(super) const BATCH: usize = 4;

/// The settings of `fine_tuning.py`.
pub(super) fn config() -> FineTuneConfig {
    FineTuneConfig { batch: BATCH, lr: 1e-3, warmup: 0.3, dropout: Some(0.0), ..FineTuneConfig::default() }
}

/// What PyTorch found, by name.
pub(super) struct Expected(BTreeMap<String, Vec<f32>>);

impl Expected {
    /// Of the case of this name.
    pub(super) fn read(case: &str) -> Self {
        let bytes = std::fs::read(golden(&format!("fine_tuning/{case}.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let floats = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        Self(file.tensors().into_iter().map(|(name, tensor)| (name, floats(tensor.data()))).collect())
    }

    pub(super) fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).unwrap_or_else(|| panic!("no golden value `{name}`"))
    }

    /// The names of `kind`: `before`, `gradient`, `after`.
    pub(super) fn names(&self, kind: &str) -> Vec<String> {
        self.0
            .keys()
            .filter_map(|name| name.strip_prefix(kind)?.strip_prefix('.'))
            .map(String::from)
            .collect()
    }

    /// The largest difference of what was found of `kind`, as a share of the largest value expected of each tensor.
    pub(super) fn furthest(&self, kind: &str, found: &BTreeMap<String, Vec<f32>>) -> (f32, String) {
        assert_eq!(found.keys().cloned().collect::<Vec<_>>(), self.names(kind));
        // A shift of keys changes no softmax: its gradient is 0 but for rounding.
        let compared = found.iter().filter(|(name, _)| !name.ends_with("key.bias"));
        let gaps =
            compared.map(|(name, values)| (apart(values, self.get(&format!("{kind}.{name}"))), name.clone()));
        gaps.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    }
}

/// The largest difference, as a share of the largest value expected.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
    found.iter().zip(expected).fold(0f32, |worst, (a, b)| worst.max((a - b).abs())) / most
}

pub(super) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Runs `run` on the pairs of the golden values.
pub(super) fn with_job(
    (model, device): (&str, &Device),
    (config, objective): (&FineTuneConfig, &dyn Objective),
    run: impl FnOnce(&Job<'_>),
) {
    let base = TextEncoder::load(&golden("models").join(model), &EncoderConfig::default(), device).unwrap();
    let bytes = std::fs::read(golden("fine_tuning/pairs.json")).unwrap();
    let pairs: Vec<(String, String)> = serde_json::from_slice(&bytes).unwrap();
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let data = TrainingData {
        queries: &queries,
        passages: &passages,
        negatives: &[],
        objective,
        progress: &Quiet,
        on_step: &|_| (),
    };
    let texts = TokenizedTexts::read(&base, &data).unwrap();
    let work = tempfile::tempdir().unwrap();
    let key = Fingerprint::builder("test").finish();
    run(&Job {
        base: &base,
        config,
        device,
        data: &data,
        texts,
        keep: base.tokens_of_mean().unwrap(),
        key,
        work: work.path(),
    });
}

/// The objective of the golden values of pairs.
pub(super) const RANKING: MultipleNegativesRanking = MultipleNegativesRanking { scale: 20.0 };

/// The device that `MANYVIEW_TEST_DEVICE` names, `flex` without it.
#[cfg(test)]
#[allow(deprecated)] // burn marks ndarray and libtorch so
pub(super) fn device() -> Device {
    match std::env::var("MANYVIEW_TEST_DEVICE").as_deref() {
        Err(_) | Ok("flex") => Device::flex(),
        #[cfg(feature = "ndarray")]
        Ok("ndarray") => Device::ndarray(),
        #[cfg(feature = "tch")]
        Ok("libtorch") => Device::libtorch(),
        #[cfg(feature = "tch")]
        Ok("libtorch:cuda:0") => Device::libtorch_cuda(0),
        Ok(other) => panic!("MANYVIEW_TEST_DEVICE: this build has no device `{other}`"),
    }
}
