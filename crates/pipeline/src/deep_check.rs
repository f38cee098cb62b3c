use crate::config::Suite;
use crate::doctor::Check;
use crate::run::{self, RunDir, VariantDir};
use crate::{Environment, Error, Result, task};
use manyview_artifact::{ENCODER, FIT};
use manyview_core::Progress;
use manyview_store::Store;
use std::collections::BTreeMap;
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
    let cache = environment.sources.hub.clear_leftovers().map(left).map_err(Error::from);
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
    let (mut whole, mut states) = (BTreeMap::<String, usize>::new(), 0);
    for (name, experiment) in suite.members() {
        let dir = VariantDir::at(name.map_or_else(|| path.to_path_buf(), |name| path.join(name)));
        if !dir.path().is_dir() {
            continue;
        }
        if dir.path().join(FIT).is_file() {
            *whole.entry(task::of_experiment(experiment)?.check_fit(&dir)?).or_default() += 1;
        }
        if run::check_fine_tuned(&dir)? {
            *whole.entry("fine-tuned encoder".into()).or_default() += 1;
        }
        states += run::check_checkpoints(dir.path())?;
    }
    whole.remove(ENCODER); // counted as what was fine-tuned
    let found = whole.iter().map(|(what, n)| format!("{n} whole {what}s, ")).collect::<String>();
    Ok(format!("{found}{}, {states} whole checkpoints", left(held.cleared())))
}

fn left(n: usize) -> String {
    format!("{n} leftovers of killed processes removed")
}
