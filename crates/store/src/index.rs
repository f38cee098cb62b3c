use crate::page_runs::{self, Run};
use crate::part::Part;
use crate::table::Table;
use crate::text_hash::TextHash;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Where the vectors of a space stand: in which part and row. It grows as parts are seen, and takes some 35 to 55 bytes a
/// vector, whatever the length of a vector.
///
/// A text is known by 12 bytes of its hash: of ten million, two share them once in 10¹⁵ times.
#[derive(Debug)]
pub(crate) struct Index {
    /// Slots by hash, spread so that no more than a part of them moves when one map grows.
    shards: Vec<HashMap<[u8; 12], u32>>,
    /// In order of their first slots.
    parts: Vec<Indexed>,
    names: HashSet<OsString>,
    next: u32,
}

/// A part whose rows have slots, one after the other.
#[derive(Debug)]
struct Indexed {
    path: PathBuf,
    first: u32,
    norms: Box<[f32]>,
    truncated: Box<[bool]>,
    /// Of each vector: what is read later is checked as well.
    checksums: Box<[u64]>,
    runs: Box<[Run]>,
    /// Whether a text of it has its place in an earlier part.
    repeats: bool,
}

/// A part that is not as it was when it was seen.
pub(crate) struct Lost {
    pub(crate) path: PathBuf,
    pub(crate) problem: io::Error,
}

impl Index {
    const SHARDS: usize = 256;

    pub(crate) fn new() -> Self {
        let shards = (0..Self::SHARDS).map(|_| HashMap::new()).collect();
        Self { shards, parts: Vec::new(), names: HashSet::new(), next: 0 }
    }

    /// Whether the part at `path` has been added.
    pub(crate) fn has(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.names.contains(name))
    }

    /// Remembers where the rows of `part` stand; a text that is there already keeps its place. A part that does not say
    /// where its rows are is not remembered.
    pub(crate) fn add(&mut self, path: &Path, part: &Part) {
        let (rows, name) = (part.rows(), path.file_name().map(ToOwned::to_owned));
        let end = u32::try_from(rows).ok().and_then(|rows| self.next.checked_add(rows));
        let (Some(end), Some(name), true) = (end, name, agrees(path, part)) else { return };
        let (mut norms, mut truncated) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut checksums = Vec::with_capacity(rows);
        let (mut slot, mut repeats) = (self.next, false);
        part.for_each(|hash, vector, norm, cut| {
            norms.push(norm);
            truncated.push(cut);
            checksums.push(checksum(vector));
            let (shard, short) = short(hash);
            if let Some(shard) = self.shards.get_mut(shard) {
                repeats |= *shard.entry(short).or_insert(slot) != slot;
            }
            slot += 1;
        });
        self.parts.push(Indexed {
            path: path.into(),
            first: self.next,
            norms: norms.into(),
            truncated: truncated.into(),
            checksums: checksums.into(),
            runs: part.runs().into(),
            repeats,
        });
        self.names.insert(name);
        self.next = end;
    }

    /// Fills the open slots of `table` with what is known, each part read once, its rows in order. Gives the parts that
    /// could not be read; they are forgotten.
    pub(crate) fn fill(&mut self, table: &mut Table<'_>, dim: usize) -> Vec<Lost> {
        let mut found: Vec<(u32, TextHash)> =
            table.unfilled().filter_map(|hash| Some((self.slot(hash)?, *hash))).collect();
        found.sort_unstable_by_key(|(slot, _)| *slot);
        let mut lost = Vec::new();
        let part_of = |slot: u32| self.parts.partition_point(|part| part.first <= slot).checked_sub(1);
        for together in found.chunk_by(|a, b| part_of(a.0) == part_of(b.0)) {
            let part = together.first().and_then(|(slot, _)| self.parts.get(part_of(*slot)?));
            let Some(part) = part else { continue };
            if let Err(problem) = part.read(together, dim, table) {
                lost.push(Lost { path: part.path.clone(), problem });
            }
        }
        if !lost.is_empty() {
            // A text of theirs may stand in another part as well, which has to be seen again.
            let gone = |part: &Indexed| part.repeats || lost.iter().any(|lost| lost.path == part.path);
            let gone: Vec<PathBuf> =
                self.parts.iter().filter(|part| gone(part)).map(|part| part.path.clone()).collect();
            gone.iter().for_each(|path| self.forget(path));
        }
        lost
    }

    fn slot(&self, hash: &TextHash) -> Option<u32> {
        let (shard, short) = short(hash);
        self.shards.get(shard)?.get(&short).copied()
    }

    fn forget(&mut self, path: &Path) {
        let Some(place) = self.parts.iter().position(|part| part.path == path) else { return };
        let part = self.parts.remove(place);
        let gone = part.first..part.first + part.norms.len() as u32;
        self.shards.iter_mut().for_each(|shard| shard.retain(|_, slot| !gone.contains(slot)));
        path.file_name().map(|name| self.names.remove(name));
    }
}

