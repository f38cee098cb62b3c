//! k-means: greedy k-means++ seeding, then Lloyd's iterations, best of several restarts.

mod lloyd;
mod points;
mod seeding;

use manyview_core::Embeddings;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::{Error, Result, at_least};
use lloyd::{Lloyd, Run};
use points::Points;

/// k-means with Euclidean distance. The result depends on the data and on these settings, not on the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// Number of clusters.
    pub k: usize,
    /// Number of starts, of which the one of least inertia counts.
    pub restarts: usize,
    /// Most Lloyd iterations of one start.
    pub max_iterations: usize,
    /// A start ends when the squared shift of all centres is at most this times the mean variance of a dimension.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
}

/// What k-means found.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// The cluster of each row, below `k`; shape `[n]`.
    pub labels: Vec<usize>,
    /// The centres, shape `[k, dim]`.
    pub centres: Embeddings,
    /// Sum of squared distances of the rows to their centres.
    pub inertia: f64,
    /// Lloyd iterations of the best start.
    pub iterations: usize,
}

impl KMeans {
    /// `k` clusters, 10 restarts of at most 300 iterations, tolerance 1e-4, seed 0.
    pub fn new(k: usize) -> Self {
        Self { k, restarts: 10, max_iterations: 300, tolerance: 1e-4, seed: 0 }
    }

    /// Clusters the rows of `x`, `[n, dim]`.
    ///
    /// # Errors
    /// [`Error::Range`] when `k` is 0 or above `n`, or when `restarts` or `max_iterations` is 0.
    pub fn fit(&self, x: &Embeddings) -> Result<Clusters> {
        if self.k == 0 || self.k > x.n() {
            let expected = format!("1 to {}, the number of rows", x.n());
            return Err(Error::Range { what: "k of k-means", expected, found: self.k });
        }
        at_least("restarts of k-means", 1, self.restarts)?;
        at_least("max_iterations of k-means", 1, self.max_iterations)?;

        let points = Points::new(x);
        let best = (0..self.restarts)
            .into_par_iter()
            .map(|restart| self.start(&points, restart as u64))
            .enumerate()
            .min_by(|(i, a), (j, b)| a.inertia.total_cmp(&b.inertia).then(i.cmp(j)))
            .map(|(_, run)| run)
            .ok_or(Error::Range { what: "restarts of k-means", expected: "at least 1".into(), found: 0 })?;
        Ok(Clusters {
            labels: best.labels,
            centres: Embeddings::new(points.uncentred(best.centres), x.dim())?,
            inertia: best.inertia,
            iterations: best.iterations,
        })
    }

    fn start(&self, points: &Points, restart: u64) -> Run {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(restart);
        let seeds = seeding::greedy_plus_plus(points, self.k, &mut rng);
        Lloyd::new(points, &seeds).run(self.max_iterations, self.tolerance * points.variance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn squares() -> Embeddings {
        let corners = [[0.0, 0.0], [0.0, 10.0], [10.0, 0.0], [10.0, 10.0]];
        let steps = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let rows = corners.iter().flat_map(|c| steps.iter().map(move |s| [c[0] + s[0], c[1] + s[1]]));
        Embeddings::from_rows(rows).unwrap()
    }

    #[test]
    fn four_squares_are_four_clusters_of_known_inertia() {
        let found = KMeans::new(4).fit(&squares()).unwrap();
        for square in found.labels.chunks(4) {
            assert!(square.iter().all(|&l| l == square[0]), "{:?}", found.labels);
        }
        assert!((found.inertia - 16.0 * 0.5).abs() < 1e-5, "{}", found.inertia);
        let mut centres: Vec<_> = found.centres.rows().map(|c| (c[0], c[1])).collect();
        centres.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(centres, [(0.5, 0.5), (0.5, 10.5), (10.5, 0.5), (10.5, 10.5)]);
    }

    #[test]
    fn one_cluster_has_the_mean_as_its_centre() {
        let found = KMeans::new(1).fit(&squares()).unwrap();
        assert_eq!(found.centres.row(0), [5.5, 5.5]);
        assert_eq!(found.labels, vec![0; 16]);
    }

    #[test]
    fn as_many_clusters_as_rows_leave_no_inertia() {
        let found = KMeans::new(16).fit(&squares()).unwrap();
        let mut labels = found.labels.clone();
        labels.sort_unstable();
        assert_eq!(labels, (0..16).collect::<Vec<_>>());
        assert_eq!(found.inertia, 0.0);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values = (0..900).map(|i| ((i * i) % 97) as f32 / 7.0).collect();
        let x = Embeddings::new(values, 3).unwrap();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| KMeans { seed: 7, ..KMeans::new(9) }.fit(&x).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn a_far_origin_changes_nothing() {
        let rows = squares();
        let far = Embeddings::new(rows.as_slice().iter().map(|v| v + 65_536.0).collect(), 2).unwrap();
        let (near, far) = (KMeans::new(4).fit(&rows).unwrap(), KMeans::new(4).fit(&far).unwrap());
        assert_eq!((near.labels, near.inertia), (far.labels, far.inertia));
    }

    #[test]
    #[allow(clippy::print_stdout)] // the figures of tests/README.md are printed
    fn k_outside_one_to_n_is_refused() {
        for k in [0, 17] {
            let e = KMeans::new(k).fit(&squares()).unwrap_err();
            assert!(matches!(e, Error::Range { .. }), "{e}");
            assert!(e.to_string().contains("expected 1 to 16"), "{e}");
        }
        println!("reliability: E6 tried=2 numbers of clusters that cannot be");
    }

    #[test]
    #[allow(clippy::print_stdout)] // the figures of tests/README.md are printed
    fn duplicates_and_constants_stay_finite() {
        let tried = std::cell::Cell::new(0);
        proptest!(|(
            distinct in prop::collection::vec(-1e3f32..1e3, 1..4), copies in 1usize..20, k in 1usize..6, dim in 1usize..5
        )| {
            let rows: Vec<_> = distinct.iter().flat_map(|&v| vec![vec![v; dim]; copies]).collect();
            let x = Embeddings::from_rows(&rows).unwrap();
            prop_assume!(k <= x.n());
            let found = KMeans { restarts: 2, ..KMeans::new(k) }.fit(&x).unwrap();
            prop_assert!(found.inertia.is_finite() && found.inertia >= 0.0);
            prop_assert!(found.labels.iter().all(|&l| l < k));
            for (row, &label) in x.rows().zip(&found.labels) {
                let twin = rows.iter().position(|r| r == row).unwrap();
                prop_assert_eq!(found.labels[twin], label);
            }
            tried.set(tried.get() + 1);
        });
        println!("reliability: E6 tried={} sets of repeated rows, of one to five clusters", tried.get());
    }
}
