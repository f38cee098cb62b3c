use super::bf16::Bf16;
use super::int8::Int8;
use super::product::{add_packed, matrix, packed};
use crate::checkpoint::Checkpoint;
use crate::{Result, Weights};
use rten_gemm::PackedBMatrix;

/// Where weights come from, and as what they are held.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) checkpoint: &'a Checkpoint,
    pub(crate) weights: Weights,
}

/// What keeps int8 close to `f32`.
#[derive(Clone, Copy, Default)]
pub(super) struct QuantHints<'a> {
    /// Scale and shift of the normalisation the input comes from: they tell how large each input gets.
    pub(super) norm: Option<(&'a [f32], &'a [f32])>,
    /// How many of the first outputs have no say in the smoothing of large inputs.
    pub(super) skip: usize,
}

/// `x W + b`, the weight packed once as products read it.
pub(crate) struct Dense {
    weight: PackedWeight,
    bias: Vec<f32>, // zeros where there is none
    dim_in: usize,
    dim_out: usize,
}

enum PackedWeight {
    F32(PackedBMatrix<f32>),
    Bf16(Bf16),
    Int8(Int8),
}

impl Dense {
    /// One layer for several of the same input: their outputs side by side. Each is `(name, dim_out)`; a bias is taken
    /// where all have one
    pub(super) fn fused(
        source: &Source<'_>,
        parts: &[(String, usize)],
        dim_in: usize,
        hints: QuantHints<'_>,
    ) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let join = |ending: &str, shape: &dyn Fn(usize) -> Vec<usize>| -> Result<Vec<f32>> {
            let names = parts.iter().map(|(name, n)| (format!("{name}.{ending}"), *n));
            let mut values = Vec::with_capacity(names.clone().map(|(name, _)| checkpoint.count(&name)).sum());
            for (name, n) in names {
                checkpoint.each(&name, &shape(n), |part| values.extend_from_slice(part))?;
            }
            Ok(values)
        };
        let dim_out = parts.iter().map(|(_, n)| n).sum();
        let biased = parts.iter().all(|(name, _)| checkpoint.has(&format!("{name}.bias")));
        let weight = join("weight", &|n| vec![n, dim_in])?;
        Ok(Self {
            weight: match source.weights {
                Weights::F32 => PackedWeight::F32(packed(&weight, dim_in)?),
                Weights::Bf16 => PackedWeight::Bf16(Bf16::new(&weight, dim_in)),
                Weights::Int8 => PackedWeight::Int8(Int8::new(weight, dim_in, hints)?),
            },
            bias: if biased { join("bias", &|n| vec![n])? } else { vec![0.0; dim_out] },
            dim_in,
            dim_out,
        })
    }

    /// A single layer.
    pub(crate) fn load(source: &Source<'_>, name: &str, dim_in: usize, dim_out: usize) -> Result<Self> {
        Self::fused(source, &[(name.into(), dim_out)], dim_in, QuantHints::default())
    }

    /// Rows of `x`, `[rows, dim_in]` and `stride` values apart, to rows of `out`, `[rows, dim_out]`.
    pub(crate) fn forward(&self, x: &[f32], stride: usize, out: &mut [f32]) -> Result<()> {
        self.multiply(x, stride, false, out)
    }

    /// The same, added to `out`.
    pub(crate) fn add(&self, x: &[f32], stride: usize, out: &mut [f32]) -> Result<()> {
        self.multiply(x, stride, true, out)
    }

    fn multiply(&self, x: &[f32], stride: usize, add: bool, out: &mut [f32]) -> Result<()> {
        let begin = |out: &mut [f32]| {
            for row in out.chunks_exact_mut(self.dim_out) {
                match add {
                    true => row.iter_mut().zip(&self.bias).for_each(|(value, bias)| *value += bias),
                    // A bias that rten's product adds itself makes it 4% slower.
                    false => row.copy_from_slice(&self.bias),
                }
            }
        };
        match &self.weight {
            PackedWeight::F32(weight) => {
                begin(out);
                add_packed(out, matrix(x, out.len() / self.dim_out, self.dim_in, stride)?, weight)
            }
            PackedWeight::Bf16(weight) => {
                begin(out);
                weight.add(x, stride, out)
            }
            PackedWeight::Int8(weight) => weight.multiply(x, stride, &self.bias, add, out),
        }
    }
}
