use crate::parquet_pages::Groups;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::Fields;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, RowGroups, RowSelection, RowSelector,
};
use parquet::arrow::parquet_to_arrow_field_levels;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A Parquet file whose footer has been read.
pub(crate) struct Opened {
    path: PathBuf,
    footer: ArrowReaderMetadata,
    groups: Groups,
}

impl Opened {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let read = || {
            let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())?;
            let groups = Groups::new(file, footer.metadata().clone())?;
            Ok(Self { path: path.into(), footer, groups })
        };
        contained(path, read)
    }

    /// The columns at the top level.
    pub(crate) fn fields(&self) -> Fields {
        self.footer.schema().fields().clone()
    }

    /// The columns at the top level, and what else the file says of itself.
    pub(crate) fn schema(&self) -> arrow_schema::SchemaRef {
        self.footer.schema().clone()
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.groups.num_rows()
    }

    /// The columns at `places`, at most `most` rows at a time, from row `first` to the last.
    pub(crate) fn batches(self, places: &[usize], most: usize, first: usize) -> Result<Batches> {
        let (n, first) = (self.rows(), first.min(self.rows()));
        let build = || {
            let schema = self.footer.parquet_schema();
            let mask = ProjectionMask::roots(schema, places.iter().copied());
            let fields = parquet_to_arrow_field_levels(schema, mask, Some(self.footer.schema().fields()))?;
            let rows = vec![RowSelector::skip(first), RowSelector::select(n - first)];
            let rows = (first > 0).then(|| RowSelection::from(rows));
            ParquetRecordBatchReader::try_new_with_row_groups(&fields, &self.groups, most, rows)
        };
        let reader = contained(&self.path, build)?;
        Ok(Batches { path: self.path, reader, left: n - first })
    }
}

/// Rows of some columns, batch by batch.
pub(crate) struct Batches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// Rows to come.
    left: usize,
}

impl Batches {
    /// The next rows, none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = contained(&self.path, || Ok(self.reader.next().transpose()?))?;
        let left = self.left.checked_sub(batch.as_ref().map_or(self.left, RecordBatch::num_rows));
        if batch.is_none() && self.left > 0 || left.is_none() {
            return Err(damaged(&self.path, "it holds more or fewer rows than it says"));
        }
        self.left = left.unwrap_or(0);
        Ok(batch)
    }
}

/// Runs `read`, and makes an error of a panic in the Parquet reader, which some damaged files cause.
fn contained<T>(path: &Path, read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    let done = manyview_core::contained(read).ok_or_else(|| damaged(path, "the reader gave up on it"))?;
    done.map_err(|e| damaged(path, &e.to_string()))
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::file(path, format!("not a whole Parquet file: {problem}; make or fetch it again"))
}
