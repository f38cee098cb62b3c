use manyview_core::Embeddings;

/// A bit a dimension, eight to a byte, `[tokens, ⌈dim / 8⌉]`: set where the state is above the mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    dim: usize,
}

/// Sums of the values of a question's row over each choice of eight dimensions.
type Sums = [f32; 256];

impl Bits {
    pub(super) fn of(states: &Embeddings, mean: &[f32]) -> Self {
        let mut bytes = Vec::with_capacity(states.n() * states.dim().div_ceil(8));
        for row in states.rows() {
            bytes.extend(row.chunks(8).zip(mean.chunks(8)).map(|(row, mean)| {
                let signs = row.iter().zip(mean).enumerate();
                signs.fold(0u8, |byte, (bit, (value, mean))| byte | u8::from(value > mean) << bit)
            }));
        }
        Self { bytes, dim: states.dim() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn append(&mut self, next: &Self) {
        self.bytes.extend_from_slice(&next.bytes);
    }

    /// Adds a token's direction to `sum`: ±1/√dim.
    pub(super) fn add(&self, token: usize, sum: &mut [f32]) {
        let Some(row) = self.bytes.chunks_exact(self.dim.div_ceil(8)).nth(token) else { return };
        let value = (self.dim as f32).sqrt().recip();
        for (i, sum) in sum.iter_mut().enumerate() {
            let is_set = row.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
            *sum += if is_set { value } else { -value };
        }
    }

    /// With rows of ±1/√dim: twice the values where a bit is set, less all values. The sums of every eight values are
    /// looked up, so that a token costs a look-up and an addition for eight dimensions.
    pub(super) fn cosines(&self, row: &[f32], cosines: &mut [f32]) {
        let tables: Vec<Sums> = row.chunks(8).map(sums).collect();
        let (all, scale) = (row.iter().sum::<f32>(), (self.dim as f32).sqrt().recip());
        let width = self.dim.div_ceil(8);
        for (token, cosine) in self.bytes.chunks_exact(width).zip(cosines) {
            let set: f32 = token.iter().zip(&tables).map(|(byte, table)| table[usize::from(*byte)]).sum();
            *cosine = scale * (2.0 * set - all);
        }
    }
}

/// Each sum is one with a bit less, and the value of that bit.
fn sums(values: &[f32]) -> Sums {
    let mut sums = [0f32; 256];
    for choice in 1..256usize {
        let bit = choice.trailing_zeros() as usize;
        sums[choice] = sums[choice & (choice - 1)] + values.get(bit).copied().unwrap_or_default();
    }
    sums
}
