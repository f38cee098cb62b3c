/// Rotary positions: what rotates the heads of a token.
pub(super) struct Rotary {
    cos: Vec<f32>, // [positions, dim / 2]
    sin: Vec<f32>,
    half: usize,
}

impl Rotary {
    /// Of cosines and sines `[positions, dim / 2]`.
    pub(super) fn new((cos, sin): (Vec<f32>, Vec<f32>), dim: usize) -> Self {
        Self { cos, sin, half: dim / 2 }
    }

    /// Rotates the two halves of each head against each other, `[heads, dim]`; not neighbouring pairs.
    pub(super) fn rotate(&self, x: &mut [f32], position: usize) {
        let half = self.half;
        let (cos, sin) = (&self.cos[position * half..][..half], &self.sin[position * half..][..half]);
        for head in x.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
