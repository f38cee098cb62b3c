//! The messages of an Arrow file, looked through before it is read: a length that cannot be is an error, and not memory
//! that is asked for.

use arrow_ipc::{CompressionType, RecordBatch, root_as_message};
use arrow_schema::ArrowError;
use std::io::{Read, Seek, SeekFrom};

/// What begins a message.
const MARK: [u8; 4] = [0xff; 4];
/// The most rows of a batch that has no bytes: each value of it is null.
const ROWS_OF_NOTHING: u64 = 1 << 20;

/// Looks through the messages of a stream, from where it stands to its end.
pub(super) fn check(stream: &mut (impl Read + Seek)) -> Result<(), ArrowError> {
    let start = stream.stream_position()?;
    let length = stream.seek(SeekFrom::End(0))?;
    stream.seek(SeekFrom::Start(start))?;
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head).map_err(|_| wrong("its end is missing"))?;
        let [m0, m1, m2, m3, n0, n1, n2, n3] = head;
        if [m0, m1, m2, m3] != MARK {
            return Err(wrong("a message begins otherwise than since Arrow 0.15"));
        }
        let size = u64::from(u32::from_le_bytes([n0, n1, n2, n3]));
        if size == 0 {
            return Ok(());
        }
        let at = stream.stream_position()?;
        let mut message = vec![0; within(size, length.saturating_sub(at))?];
        stream.read_exact(&mut message)?;
        let message = root_as_message(&message).map_err(|e| wrong(&e.to_string()))?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| wrong("a body of negative length"))?;
        let begin = at + size;
        within(body, length.saturating_sub(begin))?;
        let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
        if let Some(batch) = message.header_as_record_batch().or(dictionary) {
            check_batch(stream, &batch, begin, body)?;
        }
        stream.seek(SeekFrom::Start(begin + body))?;
    }
}

/// Compares the lengths that a batch gives with those of its body, which begins at a place of the stream.
fn check_batch(
    stream: &mut (impl Read + Seek),
    batch: &RecordBatch<'_>,
    begin: u64,
    body: u64,
) -> Result<(), ArrowError> {
    let rows = u64::try_from(batch.length()).map_err(|_| wrong("a negative number of rows"))?;
    let compression = batch.compression().map(|compression| compression.codec());
    let mut unpacked = 0;
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, size) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()));
        let (Ok(offset), Ok(size)) = (offset, size) else { return Err(wrong("a buffer of negative length")) };
        within(offset.saturating_add(size), body)?;
        let size = match compression {
            Some(codec) if size >= 8 => {
                let mut length = [0; 8];
                stream.seek(SeekFrom::Start(begin + offset))?;
                stream.read_exact(&mut length)?;
                match u64::try_from(i64::from_le_bytes(length)) {
                    Ok(length) => within(length, most(codec, size)).map(|length| length as u64)?,
                    Err(_) => size, // it is not packed
                }
            }
            _ => size,
        };
        unpacked += size;
    }
    // A row takes a bit at least.
    within(rows, unpacked.saturating_mul(8).max(ROWS_OF_NOTHING)).map(drop)
}

/// The most bytes that a number of packed ones can stand for.
fn most(codec: CompressionType, packed: u64) -> u64 {
    let ratio = if codec == CompressionType::LZ4_FRAME { 256 } else { 1 << 15 };
    packed.saturating_mul(ratio)
}

fn within(length: u64, most: u64) -> Result<usize, ArrowError> {
    let fits = usize::try_from(length).ok().filter(|_| length <= most);
    fits.ok_or_else(|| wrong(&format!("a length of {length} where there can be at most {most}")))
}

fn wrong(problem: &str) -> ArrowError {
    ArrowError::IpcError(problem.into())
}
