use super::ContrastiveConfig;
use super::batch::Labels;
use super::pairwise::Pairwise;
use super::ranking::Ranking;
use burn::tensor::Tensor;

/// Below this a length counts as none.
const SHORTEST: f32 = 1e-12;

/// The loss of a batch of queries `q`, `[n, dim]`, and passages `p`, `[m, dim]`, all of length 1.
pub(super) fn loss(config: &ContrastiveConfig, labels: &Labels, q: Tensor<2>, p: Tensor<2>) -> Tensor<1> {
    match labels {
        Labels::Ranked { positive, masked } => {
            Ranking { scale: config.scale, margin: config.mask_margin }.loss(q, p, positive, masked)
        }
        Labels::Graded(grades) => Pairwise { loss: config.loss, margin: config.margin }.loss(q, p, grades),
    }
}

/// Each row of `x`, `[n, dim]`, divided by its length.
pub(super) fn normalize(x: Tensor<2>) -> Tensor<2> {
    // Clamped before the root, whose gradient at 0 is none.
    let lengths = x.clone().square().sum_dim(1).clamp_min(SHORTEST * SHORTEST).sqrt(); // [n, 1]
    x / lengths
}

/// Beside sentence-transformers and the formulas.
#[cfg(all(test, feature = "train"))]
#[allow(clippy::unwrap_used)] // a test: clippy does not see that behind `all`
mod tests {
    use super::*;
    use crate::ContrastiveLoss;
    use crate::rows::tensor;
    use crate::test_data::normal;
    use burn::tensor::Device;
    use serde::Deserialize;

    const DIM: usize = 6;

    #[derive(Deserialize)]
    struct Case {
        name: ContrastiveLoss,
        q: Vec<f32>,
        p: Vec<f32>,
        grades: Vec<f32>,
        loss: f64,
        of_q: Vec<f32>,
        of_p: Vec<f32>,
    }

    /// A loss and its gradients with respect to rows of any length.
    fn measured(
        q: Vec<f32>,
        p: Vec<f32>,
        loss: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
    ) -> (f64, Vec<f32>, Vec<f32>) {
        let device = Device::flex().autodiff();
        let (q, p) = (tensor(q, DIM, &device).require_grad(), tensor(p, DIM, &device).require_grad());
        let value = loss(normalize(q.clone()), normalize(p.clone()));
        let gradients = value.backward();
        let of = |x: &Tensor<2>| x.grad(&gradients).unwrap().into_data().iter().collect();
        (f64::from(value.into_scalar::<f32>()), of(&q), of(&p))
    }

    fn furthest(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn losses_and_gradients_are_those_of_sentence_transformers() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/golden/contrastive.json")).unwrap();
        assert_eq!(cases.len(), 9);
        for (i, case) in cases.into_iter().enumerate() {
            let n = case.q.len() / DIM;
            let (value, of_q, of_p) = match case.name {
                ContrastiveLoss::MultipleNegativesRanking => measured(case.q, case.p, |q, p| {
                    // Each passage of a batch is a negative of every query but the one it answers.
                    let positive: Vec<usize> = (0..n).collect();
                    let masked: Vec<Vec<usize>> = positive.iter().map(|i| vec![*i]).collect();
                    Ranking { scale: 20.0, margin: None }.loss(q, p, &positive, &masked)
                }),
                loss => {
                    measured(case.q, case.p, |q, p| Pairwise { loss, margin: 0.5 }.loss(q, p, &case.grades))
                }
            };
            assert!((value - case.loss).abs() < 1e-5, "case {i}: {value} and {}", case.loss);
            let (of_q, of_p) = (furthest(&of_q, &case.of_q), furthest(&of_p, &case.of_p));
            assert!(of_q < 1e-5 && of_p < 1e-5, "case {i}: {of_q} and {of_p}");
        }
    }

    /// With l = s q·p and the shares π of a softmax over the positive and the negatives, the gradient is s/n (Σ π p − p⁺)
    /// for a query and s/n (Σ π q − q⁺) for a passage, before the division by the length.
    #[test]
    fn the_gradient_of_a_ranking_over_many_passages_and_masks_is_that_of_the_formulas() {
        let (n, m, scale) = (5, 9001, 7.0);
        let positive = [0, 4096, 9000, 7, 4096];
        let masked: Vec<Vec<usize>> =
            positive.iter().map(|p| if *p == 7 { vec![7, 5000, 8999] } else { vec![*p] }).collect();
        let (q, p) = (normal(n, DIM, 1).normalized().unwrap(), normal(m, DIM, 2).normalized().unwrap());
        for margin in [None, Some(0.1)] {
            let ranking = Ranking { scale, margin };
            let loss = |q, p| ranking.loss(q, p, &positive, &masked);
            let (value, of_q, of_p) = measured(q.as_slice().to_vec(), p.as_slice().to_vec(), loss);
            let dot = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            let (mut expected, mut left_out) = (0.0, 0);
            let (mut to_q, mut to_p) = (vec![0.0; n * DIM], vec![0.0; m * DIM]);
            for (row, query) in q.rows().enumerate() {
                let cosines: Vec<f64> = p.rows().map(|passage| dot(query, passage)).collect();
                let own = cosines[positive[row]];
                let kept = |column: &usize| {
                    let above = margin.is_some_and(|margin| cosines[*column] - own > margin);
                    *column == positive[row] || !(above || masked[row].contains(column))
                };
                left_out += m - (0..m).filter(kept).count();
                let total: f64 = (0..m).filter(kept).map(|c| (scale * cosines[c]).exp()).sum();
                expected += (total.ln() - scale * own) / n as f64;
                for column in (0..m).filter(kept) {
                    let share = (scale * cosines[column]).exp() / total - f64::from(column == positive[row]);
                    for i in 0..DIM {
                        to_q[row * DIM + i] += scale / n as f64 * share * f64::from(p.row(column)[i]);
                        to_p[column * DIM + i] += scale / n as f64 * share * f64::from(query[i]);
                    }
                }
            }
            assert!(left_out > if margin.is_some() { 10 } else { 1 });
            // Of rows of length 1, what is across them stays.
            let across = |gradient: Vec<f64>, rows: &[f32]| -> Vec<f32> {
                let pairs = gradient.chunks(DIM).zip(rows.chunks(DIM));
                let of = pairs.flat_map(|(g, x)| {
                    let along: f64 = g.iter().zip(x).map(|(g, x)| g * f64::from(*x)).sum();
                    g.iter().zip(x).map(move |(g, x)| (g - along * f64::from(*x)) as f32)
                });
                of.collect()
            };
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
            let apart =
                [furthest(&of_q, &across(to_q, q.as_slice())), furthest(&of_p, &across(to_p, p.as_slice()))];
            assert!(apart.iter().all(|d| *d < 1e-6), "{apart:?}");
        }
    }
}
