use crate::parquet_file::{self, Opened};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use manyview_core::Embeddings;
use ndarray::{Array2, ArrayView2};
use ndarray_npy::{ReadNpyError, ReadNpyExt, WriteNpyError, WriteNpyExt};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// Reads vectors made elsewhere, `[n, dim]`: a two-dimensional `.npy` array of float32 or float64, in C or Fortran
/// order, or the `column` of lists of floats in a `.parquet` file. `column` is not looked at for `.npy`.
///
/// # Errors
/// [`Error::File`] for another format, type or number of dimensions, [`Error::Column`], and [`Error::Vectors`] naming the
/// row of a NaN, an infinity, a missing vector or one of another length.
pub fn read_vectors(path: &Path, column: &str) -> Result<Embeddings> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let embeddings = match extension.as_str() {
        "npy" => {
            let array = read_npy(path)?;
            let dim = array.ncols();
            Embeddings::new(array.iter().copied().collect(), dim)
        }
        "parquet" => Embeddings::from_rows(parquet_file::contained(path, || read_lists(path, column))?),
        _ => return Err(Error::file(path, "expected a name that ends in .npy or .parquet")),
    };
    embeddings.map_err(|source| Error::Vectors { path: path.into(), source })
}

/// Writes `x`, `[n, dim]`, as float32 in C order. The file is there whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write_npy(path: &Path, x: &Embeddings) -> Result<()> {
    let view = ArrayView2::from_shape((x.n(), x.dim()), x.as_slice())
        .map_err(|e| Error::file(path, e.to_string()))?;
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = Path::new(&part);
    let write = || -> std::io::Result<()> {
        let mut to = BufWriter::new(File::create(part)?);
        view.write_npy(&mut to).map_err(|e| match e {
            WriteNpyError::Io(e) => e,
            e => std::io::Error::other(e),
        })?;
        to.flush()?;
        to.get_ref().sync_all()?;
        std::fs::rename(part, path)
    };
    write().map_err(|e| {
        // Nothing more can be done about a part that cannot be removed: the first error is the one to tell.
        let _ = std::fs::remove_file(part);
        Error::io(path)(e)
    })
}

fn read_npy(path: &Path) -> Result<Array2<f32>> {
    let open = || File::open(path).map(BufReader::new).map_err(Error::io(path));
    match Array2::<f32>::read_npy(open()?) {
        Err(ReadNpyError::WrongDescriptor(_)) => {
            let array = Array2::<f64>::read_npy(open()?).map_err(|e| unreadable(path, e))?;
            Ok(array.mapv(|v| v as f32))
        }
        read => read.map_err(|e| unreadable(path, e)),
    }
}

fn unreadable(path: &Path, e: ReadNpyError) -> Error {
    match e {
        ReadNpyError::Io(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => Error::io(path)(e),
        ReadNpyError::WrongDescriptor(found) => Error::file(
            path,
            format!("expected float32 or float64, found {found}; save `x.astype(\"float32\")`"),
        ),
        ReadNpyError::WrongNdim(_, found) => {
            Error::file(path, format!("expected two dimensions, one row a text, found {found}"))
        }
        e => Error::file(path, format!("not a whole .npy file: {e}; save it again")),
    }
}

fn read_lists(path: &Path, column: &str) -> Result<Vec<Vec<f32>>> {
    let opened = Opened::open(path)?;
    let names: Vec<String> = opened.fields().iter().map(|f| f.name().clone()).collect();
    let place = names.iter().position(|n| n == column);
    let place = place.ok_or_else(|| Error::column(path.display().to_string(), column, names))?;
    let mut rows = Vec::new();
    opened.read(&[place], |_, array| {
        for i in 0..array.len() {
            let row = rows.len();
            let list = list(array, i).ok_or_else(|| {
                let found = array.data_type();
                Error::file(path, format!("column `{column}`: expected lists of floats, found {found}"))
            })?;
            let missing =
                || Error::file(path, format!("column `{column}`, row {row}: expected a vector, found none"));
            let values = list.filter(|l| !l.is_empty()).ok_or_else(missing)?;
            rows.push(floats(&values).ok_or_else(|| {
                let problem =
                    format!("column `{column}`, row {row}: expected floats, found null or another type");
                Error::file(path, problem)
            })?);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// The list at `i`, or its absence; nothing when `array` holds no lists.
fn list(array: &dyn Array, i: usize) -> Option<Option<ArrayRef>> {
    let there = !array.is_null(i);
    match array.data_type() {
        DataType::List(_) => Some(there.then(|| array.as_list::<i32>().value(i))),
        DataType::LargeList(_) => Some(there.then(|| array.as_list::<i64>().value(i))),
        DataType::FixedSizeList(..) => Some(there.then(|| array.as_fixed_size_list().value(i))),
        _ => None,
    }
}

fn floats(values: &ArrayRef) -> Option<Vec<f32>> {
    if values.null_count() > 0 {
        return None;
    }
    match values.data_type() {
        DataType::Float16 => {
            Some(values.as_primitive::<Float16Type>().values().iter().map(|v| v.to_f32()).collect())
        }
        DataType::Float32 => Some(values.as_primitive::<Float32Type>().values().to_vec()),
        DataType::Float64 => {
            Some(values.as_primitive::<Float64Type>().values().iter().map(|&v| v as f32).collect())
        }
        _ => None,
    }
}
