use super::growing::{Chunk, FileSpec, Growing};
use super::ledger::Ledger;
use crate::{Error, LOCK, Result, lock};
use manyview_core::publish::{clear, create_directory, rename_whole, write_whole};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where files get their names once they are whole, and where they grow until then.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The directory of the whole files.
    pub(crate) dir: PathBuf,
    /// A hidden directory in it.
    pub(crate) partial: PathBuf,
    /// Whether the whole directory is held by one process at a time, or the hidden one alone.
    pub(crate) is_ours: bool,
    /// The file that may describe the others, and is there only beside those it describes.
    pub(crate) record: Option<&'static str>,
}

/// Files that grow in a hidden directory, held by one process, and get their names when all are whole.
pub(crate) struct Output {
    place: Place,
    files: Vec<(String, Growing)>,
    /// When the ledger was last written, and how long that took.
    written: Option<(Instant, Duration)>,
    _lock: File,
}

/// What [`Output::open`] finds.
pub(crate) enum Begun {
    /// All was done but for the last names, which the files now have.
    Done(Box<Ledger>),
    /// There is something to do, from where the ledger says.
    Open(Box<Output>, Box<Ledger>),
}

impl Output {
    /// Opens `place` for the files of `specs`. Goes on where an earlier process with the same `key` was.
    pub(crate) fn open(place: Place, key: &str, specs: &[FileSpec]) -> Result<Begun> {
        let Place { dir, partial, is_ours, .. } = &place;
        let held = if *is_ours { dir } else { partial };
        create_directory(held)?;
        let lock = lock(held)?;
        if *is_ours {
            clear(dir, 0)?;
        }
        if let Some(ledger) = Ledger::read(partial, key) {
            if ledger.whole {
                publish(&place, specs.iter().map(|spec| spec.name.as_str()))?;
                return Ok(Begun::Done(Box::new(ledger)));
            }
            let go_on = |spec: &FileSpec| Ok((spec.name.clone(), Growing::go_on(partial, spec, &ledger)?));
            match specs.iter().map(go_on).collect::<Result<_>>() {
                Ok(files) => {
                    let output = Self { files, place, written: None, _lock: lock };
                    return Ok(Begun::Open(Box::new(output), Box::new(ledger)));
                }
                Err(e) => tracing::warn!(error = %e, "what an earlier run left cannot be gone on with"),
            }
        }
        create_directory(partial)?;
        empty(partial)?;
        let create = |spec: &FileSpec| Ok((spec.name.clone(), Growing::create(partial, spec)?));
        let files = specs.iter().map(create).collect::<Result<_>>()?;
        let output = Self { files, place, written: None, _lock: lock };
        Ok(Begun::Open(Box::new(output), Box::new(Ledger { key: key.into(), ..Ledger::default() })))
    }

