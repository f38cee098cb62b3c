//! Standard input in place of a file. Rows are read twice and by any program's form, so it is kept in a file meanwhile,
//! unpacked, and under a name that says what it is.

use crate::table::Packing;
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read, copy};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What stands for standard input where a file is asked for.
const DASH: &str = "-";

/// A file that is there, or what came through standard input, which is removed with this.
#[derive(Debug)]
pub struct InputFile {
    path: PathBuf,
    _kept: Option<TempDir>,
}

impl InputFile {
    /// The file at `path`, or standard input where that is `-`.
    ///
    /// # Errors
    /// Standard input that is empty or cannot be read, or a file that cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        match path.as_os_str() == DASH && !path.exists() {
            true => Self::keep(std::io::stdin()),
            false => Ok(Self { path: path.into(), _kept: None }),
        }
    }

    /// Where it is read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn keep(mut from: impl Read + Send) -> Result<Self> {
        let unread = || Error::io(Path::new("standard input"));
        let first = beginning(&mut from).map_err(unread())?;
        let whole = first.as_slice().chain(from);
        match Packing::of_bytes(&first) {
            None => Self::keep_unpacked(whole, &first),
            Some(packing) => {
                let mut from = packing.unpack(BufReader::new(whole)).map_err(unread())?;
                let first = beginning(&mut from).map_err(unread())?;
                Self::keep_unpacked(first.as_slice().chain(from), &first)
            }
        }
    }

    fn keep_unpacked(mut whole: impl Read, first: &[u8]) -> Result<Self> {
        if first.is_empty() {
            return Err(Error::file(Path::new("standard input"), "it is empty"));
        }
        let dir = tempfile::tempdir().map_err(Error::io(&std::env::temp_dir()))?;
        let path = dir.path().join(format!("standard-input.{}", form(first)));
        let mut file = File::create(&path).map_err(Error::io(&path))?;
        copy(&mut whole, &mut file).map_err(Error::io(&path))?;
        Ok(Self { path, _kept: Some(dir) })
    }
}

/// The first bytes, enough to know a form by.
fn beginning(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    const ENOUGH: u64 = 4096;
    let mut bytes = Vec::new();
    from.take(ENOUGH).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The end of the name of a file that begins so.
fn form(first: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(first);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let names = text.lines().next().unwrap_or_default();
    match text.chars().next() {
        _ if first.starts_with(b"PAR1") => "parquet",
        _ if first.starts_with(b"ARROW1") || first.starts_with(&[0xff; 4]) => "arrow",
        Some('{') => "jsonl",
        Some('[') => "json",
        _ if names.matches('\t').count() > names.matches(',').count() => "tsv",
        _ => "csv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;
    use std::io::Write;

    fn texts(bytes: &[u8]) -> Vec<String> {
        let file = InputFile::keep(bytes).unwrap();
        let table = Table::read_all(&[file.path().into()], &["text"]).unwrap();
        table.column("text").unwrap().iter().flatten().cloned().collect()
    }

    #[test]
    fn every_form_is_known_by_its_beginning() {
        let expected = ["a, b", "c"];
        let jsonl: &[u8] = b"{\"text\": \"a, b\"}\n{\"text\": \"c\"}\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(jsonl).unwrap();
        for bytes in [
            jsonl,
            b"[{\"text\": \"a, b\"}, {\"text\": \"c\"}]",
            b"id,text\n1,\"a, b\"\n2,c\n",
            b"\xef\xbb\xbfid\ttext\n1\ta, b\n2\tc\n",
            &packed.finish().unwrap(),
            &zstd::encode_all(jsonl, 1).unwrap(),
        ] {
            assert_eq!(texts(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
        let e = InputFile::keep(&b""[..]).unwrap_err().to_string();
        assert!(e.contains("standard input") && e.contains("empty"), "{e}");
    }

    #[test]
    fn what_was_kept_is_removed() {
        let file = InputFile::keep(&b"text\na\n"[..]).unwrap();
        let path = file.path().to_path_buf();
        assert!(path.is_file());
        drop(file);
        assert!(!path.exists());
    }
}
