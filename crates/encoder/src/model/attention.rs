use super::length_groups::{Group, Groups};
use crate::architecture::Heads;
use burn::nn::Dropout;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;

/// Attention within each text of a packed batch.
pub(super) struct Attention<'a> {
    pub(super) groups: &'a Groups,
    pub(super) heads: Heads,
    /// Keys and values of the tokens that stand before every text, `[tokens, key heads, dim]`.
    pub(super) past: Option<[Tensor<3>; 2]>,
    /// Added to the scores of each group, `[1, heads, length, past + length]`; it alone then says what a token does not
    /// see.
    pub(super) bias: Option<&'a [Tensor<4>]>,
    /// Applied to the attention weights in training, if at all.
    pub(super) dropout: Option<&'a Dropout>,
}

impl Attention<'_> {
    /// Of queries `[tokens, query heads, dim]`, keys and values `[tokens, key heads, dim]`: `[tokens, query heads * dim]`.
    pub(super) fn forward(&self, q: Tensor<3>, k: Tensor<3>, v: Tensor<3>) -> Tensor<2> {
        let heads = self.heads;
        let parts = self.groups.0.iter().enumerate().map(|(i, group)| {
            let part = |x: &Tensor<3>, count: usize| group.part(x, [count, heads.dim]);
            let (q, mut k, mut v) = (part(&q, heads.query), part(&k, heads.key), part(&v, heads.key));
            if let Some([keys, values]) = &self.past {
                k = Tensor::cat(vec![group.each(keys), k], 2); // [texts, key heads, past + length, dim]
                v = Tensor::cat(vec![group.each(values), v], 2);
            }
            let (k, v) = (repeat(k, heads.query / heads.key), repeat(v, heads.query / heads.key));
            let bias = self.bias.map(|bias| bias[i].clone());
            let found = self.attend([q, k, v], bias); // [texts, query heads, length, dim]
            group.packed(found.swap_dims(1, 2).reshape([group.texts * group.length, heads.query * heads.dim]))
        });
        Tensor::cat(parts.collect(), 0) // [tokens, query heads * dim]
    }

    /// Of queries `[texts, heads, length, dim]`, keys and values `[texts, heads, past + length, dim]`.
    fn attend(&self, [q, k, v]: [Tensor<4>; 3], bias: Option<Tensor<4>>) -> Tensor<4> {
        let [texts, heads, length, dim] = q.dims();
        if let Some(dropout) = self.dropout.filter(|dropout| drops(dropout, &q)) {
            let scores = q.matmul(k.swap_dims(2, 3)) / (dim as f64).sqrt(); // [texts, heads, length, length]
            let scores = match bias {
                Some(bias) => scores + bias,
                None => scores,
            };
            return dropout.forward(softmax(scores, 3)).matmul(v);
        }
        let past = k.dims()[2] - length;
        let options = |is_causal| AttentionModuleOptions { is_causal, ..Default::default() };
        if past == 0 || length == 1 || bias.is_some() {
            // A last token sees all that stands before it.
            let causal = self.heads.causal && length > 1 && bias.is_none();
            return attention(q, k, v, None, bias, options(causal));
        }
        // Backends disagree on what causal means where there are more keys than queries, and a mask or a bias keeps
        // LibTorch from its fast kernels: so queries of the past are added, and what they gather is dropped.
        let unused = Tensor::zeros([texts, heads, past, dim], (&q.device(), q.dtype()));
        let found = attention(Tensor::cat(vec![unused, q], 2), k, v, None, None, options(true));
        found.narrow(2, past, length)
    }
}

/// Whether the dropout would do anything: it is for training alone.
fn drops(dropout: &Dropout, x: &Tensor<4>) -> bool {
    dropout.prob > 0.0 && dropout.training.is_enabled() && x.device().is_autodiff()
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

    /// The same tokens `[tokens, count, dim]` for each of its texts, `[texts, count, tokens, dim]`.
    fn each(&self, x: &Tensor<3>) -> Tensor<4> {
        let [tokens, count, dim] = x.dims();
        x.clone().swap_dims(0, 1).unsqueeze_dim::<4>(0).expand([self.texts, count, tokens, dim])
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
    let all = x.unsqueeze_dim::<5>(2).expand([texts, heads, times, length, dim]);
    all.reshape([texts, heads * times, length, dim])
}
