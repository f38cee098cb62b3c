use crate::args::{Export, ExportFormat, Push};
use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use manyview_artifact::{self as artifact, Format};
use manyview_pipeline::Upload;
use std::path::Path;

/// Exports an adapter for other programs, and prints the output paths.
pub(crate) fn export(export: Export, bars: &Bars) -> anyhow::Result<()> {
    let export = artifact::Export {
        adapter: export.adapter,
        output: export.output,
        format: match export.to {
            ExportFormat::SentenceTransformers => Format::SentenceTransformers,
            ExportFormat::Onnx => Format::Onnx,
            ExportFormat::Npy => Format::Npy,
            ExportFormat::Adapter => Format::Adapter,
        },
        encoder: export.encoder,
        device: export.device,
    };
    artifact::export(&export, &environment().sources, bars)?;
    files(&export.output)?;
    print_line(format_args!(
        "{}: how to use it, to be read and completed",
        export.output.join("README.md").display()
    ))
}

/// Uploads a directory to a hub, and prints its address.
pub(crate) fn push(push: Push, bars: &Bars) -> anyhow::Result<()> {
    let upload =
        Upload { repo: push.repo, revision: push.revision, private: push.private, message: push.message };
    let uploaded = artifact::push(&push.from, &upload, &environment().sources, bars)?;
    match uploaded.changed {
        0 => print_line(format_args!("{}: nothing has changed", uploaded.url)),
        n => print_line(format_args!("{}: {n} files new or changed", uploaded.url)),
    }
}

fn files(dir: &Path) -> anyhow::Result<()> {
    let unread = |source| manyview_core::Error::Io { path: dir.into(), source };
    let entries = std::fs::read_dir(dir).map_err(unread)?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => files(&path)?,
            false if path.ends_with("README.md") => {}
            false => print_line(path.display())?,
        }
    }
    Ok(())
}
