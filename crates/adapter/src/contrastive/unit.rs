use burn::tensor::Tensor;

/// Below this a length counts as none.
const SHORTEST: f32 = 1e-12;

/// Rows of length 1 and the lengths they had.
pub(super) struct Unit {
    /// `[n, dim]`.
    pub(super) rows: Tensor<2>,
    /// `[n, 1]`.
    lengths: Tensor<2>,
}

impl Unit {
    /// Divides each row of `x`, `[n, dim]`, by its length.
    pub(super) fn new(x: Tensor<2>) -> Self {
        let lengths = x.clone().square().sum_dim(1).sqrt().clamp_min(SHORTEST);
        Self { rows: x / lengths.clone(), lengths }
    }

    /// The gradient with respect to `x`, from that with respect to its rows of length 1: what is left of it across each
    /// row, by the length of the row.
    pub(super) fn backward(&self, gradient: Tensor<2>) -> Tensor<2> {
        let along = (gradient.clone() * self.rows.clone()).sum_dim(1);
        (gradient - self.rows.clone() * along) / self.lengths.clone()
    }
}
