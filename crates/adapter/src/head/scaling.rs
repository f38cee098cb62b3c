//! Vectors and targets brought to mean 0 and standard deviation 1 for training, and a head put back into their units.
use super::Layer;
use crate::{Result, matrix};
use manyview_core::{Embeddings, Scored, Targets};

/// Means and standard deviations of the training rows.
pub(super) struct Scaling {
    vector_means: Vec<f64>,
    /// One for all columns, so that no direction weighs more than it does in the vectors.
    deviation: f64,
    target_means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scaling {
    pub(super) fn new(train: &Scored) -> Self {
        let (x, y) = (train.base(), train.targets().columns());
        let vector_means = matrix::column_means(x.as_slice(), x.dim());
        let squares =
            x.rows().flat_map(|row| row.iter().zip(&vector_means).map(|(v, m)| (f64::from(*v) - m).powi(2)));
        let deviation = positive((squares.sum::<f64>() / x.as_slice().len() as f64).sqrt());
        let n = x.n() as f64;
        let target_means: Vec<f64> = y.iter().map(|column| column.iter().sum::<f64>() / n).collect();
        let deviation_of = |(column, mean): (&Vec<f64>, &f64)| {
            positive((column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
        };
        let deviations = y.iter().zip(&target_means).map(deviation_of).collect();
        Self { vector_means, deviation, target_means, deviations }
    }

    /// `[n, dim]`, row after row.
    pub(super) fn vectors(&self, x: &Embeddings) -> Vec<f32> {
        let scaled = |(v, mean): (&f32, &f64)| ((f64::from(*v) - mean) / self.deviation) as f32;
        x.rows().flat_map(|row| row.iter().zip(&self.vector_means).map(scaled)).collect()
    }

    /// `[n, dim]`, row after row.
    pub(super) fn targets(&self, y: &Targets) -> Vec<f32> {
        let scales = || self.target_means.iter().zip(&self.deviations);
        y.rows()
            .flat_map(|row| row.iter().zip(scales()).map(|(v, (mean, s))| ((v - mean) / s) as f32))
            .collect()
    }

    /// The standard deviation of each dimension's targets.
    pub(super) fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// Layers for vectors and targets as they are, from those trained on scaled ones.
    pub(super) fn undone(&self, mut layers: Vec<Layer>) -> Result<Vec<Layer>> {
        if let Some(first) = layers.first_mut() {
            let mut bias: Vec<f64> = first.bias().iter().map(|b| f64::from(*b)).collect();
            for (mean, row) in self.vector_means.iter().zip(first.weight().chunks_exact(first.dim_out())) {
                bias.iter_mut().zip(row).for_each(|(b, w)| *b -= mean / self.deviation * f64::from(*w));
            }
            let weight = first.weight().iter().map(|w| (f64::from(*w) / self.deviation) as f32).collect();
            *first = Layer::new(weight, bias.into_iter().map(|b| b as f32).collect())?;
        }
        if let Some(last) = layers.last_mut() {
            let rows = last.weight().chunks_exact(last.dim_out());
            let weight = rows
                .flat_map(|row| row.iter().zip(&self.deviations).map(|(w, s)| (f64::from(*w) * s) as f32));
            let bias = last.bias().iter().zip(self.deviations.iter().zip(&self.target_means));
            let bias = bias.map(|(b, (s, mean))| (f64::from(*b) * s + mean) as f32);
            *last = Layer::new(weight.collect(), bias.collect())?;
        }
        Ok(layers)
    }
}

/// A standard deviation to divide by: 1 where there is none.
fn positive(deviation: f64) -> f64 {
    if deviation > 0.0 { deviation } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Head;
    use crate::test_data::normal;
    use manyview_core::Transform;

    #[test]
    fn a_head_in_the_units_of_its_targets_gives_what_the_scaled_one_did() {
        let x = normal(20, 5, 1);
        let y: Vec<f64> = normal(20, 2, 2).as_slice().iter().map(|v| f64::from(*v) * 3.0 + 7.0).collect();
        let data = Scored::new(x.clone(), Targets::new(y, 2).unwrap()).unwrap();
        let scaling = Scaling::new(&data);
        for dims in [&[5, 2][..], &[5, 4, 2]] {
            let layer = |(a, b): (&usize, &usize)| {
                Layer::new(normal(*a, *b, 3).into_vec(), normal(1, *b, 4).into_vec()).unwrap()
            };
            let layers: Vec<Layer> = dims.iter().zip(&dims[1..]).map(layer).collect();
            let scaled = Head::new(layers.clone()).unwrap();
            let scaled = scaled.transform(&Embeddings::new(scaling.vectors(&x), 5).unwrap()).unwrap();
            let head = Head::new(scaling.undone(layers).unwrap()).unwrap();
            let found = scaling.targets(&head.transform(&x).unwrap());
            let far = scaled.as_slice().iter().zip(found).map(|(a, b)| (a - f64::from(b)).abs());
            assert!(far.fold(0.0, f64::max) < 1e-5);
        }
    }
}
