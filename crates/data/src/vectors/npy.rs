use crate::kind::foreign;
use crate::{Error, Result};
use half::f16;
use ndarray_npy::npy::header::{Header, Layout, ReadHeaderError};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A two-dimensional `.npy` array of floats, read a few rows at a time.
pub(super) struct Npy {
    path: PathBuf,
    file: File,
    pub(super) n: usize,
    pub(super) dim: usize,
    fortran: bool,
    float: Float,
    /// Where the values begin, in bytes.
    start: u64,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Float {
    F16 { big: bool },
    F32 { big: bool },
    F64 { big: bool },
}

impl Float {
    fn named(descriptor: &str) -> Option<Self> {
        Some(match descriptor {
            "<f2" | "=f2" => Self::F16 { big: false },
            ">f2" => Self::F16 { big: true },
            "<f4" | "=f4" => Self::F32 { big: false },
            ">f4" => Self::F32 { big: true },
            "<f8" | "=f8" => Self::F64 { big: false },
            ">f8" => Self::F64 { big: true },
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Self::F16 { .. } => 2,
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
        }
    }

    /// Adds the numbers in `bytes` to `values`.
    fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        let (twos, _) = bytes.as_chunks();
        let (fours, _) = bytes.as_chunks();
        let (eights, _) = bytes.as_chunks();
        match self {
            Self::F16 { big: false } => values.extend(twos.iter().map(|b| f16::from_le_bytes(*b).to_f32())),
            Self::F16 { big: true } => values.extend(twos.iter().map(|b| f16::from_be_bytes(*b).to_f32())),
            Self::F32 { big: false } => values.extend(fours.iter().map(|b| f32::from_le_bytes(*b))),
            Self::F32 { big: true } => values.extend(fours.iter().map(|b| f32::from_be_bytes(*b))),
            Self::F64 { big: false } => values.extend(eights.iter().map(|b| f64::from_le_bytes(*b) as f32)),
            Self::F64 { big: true } => values.extend(eights.iter().map(|b| f64::from_be_bytes(*b) as f32)),
        }
    }
}

impl Npy {
    /// Reads the header, and compares what it says with the length of the file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::of_file(path, File::open(path).map_err(Error::io(path))?)
    }

    /// The same of a file that is open; `path` is where it came from, for errors.
    pub(super) fn of_file(path: &Path, mut file: File) -> Result<Self> {
        file.rewind().map_err(Error::io(path))?;
        let mut reader = BufReader::new(file);
        let first = reader.fill_buf().map_err(Error::io(path))?;
        if let Some(problem) = foreign(first).filter(|_| !first.starts_with(b"\x93NUMPY")) {
            return Err(Error::file(path, problem));
        }
        let header = Header::from_reader(&mut reader).map_err(|e| match e {
            ReadHeaderError::Io(e) if e.kind() != ErrorKind::UnexpectedEof => Error::io(path)(e),
            e => damaged(path, &e.to_string()),
        })?;
        let descriptor = header.type_descriptor.to_string();
        let float = Float::named(descriptor.trim_matches('\'')).ok_or_else(|| {
            let problem = "expected float16, float32 or float64, found";
            Error::file(path, format!("{problem} {descriptor}; save `x.astype(\"float32\")`"))
        })?;
        let &[n, dim] = header.shape.as_slice() else {
            let found = header.shape.len();
            return Err(Error::file(path, format!("expected two dimensions, one row a text, found {found}")));
        };
        let start = reader.stream_position().map_err(Error::io(path))?;
        let file = reader.into_inner();
        let there = file.metadata().map_err(Error::io(path))?.len().saturating_sub(start);
        let expected = (n as u128) * (dim as u128) * (float.width() as u128);
        if u128::from(there) != expected {
            return Err(damaged(
                path,
                &format!("its header says {expected} bytes of numbers, there are {there}"),
            ));
        }
        let fortran = header.layout == Layout::Fortran;
        Ok(Self { path: path.into(), file, n, dim, fortran, float, start, bytes: Vec::new() })
    }

    /// The `n` rows from row `first`, which must be there; `[n, dim]`, row after row.
    pub(super) fn rows(&mut self, first: usize, n: usize) -> Result<Vec<f32>> {
        if !self.fortran {
            let mut values = Vec::with_capacity(n * self.dim);
            self.run(first * self.dim, n * self.dim, &mut values)?;
            return Ok(values);
        }
        let (mut values, mut column) = (vec![0.0; n * self.dim], Vec::with_capacity(n));
        for j in 0..self.dim {
            column.clear();
            self.run(j * self.n + first, n, &mut column)?;
            let places = values.iter_mut().skip(j).step_by(self.dim);
            places.zip(&column).for_each(|(place, v)| *place = *v);
        }
        Ok(values)
    }

    /// Adds the `n` numbers from number `first` of the file, a part of a mebibyte at a time.
    fn run(&mut self, first: usize, n: usize, values: &mut Vec<f32>) -> Result<()> {
        const MOST: usize = 1 << 18;
        let width = self.float.width();
        let at = self.start + first as u64 * width as u64;
        self.file.seek(SeekFrom::Start(at)).map_err(Error::io(&self.path))?;
        let mut left = n * width;
        while left > 0 {
            self.bytes.resize(left.min(MOST), 0);
            self.file.read_exact(&mut self.bytes).map_err(|e| match e.kind() {
                ErrorKind::UnexpectedEof => damaged(&self.path, "it ends while it is read"),
                _ => Error::io(&self.path)(e),
            })?;
            self.float.decode(&self.bytes, values);
            left -= self.bytes.len();
        }
        Ok(())
    }
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::file(path, format!("not a whole .npy file: {problem}; save it again"))
}
