use super::GrowingFile;
use crate::{Error, Result};
use std::path::Path;

/// A `.csv` file that grows by rows, and that can be left and gone on with: [`CsvWriter::go_on`].
#[derive(Debug)]
pub struct CsvWriter(GrowingFile);

impl CsvWriter {
    /// Begins a file with a line of names, in place of what may be there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(path: &Path, names: &[&str]) -> Result<Self> {
        let mut writer = Self(GrowingFile::create(path)?);
        writer.append([names])?;
        Ok(writer)
    }

    /// Opens a file that was left, and keeps its first `length` bytes.
    ///
    /// # Errors
    /// As [`GrowingFile::go_on`].
    pub fn go_on(path: &Path, length: u64) -> Result<Self> {
        GrowingFile::go_on(path, length).map(Self)
    }

    /// Adds rows; fields with a comma, a quote or a line break are quoted.
    ///
    /// # Errors
    /// Rows of differing lengths, a file that cannot be written.
    pub fn append<R>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<()>
    where
        R: IntoIterator<Item: AsRef<[u8]>>,
    {
        let unwritable = |e: String| Error::file(self.0.path(), format!("cannot be written: {e}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).map_err(|e| unwritable(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| unwritable(e.to_string()))?;
        self.0.append(&bytes)
    }

    /// The number of bytes so far.
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// Waits until all rows so far are on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<()> {
        self.0.sync()
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
