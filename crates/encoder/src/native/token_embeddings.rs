use super::dense::Source;
use crate::{Result, Weights};
use half::bf16;

/// Token embeddings, `[vocabulary, hidden]`: never in a product, so int8 would save memory alone,
/// and cost more accuracy than all products together.
pub(super) enum TokenEmbeddings {
    F32(Vec<f32>),
    Bf16(Vec<bf16>),
}

impl TokenEmbeddings {
    pub(super) fn load(source: &Source<'_>, name: &str, shape: [usize; 2]) -> Result<Self> {
        if source.weights == Weights::F32 {
            return source.checkpoint.values(name, &shape).map(Self::F32);
        }
        let mut values = Vec::with_capacity(source.checkpoint.count(name));
        let halve = |part: &[f32]| values.extend(part.iter().map(|v| bf16::from_f32(*v)));
        source.checkpoint.each(name, &shape, halve)?;
        Ok(Self::Bf16(values))
    }

    /// Writes the embedding of a token to `out`, `[hidden]`.
    pub(super) fn copy(&self, id: u32, out: &mut [f32]) {
        let (id, n) = (id as usize, out.len());
        match self {
            Self::F32(values) => out.copy_from_slice(&values[id * n..][..n]),
            Self::Bf16(values) => {
                out.iter_mut().zip(&values[id * n..]).for_each(|(out, v)| *out = v.to_f32());
            }
        }
    }
}
