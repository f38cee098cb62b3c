use super::ledger::Ledger;
use super::metadata::Inferred;
use crate::{Error, Result, run};
use manyview_core::Embeddings;
use manyview_core::publish::{clear, rename_whole};
use manyview_data::{Beside, CsvWriter, NpyWriter, ParquetWriter};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The directory of what is not whole yet.
const PARTIAL: &str = ".infer";
/// Which row of the input each row of the matrices is.
const ROWS: &str = "rows.csv";

/// What matrices are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// `NAME.npy`, float32, and `rows.csv` beside them.
    #[default]
    Npy,
    /// `NAME.parquet`: columns `row`, `id`, `truncated` and `vector`.
    Parquet,
}

impl FileFormat {
    /// The file of the matrix `name`.
    pub(super) fn file(self, name: &str) -> String {
        match self {
            Self::Npy => format!("{name}.npy"),
            Self::Parquet => format!("{name}.parquet"),
        }
    }
}

/// The output directory, held by one process: files that grow in `.infer/`, and get their names when all are whole.
pub(super) struct Output {
    dir: PathBuf,
    partial: PathBuf,
    matrices: Vec<(String, Matrix)>,
    csv: Option<CsvWriter>,
    /// When the ledger was last written, and how long that took.
    written: Option<(Instant, Duration)>,
    _lock: File,
}

enum Matrix {
    Npy(NpyWriter),
    Parquet(ParquetWriter),
}

/// What [`Output::open`] finds.
pub(super) enum Opened {
    /// All was done but for the last names, which the files now have.
    Done(Box<Inferred>),
    /// There is something to do, from where the ledger says.
    Open(Box<Output>, Ledger),
}

