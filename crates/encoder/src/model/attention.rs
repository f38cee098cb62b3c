use crate::architecture::Heads;
use crate::batches::runs;
use burn::tensor::Tensor;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;

/// Attention within each text of a packed batch: queries `[tokens, query, dim]`, keys and values `[tokens, key, dim]`,
/// texts of these lengths; gives `[tokens, query * dim]`.
///
/// Neighbours of equal length go together, so no mask is needed but the causal one, which every backend has built in.
pub(crate) fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, lengths: &[usize], heads: Heads) -> Tensor<2> {
    let runs = runs(lengths);
    let parts = runs.iter().map(|run| {
        let (from, tokens) = (run.token, run.texts * run.length);
        let part = |x: &Tensor<3>, count: usize| {
            let x = x.clone().narrow(0, from, tokens).reshape([run.texts, run.length, count, heads.dim]);
            x.swap_dims(1, 2) // [texts, count, length, dim]
        };
        let (q, k, v) = (part(&q, heads.query), part(&k, heads.key), part(&v, heads.key));
        let (k, v) = (repeat(k, heads.query / heads.key), repeat(v, heads.query / heads.key));
        let options = AttentionModuleOptions { is_causal: heads.causal, ..Default::default() };
        attention(q, k, v, None, None, options) // [texts, query, length, dim]
            .swap_dims(1, 2)
            .reshape([tokens, heads.query * heads.dim])
    });
    Tensor::cat(parts.collect(), 0) // [tokens, query * dim]
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
