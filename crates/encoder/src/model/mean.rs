use super::length_groups::Groups;
use burn::tensor::{DType, Tensor};

/// The mean state of each text, `[texts, hidden]` in `f32`, of packed states `[tokens, hidden]`.
pub(crate) fn means(states: Tensor<2>, lengths: &[usize]) -> Tensor<2> {
    let hidden = states.dims()[1];
    let groups = Groups::of(lengths, false, &states.device()); // no padding in a mean
    let states = states.cast(DType::F32);
    let means = groups.0.iter().map(|group| {
        let own = states.clone().narrow(0, group.token, group.tokens);
        own.reshape([group.texts, group.length, hidden]).mean_dim(1).reshape([group.texts, hidden])
    });
    Tensor::cat(means.collect(), 0) // [texts, hidden]
}
