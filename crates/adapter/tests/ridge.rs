//! The closed form against what it stands for: refits, one row left out at a time.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{Linear, Prior, Ridge, RidgeFit};
use manyview_core::{Embeddings, Fit, Paired, Transform};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PRIORS: [Prior; 3] = [Prior::Identity, Prior::Zero, Prior::Procrustes];

fn random(n: usize, dim: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Embeddings::new((0..n * dim).map(|_| rng.random_range(-1.0..1.0)).collect(), dim).unwrap()
}

fn pairs(n: usize, dim_in: usize, dim_out: usize, seed: u64) -> Paired {
    Paired::new(random(n, dim_in, seed), random(n, dim_out, seed + 1)).unwrap()
}

fn ridge(towards: Prior, center: bool, lambda: f64) -> Ridge {
    Ridge { towards, center, lambdas: Some(vec![lambda]) }
}

/// What a huge penalty leaves: the prior.
fn prior(towards: Prior, center: bool, data: &Paired) -> Vec<f64> {
    if towards == Prior::Zero {
        return vec![0.0; data.base().dim() * data.teacher().dim()];
    }
    let fit = ridge(towards, center, 1e12).fit(data).unwrap();
    fit.linear.weight().iter().map(|v| f64::from(*v)).collect()
}

/// Weight and bias of the ridge towards `p` on the rows `keep`, by Gaussian elimination in f64.
fn refit(data: &Paired, keep: &[usize], p: &[f64], center: bool, lambda: f64) -> (Vec<f64>, Vec<f64>) {
    let (d, m) = (data.base().dim(), data.teacher().dim());
    let mean = |x: &Embeddings, j: usize| {
        let sum: f64 = keep.iter().map(|&i| f64::from(x.row(i)[j])).sum();
        if center { sum / keep.len() as f64 } else { 0.0 }
    };
    let x_mean: Vec<f64> = (0..d).map(|j| mean(data.base(), j)).collect();
    let y_mean: Vec<f64> = (0..m).map(|j| mean(data.teacher(), j)).collect();
    // (X'X + λ) W = X'Y + λP, as one augmented matrix [d, d + m].
    let mut a = vec![vec![0.0; d + m]; d];
    for (j, row) in a.iter_mut().enumerate() {
        row[j] = lambda;
        (0..m).for_each(|k| row[d + k] = lambda * p[j * m + k]);
        for &i in keep {
            let x: Vec<f64> = (0..d).map(|k| f64::from(data.base().row(i)[k]) - x_mean[k]).collect();
            (0..d).for_each(|k| row[k] += x[j] * x[k]);
            (0..m).for_each(|k| row[d + k] += x[j] * (f64::from(data.teacher().row(i)[k]) - y_mean[k]));
        }
    }
    for j in 0..d {
        let pivot: Vec<f64> = a[j].iter().map(|v| v / a[j][j]).collect();
        for (i, row) in a.iter_mut().enumerate() {
            let factor = if i == j { 0.0 } else { row[j] };
            row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
        }
        a[j] = pivot;
    }
    let w: Vec<f64> = a.iter().flat_map(|row| row[d..].to_vec()).collect();
    let b = (0..m).map(|k| y_mean[k] - (0..d).map(|j| x_mean[j] * w[j * m + k]).sum::<f64>()).collect();
    (w, b)
}

