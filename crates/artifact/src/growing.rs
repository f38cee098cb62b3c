use super::ledger::Ledger;
use crate::Result;
use manyview_core::Embeddings;
use manyview_data::{Beside, CsvWriter, GrowingFile, NpyWriter, ParquetWriter};
use std::path::Path;

/// A file to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileSpec {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// A matrix with rows of this length.
    Npy(usize),
    /// The same, with what stands beside each row.
    Parquet(usize),
    /// What stands beside each row, under these names.
    Csv(&'static [&'static str]),
    /// Lines of JSON.
    Lines,
}

/// What is added to the files.
#[derive(Default)]
pub(crate) struct Chunk<'a> {
    /// Rows of each matrix, in the order of the files.
    pub(crate) matrices: Vec<&'a Embeddings>,
    pub(crate) beside: Beside<'a>,
    pub(crate) lines: &'a [u8],
}

/// A file that grows with each chunk, and can be left and gone on with.
pub(crate) enum Growing {
    Npy(NpyWriter),
    Parquet(ParquetWriter),
    Csv(CsvWriter),
    Lines(GrowingFile),
}

impl Growing {
    pub(crate) fn create(dir: &Path, spec: &FileSpec) -> Result<Self> {
        let path = dir.join(&spec.name);
        Ok(match spec.form {
            Form::Npy(dim) => Self::Npy(NpyWriter::create(&path, dim)?),
            Form::Parquet(dim) => Self::Parquet(ParquetWriter::create(&path, dim)?),
            Form::Csv(names) => Self::Csv(CsvWriter::create(&path, names)?),
            Form::Lines => Self::Lines(GrowingFile::create(&path)?),
        })
    }

    /// Opens the file at the place that `ledger` says is on the disk.
    pub(crate) fn go_on(dir: &Path, spec: &FileSpec, ledger: &Ledger) -> Result<Self> {
        let path = dir.join(&spec.name);
        let lengths = ledger.lengths.get(&spec.name).map_or(&[][..], Vec::as_slice);
        let length = lengths.iter().sum();
        Ok(match spec.form {
            Form::Npy(dim) => Self::Npy(NpyWriter::go_on(&path, dim, ledger.rows)?),
            Form::Parquet(dim) => Self::Parquet(ParquetWriter::go_on(&path, dim, lengths)?),
            Form::Csv(_) => Self::Csv(CsvWriter::go_on(&path, length)?),
            Form::Lines => Self::Lines(GrowingFile::go_on(&path, length)?),
        })
    }

    /// Adds rows of `chunk`, of which a matrix takes the next of its matrices; gives the lengths to go on from, in bytes.
    pub(crate) fn append<'a>(
        &mut self,
        chunk: &Chunk<'a>,
        matrices: &mut impl Iterator<Item = &'a Embeddings>,
    ) -> Result<Vec<u64>> {
        Ok(match self {
            Self::Npy(npy) => {
                matrices.next().map_or(Ok(()), |x| npy.append(x))?;
                Vec::new()
            }
            Self::Parquet(parquet) => {
                matrices.next().map_or(Ok(()), |x| parquet.append(x, chunk.beside))?;
                parquet.lengths().into()
            }
            Self::Csv(csv) => {
                let beside = chunk.beside;
                let row = |i: usize| {
                    let number = beside.rows.get(i).map(u64::to_string);
                    let id = beside.ids.map(|ids| ids.get(i).cloned().unwrap_or_default());
                    let truncated = beside.truncated.map(|cut| (cut.get(i) == Some(&true)).to_string());
                    [number, id, truncated].into_iter().flatten()
                };
                csv.append((0..beside.rows.len()).map(row))?;
                vec![csv.length()]
            }
            Self::Lines(file) => {
                file.append(chunk.lines)?;
                vec![file.length()]
            }
        })
    }

    /// Waits until all so far is on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        match self {
            Self::Npy(npy) => npy.sync()?,
            Self::Parquet(parquet) => parquet.sync()?,
            Self::Csv(csv) => csv.sync()?,
            Self::Lines(file) => file.sync()?,
        }
        Ok(())
    }

    /// Makes it whole, on the disk.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Npy(npy) => npy.finish()?,
            Self::Parquet(parquet) => parquet.finish()?,
            Self::Csv(csv) => csv.sync()?,
            Self::Lines(file) => file.sync()?,
        }
        Ok(())
    }
}
