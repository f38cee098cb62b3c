use super::adamw::{AdamW, Trained};
use crate::{Linear, Result};
use burn::tensor::{Device, DeviceType, Int, Tensor, TensorData};
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a block on a device that works in this process: blocks run side by side, each read and written once a
/// step, and are wide enough for products at full speed. Part of the arithmetic, so never a thread count.
const BLOCK: usize = 128;

/// A map under training, in blocks of columns, on a device.
#[derive(Clone)]
pub(crate) struct Parameters {
    blocks: Vec<Block>,
    dim_in: usize,
}

#[derive(Clone)]
struct Block {
    columns: Range<usize>,
    weight: Trained,
    bias: Option<Trained>,
}

/// Weight, bias or their moments on the host: `[dim_in, dim_out]` and `[dim_out]`, row after row.
pub(crate) struct Values {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Option<Vec<f32>>,
}

/// Both moments of AdamW after `steps` steps.
pub(crate) struct Moments {
    pub(crate) steps: usize,
    pub(crate) first: Values,
    pub(crate) second: Values,
}

impl Parameters {
    /// Puts a map, and the moments of an earlier run, on `device`.
    pub(crate) fn new(linear: &Linear, moments: Option<&Moments>, device: &Device) -> Self {
        let (dim_in, dim_out) = (linear.dim_in(), linear.dim_out());
        let width = if in_process(device) { BLOCK } else { dim_out };
        let blocks = (0..dim_out).step_by(width).map(|start| {
            let columns = start..dim_out.min(start + width);
            let part = |m: &[f32]| columns_of(m, dim_out, &columns, device);
            let trained = |m: &[f32], of: fn(&Values) -> Option<&Vec<f32>>| {
                let earlier =
                    moments.and_then(|m| Some((m.steps, part(of(&m.first)?), part(of(&m.second)?))));
                Trained::new(part(m), earlier)
            };
            let weight = trained(linear.weight(), |v| Some(&v.weight));
            let bias = linear.bias().map(|b| trained(b, |v| v.bias.as_ref()));
            Block { columns, weight, bias }
        });
        Self { blocks: blocks.collect(), dim_in }
    }

    /// `x W + b`, `[n, dim_out]`.
    pub(crate) fn forward(&self, x: &Tensor<2>) -> Tensor<2> {
        let parts = self.blocks.par_iter().map(|b| {
            let y = x.clone().matmul(b.weight.value.clone());
            match &b.bias {
                Some(bias) => y + bias.value.clone(),
                None => y,
            }
        });
        Tensor::cat(parts.collect(), 1)
    }

