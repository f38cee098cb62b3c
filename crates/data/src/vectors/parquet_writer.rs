use crate::{Error, Result};
use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use manyview_core::Embeddings;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands beside each vector in a file of a [`ParquetWriter`]; every chunk has the same of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The source row of each vector, `[n]`: column `row`.
    pub rows: &'a [u64],
    /// A name for each vector, `[n]`: column `id`.
    pub ids: Option<&'a [String]>,
    /// Whether the end of its text was cut, `[n]`: column `truncated`.
    pub truncated: Option<&'a [bool]>,
}

/// A `.parquet` file that grows by row groups: `row`, `id` and `truncated` where they are known, and `vector`, a list of
/// `dim` floats. It cannot be read before [`ParquetWriter::finish`] has been called.
///
/// Each chunk is written as a small Parquet file of its own, one after the other; the footer at the end finds the row
/// groups in them. So a file that was left can be gone on with after any chunk: [`ParquetWriter::go_on`].
#[derive(Debug)]
pub struct ParquetWriter {
    path: PathBuf,
    file: File,
    dim: usize,
    lengths: Vec<u64>,
    footers: Vec<ParquetMetaData>,
}

impl ParquetWriter {
    /// Begins a file of vectors of length `dim` in place of what may be there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, dim: usize) -> Result<Self> {
        let file = File::create(path).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, dim, lengths: Vec::new(), footers: Vec::new() })
    }

    /// Opens a file that was begun with the same `dim`, and keeps the chunks whose lengths, in bytes, are `lengths`.
    ///
    /// # Errors
    /// A file that cannot be written, [`Error::File`] for one that holds something else.
    pub fn go_on(path: &Path, dim: usize, lengths: &[u64]) -> Result<Self> {
        let mut file = File::options().read(true).write(true).open(path).map_err(Error::io(path))?;
        let (mut footers, mut end) = (Vec::new(), 0);
        for length in lengths {
            end += length;
            footers.push(footer(&mut file, *length, end).ok_or_else(|| {
                Error::file(
                    path,
                    format!("expected a row group that ends at byte {end}, found none; delete it"),
                )
            })?);
        }
        file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, dim, lengths: lengths.into(), footers })
    }

    /// Adds the rows of `x`, `[n, dim]`, as one row group.
    ///
    /// # Errors
    /// Another `dim`, columns of another length, a file that cannot be written.
    pub fn append(&mut self, x: &Embeddings, beside: Beside<'_>) -> Result<()> {
        let bytes = encoded(x, self.dim, beside).map_err(|e| self.unwritable(&e.to_string()))?;
        let footer = footer(&mut Cursor::new(&bytes), bytes.len() as u64, bytes.len() as u64);
        let footer = footer.ok_or_else(|| self.unwritable("it would have no footer"))?;
        self.file.write_all(&bytes).map_err(Error::io(&self.path))?;
        self.lengths.push(bytes.len() as u64);
        self.footers.push(footer);
        Ok(())
    }

    /// The length of each chunk so far, in bytes.
    pub fn lengths(&self) -> &[u64] {
        &self.lengths
    }

    /// Waits until all rows so far are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))
    }

    /// Writes the footer, and waits until all is on the disk.
    ///
    /// # Errors
    /// A file without a row, what the system says.
    pub fn finish(mut self) -> Result<()> {
        let bytes = whole(&self.lengths, &self.footers).map_err(|e| self.unwritable(&e.to_string()))?;
        self.file.write_all(&bytes).and_then(|()| self.file.sync_all()).map_err(Error::io(&self.path))
    }

    fn unwritable(&self, problem: &str) -> Error {
        Error::file(&self.path, format!("cannot be written as Parquet: {problem}"))
    }
}

