use crate::config::Data;
use crate::{Environment, Error, Result, embedded};
use manyview_core::Progress;
use manyview_data::data_files;
use std::path::PathBuf;

/// The files of `data.source`, fetched where they are not local.
///
/// # Errors
/// A source that is not there.
pub fn fetch(data: &Data, environment: &Environment, progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    if data.source.is_empty() {
        return Ok(data.vectors.iter().cloned().collect());
    }
    if let Some(corpus) = embedded::corpus(data) {
        return Ok(vec![environment.sources.embedded.path(corpus.file)?]);
    }
    if let Some(repo) = data.source.strip_prefix("hub:") {
        return Ok(environment.sources.hub.fetch_dataset(
            repo,
            data.config.as_deref(),
            &data.revision,
            progress,
        )?);
    }
    let path = PathBuf::from(&data.source);
    let parts = ["train.jsonl", "val.jsonl", "test.jsonl"].map(|name| path.join(name));
    if parts.iter().any(|part| part.is_file()) {
        return Ok(parts.into_iter().filter(|part| part.is_file()).collect()); // as `manyview prepare` writes them
    }
    match data_files(&path) {
        Ok(paths) => Ok(paths),
        Err(e) if path.exists() || data.source.contains(['/', '\\', '~', '*', '?', ':']) => {
            Err(Error::setting("data.source", e.to_string()))
        }
        Err(_) => Err(Error::setting(
            "data.source",
            format!(
                "`{}` is neither an embedded corpus ({}), a file, a directory, a pattern such as data/*.parquet, nor \
                 `hub:ORG/NAME`; check the path, which starts from the current directory",
                data.source,
                embedded::CORPORA.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}