impl Indexed {
    /// Gives `table` the rows of `slots`, sorted, with the hashes they are known by.
    fn read(&self, slots: &[(u32, TextHash)], dim: usize, table: &mut Table<'_>) -> io::Result<()> {
        let rows: Vec<usize> = slots.iter().map(|(slot, _)| (slot - self.first) as usize).collect();
        page_runs::read(&mut File::open(&self.path)?, &self.runs, dim, &rows, |place, vector| {
            let Some(((_, hash), &row)) = slots.get(place).zip(rows.get(place)) else { return Ok(()) };
            if self.checksums.get(row) != Some(&checksum(vector)) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if let (Some(norm), Some(cut)) = (self.norms.get(row), self.truncated.get(row)) {
                table.set(hash, vector, *norm, *cut);
            }
            Ok(())
        })
    }
}

/// Whether the first vector of each run, read from where it should stand, is the one that was decoded.
fn agrees(path: &Path, part: &Part) -> bool {
    let rows: Vec<usize> = part.runs().iter().map(|run| run.row).collect();
    let (mut decoded, mut row, mut dim) = (Vec::new(), 0, 0);
    part.for_each(|_, vector, _, _| {
        if rows.binary_search(&row).is_ok() {
            decoded.push(vector.to_vec());
        }
        (row, dim) = (row + 1, vector.len());
    });
    let mut same = !rows.is_empty() && decoded.len() == rows.len();
    let read = File::open(path).and_then(|mut file| {
        page_runs::read(&mut file, part.runs(), dim, &rows, |place, vector| {
            same &= decoded.get(place).is_some_and(|decoded| decoded == vector);
            Ok(())
        })
    });
    same && read.is_ok()
}

/// The start of the BLAKE3 of a vector.
fn checksum(vector: &[f32]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = [0; 1024];
    for values in vector.chunks(bytes.len() / 4) {
        bytes.as_chunks_mut::<4>().0.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_le_bytes());
        hasher.update(bytes.get(..values.len() * 4).unwrap_or_default());
    }
    hasher.finalize().as_bytes().first_chunk().map_or(0, |start| u64::from_le_bytes(*start))
}

