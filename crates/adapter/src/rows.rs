//! Rows of embeddings on a device.
use burn::tensor::{Device, Int, Tensor, TensorData};
use manyview_core::Embeddings;

/// All rows of `x`, `[n, dim]`.
pub(crate) fn on_device(x: &Embeddings, device: &Device) -> Tensor<2> {
    tensor(x.as_slice().to_vec(), x.dim(), device)
}

/// A row-major slice of `dim` columns.
pub(crate) fn tensor(values: Vec<f32>, dim: usize, device: &Device) -> Tensor<2> {
    let rows = values.len() / dim;
    Tensor::from_data(TensorData::new(values, [rows, dim]), device)
}

/// The rows of `x` at `rows`, in that order.
pub(crate) fn select(x: &Tensor<2>, rows: &[usize]) -> Tensor<2> {
    x.clone().select(0, indices(rows, &x.device()))
}

/// Row numbers on `device`.
pub(crate) fn indices(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    Tensor::from_data(TensorData::new(numbers, [rows.len()]), device)
}
