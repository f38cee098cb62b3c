use crate::Result;
use manyview_core::publish::write_whole;
use manyview_data::{Filter, ScoredText, Split, training_lines};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The training files of a preparation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparedFiles {
    /// To learn from.
    pub train: PreparedFile,
    /// To choose between settings.
    pub val: PreparedFile,
    /// To score once, at the end.
    pub test: PreparedFile,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparedFile {
    /// Its name in the directory.
    pub file: String,
    /// Its rows.
    pub rows: usize,
    /// The BLAKE3 of its bytes.
    pub blake3: String,
}

/// A labelled file it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparedInput {
    /// Its name.
    pub file: String,
    /// The BLAKE3 of its bytes.
    pub blake3: String,
}

/// Writes each part whole or not at all.
pub(super) fn write(
    dir: &Path,
    rows: &[ScoredText],
    split: &Split,
    filter: &Filter,
) -> Result<PreparedFiles> {
    let file = |name: &str, part: &[usize]| -> Result<PreparedFile> {
        let bytes = training_lines(part.iter().filter_map(|&row| rows.get(row)), filter);
        write_whole(&dir.join(name), &bytes)?;
        let blake3 = blake3::hash(&bytes).to_hex().to_string();
        Ok(PreparedFile { file: name.into(), rows: part.len(), blake3 })
    };
    Ok(PreparedFiles {
        train: file("train.jsonl", &split.train)?,
        val: file("val.jsonl", &split.val)?,
        test: file("test.jsonl", &split.test)?,
    })
}
