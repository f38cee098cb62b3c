//! Random vectors that lie like those of an encoder.

use manyview::Embeddings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Unit rows `[n, dim]` around ten random centres, so wide that the groups touch: k-means takes some twenty rounds.
pub(crate) fn rows(n: usize, dim: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = |n: usize| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    let centres = uniform(10 * dim);
    let noise = uniform(n * dim);
    let near = centres.iter().cycle().zip(noise).map(|(centre, noise)| centre + 6.0 * noise);
    let rows = Embeddings::new(near.collect(), dim).and_then(Embeddings::normalized);
    rows.expect("uniform numbers have a direction")
}
