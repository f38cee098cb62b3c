use super::bert::Bert;
use super::parameters::ParameterLayout;
use crate::Result;
use crate::finetune::Lora;
use crate::finetune::training::lora::{LowRank, Start};
use crate::native::product::{matrix, multiply};
use std::ops::Range;

/// Low-rank changes to some matrices (Hu et al., 2022): `W + α/r B A` in place of each `W`, which stays.
pub(super) struct Adapters {
    parts: Vec<Part>,
    /// All their values: of each, `A` and then `B`.
    pub(super) values: Vec<f32>,
    scale: f32,
    rank: usize,
}

/// The change to one matrix.
struct Part {
    /// The layer, by its name in the model's file.
    name: String,
    /// `A` `[rank, dim_in]`.
    a: Range<usize>,
    /// `B` `[dim_out, rank]`.
    b: Range<usize>,
    dim_in: usize,
    dim_out: usize,
    /// Where the matrix lies among the model's values.
    at: Range<usize>,
    /// The matrix as it was.
    base: Vec<f32>,
}

impl Adapters {
    /// At the start of training.
    ///
    /// # Errors
    /// A target that is no layer of the model.
    pub(super) fn new(lora: &Lora, layout: &ParameterLayout, values: &[f32], seed: u64) -> Result<Self> {
        lora.check_targets(layout.linear_layers())?;
        let (mut parts, mut own, mut random) = (Vec::new(), Vec::new(), Start::new(seed));
        for tensor in &layout.tensors {
            let [dim_out, dim_in] = tensor.shape[..] else { continue };
            let Some(name) = tensor.layer().filter(|name| lora.changes(name)) else {
                continue;
            };
            let start = own.len();
            own.extend(random.next(lora.rank, dim_in));
            let middle = own.len();
            own.resize(middle + dim_out * lora.rank, 0.0);
            parts.push(Part {
                name: name.into(),
                a: start..middle,
                b: middle..own.len(),
                dim_in,
                dim_out,
                at: tensor.range.clone(),
                base: values[tensor.range.clone()].to_vec(),
            });
        }
        Ok(Self { parts, values: own, scale: lora.scale() as f32, rank: lora.rank })
    }

    /// Where the matrices that change lie among the model's values.
    pub(super) fn changed(&self) -> Vec<Range<usize>> {
        self.parts.iter().map(|part| part.at.clone()).collect()
    }

    /// The changes as they are saved.
    pub(super) fn low_rank(&self) -> Vec<LowRank> {
        let of = |part: &Part| LowRank {
            layer: part.name.clone(),
            dim_in: part.dim_in,
            dim_out: part.dim_out,
            a: self.values[part.a.clone()].to_vec(),
            b: self.values[part.b.clone()].to_vec(),
        };
        self.parts.iter().map(of).collect()
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
            let d_weight = matrix(&of_model[part.at.clone()], dim_out, dim_in, dim_in)?;
            let (a, b) = (matrix(a, rank, dim_in, dim_in)?, matrix(b, dim_out, rank, rank)?);
            multiply(&mut out[part.b.clone()], d_weight, a.transposed(), self.scale)?;
            multiply(&mut out[part.a.clone()], b.transposed(), d_weight, self.scale)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Adapters {
    /// Puts other values in the place of those it starts from, by their names in peft's files.
    pub(super) fn start_from(&mut self, of: impl Fn(&str) -> Vec<f32>) {
        for part in &self.parts {
            for (kind, range) in [("A", &part.a), ("B", &part.b)] {
                let values = of(&format!("{}.lora_{kind}.weight", part.name));
                self.values[range.clone()].copy_from_slice(&values);
            }
        }
    }

    /// Values of all changes by their names in peft's files.
    pub(super) fn named(&self, values: &[f32]) -> std::collections::BTreeMap<String, Vec<f32>> {
        let of = |part: &Part| {
            [("A", &part.a), ("B", &part.b)].map(|(kind, range)| {
                (format!("{}.lora_{kind}.weight", part.name), values[range.clone()].to_vec())
            })
        };
        self.parts.iter().flat_map(of).collect()
    }
}
