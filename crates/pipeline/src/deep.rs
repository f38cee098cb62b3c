use crate::config::Suite;
use crate::doctor::Check;
use crate::run_dir::Member;
use crate::{Environment, Error, Result, RunDir, checkpoints, runs, scores, tuned};
use manyview_core::Progress;
use manyview_store::Store;
use std::path::Path;

/// Reads everything that earlier runs of `suite` left: every part of its stores, and the adapters, heads, encoders,
/// checkpoints and measures in its run directory. Damaged parts and checkpoints are moved aside, so that vectors are
/// computed again and training goes on from the one before; what killed processes left there and in the cache of the hub
/// is removed.
pub fn deep_check(suite: &Suite, environment: &Environment, progress: &dyn Progress) -> Vec<Check> {
    let mut stores: Vec<&Path> = suite.members().iter().map(|(_, e)| e.output.store.as_path()).collect();
    stores.sort();
    stores.dedup();
    let of = |what: String, found: Result<String>| Check { what, found: found.map_err(|e| e.to_string()) };
    let stores =
        stores.into_iter().map(|path| of(format!("every part in {}", path.display()), parts(path, progress)));
    let run = RunDir::of(&suite.base);
    let run = of(format!("everything in {}", run.display()), results(suite, &run));
    let cache = environment.hub.clear_leftovers().map(left).map_err(Error::from);
    stores.chain([run, of("the cache of the hub".into(), cache)]).collect()
}

fn parts(path: &Path, progress: &dyn Progress) -> Result<String> {
    if !path.is_dir() {
        return Ok("nothing yet".into());
    }
    let checked = Store::open(path)?.verify(progress)?;
    let bad: Vec<_> = checked.iter().filter_map(|c| Some((&c.part, c.problem.as_ref()?))).collect();
    match bad.first() {
        None => {
            let vectors: usize = checked.iter().map(|c| c.rows).sum();
            Ok(format!("{vectors} vectors in {} whole files", checked.len()))
        }
        Some((part, problem)) => Err(Error::File {
            path: path.into(),
            problem: format!(
                "{} bad files were moved to quarantine, such as {}: {problem}; their vectors are computed again by the \
                 next run",
                bad.len(),
                part.display()
            ),
        }),
    }
}

fn results(suite: &Suite, path: &Path) -> Result<String> {
    if !path.is_dir() {
        return Ok("nothing yet".into());
    }
    let held = RunDir::open(&suite.base)?;
    let (mut adapters, mut heads, mut encoders, mut states) = (0, 0, 0, 0);
    for (name, _) in suite.members() {
        let member = Member::at(name.map_or_else(|| path.to_path_buf(), |name| path.join(name)));
        if !member.path().is_dir() {
            continue;
        }
        if member.adapter().is_dir() {
            manyview_adapter::load(&member.adapter())?;
            adapters += 1;
        }
        if member.head().is_dir() {
            scores::check(&member)?;
            heads += 1;
        }
        encoders += usize::from(tuned::check(&member)?);
        states += checkpoints::check(member.path())?;
        runs::view(member.path().into(), String::new())?; // the record of its fit, and its measures
    }
    let found = [(adapters, "adapters"), (heads, "heads"), (encoders, "encoders that learnt")];
    let found = found.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} whole {what}, "));
    let (found, left) = (found.collect::<String>(), left(held.cleared()));
    Ok(format!("{found}{left}, {states} whole checkpoints"))
}

fn left(n: usize) -> String {
    format!("{n} leftovers of killed processes removed")
}
