use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::Fields;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A Parquet file whose footer has been read.
pub(crate) struct Opened {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl Opened {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let builder = contained(path, || {
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(path, &e.to_string()))
        })?;
        Ok(Self { path: path.into(), builder })
    }

    /// The columns at the top level.
    pub(crate) fn fields(&self) -> Fields {
        self.builder.schema().fields().clone()
    }

    /// The number of rows the footer says there are.
    pub(crate) fn rows(&self) -> usize {
        let rows = self.builder.metadata().file_metadata().num_rows();
        usize::try_from(rows).unwrap_or(0)
    }

    /// The columns at `places`, at most `most` rows at a time, from row `first` to the last.
    pub(crate) fn batches(self, places: &[usize], most: usize, first: usize) -> Result<Batches> {
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), places.iter().copied());
        let builder = self.builder.with_projection(mask).with_batch_size(most).with_offset(first);
        let path = self.path;
        let reader = contained(&path, || builder.build().map_err(|e| damaged(&path, &e.to_string())))?;
        Ok(Batches { path, reader })
    }
}

/// Rows of some columns, batch by batch.
pub(crate) struct Batches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
}

impl Batches {
    /// The next rows, none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let (path, reader) = (&self.path, &mut self.reader);
        contained(path, || reader.next().transpose().map_err(|e| damaged(path, &e.to_string())))
    }
}

/// Runs `read`, and makes an error of a panic in the Parquet reader, which some damaged files cause.
fn contained<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    manyview_core::contained(read).unwrap_or_else(|| Err(damaged(path, "the reader gave up on it")))
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::file(path, format!("not a whole Parquet file: {problem}; make or fetch it again"))
}