    /// The gradient of the inputs, `[n, dim_in]`, from that of the outputs, `[n, dim_out]`.
    pub(crate) fn backward(&self, gradient: &Tensor<2>) -> Tensor<2> {
        let n = gradient.dims()[0];
        let parts = self.blocks.par_iter().map(|b| {
            let gradient = gradient.clone().slice([0..n, b.columns.clone()]);
            gradient.matmul(b.weight.value.clone().transpose())
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().reduce(|sum, part| sum + part).unwrap_or_else(|| gradient.clone())
    }

    /// Whether it has a bias.
    pub(crate) fn is_biased(&self) -> bool {
        self.blocks.iter().any(|b| b.bias.is_some())
    }

    /// One step of AdamW at rate `lr`, for inputs `x` `[n, dim_in]` and the gradient of their outputs `[n, dim_out]`.
    pub(crate) fn step(&mut self, adamw: &AdamW, lr: f64, x: &Tensor<2>, gradient: &Tensor<2>) -> Result<()> {
        let blocks = std::mem::take(&mut self.blocks).into_par_iter().map(|block| {
            let gradient = gradient.clone().slice([0..x.dims()[0], block.columns.clone()]);
            let bias = block.bias.map(|b| b.step(adamw, lr, gradient.clone().sum_dim(0))).transpose()?;
            let weight = block.weight.step(adamw, lr, x.clone().transpose().matmul(gradient))?;
            Ok(Block { columns: block.columns, weight, bias })
        });
        self.blocks = blocks.collect::<Result<_>>()?;
        Ok(())
    }

    /// The map as it stands.
    pub(crate) fn linear(&self) -> Result<Linear> {
        let values = self.gathered(|t| Some(t.value.clone()));
        let Values { weight, bias } = values.unwrap_or(Values { weight: Vec::new(), bias: None });
        Linear::new(weight, self.dim_in, bias)
    }

    /// The moments as they stand; none before the first step.
    pub(crate) fn moments(&self) -> Option<Moments> {
        let steps = self.blocks.first()?.weight.moments.as_ref()?.momentum.time;
        let first = self.gathered(|t| t.moments.as_ref().map(|m| m.momentum.moment_1.clone()))?;
        let second = self.gathered(|t| t.moments.as_ref().map(|m| m.momentum.moment_2.clone()))?;
        Some(Moments { steps, first, second })
    }

    fn gathered(&self, of: impl Fn(&Trained) -> Option<Tensor<2>>) -> Option<Values> {
        let joined = |parts: Option<Vec<Tensor<2>>>| Some(host(Tensor::cat(parts?, 1)));
        let weight = joined(self.blocks.iter().map(|b| of(&b.weight)).collect())?;
        let bias = joined(self.blocks.iter().map(|b| of(b.bias.as_ref()?)).collect());
        Some(Values { weight, bias })
    }
}

/// The length of the gradient of W and b, from inputs `x` and the gradient of the outputs: |X'G|² = Σ XX' ∘ GG', two
/// small products instead of the whole gradient.
pub(crate) fn gradient_length(x: &Tensor<2>, gradient: &Tensor<2>, bias: bool) -> f64 {
    let gram = |m: &Tensor<2>| m.clone().matmul(m.clone().transpose());
    let of_bias = if bias { 1.0 } else { 0.0 };
    let squared: f32 = ((gram(x) + of_bias) * gram(gradient)).sum().into_scalar();
    f64::from(squared.max(0.0)).sqrt()
}

/// A row-major slice of `dim` columns as a tensor on `device`.
pub(crate) fn tensor(values: Vec<f32>, dim: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / dim;
    Tensor::from_data(TensorData::new(values, [rows, dim]), device)
}

/// The rows of `x` at `rows`, in that order.
pub(crate) fn select(x: &Tensor<2>, rows: &[usize]) -> Tensor<2> {
    x.clone().select(0, places(rows, &x.device()))
}

/// Row numbers on `device`.
pub(crate) fn places(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    Tensor::from_data(TensorData::new(numbers, [rows.len()]), device)
}

fn columns_of(values: &[f32], dim: usize, columns: &Range<usize>, device: &Device) -> Tensor<2> {
    let part = values.chunks_exact(dim).filter_map(|row| row.get(columns.clone())).flatten().copied();
    tensor(part.collect(), columns.len(), device)
}

pub(crate) fn host(t: Tensor<2>) -> Vec<f32> {
    t.into_data().iter::<f32>().collect()
}

/// Whether `device` computes in this process on the threads that call it.
pub(crate) fn in_process(device: &Device) -> bool {
    #[allow(deprecated)] // ndarray: on its way out of burn, still a device here
    let own = Device::enumerate(vec![
        #[cfg(feature = "flex")]
        DeviceType::Flex,
        #[cfg(feature = "ndarray")]
        DeviceType::NdArray,
    ]);
    own.iter().any(|own| own == device)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_data::normal;

    #[test]
    fn a_map_wider_than_a_block_comes_back_with_its_moments() {
        let device = Device::flex();
        let map = Linear::new(normal(3, 150, 1).into_vec(), 3, Some(vec![0.5; 150])).unwrap();
        let mut p = Parameters::new(&map, None, &device);
        assert_eq!(p.linear().unwrap(), map);
        assert!(p.moments().is_none());
        let (x, g) = (
            tensor(normal(4, 3, 2).into_vec(), 3, &device),
            tensor(normal(4, 150, 3).into_vec(), 150, &device),
        );
        let adamw = AdamW::new(0.0, &device);
        p.step(&adamw, 0.1, &x, &g).unwrap();
        let mut again = Parameters::new(&p.linear().unwrap(), p.moments().as_ref(), &device);
        p.step(&adamw, 0.1, &x, &g).unwrap();
        again.step(&adamw, 0.1, &x, &g).unwrap();
        assert_eq!(p.linear().unwrap(), again.linear().unwrap());
        assert_eq!(again.moments().unwrap().steps, 2);
    }

    #[test]
    fn the_gradient_length_is_that_of_the_whole_gradient() {
        let device = Device::flex();
        let (x, g) =
            (tensor(normal(4, 3, 2).into_vec(), 3, &device), tensor(normal(4, 5, 3).into_vec(), 5, &device));
        let of_weight: f32 = x.clone().transpose().matmul(g.clone()).square().sum().into_scalar();
        let of_bias: f32 = g.clone().sum_dim(0).square().sum().into_scalar();
        assert!((gradient_length(&x, &g, false) - f64::from(of_weight).sqrt()).abs() < 1e-4);
        assert!((gradient_length(&x, &g, true) - f64::from(of_weight + of_bias).sqrt()).abs() < 1e-4);
    }
}
