use crate::page_runs::{self, Run};
use crate::text_hash::TextHash;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, Float32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use manyview_core::Encoded;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

/// The rows of one part, checked.
pub(crate) struct Part {
    batches: Vec<RecordBatch>,
    runs: Vec<Run>,
}

/// What became of opening a part.
pub(crate) enum Opened {
    Whole(Part),
    Damaged(String),
    /// Another process took it away.
    Gone,
}

impl Part {
    /// Reads the part at `path` and checks it: its name against its content, its columns, the length of its vectors
    /// where `dim` says it, and that every number is finite.
    pub(crate) fn open(path: &Path, dim: Option<usize>) -> Result<Opened> {
        let metadata = match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
            metadata => metadata.map_err(Error::io(path))?,
        };
        if !metadata.is_file() {
            return Ok(Opened::Damaged("expected a file, found something else".into()));
        }
        let mut file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
            file => file.map_err(Error::io(path))?,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file).map_err(Error::io(path))?;
        let expected = name_of(&hasher.finalize());
        if path.file_name().is_none_or(|name| name != expected.as_str()) {
            return Ok(Opened::Damaged(format!("the content does not fit the name, it would be {expected}")));
        }
        file.rewind().map_err(Error::io(path))?;
        Ok(contained(|| decode(file, metadata.len(), dim)).map_or_else(Opened::Damaged, Opened::Whole))
    }

    /// Where its vectors stand in the file.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The length of its vectors; none where it has no rows.
    pub(crate) fn dim(&self) -> Option<usize> {
        Some(Columns::of(self.batches.first()?).ok()?.dim)
    }

    /// Every row: the hash of the text, its vector, the norm it had, and whether the text was cut.
    pub(crate) fn for_each(&self, mut row: impl FnMut(&TextHash, &[f32], f32, bool)) {
        for columns in self.batches.iter().filter_map(|batch| Columns::of(batch).ok()) {
            let hashes = columns.text.iter().flatten().filter_map(|hash| hash.try_into().ok());
            let vectors = columns.values.values().chunks_exact(columns.dim);
            let norms = columns.norm.values().iter();
            for (((hash, vector), &norm), cut) in hashes.zip(vectors).zip(norms).zip(columns.truncated) {
                row(hash, vector, norm, cut == Some(true));
            }
        }
    }
}

/// The name and the bytes of the part that holds `encoded`, whose row `i` belongs to the text of `hashes[i]`.
pub(crate) fn write(hashes: &[TextHash], encoded: &Encoded) -> Result<(String, Vec<u8>), ParquetError> {
    let bytes = write_as(Compression::UNCOMPRESSED, hashes, encoded)?;
    Ok((name_of(&blake3::hash(&bytes)), bytes))
}

fn write_as(
    compression: Compression,
    hashes: &[TextHash],
    encoded: &Encoded,
) -> Result<Vec<u8>, ParquetError> {
    let dim = i32::try_from(encoded.vectors.dim()).map_err(|e| ParquetError::External(Box::new(e)))?;
    let values = Arc::new(Float32Array::from_iter_values(encoded.vectors.as_slice().iter().copied()));
    let batch = RecordBatch::try_new(
        schema(dim),
        vec![
            Arc::new(FixedSizeBinaryArray::try_from_iter(hashes.iter())?),
            Arc::new(FixedSizeListArray::try_new(number(), dim, values, None)?),
            Arc::new(Float32Array::from_iter_values(encoded.norms.iter().copied())),
            Arc::new(BooleanArray::from(encoded.truncated.clone())),
        ],
    )?;
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_encoding(Encoding::PLAIN)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// The number of rows a part says it has, without reading them.
pub(crate) fn count(path: &Path) -> Result<usize, String> {
    contained(|| {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let reader = SerializedFileReader::new(file).map_err(|e| e.to_string())?;
        usize::try_from(reader.metadata().file_metadata().num_rows()).map_err(|e| e.to_string())
    })
}

/// Whether `name` is that of a part.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".parquet")
}

pub(crate) fn name_of(hash: &blake3::Hash) -> String {
    format!("part-{}.parquet", hash.to_hex().as_str().get(..32).unwrap_or_default())
}

fn number() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, false))
}

fn schema(dim: i32) -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("text_hash", DataType::FixedSizeBinary(32), false),
        Field::new("vector", DataType::FixedSizeList(number(), dim), false),
        Field::new("norm", DataType::Float32, false),
        Field::new("truncated", DataType::Boolean, false),
    ]))
}

/// Runs a reader of untrusted bytes; its panic is one more way to be damaged.
fn contained<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    manyview_core::contained(read).unwrap_or_else(|| Err("the Parquet reader gave up on it".into()))
}