/// The shard of a hash, and what it is known by there.
fn short(hash: &TextHash) -> (usize, [u8; 12]) {
    let mut short = [0; 12];
    short.iter_mut().zip(hash.iter().skip(1)).for_each(|(to, from)| *to = *from);
    (usize::from(hash[0]), short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::{self, Opened};
    use crate::text_hash;
    use manyview_core::{Embeddings, Encoded};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};
    use std::fs;

    const DIM: usize = 3000;

    /// The texts `0` to `99`, whose vectors fill two pages, in a part in `dir`.
    fn part(dir: &Path) -> (PathBuf, Vec<String>, Embeddings) {
        let texts: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let vectors = Embeddings::new((0..100 * DIM).map(|i| i as f32).collect(), DIM).unwrap();
        let hashes: Vec<_> = texts.iter().map(|text| text_hash::hash(text)).collect();
        let norms = (0..100_u8).map(f32::from).collect();
        let encoded = Encoded { vectors: vectors.clone(), norms, truncated: vec![true; 100] };
        let (name, bytes) = part::write(&hashes, &encoded).unwrap();
        fs::write(dir.join(&name), bytes).unwrap();
        (dir.join(name), texts, vectors)
    }

    fn whole(path: &Path) -> Part {
        match Part::open(path, Some(DIM)).unwrap() {
            Opened::Whole(part) => part,
            _ => panic!("{}", path.display()),
        }
    }

    #[test]
    fn a_remembered_part_is_read_row_by_row() {
        let dir = tempfile::tempdir().unwrap();
        let (path, texts, vectors) = part(dir.path());
        let mut index = Index::new();
        let part = whole(&path);
        assert!(part.runs().len() > 1 && !index.has(&path));
        index.add(&path, &part);
        assert!(index.has(&path));
        let asked = ["99", "none", "0", "1", "2", "98", "50"];
        let mut table = Table::new(&asked, DIM);
        assert!(index.fill(&mut table, DIM).is_empty());
        assert_eq!(table.missing().iter().map(|(text, _)| *text).collect::<Vec<_>>(), ["none"]);
        table.set(&text_hash::hash("none"), &vec![0.5; DIM], 0.0, false);
        let encoded = table.finish().unwrap();
        for (place, asked) in asked.iter().enumerate().filter(|(_, asked)| **asked != "none") {
            let row = texts.iter().position(|text| text == asked).unwrap();
            assert_eq!(encoded.vectors.row(place), vectors.row(row));
            assert_eq!((encoded.norms[place], encoded.truncated[place]), (row as f32, true));
        }
    }

    #[test]
    fn neighbours_on_two_pages_are_read_from_both() {
        let dir = tempfile::tempdir().unwrap();
        let (path, texts, vectors) = part(dir.path());
        let mut index = Index::new();
        index.add(&path, &whole(&path));
        let asked: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut table = Table::new(&asked, DIM);
        assert!(index.fill(&mut table, DIM).is_empty());
        assert_eq!(table.finish().unwrap().vectors, vectors);
    }

    #[test]
    fn a_part_that_is_gone_is_forgotten_until_it_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let (path, ..) = part(dir.path());
        let bytes = fs::read(&path).unwrap();
        let mut index = Index::new();
        index.add(&path, &whole(&path));
        fs::remove_file(&path).unwrap();
        let mut table = Table::new(&["7"], DIM);
        let lost = index.fill(&mut table, DIM);
        assert_eq!((lost.len(), table.open(), index.has(&path)), (1, 1, false));
        assert!(index.fill(&mut table, DIM).is_empty());
        fs::write(&path, bytes).unwrap();
        index.add(&path, &whole(&path));
        assert!(index.fill(&mut table, DIM).is_empty());
        assert_eq!(table.open(), 0);
    }

    #[test]
    fn a_part_whose_rows_stand_elsewhere_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let (path, ..) = part(dir.path());
        let (part, mut bytes) = (whole(&path), fs::read(&path).unwrap());
        bytes.insert(4, 0);
        fs::write(&path, bytes).unwrap();
        let mut index = Index::new();
        index.add(&path, &part);
        assert!(!index.has(&path));
    }

    #[test]
    fn a_part_that_does_not_say_where_its_rows_stand_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let (path, ..) = part(dir.path());
        let rows =
            ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap();
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true);
        let rows: Vec<_> = rows.map(Result::unwrap).collect();
        let mut writer =
            ArrowWriter::try_new(Vec::new(), rows[0].schema(), Some(properties.build())).unwrap();
        rows.iter().for_each(|batch| writer.write(batch).unwrap());
        let bytes = writer.into_inner().unwrap();
        let path = dir.path().join(part::name_of(&blake3::hash(&bytes)));
        fs::write(&path, bytes).unwrap();
        let part = whole(&path);
        assert_eq!((part.rows(), part.runs().len()), (100, 0));
        let mut index = Index::new();
        index.add(&path, &part);
        assert!(!index.has(&path));
    }
}
