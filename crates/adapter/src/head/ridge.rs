use super::{Head, Layer};
use crate::ridge::{checked, grid};
use crate::spectrum::Spectrum;
use crate::{Error, Result, matrix};
use manyview_core::{Fit, Scored, Targets};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Ridge regression of target values on vectors with an intercept: minimises `||x W + b − y||² + λ ||W||²` in closed
/// form.
///
/// λ is chosen for each dimension by exact leave-one-out: the mean squared error of what a head fitted on all other
/// rows predicts for a row. One eigendecomposition serves the whole grid and all dimensions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RidgeHead {
    /// The penalties to try. `None`: 25 points, log-spaced from 1e-4 to 1e3 times the mean eigenvalue of X'X.
    pub lambdas: Option<Vec<f64>>,
}

/// A fitted [`RidgeHead`].
#[derive(Clone, Debug)]
pub struct RidgeHeadFit {
    /// The head at the chosen penalties.
    pub head: Head,
    /// The chosen penalty of each dimension.
    pub lambdas: Vec<f64>,
    /// Leave-one-out errors of every penalty, in the order tried.
    pub path: Vec<SharedPenalty>,
    /// What the rest of the rows predict for each row at the chosen penalties, `[n, dim]`.
    pub leave_one_out: Targets,
}

/// How well a penalty predicts left-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedPenalty {
    /// The penalty.
    pub lambda: f64,
    /// Mean squared error over left-out rows, of each dimension.
    pub mse: Vec<f64>,
}

impl Fit<Scored> for RidgeHead {
    type Fitted = RidgeHeadFit;

    /// # Errors
    /// Fewer than 3 rows, a penalty that is not positive and finite, a decomposition that does not converge.
    fn fit(&self, data: &Scored) -> manyview_core::Result<RidgeHeadFit> {
        Ok(Problem::new(data)?.solve(self.lambdas.as_deref())?)
    }
}

/// The regression of centred targets on centred vectors.
struct Problem<'a> {
    truth: &'a Targets,
    base: Vec<f32>,
    dim_in: usize,
    means: (Vec<f64>, Vec<f64>),
    targets: Vec<f32>,
    spectrum: Spectrum,
}

impl<'a> Problem<'a> {
    fn new(data: &'a Scored) -> Result<Self> {
        const FEWEST: usize = 3;
        let (truth, dim_in) = (data.targets(), data.base().dim());
        if truth.n() < FEWEST {
            return Err(Error::TooFewRows { what: "ridge head", expected: FEWEST, found: truth.n() });
        }
        let mut base = data.base().as_slice().to_vec();
        let x_means = matrix::column_means(&base, dim_in);
        matrix::subtract_from_rows(&mut base, &x_means);
        let mean = |column: &Vec<f64>| column.iter().sum::<f64>() / column.len() as f64;
        let y_means: Vec<f64> = truth.columns().iter().map(mean).collect();
        let centred = truth.rows().flat_map(|row| row.iter().zip(&y_means).map(|(y, m)| (y - m) as f32));
        let targets: Vec<f32> = centred.collect();
        let spectrum = Spectrum::new(&base, dim_in, &targets, truth.dim())?;
        Ok(Self { truth, base, dim_in, means: (x_means, y_means), targets, spectrum })
    }

    fn solve(&self, lambdas: Option<&[f64]>) -> Result<RidgeHeadFit> {
        let lambdas = match lambdas {
            Some(l) => checked(l)?.to_vec(),
            None => grid(self.spectrum.mean_eigenvalue(self.dim_in)),
        };
        let (n, m) = (self.truth.n(), self.truth.dim());
        let mut residuals = vec![0.0; n * m];
        let path: Vec<SharedPenalty> = lambdas
            .iter()
            .map(|&lambda| {
                self.leave_one_out(lambda, &mut residuals);
                let squared = |d| column(&residuals, d, m).map(|e| e * e).sum::<f64>();
                SharedPenalty { lambda, mse: (0..m).map(|d| squared(d) / n as f64).collect() }
            })
            .collect();
        let best = |d: usize| {
            let errors = path.iter().filter_map(|p| Some((p.lambda, *p.mse.get(d)?)));
            let found = errors.filter(|(_, mse)| mse.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1));
            found.map(|(lambda, _)| lambda).ok_or(Error::NoFiniteScore { penalties: path.len() })
        };
        let chosen = (0..m).map(best).collect::<Result<Vec<f64>>>()?;
        let mut weight = vec![0.0; self.dim_in * m];
        let mut predicted = self.truth.as_slice().to_vec();
        for (d, &lambda) in chosen.iter().enumerate() {
            let all = self.spectrum.correction(lambda, &self.base, self.dim_in, m);
            copy_column(&all, &mut weight, d, m);
            self.leave_one_out(lambda, &mut residuals);
            let of_dimension = predicted.iter_mut().skip(d).step_by(m);
            of_dimension.zip(column(&residuals, d, m)).for_each(|(y, e)| *y -= e);
        }
        let mut bias = self.means.1.clone();
        for (x, row) in self.means.0.iter().zip(weight.chunks_exact(m)) {
            bias.iter_mut().zip(row).for_each(|(b, w)| *b -= x * f64::from(*w));
        }
        let layer = Layer::new(weight, bias.into_iter().map(|b| b as f32).collect())?;
        Ok(RidgeHeadFit {
            head: Head::new(vec![layer])?,
            lambdas: chosen,
            path,
            leave_one_out: Targets::new(predicted, m)?,
        })
    }

    /// What is left of each row's targets when all other rows predict it, `[n, m]`: E / (1 − h − 1/n).
    fn leave_one_out(&self, lambda: f64, residuals: &mut [f32]) {
        self.spectrum.residuals(lambda, &self.targets, residuals);
        let of_mean = 1.0 / self.truth.n() as f64;
        let slack = self.spectrum.slack(lambda);
        residuals.par_chunks_mut(self.truth.dim()).zip(slack).for_each(|(row, slack)| {
            let factor = (1.0 / (slack - of_mean)) as f32;
            row.iter_mut().for_each(|v| *v *= factor);
        });
    }
}

fn column(values: &[f32], d: usize, m: usize) -> impl Iterator<Item = f64> {
    values.iter().skip(d).step_by(m).map(|v| f64::from(*v))
}

fn copy_column(from: &[f32], to: &mut [f32], d: usize, m: usize) {
    to.iter_mut().skip(d).step_by(m).zip(from.iter().skip(d).step_by(m)).for_each(|(to, from)| *to = *from);
}
