use super::groups::{Group, Groups};
use crate::architecture::Heads;
use burn::tensor::Tensor;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;

/// Attention within each text of a packed batch: queries `[tokens, query, dim]`, keys and values `[tokens, key, dim]`;
/// gives `[tokens, query * dim]`.
pub(super) fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, groups: &Groups, heads: Heads) -> Tensor<2> {
    let parts = groups.0.iter().map(|group| {
        let part = |x: &Tensor<3>, count: usize| group.part(x, [count, heads.dim]);
        let (q, k, v) = (part(&q, heads.query), part(&k, heads.key), part(&v, heads.key));
        let (k, v) = (repeat(k, heads.query / heads.key), repeat(v, heads.query / heads.key));
        let options = AttentionModuleOptions { is_causal: heads.causal, ..Default::default() };
        let found = attention(q, k, v, None, None, options); // [texts, query, length, dim]
        group.packed(found.swap_dims(1, 2).reshape([group.texts * group.length, heads.query * heads.dim]))
    });
    Tensor::cat(parts.collect(), 0) // [tokens, query * dim]
}

impl Group {
    /// Its tokens out of all packed ones, `[texts, count, length, dim]`.
    fn part(&self, x: &Tensor<3>, [count, dim]: [usize; 2]) -> Tensor<4> {
        let own = match &self.padding {
            None => x.clone().narrow(0, self.token, self.tokens),
            Some(padding) => x.clone().select(0, padding.into.clone()),
        }; // [texts * length, count, dim]
        own.reshape([self.texts, self.length, count, dim]).swap_dims(1, 2)
    }

    /// The padded tokens left out: `[texts * length, width]` to `[tokens, width]`.
    fn packed(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.padding {
            None => x,
            Some(padding) => x.select(0, padding.back.clone()),
        }
    }
}

/// Each head `times` times in a row: `[texts, heads, length, dim]` to `[texts, heads * times, length, dim]`.
fn repeat(x: Tensor<4>, times: usize) -> Tensor<4> {
    if times == 1 {
        return x;
    }
    let [texts, heads, length, dim] = x.dims();
    x.unsqueeze_dim::<5>(2).expand([texts, heads, times, length, dim]).reshape([
        texts,
        heads * times,
        length,
        dim,
    ])
}
