use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::points::Points;

/// The rows to start from: each next one is the best of `2 + ln k` draws in proportion to the squared distance to the
/// nearest row chosen so far, where best means the least sum of those distances afterwards.
pub(super) fn greedy_plus_plus(points: &Points, k: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let n = points.n();
    let trials = 2 + (k as f64).ln() as usize;
    let first = rng.random_range(0..n);
    let mut seeds = vec![first];
    let mut nearest = points.squared_distances(points.row(first));
    while seeds.len() < k {
        let candidates = draw(&nearest, trials, rng);
        let mut distances = points.squared_distances(&points.gather(&candidates));
        let (mut best, mut least) = (0, f64::INFINITY);
        for (candidate, distances) in distances.chunks_exact_mut(n).enumerate() {
            distances.iter_mut().zip(&nearest).for_each(|(d, &now)| *d = d.min(now));
            let potential = sum(distances);
            if potential < least {
                (best, least) = (candidate, potential);
            }
        }
        seeds.push(candidates[best]);
        nearest.copy_from_slice(&distances[best * n..(best + 1) * n]);
    }
    seeds
}

/// `count` indices drawn in proportion to `weights`, with replacement.
fn draw(weights: &[f32], count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let cumulative: Vec<f64> = weights
        .iter()
        .scan(0.0, |total, &w| {
            *total += f64::from(w);
            Some(*total)
        })
        .collect();
    let total = cumulative.last().copied().unwrap_or(0.0);
    let mut one = || {
        let at = rng.random::<f64>() * total;
        cumulative.partition_point(|&c| c <= at).min(weights.len() - 1)
    };
    (0..count).map(|_| one()).collect()
}

fn sum(distances: &[f32]) -> f64 {
    distances.iter().map(|&d| f64::from(d)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Embeddings;
    use rand::SeedableRng;

    #[test]
    fn a_row_without_weight_is_never_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let drawn = draw(&[0.0, 1.0, 0.0, 3.0, 0.0], 4000, &mut rng);
        assert!(drawn.iter().all(|&i| i == 1 || i == 3));
        let ones = drawn.iter().filter(|&&i| i == 1).count();
        assert!((850..1150).contains(&ones), "{ones} of 4000, expected about 1000");
    }

    #[test]
    fn far_groups_each_get_a_seed() {
        let values = (0..40).map(|i| (i / 10) as f32 * 1000.0 + (i % 10) as f32).collect();
        let points = Points::new(&Embeddings::new(values, 1).unwrap());
        for seed in 0..20 {
            let seeds = greedy_plus_plus(&points, 4, &mut ChaCha8Rng::seed_from_u64(seed));
            let mut groups: Vec<_> = seeds.iter().map(|s| s / 10).collect();
            groups.sort_unstable();
            assert_eq!(groups, [0, 1, 2, 3], "seed {seed}");
        }
    }
}
