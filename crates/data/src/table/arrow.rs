//! Arrow files: Feather of the second version, and the streams that the library `datasets` keeps.

use super::NamedColumn;
use super::parquet::{At, add, columns};
use super::rows::{Source, Started};
use crate::kind::first_bytes;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let whole = first_bytes(path)?.starts_with(b"ARROW1");
    let file = File::open(path).map_err(Error::io(path))?;
    let (schema, batches) = contained(path, || -> Result<(Schema, Batches), ArrowError> {
        let mut file = BufReader::new(file);
        Ok(match whole {
            true => {
                let reader = FileReader::try_new(file, None)?;
                (reader.schema().as_ref().clone(), Box::new(reader))
            }
            false => {
                if !ended(&mut file)? {
                    return Err(ArrowError::IpcError("its end is missing".into()));
                }
                let reader = StreamReader::try_new(file, None)?;
                (reader.schema().as_ref().clone(), Box::new(reader))
            }
        })
    })?;
    let (kept, places, classes) = columns(path, &schema, wanted)?;
    Ok((kept, Box::new(Strings { path: path.into(), at: At::default(), places, classes, batches })))
}

struct Strings {
    path: PathBuf,
    at: At,
    places: Vec<usize>,
    classes: Vec<Option<Vec<String>>>,
    batches: Batches,
}

impl Source for Strings {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        let Some(batch) = contained(&self.path, || self.batches.next().transpose())? else {
            return Ok(false);
        };
        let batch = contained(&self.path, || batch.project(&self.places))?;
        add(&self.path, &batch, &self.classes, &mut self.at, columns)?;
        Ok(true)
    }
}

/// Whether a stream ends as its writer ends it; without that, batches may be missing.
fn ended(file: &mut BufReader<File>) -> std::io::Result<bool> {
    const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    let mut last = [0; END.len()];
    let length = file.seek(SeekFrom::End(0))?;
    if length < END.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(length - END.len() as u64))?;
    file.read_exact(&mut last)?;
    file.rewind()?;
    Ok(last == END)
}

/// Runs `read`, and makes an error of a panic, which some damaged files cause.
fn contained<T>(path: &Path, read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    let damaged = |problem: &str| {
        Error::file(path, format!("not a whole Arrow file: {problem}; make or fetch it again"))
    };
    let done = manyview_core::contained(read).ok_or_else(|| damaged("the reader gave up on it"))?;
    done.map_err(|e| damaged(&e.to_string()))
}
