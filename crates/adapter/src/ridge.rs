use crate::spectrum::Spectrum;
use crate::{Error, Linear, Prior, Result, matrix};
use manyview_core::{Embeddings, Error as CoreError, Fit, Paired};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Ridge regression towards a prior P: minimises `||X W − Y||² + λ ||W − P||²` in closed form.
///
/// λ is chosen by exact leave-one-out: the mean cosine between each teacher vector and what a map fitted on all other
/// rows predicts for it. One eigendecomposition serves the whole grid. P itself is held fixed: a Procrustes prior has
/// seen every row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ridge {
    /// What a strong penalty pulls the map towards.
    pub towards: Prior,
    /// Whether column means are taken out first and a bias puts them back.
    pub center: bool,
    /// The penalties to try. `None`: 25 points, log-spaced from 1e-4 to 1e3 times the mean eigenvalue of X'X.
    pub lambdas: Option<Vec<f64>>,
}

/// A fitted [`Ridge`].
#[derive(Clone, Debug)]
pub struct RidgeFit {
    /// The map at the chosen penalty.
    pub linear: Linear,
    /// The chosen penalty.
    pub lambda: f64,
    /// Leave-one-out scores of every penalty, in the order tried.
    pub path: Vec<PenaltyScore>,
    /// What the rest of the rows predict for each row at the chosen penalty, `[n, dim_out]`, L2-normalised.
    pub leave_one_out: Embeddings,
}

/// How well a penalty predicts left-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PenaltyScore {
    /// The penalty.
    pub lambda: f64,
    /// Mean squared error over all left-out values, before normalisation.
    pub mse: f64,
    /// Mean cosine between teacher and left-out prediction.
    pub cosine: f64,
}

impl Fit<Paired> for Ridge {
    type Fitted = RidgeFit;

    /// # Errors
    /// Fewer than 2 rows, a penalty that is not positive and finite, different dimensions with the identity as prior,
    /// a decomposition that does not converge.
    fn fit(&self, data: &Paired) -> manyview_core::Result<RidgeFit> {
        Ok(Problem::new(self, data)?.solve(self.lambdas.as_deref())?)
    }
}

/// The common dimension of base and teacher.
pub(crate) fn same_dims(data: &Paired, what: &str) -> Result<usize> {
    let (expected, found) = (data.base().dim(), data.teacher().dim());
    if expected == found {
        return Ok(expected);
    }
    Err(CoreError::Shape {
        what: format!("{what}: dimension of the teacher vectors"),
        expected: format!("{expected}, as the base vectors have (or another prior)"),
        found: found.to_string(),
    }
    .into())
}

/// The regression of R = Y − X P on X, both centred where asked.
struct Problem<'a> {
    teacher: &'a Embeddings,
    base: Vec<f32>,
    dim_in: usize,
    /// Column means of base and teacher, when centred.
    means: Option<(Vec<f64>, Vec<f64>)>,
    prior: Option<Vec<f32>>,
    targets: Vec<f32>,
    spectrum: Spectrum,
}

impl<'a> Problem<'a> {
    fn new(ridge: &Ridge, data: &'a Paired) -> Result<Self> {
        let (teacher, dim_in, dim_out) = (data.teacher(), data.base().dim(), data.teacher().dim());
        if teacher.n() < 2 {
            return Err(Error::TooFewRows { what: "ridge", expected: 2, found: teacher.n() });
        }
        let (mut base, mut targets) = (data.base().as_slice().to_vec(), teacher.as_slice().to_vec());
        let means = ridge
            .center
            .then(|| (matrix::column_means(&base, dim_in), matrix::column_means(&targets, dim_out)));
        if let Some((x, y)) = &means {
            matrix::subtract_from_rows(&mut base, x);
            matrix::subtract_from_rows(&mut targets, y);
        }
        let prior = ridge.towards.map(data, &base, &targets)?;
        match (ridge.towards, &prior) {
            (Prior::Identity, _) => targets.iter_mut().zip(&base).for_each(|(t, x)| *t -= x),
            (_, Some(p)) => {
                let negative: Vec<f32> = p.iter().map(|v| -v).collect();
                matrix::add_product(&mut targets, (&base, dim_in), (&negative, dim_out), faer::Par::rayon(0));
            }
            (_, None) => {}
        }
        let spectrum = Spectrum::new(&base, dim_in, &targets, dim_out)?;
        Ok(Self { teacher, base, dim_in, means, prior, targets, spectrum })
    }

