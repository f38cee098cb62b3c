use crate::{Error, Result};
use arrow_array::Array;
use arrow_schema::Fields;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A Parquet file whose footer has been read.
pub(crate) struct Opened {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl Opened {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(path, &e.to_string()))?;
        Ok(Self { path: path.into(), builder })
    }

    /// The columns at the top level.
    pub(crate) fn fields(&self) -> Fields {
        self.builder.schema().fields().clone()
    }

    /// Gives each part of the columns at `places` to `take`, with its place, from the first row to the last.
    pub(crate) fn read(
        self,
        places: &[usize],
        mut take: impl FnMut(usize, &dyn Array) -> Result<()>,
    ) -> Result<()> {
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), places.iter().copied());
        let names: Vec<String> = self.fields().iter().map(|f| f.name().clone()).collect();
        let wrong = |e: String| damaged(&self.path, &e);
        let reader = self.builder.with_projection(mask).build().map_err(|e| wrong(e.to_string()))?;
        for batch in reader {
            let batch = batch.map_err(|e| wrong(e.to_string()))?;
            for &place in places {
                if let Some(array) = batch.column_by_name(&names[place]) {
                    take(place, array.as_ref())?;
                }
            }
        }
        Ok(())
    }
}

/// Runs `read`, and makes an error of a panic in the Parquet reader, which some damaged files cause.
pub(crate) fn contained<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(path, "the reader gave up on it")))
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::file(path, format!("not a whole Parquet file: {problem}; make or fetch it again"))
}
