//! Sums of products in lanes, so that they vectorise; always in the same order.
const LANES: usize = 16;

/// `Σ a`.
pub(super) fn sum(a: &[f32]) -> f32 {
    let (whole, rest) = a.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for a in whole {
        lanes.iter_mut().zip(a).for_each(|(lane, a)| *lane += a);
    }
    lanes.iter().chain(rest).sum()
}

/// `Σ a b`.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Adds the rows of `x` to `sums`.
pub(super) fn add_rows(x: &[f32], sums: &mut [f32]) {
    for row in x.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
}
