use crate::args::Store as Command;
use manyview_pipeline::Store;
use std::path::Path;

/// Runs one `manyview store` command.
pub(crate) fn run(dir: &Path, command: Command) -> anyhow::Result<()> {
    let store = Store::open(dir).map_err(manyview_pipeline::Error::from)?;
    todo!("{store:?} {command:?}")
}