fn decode(file: File, bytes: u64, dim: Option<usize>) -> Result<Part, String> {
    let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(|e| e.to_string())?;
    let found = match reader.schema().field_with_name("vector").map(Field::data_type) {
        Ok(&DataType::FixedSizeList(_, found)) => found,
        _ => return Err("expected a column `vector` of fixed-size lists".into()),
    };
    if reader.schema().fields() != schema(found).fields() {
        return Err(format!("expected the columns of a part, found {:?}", reader.schema()));
    }
    let width = u64::try_from(found).ok().filter(|&width| width > 0);
    let Some(width) = width.filter(|&w| dim.is_none_or(|dim| dim as u64 == w)) else {
        return Err(format!("expected vectors of length {}, found {found}", dim.unwrap_or(1)));
    };
    // What is stored plainly cannot hold more than its bytes: nothing may swell while it is read.
    let groups = || reader.metadata().row_groups().iter();
    if groups().flat_map(|group| group.columns()).any(|c| c.compression() != Compression::UNCOMPRESSED) {
        return Err("expected columns that are not compressed".into());
    }
    let sum = |sum: u64, group: &RowGroupMetaData| {
        sum.saturating_add(group.num_rows().try_into().unwrap_or(u64::MAX))
    };
    let rows = groups().fold(0, sum);
    let said = reader.metadata().file_metadata().num_rows();
    if u64::try_from(said) != Ok(rows) {
        return Err(format!("expected {said} rows, as it says at its end, found {rows}"));
    }
    if rows.saturating_mul(width).saturating_mul(4) > bytes {
        return Err(format!("{rows} rows of {width} numbers do not fit into its {bytes} bytes"));
    }
    let runs = page_runs::of(reader.metadata(), width);
    let batches: Vec<_> = reader
        .build()
        .and_then(|batches| batches.collect::<Result<_, _>>().map_err(ParquetError::from))
        .map_err(|e| e.to_string())?;
    for batch in &batches {
        let columns = Columns::of(batch)?;
        let finite = |x: &Float32Array| x.values().iter().all(|v| v.is_finite());
        if !(finite(columns.values) && finite(columns.norm)) {
            return Err("expected finite numbers, found NaN or infinity".into());
        }
    }
    Ok(Part { batches, runs })
}

/// The columns of a batch, all of the same length and without nulls.
struct Columns<'a> {
    text: &'a FixedSizeBinaryArray,
    values: &'a Float32Array,
    dim: usize,
    norm: &'a Float32Array,
    truncated: &'a BooleanArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        let columns = || {
            let lists = batch.column_by_name("vector")?.as_fixed_size_list_opt()?;
            let dim = usize::try_from(lists.value_length()).ok().filter(|&dim| dim > 0)?;
            Some(Self {
                text: batch.column_by_name("text_hash")?.as_fixed_size_binary_opt()?,
                values: lists.values().as_primitive_opt()?,
                dim,
                norm: batch.column_by_name("norm")?.as_primitive_opt()?,
                truncated: batch.column_by_name("truncated")?.as_boolean_opt()?,
            })
        };
        let columns = columns().ok_or("expected the columns of a part, found others")?;
        let nulls = batch.columns().iter().any(|column| column.null_count() > 0);
        if nulls || columns.values.null_count() > 0 {
            return Err("expected a value in every column, found none".into());
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Embeddings;
    use proptest::prelude::*;
    use proptest::sample::Index;

    /// Three rows of two numbers.
    fn sample() -> (Vec<TextHash>, Encoded) {
        let vectors = Embeddings::new(vec![1.0, 0.0, 0.6, -0.8, -0.0, 1e-40], 2).unwrap();
        let encoded = Encoded { vectors, norms: vec![1.0, 2.5, 3e9], truncated: vec![false, true, false] };
        (vec![[1; 32], [2; 32], [255; 32]], encoded)
    }

    /// Opens a part of these bytes under the name that fits them.
    fn open(bytes: &[u8], dim: Option<usize>) -> Result<Part, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name_of(&blake3::hash(bytes)));
        fs::write(&path, bytes).unwrap();
        match Part::open(&path, dim).unwrap() {
            Opened::Whole(part) => Ok(part),
            Opened::Damaged(problem) => Err(problem),
            Opened::Gone => Err("gone".into()),
        }
    }

    #[test]
    fn a_part_gives_back_every_bit() {
        let (hashes, encoded) = sample();
        let (name, bytes) = write(&hashes, &encoded).unwrap();
        assert_eq!(name, name_of(&blake3::hash(&bytes)));
        let mut rows = Vec::new();
        open(&bytes, Some(2)).unwrap().for_each(|hash, vector, norm, cut| {
            rows.push((*hash, vector.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), norm, cut));
        });
        let expected: Vec<_> = (0..3)
            .map(|i| {
                let bits = encoded.vectors.row(i).iter().map(|x| x.to_bits()).collect();
                (hashes[i], bits, encoded.norms[i], encoded.truncated[i])
            })
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_same_rows_make_the_same_part() {
        let (hashes, encoded) = sample();
        assert_eq!(write(&hashes, &encoded).unwrap(), write(&hashes, &encoded).unwrap());
    }

    #[test]
    fn numbers_that_are_not_finite_are_found() {
        let (hashes, encoded) = sample();
        let bad = Encoded { norms: vec![1.0, f32::NAN, 1.0], ..encoded };
        let problem = open(&write(&hashes, &bad).unwrap().1, None).err().unwrap();
        assert!(problem.contains("NaN"), "{problem}");
    }

    #[test]
    fn vectors_of_another_length_are_found() {
        let (hashes, encoded) = sample();
        let problem = open(&write(&hashes, &encoded).unwrap().1, Some(3)).err().unwrap();
        assert_eq!(problem, "expected vectors of length 3, found 2");
    }

    #[test]
    fn a_compressed_part_is_refused() {
        let (hashes, encoded) = sample();
        let bytes = write_as(Compression::SNAPPY, &hashes, &encoded).unwrap();
        let problem = open(&bytes, Some(2)).err().unwrap();
        assert_eq!(problem, "expected columns that are not compressed");
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_read_or_refused(at in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4)) {
            let (hashes, encoded) = sample();
            let mut bytes = write(&hashes, &encoded).unwrap().1;
            for (at, byte) in at {
                *at.get_mut(&mut bytes) = byte;
            }
            if let Ok(part) = open(&bytes, Some(2)) {
                part.for_each(|_, vector, norm, _| {
                    assert_eq!(vector.len(), 2);
                    assert!(vector.iter().chain([&norm]).all(|x| x.is_finite()));
                });
            }
        }
    }
}
