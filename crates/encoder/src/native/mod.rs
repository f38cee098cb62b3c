//! The models on plain slices, for the CPU: weights packed once as products read them, few passes over memory between
//! two products, and threads over rows. One file for each architecture.

pub(crate) mod activation;
mod activation_quant;
mod attention;
mod bert;
mod bf16;
mod decoder;
mod dense;
mod gelu;
mod int8;
mod int8_tiles;
mod layers;
mod learnt_positions;
mod modernbert;
mod mpnet;
mod nomic_bert;
mod norm;
mod position_bias;
mod post_norm;
pub(crate) mod product;
mod rotary;
mod softmax;
mod token_embeddings;
mod weight_quant;

pub(crate) use bert::Bert;
pub(crate) use decoder::Decoder;
pub(crate) use dense::{Dense, Source};
pub(crate) use modernbert::ModernBert;
pub(crate) use mpnet::MpNet;
pub(crate) use nomic_bert::NomicBert;
pub(crate) use norm::LayerNorm;

/// The mean state of each text, `[texts, hidden]`, of packed states `[tokens, hidden]`.
pub(crate) fn means(states: &[f32], lengths: &[usize]) -> Vec<f32> {
    let hidden = states.len() / lengths.iter().sum::<usize>();
    let mut pooled = vec![0f32; lengths.len() * hidden];
    let mut rows = states.chunks_exact(hidden);
    for (mean, &n) in pooled.chunks_exact_mut(hidden).zip(lengths) {
        for row in rows.by_ref().take(n) {
            mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        mean.iter_mut().for_each(|sum| *sum /= n as f32);
    }
    pooled
}
