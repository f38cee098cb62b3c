use crate::buffer::{Buffer, WriteBuffer};
use crate::index::{Index, Lost};
use crate::part::{Opened, Part};
use crate::space::{Description, parts};
use crate::table::Table;
use crate::text_hash::TextHash;
use crate::{Error, Result, Store};
use manyview_core::publish::{create_directory, sweep};
use manyview_core::{Encoded, Encoder, Fingerprint, Instruction, Progress, Quiet};
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A caching encoder: it encodes a text once and afterwards reads the vector from a [`Store`].
///
/// Missing texts are encoded in chunks, the longest first, and each chunk is published before the next one begins, so
/// a process that is killed loses no more than one chunk. The same texts fall into the same chunks again, so a job that
/// goes on after an interruption, with as many rows a part, gives the same bits as one that was never interrupted. What
/// [`CachedEncoder::encode_all`] has returned is on the disk, unless there is a [`WriteBuffer`].
///
/// When other texts were stored before, the chunks differ. The bits are then the same if the encoder is
/// batch-invariant, that is, if the vector of a text does not depend on the texts encoded beside it.
///
/// Where each stored vector stands is kept in memory once its part has been read and checked, so that going through a
/// large corpus a few thousand texts at a time reads each part twice at most, not once a time.
#[derive(Clone, Debug)]
pub struct CachedEncoder<E> {
    inner: E,
    store: Store,
    name: String,
    part_rows: usize,
    buffer: Option<Arc<Buffer>>,
    /// What is known of each space, by key.
    known: Arc<Mutex<HashMap<String, Index>>>,
}

/// How much work the store saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reuse {
    /// Texts given to the encoder; a text that occurs twice counts once.
    pub encoded: usize,
    /// All other rows asked for.
    pub reused: usize,
}

impl<E: Encoder> CachedEncoder<E> {
    /// Keeps what `inner` makes in `store`. The name is for people: vectors are found by the fingerprint.
    pub fn new(inner: E, store: Store, name: impl Into<String>) -> Self {
        Self { inner, store, name: name.into(), part_rows: 256, buffer: None, known: Arc::default() }
    }

    /// The number of texts in a chunk, and with it the rows of a part: 256 if not said, at least 1.
    #[must_use]
    pub fn with_part_rows(self, rows: usize) -> Self {
        Self { part_rows: rows.max(1), ..self }
    }

    /// Lets vectors wait in memory to be written together, for whoever encodes a text at a time: a part for each of
    /// them would be a file and two syncs. Vectors are then returned at once, and they are on the disk when
    /// [`CachedEncoder::flush`] returns; a process that is killed before has to encode those texts again. As many texts at
    /// once as the buffer may hold are written without waiting.
    #[must_use]
    pub fn with_write_buffer(self, limits: WriteBuffer) -> Self {
        let buffer = Buffer::new(self.store.clone(), limits);
        Self { buffer: Some(Arc::new(buffer)), ..self }
    }

    /// Writes the vectors that wait. Without a [`WriteBuffer`] there are none.
    ///
    /// # Errors
    /// A file that cannot be written; the vectors wait on.
    pub fn flush(&self) -> Result<()> {
        self.buffer.as_ref().map_or(Ok(()), |buffer| buffer.flush())
    }