/// A whole Parquet file of one row group.
fn encoded(x: &Embeddings, dim: usize, beside: Beside<'_>) -> Result<Vec<u8>, ParquetError> {
    let length = i32::try_from(dim).map_err(|e| ParquetError::External(Box::new(e)))?;
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Arc::new(Float32Array::from_iter_values(x.as_slice().iter().copied()));
    let rows = beside.rows.iter().map(|&row| i64::try_from(row));
    let rows = rows.collect::<Result<Vec<_>, _>>().map_err(|e| ParquetError::External(Box::new(e)))?;
    let mut columns: Vec<(&str, ArrayRef)> = vec![("row", Arc::new(Int64Array::from(rows)))];
    if let Some(ids) = beside.ids {
        columns.push(("id", Arc::new(StringArray::from_iter_values(ids))));
    }
    if let Some(truncated) = beside.truncated {
        columns.push(("truncated", Arc::new(BooleanArray::from(truncated.to_vec()))));
    }
    columns.push(("vector", Arc::new(FixedSizeListArray::try_new(item, length, values, None)?)));
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), false);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema, arrays).map_err(|e: ArrowError| ParquetError::from(e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(None)
        .build();
    let mut bytes = Vec::with_capacity(x.as_slice().len() * 4 + x.n() * 32 + 4096);
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

/// The footer of the chunk of `length` bytes that ends at byte `end`, if it is one.
fn footer(file: &mut (impl Read + Seek), length: u64, end: u64) -> Option<ParquetMetaData> {
    const TAIL: u64 = 8; // the length of the footer, and `PAR1`
    let mut tail = [0; TAIL as usize];
    file.seek(SeekFrom::Start(end.checked_sub(TAIL)?)).ok()?;
    file.read_exact(&mut tail).ok()?;
    let (size, magic) = tail.split_first_chunk::<4>()?;
    let size = u64::from(u32::from_le_bytes(*size));
    if magic != b"PAR1" || size + TAIL > length {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    file.seek(SeekFrom::Start(end - TAIL - size)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    ParquetMetaDataReader::decode_metadata(&bytes).ok()
}

/// The footer of a file of chunks of these lengths, each a file with a footer of its own.
fn whole(lengths: &[u64], footers: &[ParquetMetaData]) -> Result<Vec<u8>, ParquetError> {
    let first = footers.first().ok_or_else(|| ParquetError::General("it would have no row".into()))?;
    let (mut groups, mut start, mut rows) = (Vec::new(), 0, 0);
    for (length, footer) in lengths.iter().zip(footers) {
        for group in footer.row_groups() {
            rows += group.num_rows();
            groups.push(moved(group, start, groups.len())?);
        }
        start += i64::try_from(*length).map_err(|e| ParquetError::External(Box::new(e)))?;
    }
    let of = first.file_metadata();
    let file = FileMetaData::new(
        of.version(),
        rows,
        of.created_by().map(String::from),
        of.key_value_metadata().cloned(),
        of.schema_descr_ptr(),
        of.column_orders().cloned(),
    );
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &ParquetMetaData::new(file, groups)).finish()?;
    Ok(bytes)
}

/// A row group that stands `by` bytes further on.
fn moved(group: &RowGroupMetaData, by: i64, place: usize) -> Result<RowGroupMetaData, ParquetError> {
    let column = |column: &ColumnChunkMetaData| {
        let column = column.clone();
        let (data, index) = (column.data_page_offset() + by, column.offset_index_offset().map(|at| at + by));
        column.into_builder().set_data_page_offset(data).set_offset_index_offset(index).build()
    };
    let columns = group.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let mut builder = group.clone().into_builder().set_column_metadata(columns);
    if let Some(at) = group.file_offset() {
        builder = builder.set_file_offset(at + by);
    }
    if let Ok(place) = i32::try_from(place) {
        builder = builder.set_ordinal(place);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Table, VectorRows, read_vectors};

    fn x(rows: std::ops::Range<u8>) -> Embeddings {
        Embeddings::from_rows(rows.map(|i| [f32::from(i), 0.5, -1.0])).unwrap()
    }

    fn append(writer: &mut ParquetWriter, rows: std::ops::Range<u8>) {
        let numbers: Vec<u64> = rows.clone().map(u64::from).collect();
        let ids: Vec<String> = rows.clone().map(|i| format!("é{i}")).collect();
        let truncated: Vec<bool> = rows.clone().map(|i| i % 3 == 0).collect();
        let beside = Beside { rows: &numbers, ids: Some(&ids), truncated: Some(&truncated) };
        writer.append(&x(rows), beside).unwrap();
    }

    #[test]
    fn row_groups_are_read_back_as_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let mut writer = ParquetWriter::create(&path, 3).unwrap();
        for rows in [0..50, 50..51, 51..200] {
            append(&mut writer, rows);
        }
        writer.finish().unwrap();
        assert_eq!(read_vectors(&path, "vector").unwrap(), x(0..200));
        let rows = VectorRows::open(&path, "vector", 7).unwrap();
        assert_eq!(rows.n(), 200);
        let from: Vec<f32> = rows.starting_at(49).unwrap().flat_map(|x| x.unwrap().into_vec()).collect();
        assert_eq!(from, x(49..200).into_vec());
        let table = Table::read_all(&[path], &["row", "id", "truncated"]).unwrap();
        assert_eq!(table.column("row").unwrap()[199], Some("199".into()));
        assert_eq!(table.column("id").unwrap()[50], Some("é50".into()));
        assert_eq!(table.column("truncated").unwrap()[51], Some("true".into()));
    }

    #[test]
    fn a_file_that_was_left_is_gone_on_with_to_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (whole, left) = (dir.path().join("whole.parquet"), dir.path().join("left.parquet"));
        let mut writer = ParquetWriter::create(&whole, 3).unwrap();
        (0..5).for_each(|i| append(&mut writer, i * 10..i * 10 + 10));
        writer.finish().unwrap();
        let mut writer = ParquetWriter::create(&left, 3).unwrap();
        (0..2).for_each(|i| append(&mut writer, i * 10..i * 10 + 10));
        let lengths = writer.lengths().to_vec();
        append(&mut writer, 200..203);
        writer.finish().unwrap();
        let mut writer = ParquetWriter::go_on(&left, 3, &lengths).unwrap();
        (2..5).for_each(|i| append(&mut writer, i * 10..i * 10 + 10));
        writer.finish().unwrap();
        assert!(std::fs::read(&left).unwrap() == std::fs::read(&whole).unwrap());
    }

    #[test]
    fn a_file_of_other_chunks_is_not_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let mut writer = ParquetWriter::create(&path, 3).unwrap();
        append(&mut writer, 0..9);
        let length = writer.lengths()[0];
        for lengths in [vec![length - 1], vec![length, length], vec![3], vec![length + 5]] {
            let e = ParquetWriter::go_on(&path, 3, &lengths).unwrap_err().to_string();
            assert!(e.contains("x.parquet") && e.contains("row group"), "{e}");
        }
        assert!(writer.finish().is_ok());
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let mut writer = ParquetWriter::create(&path, 3).unwrap();
        let e = writer.append(&x(0..2), Beside { rows: &[1], ..Beside::default() }).unwrap_err();
        assert!(e.to_string().contains("x.parquet"), "{e}");
        assert!(ParquetWriter::create(&path, 4).unwrap().append(&x(0..2), Beside::default()).is_err());
        assert!(writer.finish().is_err());
    }
}
