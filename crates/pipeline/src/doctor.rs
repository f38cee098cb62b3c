use crate::config::{Experiment, Suite};
use crate::training::training;
use crate::{Environment, Error, Result, embedded, machine, run, task};
use manyview_artifact::{describe_devices, fetch_encoder, load_encoder};
use manyview_core::{Encoder, Progress};
use manyview_embedded::MINILM;
use manyview_store::Store;
use std::path::Path;
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// What was found, or what is wrong and how to cure it.
    pub found: Result<String, String>,
}

/// Looks at everything a long job needs before it starts: the embedded data, the device, the encoder, the corpora, the
/// teachers' inputs, and the directories that are written to.
pub fn doctor(suite: Option<&Suite>, environment: &Environment, progress: &dyn Progress) -> Vec<Check> {
    let mut checks = vec![
        check("embedded data", embedded_data(environment)),
        check("devices", Ok(describe_devices())),
        check("training", Ok(training().into())),
        check("threads", Ok(std::thread::available_parallelism().map_or(1, usize::from).to_string())),
        check(
            "memory",
            Ok(machine::memory()
                .map_or("unknown on this system".into(), |free| format!("{} free", machine::gib(free)))),
        ),
    ];
    for (name, experiment) in suite.map(Suite::members).unwrap_or_default() {
        let of = |what: &str| name.map_or(what.to_string(), |name| format!("{name}: {what}"));
        checks.push(check(&of("encoder"), encoder_loads(experiment, environment, progress)));
        let found = match task::of_experiment(experiment) {
            Ok(task) => task.checks(experiment, environment, progress),
            Err(e) => vec![("task", Err(e))],
        };
        checks.extend(found.into_iter().map(|(what, found)| check(&of(what), found)));
        #[cfg(not(feature = "train"))]
        if experiment.train.is_by_gradient() {
            checks.push(check(&of("training"), Err(crate::training::needs_training())));
        }
        checks.push(check(&of("run directory"), writable(&experiment.output.dir)));
        checks.push(check(&of("store"), store_opens(&experiment.output.store)));
        if let Some(answer) = tracking_answers(experiment, environment) {
            checks.push(check(&of("tracking server"), answer));
        }
    }
    checks
}

fn check(what: &str, found: Result<String>) -> Check {
    Check { what: what.into(), found: found.map_err(|e| e.to_string()) }
}

fn embedded_data(environment: &Environment) -> Result<String> {
    for corpus in embedded::CORPORA {
        environment.sources.embedded.path(corpus.file)?;
    }
    Ok(environment.sources.embedded.path(MINILM)?.display().to_string())
}

fn encoder_loads(
    experiment: &Experiment,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<String> {
    if let Some(path) = &experiment.data.vectors {
        return Ok(format!("not needed: vectors from {}", path.display()));
    }
    let dir = fetch_encoder(&experiment.encoder, &environment.sources, progress)?;
    machine::fits(&dir)?;
    let encoder = load_encoder(&experiment.encoder, &environment.sources, progress)?;
    let (dim, length, pooling) = (encoder.dim(), encoder.max_length(), encoder.pooling());
    let model = &experiment.encoder.model;
    Ok(format!(
        "{model}: {dim} dimensions, {pooling} pooling, up to {length} tokens, {}",
        encoder.fingerprint().short()
    ))
}

fn store_opens(path: &Path) -> Result<String> {
    let spaces = Store::open(path)?.spaces()?;
    writable(path)?;
    Ok(format!("{}, {} vectors", path.display(), spaces.iter().map(|s| s.rows).sum::<usize>()))
}

/// Whether something listens where the tracking server should be; nothing when there is to be none.
fn tracking_answers(experiment: &Experiment, environment: &Environment) -> Option<Result<String>> {
    let server = match run::server(&experiment.tracking, &environment.tracking) {
        Err(e) => return Some(Err(e)),
        Ok(server) => server?,
    };
    let answer = server.listens(PATIENCE).map(|()| server.uri().to_string());
    Some(answer.map_err(|e| {
        let problem =
            format!("{}: {e}; the run would go on, and `manyview track sync` send the rest", server.uri());
        Error::setting("tracking.uri", problem)
    }))
}

fn writable(path: &Path) -> Result<String> {
    std::fs::create_dir_all(path).map_err(Error::io(path))?;
    let probe = path.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, b"manyview").map_err(Error::io(&probe))?;
    std::fs::remove_file(&probe).map_err(Error::io(&probe))?;
    let free = machine::disk(path).map(|free| format!(", {} free", machine::gib(free)));
    Ok(format!("{}{}", path.display(), free.unwrap_or_default()))
}
