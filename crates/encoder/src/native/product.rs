use crate::{Error, Result};
use manyview_core::Kind;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::{Matrix, NdTensorView};

thread_local! {
    static PRODUCTS: GemmExecutor = GemmExecutor::new(); // it knows the best kernel of this CPU
}

/// A matrix of `rows` by `columns` whose rows start `stride` values apart.
pub(crate) fn matrix<T>(values: &[T], rows: usize, columns: usize, stride: usize) -> Result<Matrix<'_, T>> {
    NdTensorView::from_slice_with_strides([rows, columns], values, [stride, 1]).map_err(wrong)
}

/// A right-hand matrix packed once for many products: the transpose of `rows` (`[dim_out, dim_in]`).
pub(crate) fn packed(rows: &[f32], dim_in: usize) -> Result<PackedBMatrix<f32>> {
    let rows = matrix(rows, rows.len() / dim_in, dim_in, dim_in)?;
    Ok(PRODUCTS.with(|p| p.prepack_b(rows.transposed())))
}

/// The same of `rows` themselves (`[dim_in, dim_out]`).
#[cfg(feature = "train")]
pub(crate) fn packed_as_is(rows: &[f32], dim_out: usize) -> Result<PackedBMatrix<f32>> {
    let rows = matrix(rows, rows.len() / dim_out, dim_out, dim_out)?;
    Ok(PRODUCTS.with(|p| p.prepack_b(rows)))
}

/// `out = scale * a b`.
pub(crate) fn multiply(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, scale: f32) -> Result<()> {
    let options = GemmOptions { alpha: scale, ..GemmOptions::default() };
    let (a, b) = (GemmInputA::Unpacked(a), GemmInputB::Unpacked(b));
    PRODUCTS.with(|p| p.gemm(out, a, b, options)).map_err(wrong)
}

/// Adds `a b` to `out`.
#[cfg(feature = "train")]
pub(crate) fn add(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>) -> Result<()> {
    let options = GemmOptions { beta: 1.0, ..GemmOptions::default() };
    let (a, b) = (GemmInputA::Unpacked(a), GemmInputB::Unpacked(b));
    PRODUCTS.with(|p| p.gemm(out, a, b, options)).map_err(wrong)
}

/// Adds `a b` to `out`, whose right-hand side is packed.
pub(crate) fn add_packed(out: &mut [f32], a: Matrix<'_>, b: &PackedBMatrix<f32>) -> Result<()> {
    let options = GemmOptions { beta: 1.0, ..GemmOptions::default() };
    let (a, b) = (GemmInputA::Unpacked(a), GemmInputB::Packed(b));
    PRODUCTS.with(|p| p.gemm(out, a, b, options)).map_err(wrong)
}

pub(crate) fn wrong(e: impl std::fmt::Display) -> Error {
    manyview_core::Error::other(Kind::Internal, format!("a matrix product: {e}")).into()
}
