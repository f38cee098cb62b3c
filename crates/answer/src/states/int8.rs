use manyview_core::Embeddings;

/// A byte a dimension, `[tokens, dim]`, and a scale a token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Int8 {
    values: Vec<i8>,
    scales: Vec<f32>,
    dim: usize,
}

impl Int8 {
    pub(super) fn of(states: &Embeddings) -> Self {
        let (mut values, mut scales) =
            (Vec::with_capacity(states.as_slice().len()), Vec::with_capacity(states.n()));
        for row in states.rows() {
            let most = row.iter().fold(0f32, |most, value| most.max(value.abs()));
            let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
            values.extend(row.iter().map(|value| (value / scale).round() as i8));
            scales.push(scale);
        }
        Self { values, scales, dim: states.dim() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.values.len() + size_of_val(self.scales.as_slice())
    }

    pub(super) fn append(&mut self, next: &Self) {
        self.values.extend_from_slice(&next.values);
        self.scales.extend_from_slice(&next.scales);
    }

    /// Adds a token's direction to `sum`.
    pub(super) fn add(&self, token: usize, sum: &mut [f32]) {
        let own = self.values.chunks_exact(self.dim).zip(&self.scales).nth(token);
        let Some((row, scale)) = own else { return };
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += scale * f32::from(*value));
    }

    pub(super) fn cosines(&self, row: &[f32], cosines: &mut [f32]) {
        let tokens = self.values.chunks_exact(self.dim).zip(&self.scales);
        for ((own, scale), cosine) in tokens.zip(cosines) {
            *cosine = scale * dot(own, row);
        }
    }
}

fn dot(a: &[i8], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f32::from(*a) * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| f32::from(*a) * b).sum();
    sums.iter().sum::<f32>() + rest
}
