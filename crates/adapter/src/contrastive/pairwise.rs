use super::ContrastiveLoss;
use crate::rows::tensor;
use burn::tensor::Tensor;

/// A loss of the cosines of pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairwise {
    pub(super) loss: ContrastiveLoss,
    pub(super) margin: f64,
}

impl Pairwise {
    /// The loss of rows `q` and `p`, both `[k, dim]` and of length 1.
    pub(super) fn loss(&self, q: Tensor<2>, p: Tensor<2>, grades: &[f32]) -> Tensor<1> {
        let device = q.device();
        let column = |values: Vec<f32>| tensor(values, 1, &device); // [k, 1]
        let cosine = (q * p).sum_dim(1); // [k, 1]
        if self.loss == ContrastiveLoss::CosineSimilarity {
            return (cosine - column(grades.to_vec())).square().mean();
        }
        let (matches, others) = match self.loss {
            ContrastiveLoss::OnlineContrastive => {
                hard(&cosine.clone().inner().into_data().iter::<f32>().collect::<Vec<f32>>(), grades)
            }
            _ => (grades.to_vec(), grades.iter().map(|g| 1.0 - g).collect()),
        };
        let beyond = (cosine.clone() - (1.0 - self.margin)).clamp_min(0.0).square();
        let terms = (cosine.neg() + 1.0).square() * column(matches) + beyond * column(others);
        match self.loss {
            ContrastiveLoss::OnlineContrastive => terms.sum(),
            _ => terms.mean() * 0.5,
        }
    }
}

/// 1 for each match that is farther than the nearest other, and for each other that is nearer than the farthest match, by
/// distance 1 − cosine; in a batch of matches or others alone, for those beyond their mean.
fn hard(cosines: &[f32], grades: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let pairs = || cosines.iter().zip(grades).map(|(c, g)| (1.0 - f64::from(*c), *g));
    let of = |grade: f32| pairs().filter(move |(_, g)| *g == grade).map(|(d, _)| d);
    let mean = |grade| of(grade).sum::<f64>() / of(grade).count() as f64;
    let nearest = of(0.0).reduce(f64::min).unwrap_or_else(|| mean(1.0));
    let farthest = of(1.0).reduce(f64::max).unwrap_or_else(|| mean(0.0));
    let is_hard = |(d, g): (f64, f32)| match g {
        1.0 => (f32::from(d > nearest), 0.0),
        _ => (0.0, f32::from(d < farthest)),
    };
    pairs().map(is_hard).unzip()
}
