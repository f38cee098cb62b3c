use super::ContrastiveConfig;
use super::batch::Lesson;
use super::pairwise::Pairwise;
use super::ranking::Ranking;
use burn::tensor::Tensor;

/// A loss and its gradient with respect to the rows it is of.
pub(super) struct Loss {
    pub(super) value: f64,
    pub(super) queries: Tensor<2>,
    /// Where it was asked for.
    pub(super) passages: Option<Tensor<2>>,
}

impl Loss {
    /// The loss of a batch of queries `q` and passages `p`, all of length 1; the gradient of passages where `trained`.
    pub(super) fn of(
        config: &ContrastiveConfig,
        lesson: &Lesson,
        q: &Tensor<2>,
        p: &Tensor<2>,
        trained: bool,
    ) -> Self {
        match lesson {
            Lesson::Ranked { positive, barred } => {
                let ranking = Ranking { scale: config.scale, margin: config.mask_margin };
                ranking.loss(q, p, positive, barred, trained)
            }
            Lesson::Graded(grades) => {
                Pairwise { loss: config.loss, margin: config.margin }.loss(q, p, grades, trained)
            }
        }
    }
}

/// Beside sentence-transformers and automatic differentiation.
#[cfg(all(test, feature = "flex"))]
#[allow(clippy::unwrap_used)] // a test: clippy does not see that behind `all`
mod tests {
    use super::*;
    use crate::ContrastiveLoss;
    use crate::contrastive::unit::Unit;
    use crate::gradient::parameters::tensor;
    use crate::test_data::normal;
    use burn::tensor::{Device, Tensor, activation};
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
    fn closed(
        q: Tensor<2>,
        p: Tensor<2>,
        of: impl Fn(&Tensor<2>, &Tensor<2>) -> Loss,
    ) -> (f64, Tensor<2>, Tensor<2>) {
        let (q, p) = (Unit::new(q), Unit::new(p));
        let loss = of(&q.rows, &p.rows);
        (loss.value, q.backward(loss.queries), p.backward(loss.passages.unwrap()))
    }

    /// Each passage of a batch is a negative of every query but the one it answers.
    fn ranked(ranking: Ranking, n: usize) -> impl Fn(&Tensor<2>, &Tensor<2>) -> Loss {
        let positive: Vec<usize> = (0..n).collect();
        let barred: Vec<Vec<usize>> = positive.iter().map(|i| vec![*i]).collect();
        move |q, p| ranking.loss(q, p, &positive, &barred, true)
    }

    fn furthest(a: Tensor<2>, b: Tensor<2>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    fn cosines(q: &Tensor<2>, p: &Tensor<2>) -> Tensor<2> {
        let unit = |x: &Tensor<2>| x.clone() / x.clone().square().sum_dim(1).sqrt();
        unit(q).matmul(unit(p).transpose())
    }

    #[test]
    fn losses_and_gradients_are_those_of_sentence_transformers() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/golden/contrastive.json")).unwrap();
        assert_eq!(cases.len(), 9);
        let device = Device::flex();
        for (i, case) in cases.into_iter().enumerate() {
            let rows = |values: Vec<f32>| tensor(values, DIM, &device);
            let (q, p) = (rows(case.q), rows(case.p));
            let (value, of_q, of_p) = match case.name {
                ContrastiveLoss::MultipleNegativesRanking => {
                    let n = q.dims()[0];
                    closed(q, p, ranked(Ranking { scale: 20.0, margin: None }, n))
                }
                loss => closed(q, p, |q, p| Pairwise { loss, margin: 0.5 }.loss(q, p, &case.grades, true)),
            };
            assert!((value - case.loss).abs() < 1e-5, "case {i}: {value} and {}", case.loss);
            let (of_q, of_p) = (furthest(of_q, rows(case.of_q)), furthest(of_p, rows(case.of_p)));
            assert!(of_q < 1e-5 && of_p < 1e-5, "case {i}: {of_q} and {of_p}");
        }
    }