    fn solve(&self, lambdas: Option<&[f64]>) -> Result<RidgeFit> {
        let lambdas = match lambdas {
            Some(l) => checked(l)?.to_vec(),
            None => grid(self.spectrum.mean_eigenvalue(self.dim_in)),
        };
        let mut residuals = vec![0.0; self.targets.len()];
        let path: Vec<PenaltyScore> = lambdas
            .iter()
            .map(|&lambda| {
                self.leave_one_out(lambda, &mut residuals);
                self.score(lambda, &residuals)
            })
            .collect();
        let best = path
            .iter()
            .filter(|s| s.cosine.is_finite() && s.mse.is_finite())
            .max_by(|a, b| a.cosine.total_cmp(&b.cosine))
            .ok_or(Error::NoFiniteScore { penalties: path.len() })?;
        let lambda = best.lambda;
        self.leave_one_out(lambda, &mut residuals);
        let predictions = self.teacher.as_slice().iter().zip(&residuals).map(|(y, e)| y - e).collect();
        let leave_one_out = Embeddings::new(predictions, self.teacher.dim())?.normalized()?;
        Ok(RidgeFit { linear: self.linear(lambda)?, lambda, path, leave_one_out })
    }

    /// What is left of each row's targets when all other rows predict it, `[n, dim_out]`: E / (1 − h).
    fn leave_one_out(&self, lambda: f64, residuals: &mut [f32]) {
        self.spectrum.residuals(lambda, &self.targets, residuals);
        let mean_leverage = if self.means.is_some() { 1.0 / self.teacher.n() as f64 } else { 0.0 };
        let slack = self.spectrum.slack(lambda);
        residuals.par_chunks_mut(self.teacher.dim()).zip(slack).for_each(|(row, slack)| {
            let factor = (1.0 / (slack - mean_leverage)) as f32;
            row.iter_mut().for_each(|v| *v *= factor);
        });
    }

    fn score(&self, lambda: f64, residuals: &[f32]) -> PenaltyScore {
        let dim = self.teacher.dim();
        let rows: Vec<(f64, f64)> = self
            .teacher
            .as_slice()
            .par_chunks(dim)
            .zip(residuals.par_chunks(dim))
            .map(|(y, e)| (matrix::sum(e, e, |a, b| a * b), cosine(y, e)))
            .collect();
        let sum = |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>();
        let n = rows.len() as f64;
        PenaltyScore { lambda, mse: sum(|r| r.0) / (n * dim as f64), cosine: sum(|r| r.1) / n }
    }

    fn linear(&self, lambda: f64) -> Result<Linear> {
        let mut weight = self.spectrum.correction(lambda, &self.base, self.dim_in, self.teacher.dim());
        if let Some(p) = &self.prior {
            weight.iter_mut().zip(p).for_each(|(w, p)| *w += p);
        }
        let bias = self.means.as_ref().map(|(x, y)| {
            let mut bias = y.clone();
            for (x, row) in x.iter().zip(weight.chunks_exact(y.len())) {
                bias.iter_mut().zip(row).for_each(|(b, w)| *b -= x * f64::from(*w));
            }
            bias.into_iter().map(|b| b as f32).collect()
        });
        Linear::new(weight, self.dim_in, bias)
    }
}

pub(crate) fn checked(lambdas: &[f64]) -> Result<&[f64]> {
    let refused = match lambdas.iter().find(|l| !(l.is_finite() && **l > 0.0)) {
        Some(l) => l.to_string(),
        None if lambdas.is_empty() => "none".into(),
        None => return Ok(lambdas),
    };
    Err(Error::Setting { name: "lambdas", expected: "positive finite penalties", found: refused })
}

pub(crate) fn grid(scale: f64) -> Vec<f64> {
    let scale = if scale > 0.0 { scale } else { 1.0 };
    (0..25).map(|i| scale * 10f64.powf(-4.0 + 7.0 * f64::from(i) / 24.0)).collect()
}

/// Cosine between y and y − e; 0 where either has no direction.
fn cosine(y: &[f32], e: &[f32]) -> f64 {
    let dot = matrix::sum(y, e, |y, e| y * (y - e));
    let prediction = matrix::sum(y, e, |y, e| (y - e) * (y - e));
    let norm = (matrix::sum(y, y, |y, z| y * z) * prediction).sqrt();
    if norm == 0.0 { 0.0 } else { dot / norm }
}
