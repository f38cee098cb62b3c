use super::ContrastiveLoss;
use super::loss::Loss;
use burn::tensor::{Tensor, TensorData};

/// A loss of the cosines of pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairwise {
    pub(super) loss: ContrastiveLoss,
    pub(super) margin: f64,
}

impl Pairwise {
    /// The loss of rows `q` and `p`, both `[k, dim]` and of length 1, and its gradients; that of `p` where `trained`.
    pub(super) fn loss(&self, q: &Tensor<2>, p: &Tensor<2>, grades: &[f32], trained: bool) -> Loss {
        let cosines: Vec<f32> = (q.clone() * p.clone()).sum_dim(1).into_data().iter::<f32>().collect();
        let (value, slopes) = self.of(&cosines, grades);
        let slopes = Tensor::<2>::from_data(TensorData::new(slopes, [cosines.len(), 1]), &q.device());
        let passages = trained.then(|| q.clone() * slopes.clone());
        Loss { value, queries: p.clone() * slopes, passages }
    }

    /// The loss of pairs with these cosines and grades, `[k]`, and its derivative with respect to each cosine, `[k]`.
    ///
    /// With d = 1 − c: of ½(g d² + (1 − g) max(0, m − d)²) the derivative is −(g d − (1 − g) max(0, m − d)); of d² and
    /// max(0, m − d)² it is −2d and 2 max(0, m − d); of (c − g)² it is 2(c − g).
    pub(super) fn of(&self, cosines: &[f32], grades: &[f32]) -> (f64, Vec<f32>) {
        let k = cosines.len() as f64;
        let pairs = || cosines.iter().zip(grades).map(|(c, g)| (f64::from(*c), f64::from(*g)));
        let beyond = |c: f64| (self.margin - (1.0 - c)).max(0.0);
        let terms: Vec<(f64, f64)> = match self.loss {
            ContrastiveLoss::OnlineContrastive => {
                let of = |grade: f64| pairs().filter(move |(_, g)| *g == grade).map(|(c, _)| 1.0 - c);
                let mean = |grade: f64| of(grade).sum::<f64>() / of(grade).count() as f64;
                let nearest = of(0.0).reduce(f64::min).unwrap_or_else(|| mean(1.0));
                let farthest = of(1.0).reduce(f64::max).unwrap_or_else(|| mean(0.0));
                let term = |(c, g): (f64, f64)| {
                    let (d, b) = (1.0 - c, beyond(c));
                    match g {
                        1.0 if d > nearest => (d * d, -2.0 * d),
                        0.0 if d < farthest => (b * b, 2.0 * b),
                        _ => (0.0, 0.0),
                    }
                };
                pairs().map(term).collect()
            }
            ContrastiveLoss::Contrastive => {
                let term = |(c, g): (f64, f64)| {
                    let (d, b) = (1.0 - c, beyond(c));
                    (0.5 * (g * d * d + (1.0 - g) * b * b) / k, ((1.0 - g) * b - g * d) / k)
                };
                pairs().map(term).collect()
            }
            _ => pairs().map(|(c, g)| ((c - g).powi(2) / k, 2.0 * (c - g) / k)).collect(),
        };
        (terms.iter().map(|t| t.0).sum(), terms.iter().map(|t| t.1 as f32).collect())
    }
}
