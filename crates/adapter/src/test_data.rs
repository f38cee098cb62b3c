//! Random rows for the tests of this crate.
use manyview_core::Embeddings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `[n, dim]` values of roughly normal distribution: each the sum of twelve uniform ones, less six.
pub(crate) fn normal(n: usize, dim: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..n * dim).map(|_| (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0).collect();
    Embeddings::new(values, dim).unwrap()
}
