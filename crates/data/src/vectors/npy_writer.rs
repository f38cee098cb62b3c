use crate::{Error, Result};
use manyview_core::Embeddings;
use ndarray_npy::npy::header::Header;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The length of the header, in bytes, whatever the number of rows: NumPy pads it with spaces.
const HEADER: usize = 128;

/// A `.npy` file of float32 in C order that grows by rows. Its header is as long for no row as for 2⁶⁴ of them, and
/// says how many there are only once [`NpyWriter::finish`] has been called.
///
/// It can be left and gone on with: [`NpyWriter::go_on`] cuts off what was not [`synced`](NpyWriter::sync).
#[derive(Debug)]
pub struct NpyWriter {
    path: PathBuf,
    file: File,
    dim: usize,
    rows: usize,
    bytes: Vec<u8>,
}

impl NpyWriter {
    /// Begins a file of rows of `dim` numbers in place of what may be there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, dim: usize) -> Result<Self> {
        let mut file = File::create(path).map_err(Error::io(path))?;
        file.write_all(&header(0, dim)).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, dim, rows: 0, bytes: Vec::new() })
    }

    /// Opens a file that was begun with the same `dim`, and keeps its first `rows` rows.
    ///
    /// # Errors
    /// A file that cannot be written, [`Error::File`] for one that was begun otherwise or holds fewer rows.
    pub fn go_on(path: &Path, dim: usize, rows: usize) -> Result<Self> {
        let mut file = File::options().read(true).write(true).open(path).map_err(Error::io(path))?;
        let there = file.metadata().map_err(Error::io(path))?.len();
        let length = HEADER as u64 + rows as u64 * dim as u64 * 4;
        let begun = Header::from_reader(&mut file).is_ok_and(|found| found.shape.last() == Some(&dim));
        if !begun || there < length {
            let problem =
                format!("expected {rows} rows of {dim} numbers to go on from, found others; delete it");
            return Err(Error::file(path, problem));
        }
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, dim, rows, bytes: Vec::new() })
    }

    /// Adds the rows of `x`, `[n, dim]`.
    ///
    /// # Errors
    /// Another `dim`, a file that cannot be written.
    pub fn append(&mut self, x: &Embeddings) -> Result<()> {
        if x.dim() != self.dim {
            let (expected, found) = (format!("[n, {}]", self.dim), format!("[{}, {}]", x.n(), x.dim()));
            return Err(manyview_core::Error::Shape {
                what: self.path.display().to_string(),
                expected,
                found,
            }
            .into());
        }
        const NUMBERS: usize = 1 << 16;
        for values in x.as_slice().chunks(NUMBERS) {
            self.bytes.clear();
            self.bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            self.file.write_all(&self.bytes).map_err(Error::io(&self.path))?;
        }
        self.rows += x.n();
        Ok(())
    }

    /// The number of rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Waits until all rows so far are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))
    }

    /// Says in the header how many rows there are, and waits until all is on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self) -> Result<()> {
        let header = header(self.rows, self.dim);
        let file = &mut self.file;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&header))
            .and_then(|()| file.sync_all())
            .map_err(Error::io(&self.path))
    }
}

/// What NumPy's format 1.0 puts before the values of `rows` rows of `dim` numbers.
fn header(rows: usize, dim: usize) -> Vec<u8> {
    const BEFORE: &[u8] = b"\x93NUMPY\x01\x00\x76\x00"; // 0x76 = 118 bytes follow
    let shape = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    let mut bytes = [BEFORE, shape.as_bytes()].concat();
    bytes.resize(HEADER - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_vectors;

    fn x(rows: std::ops::Range<u8>) -> Embeddings {
        Embeddings::from_rows(rows.map(|i| [f32::from(i), 0.5])).unwrap()
    }

    #[test]
    fn a_header_is_as_long_for_no_row_as_for_all_there_can_be() {
        for (rows, dim) in [(0, 1), (3, 384), (usize::MAX, usize::MAX)] {
            assert_eq!(header(rows, dim).len(), HEADER);
        }
    }

    #[test]
    fn a_file_that_was_left_is_gone_on_with_to_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (whole, left) = (dir.path().join("whole.npy"), dir.path().join("left.npy"));
        let mut writer = NpyWriter::create(&whole, 2).unwrap();
        writer.append(&x(0..7)).unwrap();
        writer.finish().unwrap();
        let mut writer = NpyWriter::create(&left, 2).unwrap();
        writer.append(&x(0..3)).unwrap();
        writer.append(&x(20..25)).unwrap();
        writer.finish().unwrap();
        let mut writer = NpyWriter::go_on(&left, 2, 3).unwrap();
        writer.append(&x(3..7)).unwrap();
        assert_eq!(writer.rows(), 7);
        writer.finish().unwrap();
        assert_eq!(std::fs::read(&left).unwrap(), std::fs::read(&whole).unwrap());
        assert_eq!(read_vectors(&left, "").unwrap(), x(0..7));
    }

    #[test]
    fn a_file_of_other_rows_is_not_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        NpyWriter::create(&path, 2).unwrap().append(&x(0..3)).unwrap();
        for (dim, rows) in [(2, 4), (3, 1)] {
            let e = NpyWriter::go_on(&path, dim, rows).unwrap_err().to_string();
            assert!(e.contains("x.npy") && e.contains("go on"), "{e}");
        }
    }

    #[test]
    fn rows_of_another_length_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let e = NpyWriter::create(&dir.path().join("x.npy"), 3).unwrap().append(&x(0..1)).unwrap_err();
        assert!(e.to_string().contains("[n, 3]"), "{e}");
    }
}