impl Output {
    /// Opens `dir` for the matrices in `files`, each with the length of its rows, and `rows.csv` with the columns
    /// `csv`. Goes on where an earlier process with the same `key` was.
    pub(super) fn open(
        dir: &Path,
        key: &str,
        format: FileFormat,
        files: &[(String, usize)],
        csv: Option<&[&str]>,
    ) -> Result<Opened> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let lock = run::hold(dir)?;
        clear(dir, 0)?;
        let partial = dir.join(PARTIAL);
        let output = |matrices, csv| {
            let (dir, partial) = (dir.into(), partial.clone());
            Box::new(Self { dir, partial, matrices, csv, written: None, _lock: lock })
        };
        if let Some(ledger) = Ledger::read(&partial, key) {
            if let Ok(bytes) = fs::read(partial.join(Inferred::FILE))
                && let Ok(inferred) = serde_json::from_slice(&bytes)
            {
                output(Vec::new(), None).publish(&inferred)?;
                return Ok(Opened::Done(Box::new(inferred)));
            }
            match go_on(&partial, format, files, csv, &ledger) {
                Ok((matrices, csv)) => return Ok(Opened::Open(output(matrices, csv), ledger)),
                Err(e) => tracing::warn!(error = %e, "what an earlier run left cannot be gone on with"),
            }
        }
        match fs::remove_dir_all(&partial) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&partial)(e)),
            _ => fs::create_dir_all(&partial).map_err(Error::io(&partial))?,
        }
        let create = |(file, dim): &(String, usize)| {
            let path = partial.join(file);
            let matrix = match format {
                FileFormat::Npy => Matrix::Npy(NpyWriter::create(&path, *dim)?),
                FileFormat::Parquet => Matrix::Parquet(ParquetWriter::create(&path, *dim)?),
            };
            Ok((file.clone(), matrix))
        };
        let matrices = files.iter().map(create).collect::<Result<Vec<_>>>()?;
        let csv = csv.map(|names| CsvWriter::create(&partial.join(ROWS), names)).transpose()?;
        let ledger = Ledger { key: key.into(), ..Ledger::default() };
        Ok(Opened::Open(output(matrices, csv), ledger))
    }

    /// Adds rows to each file, in the order of the files, and counts them.
    pub(super) fn append(
        &mut self,
        matrices: &[&Embeddings],
        beside: Beside<'_>,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let start = Instant::now();
        for ((file, matrix), x) in self.matrices.iter_mut().zip(matrices) {
            match matrix {
                Matrix::Npy(npy) => npy.append(x)?,
                Matrix::Parquet(parquet) => {
                    parquet.append(x, beside)?;
                    ledger.chunks.insert(file.clone(), parquet.lengths().into());
                }
            }
        }
        if let Some(csv) = &mut self.csv {
            let row = |i: usize| {
                let number = beside.rows.get(i).map(u64::to_string);
                let id = beside.ids.map(|ids| ids.get(i).cloned().unwrap_or_default());
                let truncated = beside.truncated.map(|cut| (cut.get(i) == Some(&true)).to_string());
                [number, id, truncated].into_iter().flatten()
            };
            csv.append((0..beside.rows.len()).map(row))?;
            ledger.csv = csv.length();
        }
        ledger.rows += beside.rows.len();
        ledger.seconds.write += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Acknowledges what was appended when that is due: so often that waiting for the disk takes a twentieth of the time.
    pub(super) fn acknowledge_when_due(&mut self, ledger: &mut Ledger) -> Result<()> {
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
    pub(super) fn acknowledge(&mut self, ledger: &Ledger) -> Result<()> {
        for (_, matrix) in &self.matrices {
            match matrix {
                Matrix::Npy(npy) => npy.sync()?,
                Matrix::Parquet(parquet) => parquet.sync()?,
            }
        }
        self.csv.as_ref().map_or(Ok(()), CsvWriter::sync)?;
        ledger.write(&self.partial)
    }

    /// Makes the files whole and gives them their names; `metadata.json` comes last, and only beside the files it
    /// describes. `describe` is given the ledger with the last seconds.
    pub(super) fn finish(
        mut self,
        mut ledger: Ledger,
        describe: impl FnOnce(&Ledger) -> Inferred,
    ) -> Result<Inferred> {
        let start = Instant::now();
        self.acknowledge(&ledger)?;
        for (_, matrix) in std::mem::take(&mut self.matrices) {
            match matrix {
                Matrix::Npy(npy) => npy.finish()?,
                Matrix::Parquet(parquet) => parquet.finish()?,
            }
        }
        ledger.seconds.write += start.elapsed().as_secs_f64();
        let (inferred, path) = (describe(&ledger), self.partial.join(Inferred::FILE));
        run::publish(&path, &run::json(&path, &inferred)?)?;
        self.publish(&inferred)?;
        Ok(inferred)
    }

    /// Gives whole files their names.
    fn publish(&self, inferred: &Inferred) -> Result<()> {
        let gone = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound;
        let described = self.dir.join(Inferred::FILE);
        match fs::remove_file(&described) {
            Err(e) if !gone(&e) => return Err(Error::io(described)(e)),
            _ => {}
        }
        let files = inferred.files.iter().map(|written| written.file.as_str());
        for name in files.chain([ROWS, Inferred::FILE]) {
            let whole = self.partial.join(name);
            if whole.exists() {
                rename_whole(&whole, &self.dir.join(name))?;
            }
        }
        fs::remove_dir_all(&self.partial).map_err(Error::io(&self.partial))
    }
}

type Files = (Vec<(String, Matrix)>, Option<CsvWriter>);

fn go_on(
    partial: &Path,
    format: FileFormat,
    files: &[(String, usize)],
    csv: Option<&[&str]>,
    ledger: &Ledger,
) -> Result<Files> {
    let open = |(file, dim): &(String, usize)| {
        let path = partial.join(file);
        let lengths = ledger.chunks.get(file).map_or(&[][..], Vec::as_slice);
        let matrix = match format {
            FileFormat::Npy => Matrix::Npy(NpyWriter::go_on(&path, *dim, ledger.rows)?),
            FileFormat::Parquet => Matrix::Parquet(ParquetWriter::go_on(&path, *dim, lengths)?),
        };
        Ok((file.clone(), matrix))
    };
    let matrices = files.iter().map(open).collect::<Result<_>>()?;
    let csv = csv.map(|_| CsvWriter::go_on(&partial.join(ROWS), ledger.csv)).transpose()?;
    Ok((matrices, csv))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::metadata::{Holds, Written};

    fn files() -> Vec<(String, usize)> {
        vec![("a.npy".into(), 2), ("b.npy".into(), 2)]
    }

    fn open(dir: &Path, key: &str) -> Opened {
        Output::open(dir, key, FileFormat::Npy, &files(), Some(&["row"])).unwrap()
    }

    fn fresh(dir: &Path, key: &str) -> (Output, Ledger) {
        match open(dir, key) {
            Opened::Open(output, ledger) => (*output, ledger),
            Opened::Done(_) => panic!("nothing was begun under {key}"),
        }
    }

    fn append(output: &mut Output, ledger: &mut Ledger, rows: &[u64]) {
        let x = Embeddings::from_rows(rows.iter().map(|&row| [row as f32, 1.0])).unwrap();
        output.append(&[&x, &x], Beside { rows, ..Beside::default() }, ledger).unwrap();
    }

    fn describe(ledger: &Ledger) -> Inferred {
        let json = serde_json::json!({
            "schema": Inferred::SCHEMA, "input": "x.csv", "input_blake3": "", "rows_read": 0, "rows": ledger.rows,
            "dropped": {"missing": 0, "duplicates": 0}, "truncated": 0, "normalized": null, "files": [],
            "encoder": {"name": "e", "fingerprint": null, "known": ""}, "base": null, "teacher": null,
            "seconds": ledger.seconds,
        });
        let mut inferred: Inferred = serde_json::from_value(json).unwrap();
        let written = |(file, dim): &(String, usize)| Written {
            file: file.clone(),
            dim: *dim,
            holds: Holds::Base { instruction: None },
        };
        inferred.files = files().iter().map(written).collect();
        inferred
    }

    #[test]
    fn a_process_that_died_between_two_names_is_followed_by_one_that_gives_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let (mut output, mut ledger) = fresh(dir.path(), "k");
        append(&mut output, &mut ledger, &[0, 1, 2]);
        output.finish(ledger.clone(), describe).unwrap();
        let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
        let whole = ["a.npy", "b.npy", ROWS, Inferred::FILE].map(read);
        let partial = dir.path().join(PARTIAL);
        assert!(!partial.exists());

        fs::create_dir(&partial).unwrap();
        for name in ["b.npy", Inferred::FILE] {
            fs::rename(dir.path().join(name), partial.join(name)).unwrap();
        }
        ledger.write(&partial).unwrap();
        let Opened::Done(inferred) = open(dir.path(), "k") else { panic!("all but the names was done") };
        assert_eq!(inferred.rows, 3);
        assert_eq!(["a.npy", "b.npy", ROWS, Inferred::FILE].map(read), whole);
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
        output.finish(ledger, describe).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(ROWS)).unwrap(), "row\n0\n1\n2\n");
        let x = manyview_data::read_vectors(&dir.path().join("b.npy"), "").unwrap();
        assert_eq!(x.as_slice(), [0.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
    }

    #[test]
    fn another_key_starts_over() {
        let dir = tempfile::tempdir().unwrap();
        let (mut output, mut ledger) = fresh(dir.path(), "k");
        append(&mut output, &mut ledger, &[0, 1]);
        output.acknowledge(&ledger).unwrap();
        drop(output);
        assert_eq!(fresh(dir.path(), "other").1, Ledger { key: "other".into(), ..Ledger::default() });
    }
}