    /// Adds rows to each file, and counts them.
    pub(crate) fn append(&mut self, chunk: &Chunk<'_>, ledger: &mut Ledger) -> Result<()> {
        let start = Instant::now();
        let mut matrices = chunk.matrices.iter().copied();
        for (name, file) in &mut self.files {
            ledger.lengths.insert(name.clone(), file.append(chunk, &mut matrices)?);
        }
        ledger.rows += chunk.beside.rows.len();
        ledger.seconds.write += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Acknowledges what was appended when that is due: so often that waiting for the disk takes a twentieth of the time.
    pub(crate) fn acknowledge_when_due(&mut self, ledger: &mut Ledger) -> Result<()> {
        if self.written.is_some_and(|(at, took)| at.elapsed() < took * 20) {
            return Ok(());
        }
        let start = Instant::now();
        self.acknowledge(ledger)?;
        self.written = Some((Instant::now(), start.elapsed()));
        ledger.seconds.write += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Puts all rows so far on the disk, and then that they are there.
    pub(crate) fn acknowledge(&mut self, ledger: &Ledger) -> Result<()> {
        self.files.iter().try_for_each(|(_, file)| file.sync())?;
        ledger.write(&self.place.partial)
    }

    /// Makes the files whole and gives them their names, the record of them last: `describe` makes it from the ledger with the
    /// last seconds.
    pub(crate) fn finish(
        mut self,
        ledger: &mut Ledger,
        describe: impl FnOnce(&Ledger) -> Result<Option<Vec<u8>>>,
    ) -> Result<()> {
        let start = Instant::now();
        self.acknowledge(ledger)?;
        let mut names = Vec::new();
        for (name, file) in std::mem::take(&mut self.files) {
            file.finish()?;
            names.push(name);
        }
        ledger.seconds.write += start.elapsed().as_secs_f64();
        if let Some((record, bytes)) = self.place.record.zip(describe(ledger)?) {
            write_whole(&self.place.partial.join(record), &bytes)?;
        }
        ledger.whole = true;
        ledger.write(&self.place.partial)?;
        publish(&self.place, names.iter().map(String::as_str))
    }
}

/// Removes what is in the directory of files that grow, but for the lock.
fn empty(partial: &Path) -> Result<()> {
    for entry in fs::read_dir(partial).map_err(Error::io(partial))? {
        let path = entry.map_err(Error::io(partial))?.path();
        if !path.ends_with(LOCK) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

/// Gives whole files their names, the record last.
fn publish<'a>(place: &Place, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let Place { dir, partial, record, .. } = place;
    if let Some(record) = record {
        match fs::remove_file(dir.join(record)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(dir.join(record))(e)),
            _ => {}
        }
    }
    for name in names.chain(*record) {
        let whole = partial.join(name);
        if whole.is_file() {
            rename_whole(&whole, &dir.join(name))?;
        }
    }
    fs::remove_dir_all(partial).map_err(Error::io(partial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growing::Form;
    use manyview_core::Embeddings;
    use manyview_data::Beside;

    const RECORD: &str = "metadata.json";

    fn specs() -> Vec<FileSpec> {
        let matrix = |name: &str| FileSpec { name: name.into(), form: Form::Npy(2) };
        vec![
            matrix("a.npy"),
            matrix("b.npy"),
            FileSpec { name: "rows.csv".into(), form: Form::Csv(&["row"]) },
        ]
    }

    fn open(dir: &Path, key: &str) -> Begun {
        let partial = dir.join(".infer");
        Output::open(Place { dir: dir.into(), partial, is_ours: true, record: Some(RECORD) }, key, &specs())
            .unwrap()
    }

    fn fresh(dir: &Path, key: &str) -> (Output, Ledger) {
        match open(dir, key) {
            Begun::Open(output, ledger) => (*output, *ledger),
            Begun::Done(_) => panic!("nothing was begun under {key}"),
        }
    }

    fn append(output: &mut Output, ledger: &mut Ledger, rows: &[u64]) {
        let x = Embeddings::from_rows(rows.iter().map(|&row| [row as f32, 1.0])).unwrap();
        let beside = Beside { rows, ..Beside::default() };
        output.append(&Chunk { matrices: vec![&x, &x], beside, lines: b"" }, ledger).unwrap();
    }

    #[test]
    fn a_process_that_died_between_two_names_is_followed_by_one_that_gives_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let (mut output, mut ledger) = fresh(dir.path(), "k");
        append(&mut output, &mut ledger, &[0, 1, 2]);
        output.finish(&mut ledger, |_| Ok(Some(b"record".to_vec()))).unwrap();
        let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
        let whole = ["a.npy", "b.npy", "rows.csv", RECORD].map(read);
        let partial = dir.path().join(".infer");
        assert!(!partial.exists());

        fs::create_dir(&partial).unwrap();
        for name in ["b.npy", RECORD] {
            fs::rename(dir.path().join(name), partial.join(name)).unwrap();
        }
        ledger.write(&partial).unwrap();
        let Begun::Done(found) = open(dir.path(), "k") else { panic!("all but the names was done") };
        assert_eq!(found.rows, 3);
        assert_eq!(["a.npy", "b.npy", "rows.csv", RECORD].map(read), whole);
        assert!(!partial.exists());
    }

    #[test]
    fn rows_after_the_last_acknowledgement_are_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut output, mut ledger) = fresh(dir.path(), "k");
        append(&mut output, &mut ledger, &[0, 1]);
        ledger.read = 2;
        output.acknowledge(&ledger).unwrap();
        append(&mut output, &mut ledger, &[7, 8, 9]);
        drop(output);
        let (mut output, mut ledger) = fresh(dir.path(), "k");
        assert_eq!((ledger.read, ledger.rows), (2, 2));
        append(&mut output, &mut ledger, &[2]);
        output.finish(&mut ledger, |_| Ok(None)).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("rows.csv")).unwrap(), "row\n0\n1\n2\n");
        let x = manyview_data::read_vectors(&dir.path().join("b.npy"), "").unwrap();
        assert_eq!(x.as_slice(), [0.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
        assert!(!dir.path().join(RECORD).exists());
    }
}
