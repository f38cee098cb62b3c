//! Arrow files: Feather of the second version, and the streams that the library `datasets` keeps.

use super::NamedColumn;
use super::arrow_messages;
use super::parquet::{At, add, columns};
use super::rows::{Source, Started};
use crate::kind::first_bytes;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_schema::{ArrowError, Schema};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What a file begins and ends with.
const FILE: &[u8; 6] = b"ARROW1";

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let is_file = first_bytes(path)?.starts_with(FILE);
    let file = File::open(path).map_err(Error::io(path))?;
    let (schema, batches) = contained(path, || -> Result<(Schema, Batches), ArrowError> {
        let mut file = BufReader::new(file);
        if is_file {
            check_end(&mut file)?;
        }
        // A file is a stream between two marks, and what is behind its end says where its batches are.
        let start = if is_file { stream_start(&mut file)? } else { 0 };
        file.seek(SeekFrom::Start(start))?;
        arrow_messages::check(&mut file)?;
        file.seek(SeekFrom::Start(start))?;
        let reader = StreamReader::try_new(file, None)?;
        Ok((reader.schema().as_ref().clone(), Box::new(reader)))
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

/// Where the stream of a file begins: behind its first mark and the zeros that writers align it with.
fn stream_start(file: &mut BufReader<File>) -> Result<u64, ArrowError> {
    const ALIGNMENT: u64 = 8;
    let mut start = ALIGNMENT;
    loop {
        let mut next = [0; ALIGNMENT as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut next)?;
        if next != [0; ALIGNMENT as usize] {
            return Ok(start);
        }
        start += ALIGNMENT;
    }
}

/// Refuses a file without the mark at its end: batches may be missing.
fn check_end(file: &mut BufReader<File>) -> Result<(), ArrowError> {
    let mut last = [0; FILE.len()];
    file.seek(SeekFrom::End(-(FILE.len() as i64)))?;
    file.read_exact(&mut last)?;
    match last == *FILE {
        true => Ok(()),
        false => Err(ArrowError::IpcError("its end is missing".into())),
    }
}

/// Runs `read`, and makes an error of a panic, which some damaged files cause.
fn contained<T>(path: &Path, read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    let damaged = |problem: &str| {
        Error::file(path, format!("not a whole Arrow file: {problem}; make or fetch it again"))
    };
    let done = manyview_core::contained(read).ok_or_else(|| damaged("the reader gave up on it"))?;
    done.map_err(|e| damaged(&e.to_string()))
}
