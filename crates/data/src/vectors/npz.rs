//! Arrays in the zip archives of NumPy.

use super::npy::Npy;
use crate::error::list;
use crate::kind::{first_bytes, foreign};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufReader, copy};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// Opens the array called `column`, or the only one there is, unpacked to a file without a name.
pub(super) fn open(path: &Path, column: &str) -> Result<Npy> {
    let first = first_bytes(path)?;
    if let Some(problem) = foreign(&first).filter(|_| !first.starts_with(b"PK")) {
        return Err(Error::file(path, problem));
    }
    let file = BufReader::new(File::open(path).map_err(Error::io(path))?);
    let damaged = |e: ZipError| match e {
        ZipError::Io(e) if e.raw_os_error().is_some() => Error::io(path)(e),
        e => Error::file(path, format!("not a whole .npz file: {e}; save it again")),
    };
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    let names = archive.file_names().map(|name| Ok(name?.trim_end_matches(".npy").to_string()));
    let names = names.collect::<Result<Vec<_>, ZipError>>().map_err(damaged)?;
    let name = match (names.iter().find(|name| *name == column), names.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            let problem = format!("several arrays, {}; name one as the column of vectors", list(&names));
            return Err(Error::file(path, problem));
        }
    };
    let entry = archive.by_name(&format!("{name}.npy")).map_err(damaged)?;
    let mut file = tempfile::tempfile().map_err(Error::io(path))?;
    let mut entry = BufReader::new(entry);
    copy(&mut entry, &mut file).map_err(|e| damaged(ZipError::Io(e)))?;
    Npy::of_file(path, file)
}
