use super::lists::Lists;
use super::npy::Npy;
use super::npz;
use crate::kind::check_path;
use crate::{Error, Result};
use manyview_core::Embeddings;
use std::path::{Path, PathBuf};

/// The vectors in a file, [`Embeddings`] of `chunk` rows at a time, so that memory does not grow with the file.
///
/// Put together they are what [`read_vectors`](crate::read_vectors) reads. After an error there is nothing more.
///
/// ```
/// # use manyview_core::Embeddings;
/// # use manyview_data::{VectorRows, write_npy};
/// # let path = std::env::temp_dir().join(format!("vectors-{}.npy", std::process::id()));
/// write_npy(&path, &Embeddings::new(vec![1.0, 0.0, 0.6, 0.8, 0.0, 1.0], 2)?)?; // [3, 2]
/// let mut rows = VectorRows::open(&path, "", 2)?;
/// assert_eq!(rows.n(), 3);
/// assert_eq!(rows.next().transpose()?.map(|x| x.n()), Some(2));
/// assert_eq!(rows.next().transpose()?.map(|x| x.n()), Some(1));
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), manyview_data::Error>(())
/// ```
pub struct VectorRows {
    path: PathBuf,
    column: String,
    source: Source,
    chunk: usize,
    row: usize,
    over: bool,
}

enum Source {
    Npy(Npy),
    Lists(Lists),
}

impl VectorRows {
    /// Opens a `.npy`, `.npz` or `.parquet` file that [`read_vectors`](crate::read_vectors) takes. A `chunk` of 0 is one of 1.
    ///
    /// # Errors
    /// As [`read_vectors`](crate::read_vectors); what is wrong further down is told when it is reached.
    pub fn open(path: &Path, column: &str, chunk: usize) -> Result<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
        check_path(path)?;
        let source = match extension.as_str() {
            "npy" => Source::Npy(Npy::open(path)?),
            "npz" => Source::Npy(npz::open(path, column)?),
            "parquet" => Source::Lists(Lists::open(path, column, 0)?),
            _ => return Err(Error::file(path, "expected a name that ends in .npy, .npz or .parquet")),
        };
        let (path, column) = (path.into(), column.into());
        Ok(Self { path, column, source, chunk: chunk.max(1), row: 0, over: false })
    }

    /// The number of rows in the file.
    pub fn n(&self) -> usize {
        match &self.source {
            Source::Npy(npy) => npy.n,
            Source::Lists(lists) => lists.n,
        }
    }

    /// The same file from row `first` on. Errors name rows of the file, as before.
    ///
    /// # Errors
    /// As [`VectorRows::open`].
    pub fn starting_at(mut self, first: usize) -> Result<Self> {
        if let Source::Lists(lists) = &mut self.source {
            *lists = Lists::open(&self.path, &self.column, first)?;
        }
        Ok(Self { row: first, ..self })
    }

    fn read(&mut self) -> Result<Option<Embeddings>> {
        let read = match &mut self.source {
            Source::Npy(npy) if npy.dim == 0 || self.row >= npy.n => None,
            Source::Npy(npy) => Some((npy.rows(self.row, self.chunk.min(npy.n - self.row))?, npy.dim)),
            Source::Lists(lists) => lists.rows(self.chunk)?,
        };
        let Some((values, dim)) = read else { return Ok(None) };
        let x = Embeddings::new(values, dim).map_err(|source| {
            let source = match source {
                manyview_core::Error::NonFinite { what, row } => {
                    manyview_core::Error::NonFinite { what, row: row + self.row }
                }
                other => other,
            };
            Error::Vectors { path: self.path.clone(), source }
        })?;
        self.row += x.n();
        Ok(Some(x))
    }
}

impl Iterator for VectorRows {
    type Item = Result<Embeddings>;

    fn next(&mut self) -> Option<Result<Embeddings>> {
        if self.over {
            return None;
        }
        let read = self.read();
        self.over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
