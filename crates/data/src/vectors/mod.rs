mod lists;
mod npy;
mod npy_writer;
mod npz;
mod parquet_writer;
mod rows;

pub use npy_writer::NpyWriter;
pub use parquet_writer::{Beside, ParquetWriter};
pub use rows::VectorRows;

use crate::{Error, Result};
use manyview_core::Embeddings;
use manyview_core::publish::write_whole_with;
use std::path::Path;

/// Reads vectors made elsewhere, `[n, dim]`: a two-dimensional `.npy` array of float16, float32 or float64, in C or
/// Fortran order, such an array in a `.npz` archive, or the `column` of lists of floats in a `.parquet` file. `column`
/// is not looked at for `.npy`, and names the array of a `.npz` that has several.
///
/// # Errors
/// [`Error::File`] for another format, type or number of dimensions, [`Error::Column`], and [`Error::Vectors`] naming the
/// row of a NaN, an infinity, a missing vector or one of another length.
pub fn read_vectors(path: &Path, column: &str) -> Result<Embeddings> {
    let nothing = || {
        let source = manyview_core::Error::Empty { what: "embeddings".into() };
        Error::Vectors { path: path.into(), source }
    };
    VectorRows::open(path, column, usize::MAX)?.next().unwrap_or_else(|| Err(nothing()))
}

/// Writes `x`, `[n, dim]`, as float32 in C order. The file is there whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write_npy(path: &Path, x: &Embeddings) -> Result<()> {
    write_whole_with(path, |hidden| {
        let mut writer = NpyWriter::create(hidden, x.dim())?;
        writer.append(x)?;
        writer.finish()
    })
}
