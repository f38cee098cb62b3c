use super::{Batch, Slopes};
use manyview_core::{Error, Result, Targets};

/// Mean squared error of a linear head over single texts, each dimension in units of its spread: of `x W + b` against the
/// rows of `targets` that `batch.pairs` names. `weight` is `[dim, figures]`, `bias` and `spreads` are `[figures]`, `targets`
/// is `[n, figures]`. The head stays as it is; what learns is the encoder below it.
///
/// # Errors
/// Shapes that do not fit each other.
pub fn regression(
    weight: &[f32],
    bias: &[f32],
    targets: &Targets,
    spreads: &[f64],
    batch: &Batch<'_>,
) -> Result<Slopes> {
    let (dim, figures) = (batch.queries.dim(), targets.dim());
    if weight.len() != dim * figures || bias.len() != figures || spreads.len() != figures {
        return Err(Error::Shape {
            what: "weight, bias and spreads of a head".into(),
            expected: format!("[{dim}, {figures}], [{figures}] and [{figures}]"),
            found: format!("{}, {} and {} values", weight.len(), bias.len(), spreads.len()),
        });
    }
    let truth = targets.select(batch.pairs)?;
    let share = 1.0 / (batch.pairs.len() * figures) as f64;
    let mut slopes = vec![0.0; batch.queries.as_slice().len()];
    let mut loss = 0.0;
    let rows = batch.queries.as_slice().chunks_exact(dim).zip(truth.rows());
    for ((x, truth), slope) in rows.zip(slopes.chunks_exact_mut(dim)) {
        let mut errors: Vec<f64> = bias.iter().zip(truth).map(|(b, y)| f64::from(*b) - y).collect();
        for (x, row) in x.iter().zip(weight.chunks_exact(figures)) {
            errors.iter_mut().zip(row).for_each(|(e, w)| *e += f64::from(*x) * f64::from(*w));
        }
        errors.iter_mut().zip(spreads).for_each(|(e, spread)| *e /= spread);
        loss += share * errors.iter().map(|e| e * e).sum::<f64>();
        errors.iter_mut().zip(spreads).for_each(|(e, spread)| *e /= spread);
        for (slope, row) in slope.iter_mut().zip(weight.chunks_exact(figures)) {
            let along: f64 = errors.iter().zip(row).map(|(e, w)| e * f64::from(*w)).sum();
            *slope = (2.0 * share * along) as f32;
        }
    }
    Ok(Slopes { loss, queries: slopes, passages: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Embeddings;

    const X: [f32; 6] = [1.0, 0.0, 0.0, 0.6, 0.0, 0.8];
    const WEIGHT: [f32; 6] = [0.5, -1.0, 2.0, 0.25, -0.5, 1.5];

    /// Rows 2 and 0 of three texts with two figures each.
    fn found(x: &[f32], bias: &[f32]) -> Result<Slopes> {
        let targets = Targets::new(vec![0.5, -0.5, 9.0, 9.0, 1.0, 2.0], 2).unwrap();
        let queries = Embeddings::new(x.to_vec(), 3).unwrap();
        let (pairs, query_ids) = (&[2, 0], &[2, 0]);
        let batch = Batch { pairs, queries, passages: None, query_ids, passage_ids: &[] };
        regression(&WEIGHT, bias, &targets, &[2.0, 0.5], &batch)
    }

    #[test]
    fn the_loss_is_the_mean_squared_error_of_the_rows_of_the_batch() {
        // [1, 0, 0] W + b = [0.75, -1.25] against [1, 2]; [0.6, 0, 0.8] W + b = [0.15, 0.35] against [0.5, -0.5].
        let squares = [0.25 / 2.0, 3.25 / 0.5, 0.35 / 2.0, 0.85 / 0.5].map(|e: f64| e * e);
        let expected = squares.iter().sum::<f64>() / 4.0;
        assert!((found(&X, &[0.25, -0.25]).unwrap().loss - expected).abs() < 1e-6);
    }

    #[test]
    fn the_slope_is_what_the_loss_does_when_a_vector_moves() {
        let slopes = found(&X, &[0.25, -0.25]).unwrap().queries;
        for (i, slope) in slopes.iter().enumerate() {
            let moved = |by: f32| {
                let mut x = X;
                x[i] += by;
                found(&x, &[0.25, -0.25]).unwrap().loss
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((expected - f64::from(*slope)).abs() < 1e-4, "{i}: {slope} {expected}");
        }
    }

    #[test]
    fn a_head_of_another_shape_is_refused() {
        let refusal = found(&X, &[0.0]).unwrap_err().to_string();
        assert!(refusal.contains("[3, 2]"), "{refusal}");
    }
}
