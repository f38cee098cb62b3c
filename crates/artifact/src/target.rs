use super::applier::Applier;
use super::describe::{self, ROWS};
use super::growing::{FileSpec, Form};
use super::metadata::Inferred;
use super::open::Artifact;
use super::output::Place;
use crate::{Error, Result};
use manyview_adapter::Card;
use manyview_core::Encoder;
use std::path::{Path, PathBuf};

/// What results are written as.
#[derive(Clone, Debug)]
pub enum Target {
    /// A matrix for each adapter, and of the base vectors where texts are encoded, in a directory.
    Matrices {
        /// The directory.
        dir: PathBuf,
        /// What the matrices are.
        format: FileFormat,
        /// Whether the batches have names of rows.
        ids: bool,
    },
    /// The scores of a head, a line of JSON for each row.
    Lines {
        /// The file.
        file: PathBuf,
    },
}

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
    pub(crate) fn file(self, name: &str) -> String {
        match self {
            Self::Npy => format!("{name}.npy"),
            Self::Parquet => format!("{name}.parquet"),
        }
    }
}

impl Target {
    /// The files, in the order they are written, and the card of the head whose scores are lines.
    ///
    /// # Errors
    /// Models whose results are not written so.
    pub(crate) fn files<E: Encoder>(&self, applier: &Applier<E>) -> Result<(Vec<FileSpec>, Option<Card>)> {
        match self {
            Self::Matrices { format, ids, .. } => {
                let form = |dim| match format {
                    FileFormat::Npy => Form::Npy(dim),
                    FileFormat::Parquet => Form::Parquet(dim),
                };
                let matrices = describe::matrices(applier, *format)?.into_iter();
                let matrices =
                    matrices.map(|written| FileSpec { name: written.file, form: form(written.dim) });
                let has_rows = applier.encoder().is_some() && *format == FileFormat::Npy;
                let columns: &[_] = if *ids { &["row", "id", "truncated"] } else { &["row", "truncated"] };
                let rows = has_rows.then(|| FileSpec { name: ROWS.into(), form: Form::Csv(columns) });
                Ok((matrices.chain(rows).collect(), None))
            }
            Self::Lines { file } => match applier.models() {
                [only] if matches!(only.artifact, Artifact::Head(_)) => {
                    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    Ok((vec![FileSpec { name, form: Form::Lines }], Some(only.card.clone())))
                }
                others => {
                    let names: Vec<_> = others.iter().map(|other| other.dir.display().to_string()).collect();
                    let problem = format!(
                        "expected a head, found none in {}; `manyview infer` takes adapters and encoders",
                        names.join(", ")
                    );
                    Err(Error::setting("--head", problem))
                }
            },
        }
    }

    /// Where the files are, and where they grow.
    ///
    /// # Errors
    /// A directory of the file that is not there.
    pub(crate) fn place(&self) -> Result<Place> {
        Ok(match self {
            Self::Matrices { dir, .. } => Place {
                dir: dir.clone(),
                partial: dir.join(".infer"),
                is_ours: true,
                record: Some(Inferred::FILE),
            },
            Self::Lines { file } => {
                let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
                std::fs::metadata(dir).map_err(Error::io(dir))?;
                let partial =
                    dir.join(format!(".{}.part", file.file_name().unwrap_or_default().to_string_lossy()));
                Place { dir: dir.into(), partial, is_ours: false, record: None }
            }
        })
    }
}