    /// The number of vectors that are not on the disk yet.
    pub fn unwritten(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.len())
    }

    /// The encoder within.
    pub fn inner(&self) -> &E {
        &self.inner
    }

    /// One vector a text, in the order given, and how much of it was there already. A damaged part is moved to
    /// quarantine and its texts are encoded again. Where small parts have become many they are put together.
    ///
    /// # Errors
    /// An empty batch, what the encoder reports, an answer of the encoder that does not fit, a file that cannot be
    /// read or written, and [`manyview_core::Error::Interrupted`] when `progress` says to stop; what was published by
    /// then is kept.
    pub fn encode_all(
        &self,
        texts: &[&str],
        instruction: Option<&Instruction>,
        progress: &dyn Progress,
    ) -> Result<(Encoded, Reuse)> {
        let dim = self.inner.dim();
        if texts.is_empty() || dim == 0 {
            return Err(
                manyview_core::Error::Empty { what: format!("texts for encoder {}", self.name) }.into()
            );
        }
        let description = Description::new(&self.name, self.inner.fingerprint(), instruction, dim);
        let key = description.key();
        let dir = self.store.dir(&key);
        let mut table = Table::new(texts, dim);
        if !self.is_described(&dir, dim)? {
            create_directory(&dir)?;
            description.write(&dir)?;
        }
        if let Some(buffer) = &self.buffer {
            buffer.fill(&key, &mut table);
        }
        self.recall(&key, &dir, &mut table)?;
        let missing = table.missing();
        if !missing.is_empty() {
            sweep(&dir, 0)?;
            progress.begin("encode", missing.len() as u64);
            let done = self.encode_missing(&missing, instruction, &key, &mut table, progress);
            progress.end();
            done?;
        }
        let reuse = Reuse { encoded: missing.len(), reused: texts.len() - missing.len() };
        Ok((table.finish()?, reuse))
    }

    /// Whether the space says what it holds; what is stored must agree on the dimension.
    fn is_described(&self, dir: &Path, dim: usize) -> Result<bool> {
        match Description::read(dir) {
            Ok(Some(there)) if there.dim == dim => Ok(true),
            Ok(Some(there)) if !parts(dir)?.is_empty() => Err(Error::Dim {
                path: Description::path(dir),
                encoder: self.name.clone(),
                expected: dim,
                found: there.dim,
            }),
            Ok(_) => Ok(false),
            Err(e @ Error::Description { .. }) => {
                tracing::warn!(error = %e, "the description of a space is written again");
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Fills the table from the parts, and sets aside those that are damaged. Parts that were seen before are read where
    /// they are needed, the others until nothing is missing.
    fn recall(&self, key: &str, dir: &Path, table: &mut Table<'_>) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let index = known.entry(key.into()).or_insert_with(Index::new);
        for Lost { path, problem } in index.fill(table, self.inner.dim()) {
            match problem.kind() {
                ErrorKind::NotFound => {}
                ErrorKind::UnexpectedEof => self.set_aside(key, &path, "it is shorter than it was")?,
                ErrorKind::InvalidData => self.set_aside(key, &path, "a vector in it is not what it was")?,
                _ => return Err(Error::io(&path)(problem)),
            }
        }
        if table.open() == 0 {
            return Ok(());
        }
        // Parts that are put together meanwhile go, and come back as one: until there is none that was not seen.
        let mut seen = HashSet::new();
        loop {
            let is_new = |path: &PathBuf| !index.has(path) && !seen.contains(path);
            let new: Vec<PathBuf> = parts(dir)?.into_iter().filter(is_new).collect();
            if new.is_empty() {
                return Ok(());
            }
            for path in new {
                if table.open() == 0 {
                    return Ok(());
                }
                match Part::open(&path, Some(self.inner.dim()))? {
                    Opened::Whole(part) => {
                        part.for_each(|hash, vector, norm, cut| table.set(hash, vector, norm, cut));
                        index.add(&path, &part);
                    }
                    Opened::Damaged(problem) => self.set_aside(key, &path, &problem)?,
                    Opened::Gone => {}
                }
                seen.insert(path);
            }
        }
    }

    fn set_aside(&self, key: &str, path: &Path, problem: &str) -> Result<()> {
        let part = path.display();
        tracing::warn!(%part, problem, "damaged part moved to quarantine, its texts are encoded again");
        self.store.quarantine(key, path)
    }

    fn encode_missing(
        &self,
        missing: &[(&str, TextHash)],
        instruction: Option<&Instruction>,
        key: &str,
        table: &mut Table<'_>,
        progress: &dyn Progress,
    ) -> Result<()> {
        for chunk in missing.chunks(self.part_rows) {
            if progress.stopped() {
                return Err(manyview_core::Error::Interrupted.into());
            }
            let (texts, hashes): (Vec<_>, Vec<_>) = chunk.iter().copied().unzip();
            let encoded = self.inner.encode(&texts, instruction)?;
            self.check(&encoded, texts.len())?;
            match self.buffer.as_ref().filter(|buffer| !buffer.is_passed_by(texts.len())) {
                Some(buffer) => buffer.add(key, &hashes, &encoded)?,
                None => drop(self.store.publish_part(key, &hashes, &encoded)?),
            }
            let rows = encoded.vectors.rows().zip(&encoded.norms).zip(&encoded.truncated);
            for (hash, ((vector, &norm), &cut)) in hashes.iter().zip(rows) {
                table.set(hash, vector, norm, cut);
            }
            progress.advance(chunk.len() as u64);
        }
        if self.buffer.is_none() {
            self.store.compact_when_many(key);
        }
        Ok(())
    }

    /// That the encoder gave `n` vectors of its dimension, and what belongs to them.
    fn check(&self, encoded: &Encoded, n: usize) -> Result<()> {
        let found = [
            ("vectors", encoded.vectors.n(), n),
            ("norms", encoded.norms.len(), n),
            ("marks of truncation", encoded.truncated.len(), n),
            ("numbers in each vector", encoded.vectors.dim(), self.inner.dim()),
        ];
        if let Some((what, found, expected)) =
            found.into_iter().find(|(_, found, expected)| found != expected)
        {
            return Err(Error::Answer {
                encoder: self.name.clone(),
                expected: format!("{expected} {what}"),
                found: found.to_string(),
            });
        }
        match encoded.norms.iter().position(|norm| !norm.is_finite()) {
            Some(row) => {
                let what = format!("norms of encoder {}", self.name);
                Err(manyview_core::Error::NonFinite { what, row }.into())
            }
            None => Ok(()),
        }
    }
}

impl<E: Encoder> Encoder for CachedEncoder<E> {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint()
    }

    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        Ok(self.encode_all(texts, instruction, &Quiet)?.0)
    }
}
