use super::{EmbeddedBatch, Objective, beside};
use burn::tensor::Tensor;
use manyview_core::{Embeddings, Error, Fingerprint, Result};

/// Distillation: `mse_weight` · mean squared error + `cosine_weight` · mean (1 − cosine) between the vector of each
/// text and the unit vector of the teacher.
#[derive(Clone, Debug)]
pub struct Distillation {
    teacher: Embeddings, // [n, dim]
    mse_weight: f64,
    cosine_weight: f64,
}

impl Distillation {
    /// Distils `teacher`, which has a row for each training text.
    ///
    /// # Errors
    /// Weights that are negative, not finite or both 0, and a vector of length 0.
    pub fn new(teacher: Embeddings, mse_weight: f64, cosine_weight: f64) -> Result<Self> {
        let weights = [mse_weight, cosine_weight];
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || weights == [0.0, 0.0] {
            return Err(Error::Shape {
                what: "mse_weight and cosine_weight".into(),
                expected: "finite numbers of at least 0, not both 0".into(),
                found: format!("{mse_weight} and {cosine_weight}"),
            });
        }
        Ok(Self { teacher: teacher.normalized()?, mse_weight, cosine_weight })
    }
}

impl Objective for Distillation {
    /// Depends on the teacher.
    fn name(&self) -> String {
        let teacher: Vec<u8> = self.teacher.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
        let key = Fingerprint::builder("distillation/1").field("teacher", &teacher).finish();
        format!("distillation, mse {}, cosine {}, {}", self.mse_weight, self.cosine_weight, key.as_str())
    }

    /// # Errors
    /// Vectors of another dimension than the teacher's, and texts without a teacher vector.
    fn loss(&self, batch: &EmbeddedBatch<'_>) -> Result<Tensor<1>> {
        let found = &batch.queries;
        let [n, dim] = found.dims();
        if dim != self.teacher.dim() {
            return Err(Error::Shape {
                what: "vectors of the student".into(),
                expected: format!("{}, the length of the teacher's", self.teacher.dim()),
                found: format!("{dim}; a smaller or larger teacher needs an adapter, not a student"),
            });
        }
        let teacher = beside(found, self.teacher.select(batch.examples)?.into_vec(), [n, dim]);
        let cosine = (found.clone() * teacher.clone()).sum_dim(1).mean(); // both are unit vectors
        let squares = (found.clone() - teacher).square().mean();
        Ok(squares * self.mse_weight - (cosine - 1.0) * self.cosine_weight)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_gradients;
    use super::*;

    #[test]
    fn a_student_at_its_teacher_has_no_loss_and_an_opposite_one_the_most() {
        let teacher = Embeddings::new(vec![0.0, 2.0, 3.0, 0.0], 2).unwrap();
        let objective = Distillation::new(teacher, 3.0, 0.5).unwrap();
        let loss = |x: &[f32]| {
            with_gradients([x, x], 2, |queries, _| {
                let (examples, query_ids) = (&[1, 0], &[1, 0]);
                let batch = EmbeddedBatch { examples, queries, passages: None, query_ids, passage_ids: &[] };
                objective.loss(&batch).unwrap()
            })
            .0
        };
        assert!(loss(&[1.0, 0.0, 0.0, 1.0]).abs() < 1e-6);
        assert!((loss(&[-1.0, 0.0, 0.0, -1.0]) - (3.0 * 2.0 + 0.5 * 2.0)).abs() < 1e-5);
    }

    #[test]
    fn weights_that_ask_for_nothing_and_a_teacher_of_another_length_are_refused() {
        let teacher = || Embeddings::new(vec![0.0, 2.0], 2).unwrap();
        assert!(Distillation::new(teacher(), 0.0, 0.0).is_err());
        assert!(Distillation::new(teacher(), -1.0, 1.0).is_err());
        let objective = Distillation::new(teacher(), 1.0, 1.0).unwrap();
        let queries = Tensor::<2>::zeros([1, 3], &burn::tensor::Device::flex());
        let batch =
            EmbeddedBatch { examples: &[0], queries, passages: None, query_ids: &[0], passage_ids: &[] };
        let refusal = objective.loss(&batch).unwrap_err().to_string();
        assert!(refusal.contains("expected 2") && refusal.contains("found 3"), "{refusal}");
    }
}
