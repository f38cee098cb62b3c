//! Where the vectors of a part stand in its file, so that one can be read without the others.
use parquet::basic::Encoding;
use parquet::file::metadata::ParquetMetaData;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The place of the column `vector` among the columns of numbers.
const VECTOR: usize = 1;

/// Vectors that stand one after the other, their numbers as in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// The first row, from 0.
    pub(crate) row: usize,
    /// Where its first number stands, in bytes.
    pub(crate) at: u64,
}

/// The runs of a part whose vectors have `width` numbers: one a page, since a page without nulls ends with its values.
/// None where the file does not say where its pages are, or does not store numbers plainly.
pub(crate) fn of(metadata: &ParquetMetaData, width: u64) -> Vec<Run> {
    let (mut runs, mut first) = (Vec::new(), 0);
    for (i, group) in metadata.row_groups().iter().enumerate() {
        let index = metadata.page_index_for_row_group(i);
        let plain = group.columns().get(VECTOR).is_some_and(|column| {
            column.dictionary_page_offset().is_none()
                && column.encodings().all(|e| matches!(e, Encoding::PLAIN | Encoding::RLE))
        });
        let pages = index.page_locations(VECTOR).filter(|pages| plain && !pages.is_empty());
        let rows = u64::try_from(group.num_rows()).ok();
        let (Some(pages), Some(rows)) = (pages, rows) else { return Vec::new() };
        let ends = pages.iter().skip(1).map(|p| p.first_row_index).chain([group.num_rows()]);
        for (page, end) in pages.iter().zip(ends) {
            let run = || {
                let rows = u64::try_from(end.checked_sub(page.first_row_index)?).ok()?;
                let size = u64::try_from(page.compressed_page_size).ok()?;
                let before = size.checked_sub(rows.checked_mul(width)?.checked_mul(4)?)?;
                let at = u64::try_from(page.offset).ok()?.checked_add(before)?;
                let row = first + u64::try_from(page.first_row_index).ok()?;
                Some(Run { row: usize::try_from(row).ok()?, at })
            };
            let Some(run) = run() else { return Vec::new() };
            runs.push(run);
        }
        first += rows;
    }
    runs
}

/// Reads the vectors of `rows`, sorted, from the file of a part, and gives each with its place among `rows`.
pub(crate) fn read(
    file: &mut File,
    runs: &[Run],
    dim: usize,
    rows: &[usize],
    mut take: impl FnMut(usize, &[f32]) -> io::Result<()>,
) -> io::Result<()> {
    let run_of = |row: usize| runs.partition_point(|run| run.row <= row);
    let (mut bytes, mut values, mut place) = (Vec::new(), Vec::new(), 0);
    let neighbours = |a: &usize, b: &usize| *b == a + 1 && run_of(*a) == run_of(*b);
    for together in rows.chunk_by(neighbours) {
        let Some((&first, run)) =
            together.first().and_then(|row| Some((row, runs.get(run_of(*row).checked_sub(1)?)?)))
        else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        file.seek(SeekFrom::Start(run.at + ((first - run.row) * dim * 4) as u64))?;
        bytes.resize(together.len() * dim * 4, 0);
        file.read_exact(&mut bytes)?;
        values.clear();
        values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)));
        for vector in values.chunks_exact(dim) {
            take(place, vector)?;
            place += 1;
        }
    }
    Ok(())
}
