use super::bert::Bert;
use super::config::{Lora, Target};
use super::layer::Learns;
use super::plan::Plan;
use crate::Result;
use crate::native::product::{matrix, multiply};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// Low-rank changes to some matrices (Hu et al., 2022): `W + α/r B A` in place of each `W`, which stays.
pub(super) struct Adapters {
    pub(super) parts: Vec<Part>,
    /// All their values: of each, `A` and then `B`.
    pub(super) values: Vec<f32>,
    scale: f32,
    rank: usize,
}

/// The change to one matrix.
pub(super) struct Part {
    /// The matrix, by its name in the model's file, without `.weight`.
    pub(super) name: String,
    /// `A` `[rank, dim_in]`.
    pub(super) a: Range<usize>,
    /// `B` `[dim_out, rank]`.
    pub(super) b: Range<usize>,
    pub(super) dim_in: usize,
    pub(super) dim_out: usize,
    /// Where the matrix lies among the model's values.
    at: Range<usize>,
    /// The matrix as it was.
    base: Vec<f32>,
}

impl Adapters {
    /// `A` uniform within ±1/√dim_in and `B` zero, so that training starts at the model itself.
    pub(super) fn new(lora: &Lora, plan: &Plan, values: &[f32], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::MAX);
        let (mut parts, mut own) = (Vec::new(), Vec::new());
        for tensor in &plan.tensors {
            let [dim_out, dim_in] = tensor.shape[..] else { continue };
            if !lora.targets.iter().any(|target| target.is(&tensor.name)) {
                continue;
            }
            let bound = (dim_in as f32).sqrt().recip();
            let start = own.len();
            own.extend((0..lora.rank * dim_in).map(|_| rng.random_range(-bound..bound)));
            let middle = own.len();
            own.resize(middle + dim_out * lora.rank, 0.0);
            parts.push(Part {
                name: tensor.name.trim_end_matches(".weight").into(),
                a: start..middle,
                b: middle..own.len(),
                dim_in,
                dim_out,
                at: tensor.range.clone(),
                base: values[tensor.range.clone()].to_vec(),
            });
        }
        Self { parts, values: own, scale: (lora.alpha / lora.rank as f64) as f32, rank: lora.rank }
    }

    /// Puts the changed matrices among the model's values.
    pub(super) fn merge(&self, bert: &mut Bert) -> Result<()> {
        for part in &self.parts {
            let out = &mut bert.values[part.at.clone()];
            let (a, b) = (&self.values[part.a.clone()], &self.values[part.b.clone()]);
            let a = matrix(a, self.rank, part.dim_in, part.dim_in)?;
            multiply(out, matrix(b, part.dim_out, self.rank, self.rank)?, a, self.scale)?;
            out.iter_mut().zip(&part.base).for_each(|(out, base)| *out += base);
        }
        Ok(())
    }

    /// From the gradient of the changed matrices that of the changes.
    pub(super) fn gradient(&self, of_model: &[f32], out: &mut [f32]) -> Result<()> {
        for part in &self.parts {
            let (a, b) = (&self.values[part.a.clone()], &self.values[part.b.clone()]);
            let (rank, dim_in, dim_out) = (self.rank, part.dim_in, part.dim_out);
            let slope = matrix(&of_model[part.at.clone()], dim_out, dim_in, dim_in)?;
            let (a, b) = (matrix(a, rank, dim_in, dim_in)?, matrix(b, dim_out, rank, rank)?);
            multiply(&mut out[part.b.clone()], slope, a.transposed(), self.scale)?;
            multiply(&mut out[part.a.clone()], b.transposed(), slope, self.scale)?;
        }
        Ok(())
    }
}

impl Lora {
    /// Which matrices of a layer need a gradient.
    pub(super) fn learns(&self) -> Learns {
        let any = |wanted: &[Target]| wanted.iter().any(|target| self.targets.contains(target));
        Learns {
            qkv: any(&[Target::Query, Target::Key, Target::Value]),
            out: any(&[Target::AttentionOutput]),
            up: any(&[Target::Intermediate]),
            down: any(&[Target::Output]),
        }
    }
}
