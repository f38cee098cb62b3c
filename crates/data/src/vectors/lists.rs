use crate::parquet_file::{Batches, Opened};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use std::path::{Path, PathBuf};

/// The most rows read at once.
const BATCH: usize = 256;

/// A column of lists of floats in a Parquet file.
pub(super) struct Lists {
    path: PathBuf,
    column: String,
    batches: Option<Batches>,
    /// The number of rows in the file.
    pub(super) n: usize,
    row: usize,
    /// The length of every vector, once one has been read.
    dim: Option<usize>,
    waiting: Vec<f32>,
}

impl Lists {
    /// Opens the file at row `first`.
    pub(super) fn open(path: &Path, column: &str, first: usize) -> Result<Self> {
        let opened = Opened::open(path)?;
        let names: Vec<String> = opened.fields().iter().map(|f| f.name().clone()).collect();
        let place = names.iter().position(|n| n == column);
        let place = place.ok_or_else(|| Error::column(path.display().to_string(), column, names))?;
        let n = opened.rows();
        let batches = Some(opened.batches(&[place], BATCH, first)?);
        let (path, column) = (path.into(), column.into());
        Ok(Self { path, column, batches, n, row: first, dim: None, waiting: Vec::new() })
    }

    /// At most `most` rows, and their length; none at the end.
    pub(super) fn rows(&mut self, most: usize) -> Result<Option<(Vec<f32>, usize)>> {
        while self.dim.is_none_or(|dim| self.waiting.len() / dim < most) && self.fill()? {}
        let Some(dim) = self.dim.filter(|_| !self.waiting.is_empty()) else { return Ok(None) };
        let rest = self.waiting.split_off(self.waiting.len().min(most.saturating_mul(dim)));
        Ok(Some((std::mem::replace(&mut self.waiting, rest), dim)))
    }

    /// Reads some rows more; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        let Some(batches) = &mut self.batches else { return Ok(false) };
        let Some(batch) = batches.next()? else {
            self.batches = None;
            return Ok(false);
        };
        let array = batch.column(0);
        for i in 0..array.len() {
            let values = self.vector(array, i)?;
            let dim = *self.dim.get_or_insert(values.len());
            if values.len() != dim {
                let source = manyview_core::Error::Shape {
                    what: format!("row {} of embeddings", self.row),
                    expected: format!("{dim} values"),
                    found: format!("{} values", values.len()),
                };
                return Err(Error::Vectors { path: self.path.clone(), source });
            }
            self.waiting.extend(values);
            self.row += 1;
        }
        Ok(true)
    }

    fn vector(&self, array: &dyn Array, i: usize) -> Result<Vec<f32>> {
        let wrong = |problem: String| Error::file(&self.path, format!("column `{}`{problem}", self.column));
        let list = list(array, i)
            .ok_or_else(|| wrong(format!(": expected lists of floats, found {}", array.data_type())))?;
        let row = self.row;
        let values = list
            .filter(|l| !l.is_empty())
            .ok_or_else(|| wrong(format!(", row {row}: expected a vector, found none")))?;
        floats(&values)
            .ok_or_else(|| wrong(format!(", row {row}: expected floats, found null or another type")))
    }
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