fn predict(x: &[f32], (w, b): &(Vec<f64>, Vec<f64>)) -> Vec<f64> {
    let m = b.len();
    (0..m)
        .map(|k| b[k] + x.iter().enumerate().map(|(j, x)| f64::from(*x) * w[j * m + k]).sum::<f64>())
        .collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

/// Asserts that fit, path and left-out predictions are those of refits.
fn assert_exact(data: &Paired, towards: Prior, center: bool, lambda: f64) {
    let case = format!("{towards:?} center={center} λ={lambda} n={}", data.base().n());
    let (n, m) = (data.base().n(), data.teacher().dim());
    let p = prior(towards, center, data);
    let fit: RidgeFit = ridge(towards, center, lambda).fit(data).unwrap();
    let whole = refit(data, &(0..n).collect::<Vec<_>>(), &p, center, lambda);
    assert!(fit.linear.weight().iter().zip(&whole.0).all(|(a, b)| close(f64::from(*a), *b, 1e-4)), "{case}");
    if let Some(bias) = fit.linear.bias() {
        assert!(bias.iter().zip(&whole.1).all(|(a, b)| close(f64::from(*a), *b, 1e-4)), "{case}");
    }
    let (mut mse, mut cosine) = (0.0, 0.0);
    for i in 0..n {
        let keep: Vec<usize> = (0..n).filter(|&j| j != i).collect();
        let out = predict(data.base().row(i), &refit(data, &keep, &p, center, lambda));
        let y: Vec<f64> = data.teacher().row(i).iter().map(|v| f64::from(*v)).collect();
        let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let length = norm(&out);
        for (a, b) in fit.leave_one_out.row(i).iter().zip(&out) {
            assert!(close(f64::from(*a), b / length, 1e-4), "{case}, row {i}: {a} and {}", b / length);
        }
        mse += y.iter().zip(&out).map(|(y, o)| (y - o) * (y - o)).sum::<f64>() / (n * m) as f64;
        cosine += y.iter().zip(&out).map(|(y, o)| y * o).sum::<f64>() / (length * norm(&y)) / n as f64;
    }
    let score = fit.path[0];
    assert!(
        close(score.mse, mse, 1e-4) && close(score.cosine, cosine, 1e-4),
        "{case}: {score:?} {mse} {cosine}"
    );
}

#[test]
fn leave_one_out_equals_refits_for_every_prior_with_and_without_centring() {
    for (n, seed) in [(30, 1), (9, 2), (5, 3)] {
        for towards in PRIORS {
            for center in [false, true] {
                for lambda in [0.02, 0.5, 20.0] {
                    assert_exact(&pairs(n, 6, 6, seed), towards, center, lambda);
                }
            }
        }
    }
}

#[test]
fn leave_one_out_equals_refits_between_different_dimensions() {
    for towards in [Prior::Zero, Prior::Procrustes] {
        assert_exact(&pairs(20, 4, 7, 1), towards, true, 0.3);
        assert_exact(&pairs(20, 7, 4, 2), towards, false, 0.3);
        assert_exact(&pairs(5, 7, 4, 3), towards, true, 0.3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn leave_one_out_equals_refits_on_any_shape(n in 3usize..15, d in 2usize..9, seed: u32, centre: bool) {
        assert_exact(&pairs(n, d, d, seed.into()), Prior::Identity, centre, 0.7);
    }
}

#[test]
fn ridge_recovers_a_known_map() {
    let (x, w) = (random(60, 5, 1), random(5, 3, 2));
    let y = Linear::new(w.clone().into_vec(), 5, None).unwrap();
    let y: Vec<f32> = x
        .rows()
        .flat_map(|r| {
            (0..3)
                .map(|k| r.iter().enumerate().map(|(j, v)| v * y.weight()[j * 3 + k]).sum::<f32>())
                .collect::<Vec<_>>()
        })
        .collect();
    let data = Paired::new(x, Embeddings::new(y, 3).unwrap()).unwrap();
    let fit = ridge(Prior::Zero, false, 1e-6).fit(&data).unwrap();
    assert!(fit.linear.weight().iter().zip(w.as_slice()).all(|(a, b)| (a - b).abs() < 1e-4));
    let map = fit.linear.transform(data.base()).unwrap();
    assert!(map.as_slice().iter().zip(fit.leave_one_out.as_slice()).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn a_huge_penalty_leaves_the_identity() {
    let data = pairs(20, 4, 4, 1);
    let fit = ridge(Prior::Identity, false, 1e12).fit(&data).unwrap();
    let identity = Linear::identity(4).unwrap();
    assert!(fit.linear.weight().iter().zip(identity.weight()).all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn the_penalty_of_the_best_left_out_cosine_is_chosen() {
    let (x, noise) = (random(40, 8, 5), random(40, 8, 6));
    let y = x.as_slice().iter().zip(noise.as_slice()).map(|(x, e)| x + e).collect();
    let fit = Ridge::default().fit(&Paired::new(x, Embeddings::new(y, 8).unwrap()).unwrap()).unwrap();
    assert_eq!(fit.path.len(), 25);
    let best = fit.path.iter().map(|s| s.cosine).fold(f64::MIN, f64::max);
    assert_eq!(fit.path.iter().find(|s| s.lambda == fit.lambda).unwrap().cosine, best);
    assert!(fit.path.first().unwrap().cosine < best, "{:?}", fit.path);
}

#[test]
fn constant_rows_are_fitted() {
    let same = |v: f32| Embeddings::new(vec![v; 12], 3).unwrap();
    let data = Paired::new(same(0.5), same(0.25)).unwrap();
    for towards in PRIORS {
        for center in [false, true] {
            let fit = Ridge { towards, center, lambdas: None }.fit(&data).unwrap();
            let y = fit.linear.transform(data.base()).unwrap();
            assert!(
                y.as_slice().iter().all(|v| (v - 3f32.sqrt().recip()).abs() < 1e-3),
                "{towards:?} {center}"
            );
        }
    }
}

#[test]
fn penalties_that_are_none_are_refused() {
    let data = pairs(5, 3, 3, 1);
    for bad in [vec![], vec![0.0], vec![1.0, -1.0], vec![f64::NAN], vec![f64::INFINITY]] {
        let e = Ridge { lambdas: Some(bad), ..Ridge::default() }.fit(&data).unwrap_err();
        assert!(e.to_string().contains("lambdas"), "{e}");
    }
}

#[test]
fn one_row_is_refused() {
    let e = Ridge::default().fit(&pairs(1, 3, 3, 1)).unwrap_err();
    assert!(e.to_string().contains("at least 2 rows, found 1"), "{e}");
}

#[test]
fn different_dimensions_with_the_identity_are_refused() {
    let e = Ridge::default().fit(&pairs(5, 3, 4, 1)).unwrap_err();
    assert!(e.to_string().contains("another prior"), "{e}");
}
