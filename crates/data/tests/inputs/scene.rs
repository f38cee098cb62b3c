use manyview_data::{Corpus, CorpusConfig, Table};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory with files in it.
pub(crate) struct Scene(pub(crate) TempDir);

impl Scene {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// The columns `text` and `label` of a file: a row in each part, `text:label`, with `-` for no value.
pub(crate) fn rows(path: &Path) -> Result<String, String> {
    let table = Table::read_all(&[path.into()], &["text", "label"]).map_err(|e| e.to_string())?;
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let (texts, labels) = (table.column("text").unwrap(), table.column("label").unwrap());
    let rows: Vec<String> =
        texts.iter().zip(labels).map(|(text, label)| format!("{}:{}", cell(text), cell(label))).collect();
    Ok(rows.join("|"))
}

/// The same of a file that is written first: its name in the first line, its bytes behind it.
pub(crate) fn rows_of(input: &str) -> Result<String, String> {
    let (name, text) = input.split_once('\n').unwrap();
    let scene = Scene::new();
    rows(&scene.file(name, text))
}

pub(crate) fn config() -> CorpusConfig {
    CorpusConfig {
        text: "text".into(),
        label: Some("label".into()),
        answers: None,
        split: None,
        id: None,
        beside: Vec::new(),
        limit: None,
        seed: 1,
        dedup: true,
        drop_missing: false,
    }
}

/// The labels of a corpus.
pub(crate) fn labels(input: &str) -> Result<String, String> {
    let (name, text) = input.split_once('\n').unwrap();
    let scene = Scene::new();
    let corpus = Corpus::read(&[scene.file(name, text)], &config()).map_err(|e| e.to_string())?;
    Ok(corpus.label.unwrap().join("|"))
}
