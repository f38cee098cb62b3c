use crate::args::Store as Command;
use crate::progress::Bars;
use crate::stdout::print_line;
use anyhow::bail;
use manyview_pipeline::{Error, Space, Store};
use std::path::Path;

/// Runs one `manyview store` command.
pub(crate) fn run(dir: &Path, command: Command, bars: &Bars) -> anyhow::Result<()> {
    if !dir.is_dir() {
        bail!(Error::Missing {
            path: dir.into(),
            missing: "a vector store, found none".into(),
            cure: "encode".into()
        });
    }
    let store = Store::open(dir).map_err(Error::from)?;
    match command {
        Command::Ls => list(&store.spaces().map_err(Error::from)?)?,
        Command::Verify => {
            let checked = store.verify(bars).map_err(Error::from)?;
            let bad = checked.iter().filter_map(|c| Some((c, c.problem.as_ref()?)));
            for (part, problem) in bad.clone() {
                moved_aside(&part.part, problem)?;
            }
            let (bad, rows) = (bad.count(), checked.iter().map(|c| c.rows).sum::<usize>());
            print_line(format_args!("{} files, {rows} vectors, {bad} bad", checked.len()))?;
            refuse(dir, bad)?;
        }
        Command::Compact => {
            let done = store.compact(bars).map_err(Error::from)?;
            for space in done.iter().filter(|space| space.merged > 0) {
                let (key, merged, written) = (&space.space, space.merged, space.written);
                print_line(format_args!(
                    "{key}: {merged} small files became {written}, with {} vectors",
                    space.rows
                ))?;
            }
            if done.iter().all(|space| space.merged == 0) {
                print_line("no small files to put together")?;
            }
            let damaged = done.iter().flat_map(|space| &space.damaged);
            let bad = damaged.clone().count();
            for (path, problem) in damaged {
                moved_aside(path, problem)?;
            }
            refuse(dir, bad)?;
        }
        Command::Rm { key } => {
            let space = store.remove(&key).map_err(Error::from)?;
            print_line(format_args!("removed {} vectors of {}", space.rows, described(&space)))?;
        }
    }
    Ok(())
}

fn moved_aside(path: &Path, problem: &str) -> anyhow::Result<()> {
    let path = path.display();
    print_line(format_args!("{path}: {problem}; moved aside, its vectors are computed again when asked for"))
}

/// Returns an error if files were damaged.
fn refuse(dir: &Path, bad: usize) -> anyhow::Result<()> {
    if bad > 0 {
        bail!(Error::File { path: dir.into(), problem: format!("{bad} bad files were moved aside") });
    }
    Ok(())
}

fn list(spaces: &[Space]) -> anyhow::Result<()> {
    print_line(format_args!(
        "{:12}  {:>9}  {:>6}  {:>9}  encoder and instruction",
        "key", "rows", "dim", "MiB"
    ))?;
    for space in spaces {
        let key: String = space.key.chars().take(12).collect();
        let mib = space.bytes as f64 / f64::from(1 << 20);
        let (rows, dim, of) = (space.rows, space.dim, described(space));
        print_line(format_args!("{key:12}  {rows:>9}  {dim:>6}  {mib:>9.1}  {of}"))?;
    }
    Ok(())
}

fn described(space: &Space) -> String {
    match &space.instruction {
        Some(instruction) => format!("{}: {}", space.encoder, instruction.task()),
        None => space.encoder.clone(),
    }
}
