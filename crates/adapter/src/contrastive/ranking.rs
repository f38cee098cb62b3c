use crate::rows::indices;
use burn::tensor::{Device, Tensor, TensorData, activation};

/// The logit of a passage that is no negative: nothing is left of it after exp, and no infinity gets into a difference.
const MASKED: f32 = -1e9;

/// Cross-entropy of each query's positive among its negatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranking {
    pub(super) scale: f64,
    /// Negatives whose cosine is above the positive's by more than this are left out.
    pub(super) margin: Option<f64>,
}

impl Ranking {
    /// The loss of queries `q`, `[n, dim]`, among passages `p`, `[m, dim]`, all of length 1. `positive` is the index of each
    /// query's positive, `masked` the indices of passages that are no negatives, the positive among them.
    pub(super) fn loss(
        &self,
        q: Tensor<2>,
        p: Tensor<2>,
        positive: &[usize],
        masked: &[Vec<usize>],
    ) -> Tensor<1> {
        let (m, device) = (p.dims()[0], q.device());
        let own = indices(positive, &device).unsqueeze_dim::<2>(1); // [n, 1]
        let mut logits = q.matmul(p.transpose()) * self.scale; // [n, m]
        if let Some(margin) = self.margin {
            let found = logits.clone().inner();
            let of_positive = found.clone().gather(1, own.clone()); // [n, 1]
            // The positive is not above itself.
            let above = (found - of_positive).greater_elem(self.scale * margin);
            logits = logits.mask_fill(above, MASKED);
        }
        if let Some(mask) = mask(positive, masked, m, &device) {
            logits = logits + mask;
        }
        activation::log_softmax(logits, 1).gather(1, own).mean().neg()
    }
}

/// [`MASKED`] at the masked places but the positive's, 0 elsewhere, `[n, m]`; none where nothing is masked.
fn mask(positive: &[usize], masked: &[Vec<usize>], m: usize, device: &Device) -> Option<Tensor<2>> {
    let places = || {
        let rows = masked.iter().zip(positive).enumerate();
        rows.flat_map(|(row, (masked, own))| {
            masked.iter().filter(move |place| *place != own).map(move |place| row * m + place)
        })
    };
    places().next()?;
    let mut values = vec![0.0; masked.len() * m];
    for place in places() {
        values.iter_mut().skip(place).take(1).for_each(|v| *v = MASKED);
    }
    Some(Tensor::from_data(TensorData::new(values, [masked.len(), m]), device))
}
