use super::length_groups::Groups;
use crate::architecture::Heads;
use burn::tensor::{Tensor, TensorData};

/// What keeps tokens from seeing further than `window`, added to the scores of each group,
/// `[1, heads, length, past + length]`: negative infinity where a token does not see, what comes after it included
/// where attention is causal. None where no text is so long that it matters.
pub(super) fn window_bias(
    groups: &Groups,
    past: usize,
    heads: Heads,
    window: Option<usize>,
    like: &Tensor<2>,
) -> Option<Vec<Tensor<4>>> {
    let window = window?;
    let longest = groups.0.iter().map(|group| group.length).max().unwrap_or(0);
    if past + longest <= window.saturating_add(1) {
        return None;
    }
    let of_length = |length: usize| {
        let all = past + length;
        let sees = |query: usize, key: usize| {
            let ahead = if heads.causal { 0 } else { window };
            key <= query.saturating_add(ahead) && query <= key.saturating_add(window)
        };
        let rows = (past..all).flat_map(|query| (0..all).map(move |key| (query, key)));
        let values: Vec<f32> =
            rows.map(|(query, key)| if sees(query, key) { 0.0 } else { f32::NEG_INFINITY }).collect();
        let bias = TensorData::new(values, [1, 1, length, all]);
        Tensor::<4>::from_data(bias, (&like.device(), like.dtype())).expand([1, heads.query, length, all])
    };
    Some(groups.0.iter().map(|group| of_length(group.length)).collect())
}
