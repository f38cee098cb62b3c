use crate::{Error, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A `.csv` file that grows by rows, and that can be left and gone on with: [`CsvWriter::go_on`].
#[derive(Debug)]
pub struct CsvWriter {
    path: PathBuf,
    file: File,
    length: u64,
}

impl CsvWriter {
    /// Begins a file with a line of names, in place of what may be there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, names: &[&str]) -> Result<Self> {
        let file = File::create(path).map_err(Error::io(path))?;
        let mut writer = Self { path: path.into(), file, length: 0 };
        writer.append([names])?;
        Ok(writer)
    }

    /// Opens a file that was left, and keeps its first `length` bytes.
    ///
    /// # Errors
    /// A file that cannot be written, [`Error::File`] for one that holds less.
    pub fn go_on(path: &Path, length: u64) -> Result<Self> {
        let mut file = File::options().write(true).open(path).map_err(Error::io(path))?;
        let there = file.metadata().map_err(Error::io(path))?.len();
        if there < length {
            let problem = format!("expected {length} bytes to go on from, found {there}; delete it");
            return Err(Error::file(path, problem));
        }
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, length })
    }

    /// Adds rows; fields with a comma, a quote or a line break are quoted.
    ///
    /// # Errors
    /// Rows of differing lengths, a file that cannot be written.
    pub fn append<R>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<()>
    where
        R: IntoIterator<Item: AsRef<[u8]>>,
    {
        let unwritable = |e: String| Error::file(&self.path, format!("cannot be written: {e}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).map_err(|e| unwritable(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| unwritable(e.to_string()))?;
        self.file.write_all(&bytes).map_err(Error::io(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until all rows so far are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    #[test]
    fn rows_are_read_back_and_a_file_that_was_left_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let mut writer = CsvWriter::create(&path, &["row", "id"]).unwrap();
        writer.append([["0", "a, \"b\""], ["1", "c\nd"]]).unwrap();
        writer.sync().unwrap();
        let length = writer.length();
        writer.append([["7", "lost"]]).unwrap();
        let mut writer = CsvWriter::go_on(&path, length).unwrap();
        writer.append([["2", "é"]]).unwrap();
        let table = Table::read_all(std::slice::from_ref(&path), &["id"]).unwrap();
        let ids: Vec<_> = table.column("id").unwrap().iter().flatten().collect();
        assert_eq!(ids, ["a, \"b\"", "c\nd", "é"]);
        assert!(CsvWriter::go_on(&path, 1000).unwrap_err().to_string().contains("x.csv"));
    }
}
