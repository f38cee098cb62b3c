use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One draw with replacement of texts and of k-means seeds, the same for all views.
pub(crate) struct Resample {
    pub(crate) texts: Vec<usize>,
    pub(crate) seeds: Vec<usize>,
}

impl Resample {
    /// Draw number `index` of `seed`: as many texts as `truth` has labels, with at least two labels among them.
    /// `truth` must hold two labels.
    pub(crate) fn draw(seed: u64, index: usize, truth: &[usize], seeds: usize) -> Self {
        let mut rng = stream(seed, index);
        let texts = loop {
            let texts = drawn(&mut rng, truth.len());
            if texts.windows(2).any(|pair| truth[pair[0]] != truth[pair[1]]) {
                break texts;
            }
        };
        Self { texts, seeds: (0..seeds).map(|_| rng.random_range(0..seeds)).collect() }
    }
}

/// Draw number `index` of `seed` with replacement: `n` out of `n` texts.
pub(crate) fn texts(seed: u64, index: usize, n: usize) -> Vec<usize> {
    drawn(&mut stream(seed, index), n)
}

fn stream(seed: u64, index: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX - index as u64); // k-means counts its streams from 0
    rng
}

fn drawn(rng: &mut ChaCha8Rng, n: usize) -> Vec<usize> {
    (0..n).map(|_| rng.random_range(0..n)).collect()
}

/// Resampled figures moved so that their mean is `value`. A resample repeats texts, and repeats agree with
/// themselves, so scores of resamples lie above the score of the sample; their spread is what counts.
pub(crate) fn recentred(value: f64, mut resampled: Vec<f64>) -> Vec<f64> {
    let shift = value - resampled.iter().sum::<f64>() / resampled.len() as f64;
    resampled.iter_mut().for_each(|v| *v += shift);
    resampled
}

/// The middle 95% of `figures`.
pub(crate) fn interval(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    (quantile(&figures, 0.025), quantile(&figures, 0.975))
}

/// The `q` quantile of non-empty `sorted`, linear between neighbours.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    if below == above { below } else { below + (above - below) * at.fract() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|q| quantile(&sorted, q)), [1.0, 1.5, 2.0, 3.0, 4.0]);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }

    #[test]
    fn an_interval_covers_the_true_mean_about_19_times_in_20() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let covered = (0..400)
            .filter(|&trial| {
                let sample: Vec<f64> = (0..100).map(|_| rng.random::<f64>()).collect();
                let truth: Vec<usize> = (0..100).collect();
                let mean = |texts: &[usize]| texts.iter().map(|&t| sample[t]).sum::<f64>() / 100.0;
                let means = (0..400).map(|i| mean(&Resample::draw(trial, i, &truth, 1).texts)).collect();
                let (low, high) = interval(recentred(mean(&truth), means));
                (low..=high).contains(&0.5)
            })
            .count();
        assert!((360..=396).contains(&covered), "{covered} of 400, expected about 380");
    }

    #[test]
    fn a_resample_is_repeatable_and_never_of_one_label() {
        let truth = [0, 0, 0, 0, 1];
        for i in 0..200 {
            let (a, b) = (Resample::draw(3, i, &truth, 4), Resample::draw(3, i, &truth, 4));
            assert_eq!((&a.texts, &a.seeds), (&b.texts, &b.seeds));
            assert!(a.texts.contains(&4) && a.texts.iter().any(|&t| t != 4));
        }
    }
}
