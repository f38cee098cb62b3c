use super::{EmbeddedBatch, Objective, beside};
use burn::tensor::Tensor;
use manyview_core::{Error, Fingerprint, Result, Targets};

/// Mean squared error of a linear head on single texts, each dimension divided by its spread: `x W + b` against the
/// rows of the targets. The head is fixed; the encoder under it is trained.
#[derive(Clone, Debug)]
pub struct HeadRegression<'a> {
    weight: &'a [f32], // [dim, outputs]
    bias: &'a [f32],   // [outputs]
    targets: &'a Targets,
    spreads: Vec<f64>, // [outputs]
}

impl<'a> HeadRegression<'a> {
    /// `weight` is `[dim, outputs]`, `bias` and `spreads` are `[outputs]`, `targets` is `[n, outputs]`.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn new(weight: &'a [f32], bias: &'a [f32], targets: &'a Targets, spreads: &[f64]) -> Result<Self> {
        let outputs = targets.dim();
        let fits = outputs > 0 && weight.len().is_multiple_of(outputs);
        if !fits || bias.len() != outputs || spreads.len() != outputs {
            return Err(Error::Shape {
                what: "weight, bias and spreads of a head".into(),
                expected: format!("[dim, {outputs}], [{outputs}] and [{outputs}]"),
                found: format!("{}, {} and {} values", weight.len(), bias.len(), spreads.len()),
            });
        }
        Ok(Self { weight, bias, targets, spreads: spreads.to_vec() })
    }
}

impl Objective for HeadRegression<'_> {
    /// Depends on the head and the targets.
    fn name(&self) -> String {
        let of_head: Vec<u8> = self.weight.iter().chain(self.bias).flat_map(|v| v.to_le_bytes()).collect();
        let targets: Vec<u8> = self.targets.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
        let key = Fingerprint::builder("regression/2").field("head", &of_head).field("figures", &targets);
        format!("regression {}", key.finish().as_str())
    }

    /// # Errors
    /// Vectors of another dimension than the head's, and rows without targets.
    fn loss(&self, batch: &EmbeddedBatch<'_>) -> Result<Tensor<1>> {
        let x = &batch.queries;
        let ([n, dim], outputs) = (x.dims(), self.targets.dim());
        if self.weight.len() != dim * outputs {
            return Err(Error::Shape {
                what: "weight of a head".into(),
                expected: format!("[{dim}, {outputs}]"),
                found: format!("{} values", self.weight.len()),
            });
        }
        let truth = self.targets.select(batch.examples)?;
        let truth = beside(x, truth.as_slice().iter().map(|v| *v as f32).collect(), [n, outputs]);
        let inverse = self.spreads.iter().map(|spread| (1.0 / spread) as f32).collect();
        let weight = beside(x, self.weight.to_vec(), [dim, outputs]);
        let bias = beside(x, self.bias.to_vec(), [1, outputs]);
        let errors = (x.clone().matmul(weight) + bias - truth) * beside(x, inverse, [1, outputs]); // [n, outputs]
        Ok(errors.square().mean())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_gradients;
    use super::*;

    const X: [f32; 6] = [1.0, 0.0, 0.0, 0.6, 0.0, 0.8];
    const WEIGHT: [f32; 6] = [0.5, -1.0, 2.0, 0.25, -0.5, 1.5];

    /// Rows 2 and 0 of three texts with two targets each.
    fn found(x: &[f32]) -> (f64, Vec<f32>) {
        let targets = Targets::new(vec![0.5, -0.5, 9.0, 9.0, 1.0, 2.0], 2).unwrap();
        let objective = HeadRegression::new(&WEIGHT, &[0.25, -0.25], &targets, &[2.0, 0.5]).unwrap();
        let (loss, [gradient, _]) = with_gradients([x, x], 3, |queries, _| {
            let (examples, query_ids) = (&[2, 0], &[2, 0]);
            let batch = EmbeddedBatch { examples, queries, passages: None, query_ids, passage_ids: &[] };
            objective.loss(&batch).unwrap()
        });
        (loss, gradient)
    }

    #[test]
    fn the_loss_is_the_mean_squared_error_of_the_rows_of_the_batch() {
        // [1, 0, 0] W + b = [0.75, -1.25] against [1, 2]; [0.6, 0, 0.8] W + b = [0.15, 0.35] against [0.5, -0.5].
        let squares = [0.25 / 2.0, 3.25 / 0.5, 0.35 / 2.0, 0.85 / 0.5].map(|e: f64| e * e);
        let expected = squares.iter().sum::<f64>() / 4.0;
        assert!((found(&X).0 - expected).abs() < 1e-5);
    }

    #[test]
    fn the_gradient_is_what_the_loss_does_when_a_vector_moves() {
        let gradient = found(&X).1;
        for (i, gradient) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut x = X;
                x[i] += by;
                found(&x).0
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((expected - f64::from(*gradient)).abs() < 1e-2, "{i}: {gradient} {expected}");
        }
    }

    #[test]
    fn a_head_of_another_shape_is_refused() {
        let targets = Targets::new(vec![0.5, -0.5], 2).unwrap();
        let refusal = HeadRegression::new(&WEIGHT, &[0.0], &targets, &[1.0, 1.0]).unwrap_err().to_string();
        assert!(refusal.contains("[dim, 2]"), "{refusal}");
    }
}