    #[test]
    fn the_gradient_of_a_ranking_is_that_of_automatic_differentiation_over_many_blocks_and_masks() {
        let (n, m, scale, margin) = (5, 9001, 7.0, 0.1);
        let positive = [0, 4096, 9000, 7, 4096];
        let barred: Vec<Vec<usize>> =
            positive.iter().map(|p| if *p == 7 { vec![7, 5000, 8999] } else { vec![*p] }).collect();
        for margin in [None, Some(margin)] {
            let rows = |n, seed, device: &Device| tensor(normal(n, DIM, seed).into_vec(), DIM, device);
            let device = Device::flex().autodiff();
            let (q, p) = (rows(n, 1, &device).require_grad(), rows(m, 2, &device).require_grad());
            let cosines = cosines(&q, &p);
            let values: Vec<f32> = cosines.clone().inner().into_data().iter().collect();
            let mut kept = vec![0f32; n * m];
            for (row, positive) in positive.iter().enumerate() {
                let own = values[row * m + positive];
                for column in 0..m {
                    let above =
                        margin.is_some_and(|margin| f64::from(values[row * m + column] - own) > margin);
                    if column != *positive && (above || barred[row].contains(&column)) {
                        kept[row * m + column] = -1e9;
                    }
                }
            }
            assert!(kept.iter().filter(|v| **v < 0.0).count() > if margin.is_some() { 10 } else { 1 });
            let logs = activation::log_softmax(cosines * scale + tensor(kept, m, &device), 1);
            let own =
                positive.iter().enumerate().map(|(row, p)| logs.clone().slice([row..row + 1, *p..p + 1]));
            let loss = Tensor::cat(own.collect(), 0).mean().neg();
            let gradients = loss.backward();

            let plain = Device::flex();
            let ranking = Ranking { scale, margin };
            let of = |q: &Tensor<2>, p: &Tensor<2>| ranking.loss(q, p, &positive, &barred, true);
            let (value, of_q, of_p) = closed(rows(n, 1, &plain), rows(m, 2, &plain), of);
            assert!((value - f64::from(loss.into_scalar::<f32>())).abs() < 1e-5);
            let distances =
                [furthest(of_q, q.grad(&gradients).unwrap()), furthest(of_p, p.grad(&gradients).unwrap())];
            assert!(distances.iter().all(|d| *d < 1e-6), "{distances:?}");
        }
    }

    #[test]
    fn the_gradient_of_a_pair_is_that_of_automatic_differentiation() {
        let grades = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
        let rows = |seed, device: &Device| tensor(normal(8, DIM, seed).into_vec(), DIM, device);
        let device = Device::flex().autodiff();
        for loss in [ContrastiveLoss::Contrastive, ContrastiveLoss::CosineSimilarity] {
            let (q, p) = (rows(1, &device).require_grad(), rows(2, &device).require_grad());
            let cosine = (cosines(&q, &p) * Tensor::<2>::eye(8, &device)).sum_dim(1);
            let g = tensor(grades.to_vec(), 1, &device);
            let value = match loss {
                ContrastiveLoss::Contrastive => {
                    let others = (g.clone().neg() + 1.0) * (cosine.clone() - 0.5).clamp_min(0.0).square();
                    ((g * (cosine.neg() + 1.0).square() + others) * 0.5).mean()
                }
                _ => (cosine - g).square().mean(),
            };
            let gradients = value.backward();
            let plain = Device::flex();
            let of = |q: &Tensor<2>, p: &Tensor<2>| Pairwise { loss, margin: 0.5 }.loss(q, p, &grades, true);
            let (found, of_q, of_p) = closed(rows(1, &plain), rows(2, &plain), of);
            assert!((found - f64::from(value.into_scalar::<f32>())).abs() < 1e-6, "{loss:?}");
            let distances =
                [furthest(of_q, q.grad(&gradients).unwrap()), furthest(of_p, p.grad(&gradients).unwrap())];
            assert!(distances.iter().all(|d| *d < 1e-6), "{loss:?}: {distances:?}");
        }
    }
}
