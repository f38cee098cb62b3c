//! The matrices that inference writes: their names, and what they hold.
use super::applier::Applier;
use super::metadata::{Holds, Written};
use super::open::{Artifact, Opened};
use super::target::FileFormat;
use crate::{Error, Result};
use manyview_core::Encoder;
use std::collections::BTreeMap;

/// The teacher whose vectors are those of the encoder under the instruction.
const INSTRUCTED: &str = "instructed";
/// Which row of the input each row of the matrices is.
pub(crate) const ROWS: &str = "rows.csv";

/// The matrices of `applier`, in the order they are written: base vectors where texts are encoded, a view for each adapter,
/// the vectors under the instruction. One adapter's is called `adapter`, several are called by their run or variant.
///
/// # Errors
/// A head, and two matrices of one name.
pub(crate) fn matrices<E: Encoder>(applier: &Applier<E>, format: FileFormat) -> Result<Vec<Written>> {
    let names = names(applier.models())?;
    let encoder = applier.encoder();
    let base = encoder.as_ref().map(|(_, dim)| Written {
        file: format.file("base"),
        holds: Holds::Base { instruction: applier.prompt().cloned() },
        dim: *dim,
    });
    let views = applier.models().iter().zip(names).map(|(model, name)| {
        let holds = Holds::View {
            adapter: model.dir.clone(),
            weights_blake3: model.weights_blake3.clone(),
            card: Box::new(model.card.clone()),
            passages: applier.passages(),
        };
        Written { file: format.file(&name), holds, dim: model.card.dim_out }
    });
    let fitted = applier.models().iter().all(|model| model.card.teacher() == INSTRUCTED);
    let teacher = applier.teacher().zip(encoder.as_ref()).map(|(instruction, (_, dim))| Written {
        file: format.file("teacher"),
        holds: Holds::Teacher { instruction: instruction.clone(), fitted },
        dim: *dim,
    });
    Ok(base.into_iter().chain(views).chain(teacher).collect())
}

/// What the matrices of `models` are called.
///
/// # Errors
/// A head, and two of one name.
pub(crate) fn names(models: &[Opened]) -> Result<Vec<String>> {
    let mut seen = BTreeMap::new();
    let name = |model: &Opened| {
        let dir = model.dir.display().to_string();
        if matches!(model.artifact, Artifact::Head(_)) {
            let problem = format!(
                "expected an adapter, found a head in {dir}; `manyview score` takes it as its --head"
            );
            return Err(Error::setting("--adapter", problem));
        }
        let name = if models.len() == 1 { "adapter".into() } else { name_of(model)? };
        let problem = match name.to_lowercase().as_str() {
            "base" | "teacher" | "rows" | "metadata" => format!("{dir} would be written over `{name}`"),
            lower => match seen.insert(lower.to_string(), dir.clone()) {
                Some(other) => format!("{other} and {dir} would both be written to `{name}`"),
                None => return Ok(name),
            },
        };
        Err(Error::setting("--adapter", format!("{problem}; copy one to a directory of another name")))
    };
    models.iter().map(name).collect()
}

/// What an adapter is called: its directory, the one above where that is called `adapter`, or its repository.
fn name_of(model: &Opened) -> Result<String> {
    let whole = model.dir.canonicalize().map_err(Error::io(&model.dir))?;
    let named = match whole.parent() {
        Some(snapshots) if snapshots.ends_with("snapshots") => snapshots.parent(),
        above if whole.ends_with("adapter") => above,
        _ => Some(whole.as_path()),
    };
    let name = named.and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    let name = name.map(|name| name.rsplit("--").next().map_or(name.clone(), String::from));
    name.ok_or_else(|| {
        let problem = format!("{}: expected a directory with a name", model.dir.display());
        Error::setting("--adapter", problem)
    })
}
