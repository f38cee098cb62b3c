use super::{config, size};
use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::native::LayerNorm;
use std::path::Path;

/// What torch adds to the variance by default.
const EPSILON: f64 = 1e-5;

/// Layer normalisation of pooled vectors.
pub(super) struct Norm(LayerNorm);

impl Norm {
    pub(super) fn load(dir: &Path, dim: usize) -> Result<Self> {
        let config = config(dir, &["dimension"])?;
        let dim = size(dir, &config, "dimension", Some(dim))?;
        let checkpoint = Checkpoint::of_module(dir, &["norm.weight", "norm.bias"])?;
        Ok(Self(LayerNorm::load(&checkpoint, "norm", dim, EPSILON)?))
    }

    pub(super) fn apply(&self, rows: &mut [f32]) {
        self.0.apply(rows);
    }
}
