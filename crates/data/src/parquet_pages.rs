use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::sync::Arc;

/// The row groups of a file, whose pages are looked at before they are decoded: the decoder makes room for as many
/// values as a page says it has, and a process does not survive asking for more room than there is.
pub(crate) struct Groups {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
}

impl Groups {
    /// Takes a file whose footer says the same in all its parts.
    pub(crate) fn new(file: File, metadata: Arc<ParquetMetaData>) -> Result<Self> {
        let rows = |group: &RowGroupMetaData| u64::try_from(group.num_rows()).ok();
        let sum = metadata.row_groups().iter().try_fold(0, |sum: u64, group| sum.checked_add(rows(group)?));
        if sum.is_none() || sum != u64::try_from(metadata.file_metadata().num_rows()).ok() {
            return Err(damaged("its row groups do not add up to its rows"));
        }
        for group in metadata.row_groups() {
            let flat = group.columns().iter().filter(|column| column.column_descr().max_rep_level() == 0);
            if flat.into_iter().any(|column| column.num_values() != group.num_rows()) {
                return Err(damaged("a column has more or fewer values than rows"));
            }
        }
        Ok(Self { file: Arc::new(file), metadata })
    }
}

impl RowGroups for Groups {
    fn num_rows(&self) -> usize {
        self.row_groups().map(|group| usize::try_from(group.num_rows()).unwrap_or(0)).sum()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        Ok(Box::new(Chunks { file: self.file.clone(), metadata: self.metadata.clone(), column, group: 0 }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.metadata.row_groups().iter())
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The pages of one column, row group by row group.
struct Chunks {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
    column: usize,
    group: usize,
}

impl Iterator for Chunks {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let group = self.metadata.row_groups().get(self.group)?;
        self.group += 1;
        let column = group.columns().get(self.column)?;
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let pages = SerializedPageReader::new(self.file.clone(), column, rows, None);
        let levels = [column.column_descr().max_rep_level(), column.column_descr().max_def_level()];
        let left = u64::try_from(column.num_values()).unwrap_or(0);
        Some(pages.map(|pages| Box::new(Pages { pages, left, levels }) as Box<dyn PageReader>))
    }
}

impl PageIterator for Chunks {}

struct Pages {
    pages: SerializedPageReader<File>,
    /// Values that the pages to come may have.
    left: u64,
    /// The highest level of repetition, and of definition.
    levels: [i16; 2],
}

impl Pages {
    fn checked(&mut self, page: Page) -> Result<Page> {
        if page.is_data_page() {
            let left = self.left.checked_sub(page.num_values().into());
            self.left = left.ok_or_else(|| damaged("a page has more values than its column"))?;
        }
        fits(&page, self.levels)?;
        Ok(page)
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.map(|page| self.checked(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        let values = self.pages.peek_next_page()?.and_then(|page| page.num_levels).unwrap_or(0);
        self.left = self.left.saturating_sub(values as u64);
        self.pages.skip_next_page()
    }

    fn supports_deferred_dictionary(&self) -> bool {
        self.pages.supports_deferred_dictionary()
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>> {
        let page = self.pages.take_deferred_dictionary()?;
        page.map(|page| self.checked(page)).transpose()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

/// That a page holds no more than it has room for, in its dictionary and in its lists of lengths.
fn fits(page: &Page, levels: [i16; 2]) -> Result<()> {
    let bytes = &page.buffer()[..];
    let values = match page {
        Page::DictionaryPage { num_values, .. } if u64::from(*num_values) > bytes.len() as u64 => {
            return Err(damaged("a dictionary has more words than bytes"));
        }
        Page::DictionaryPage { .. } => return Ok(()),
        Page::DataPage { .. } => {
            let mut runs = levels.iter().filter(|&&highest| highest > 0);
            runs.try_fold(bytes, |rest, _| after_levels(rest))
        }
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            let runs = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
            usize::try_from(runs).ok().and_then(|runs| bytes.get(runs..))
        }
    };
    let lists = match page.encoding() {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => 0,
    };
    let mut rest = values;
    for _ in 0..lists {
        match rest.and_then(delta) {
            Some((n, after)) if n <= page.num_values().into() => rest = Some(after),
            _ => return Err(damaged("a page has more lengths than values")),
        }
    }
    Ok(())
}

/// What follows a run of levels, which begins with its length.
fn after_levels(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)
}

/// The number of values in a list of differences, and what follows it.
fn delta(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (block, rest) = varint(bytes)?;
    let (parts, rest) = varint(rest)?;
    let (n, rest) = varint(rest)?;
    let (_, mut rest) = varint(rest)?;
    let part = block.checked_div(parts)?;
    let mut left = n.saturating_sub(1);
    while left > 0 {
        let (_, after) = varint(rest)?;
        let (widths, mut after) = after.split_at_checked(usize::try_from(parts).ok()?)?;
        for &width in widths {
            if left > 0 {
                let bits = part.checked_mul(width.into())?;
                after = after.get(usize::try_from(bits.div_ceil(8)).ok()?..)?;
                left = left.saturating_sub(part.max(1));
            }
        }
        rest = after;
    }
    Some((n, rest))
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at(length);
    Some((number.iter().rev().fold(0, |sum: u64, byte| sum << 7 | u64::from(byte & 0x7f)), rest))
}

fn damaged(problem: &str) -> ParquetError {
    ParquetError::General(problem.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(bytes: &[u8], encoding: Encoding) -> Page {
        Page::DataPageV2 {
            buf: bytes.to_vec().into(),
            num_values: 3,
            encoding,
            num_nulls: 0,
            num_rows: 3,
            def_levels_byte_len: 1,
            rep_levels_byte_len: 0,
            is_compressed: false,
            statistics: None,
        }
    }

    #[test]
    fn a_dictionary_of_more_words_than_bytes_is_refused() {
        let page = |num_values| Page::DictionaryPage {
            buf: vec![0; 8].into(),
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        assert!(fits(&page(2), [0, 1]).is_ok());
        assert!(fits(&page(u32::MAX), [0, 1]).is_err());
    }

    #[test]
    fn lists_of_more_lengths_than_values_are_refused() {
        // One level, then blocks of 128 in 4 parts, 3 numbers from 5 on, none different from the one before.
        let three = [0, 0x80, 1, 4, 3, 10, 0, 0, 0, 0, 0];
        let many = [0, 0x80, 1, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 10, 0, 0, 0, 0, 0];
        for encoding in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
            assert!(fits(&data(&many, encoding), [0, 1]).is_err());
            assert!(fits(&data(&three[..4], encoding), [0, 1]).is_err());
        }
        let twice = [&three[..], &three[1..]].concat();
        assert!(fits(&data(&three, Encoding::DELTA_LENGTH_BYTE_ARRAY), [0, 1]).is_ok());
        assert!(fits(&data(&three, Encoding::DELTA_BYTE_ARRAY), [0, 1]).is_err());
        assert!(fits(&data(&twice, Encoding::DELTA_BYTE_ARRAY), [0, 1]).is_ok());
    }
}
