use super::length_groups::Groups;
use burn::tensor::{Tensor, TensorData};

/// Added to the score of a token out of sight: its share is then 0.
const UNSEEN: f32 = -1e9;

/// What keeps tokens from seeing others further than `window`, `[1, heads, length, length]` for each group, in the type
/// and on the device of `like`; none where no text is that long.
pub(super) fn biases(
    groups: &Groups,
    window: usize,
    heads: usize,
    like: &Tensor<2>,
) -> Option<Vec<Tensor<4>>> {
    let of = |length: usize| {
        let unseen = |query: usize, key: usize| if query.abs_diff(key) > window { UNSEEN } else { 0.0 };
        let values = (0..length).flat_map(|query| (0..length).map(move |key| unseen(query, key)));
        let values = TensorData::new(values.collect(), [1, 1, length, length]);
        let bias = Tensor::<4>::from_data(values, (&like.device(), like.dtype()));
        bias.expand([1, heads, length, length])
    };
    let needed = groups.0.iter().any(|group| group.length > window + 1);
    needed.then(|| groups.0.iter().map(|group| of(group.length)).collect())
}
