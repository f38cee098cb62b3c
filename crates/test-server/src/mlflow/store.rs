use crate::http::Request;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the server holds.
#[derive(Default)]
pub struct Store {
    /// The names of experiments.
    pub experiments: Vec<String>,
    /// Those that were put in the bin, by number.
    pub deleted_experiments: BTreeSet<usize>,
    /// Runs, by number.
    pub runs: Vec<Run>,
    /// Files by path.
    pub artifacts: BTreeMap<String, Vec<u8>>,
    /// The `Authorization` headers it saw, each once.
    pub authorizations: BTreeSet<String>,
    /// The next run is made where artifacts are kept there.
    pub artifact_root: Option<String>,
}

/// A run.
#[derive(Default)]
pub struct Run {
    /// `RUNNING`, `FINISHED`, ...
    pub status: String,
    /// What cannot change.
    pub params: BTreeMap<String, String>,
    /// What can.
    pub tags: BTreeMap<String, String>,
    /// `(key, step, time, bits of the value)`, once each, as MLflow's database keeps them.
    pub metrics: BTreeSet<(String, u64, u64, u64)>,
    /// How many came, those that were there already included.
    pub came: usize,
    /// Whether it was put in the bin.
    pub deleted: bool,
    root: String,
}

impl Run {
    /// Steps and values of a metric.
    pub fn metric(&self, key: &str) -> Vec<(u64, f64)> {
        let of =
            |(k, step, _, bits): &(String, u64, u64, u64)| (k == key).then(|| (*step, f64::from_bits(*bits)));
        self.metrics.iter().filter_map(of).collect()
    }
}

impl Store {
    pub(super) fn answer(&mut self, request: &Request) -> (u16, Value) {
        let (path, query) = request.path_and_query();
        self.authorizations.insert(request.header("authorization").unwrap_or_default().into());
        if let Some(path) = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/") {
            assert_eq!(request.method, "PUT");
            self.artifacts.insert(path.into(), request.body.clone());
            return (200, json!({}));
        }
        match path.strip_prefix("/api/2.0/mlflow/").unwrap_or_default() {
            "experiments/get-by-name" => self.experiment(query.strip_prefix("experiment_name=").unwrap()),
            "experiments/create" => self.new_experiment(&request.json()),
            "runs/search" => self.search(&request.json()),
            "runs/create" => self.new_run(&request.json()),
            "runs/get" => self.with(query.strip_prefix("run_id=").unwrap(), |_, info| {
                Ok(json!({ "run": { "info": info } }))
            }),
            "runs/log-batch" => self.with(id(&request.json()), |run, _| run.log(&request.json())),
            "runs/update" => self.with(id(&request.json()), |run, _| {
                run.status = text(&request.json(), "status");
                Ok(json!({}))
            }),
            _ => (404, json!("<html>not here</html>")),
        }
    }

    fn experiment(&self, name: &str) -> (u16, Value) {
        match self.experiments.iter().position(|n| *n == name.replace('+', " ")) {
            Some(at) => (200, json!({ "experiment": { "experiment_id": at.to_string() } })),
            None => refusal(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment"),
        }
    }

    fn new_experiment(&mut self, body: &Value) -> (u16, Value) {
        let name = text(body, "name");
        if self.experiments.contains(&name) {
            return refusal(400, "RESOURCE_ALREADY_EXISTS", "there is one");
        }
        self.experiments.push(name);
        (200, json!({ "experiment_id": (self.experiments.len() - 1).to_string() }))
    }

    fn search(&self, body: &Value) -> (u16, Value) {
        let filter = text(body, "filter");
        let ours = filter.strip_prefix("tags.`manyview.run` = '").unwrap().strip_suffix('\'').unwrap();
        let found = |(_, run): &(usize, &Run)| run.tags["manyview.run"] == ours && !run.deleted;
        let runs =
            self.runs.iter().enumerate().filter(found).map(|(at, run)| json!({ "info": info(at, run) }));
        (200, json!({ "runs": runs.collect::<Vec<_>>() }))
    }

    fn new_run(&mut self, body: &Value) -> (u16, Value) {
        let experiment = text(body, "experiment_id");
        if self.deleted_experiments.contains(&experiment.parse().unwrap()) {
            let why = format!(
                "The experiment {experiment} must be in the 'active' state. Current state is deleted."
            );
            return refusal(400, "INVALID_PARAMETER_VALUE", &why);
        }
        let at = self.runs.len();
        let root =
            self.artifact_root.clone().unwrap_or_else(|| format!("mlflow-artifacts:/0/{at}/artifacts"));
        let mut run = Run { status: "RUNNING".into(), root, ..Run::default() };
        run.tags.extend(pairs(&body["tags"]));
        let answer = json!({ "run": { "info": info(at, &run) } });
        self.runs.push(run);
        (200, answer)
    }

    fn with(
        &mut self,
        id: impl AsRef<str>,
        act: impl FnOnce(&mut Run, Value) -> Result<Value, (u16, Value)>,
    ) -> (u16, Value) {
        let at: usize = id.as_ref().strip_prefix("run-").unwrap().parse().unwrap();
        let run = &mut self.runs[at];
        let info = info(at, run);
        act(run, info).map_or_else(|refusal| refusal, |answer| (200, answer))
    }
}

impl Run {
    fn log(&mut self, body: &Value) -> Result<Value, (u16, Value)> {
        let wrong = |why: &str| Err(refusal(400, "INVALID_PARAMETER_VALUE", why));
        let list = |name: &str| body[name].as_array().unwrap();
        let (metrics, params, tags) = (list("metrics"), list("params"), list("tags"));
        if self.deleted {
            return wrong("the run must be in the active state");
        }
        if params.len() > 100 || tags.len() > 100 || metrics.len() + params.len() + tags.len() > 1000 {
            return wrong("too many values");
        }
        if body.to_string().len() > 1_000_000 {
            return wrong("too large a request");
        }
        for (key, value) in pairs(&body["params"]) {
            if self.params.get(&key).is_some_and(|v| *v != value) || value.chars().count() > 6000 {
                return wrong("a parameter that changes, or is too long");
            }
        }
        if metrics.iter().any(|m| !m["value"].is_f64()) {
            return wrong("no number");
        }
        self.params.extend(pairs(&body["params"]));
        self.tags.extend(pairs(&body["tags"]));
        for metric in metrics {
            let (step, time) = (metric["step"].as_u64().unwrap(), metric["timestamp"].as_u64().unwrap());
            self.metrics.insert((
                text(metric, "key"),
                step,
                time,
                metric["value"].as_f64().unwrap().to_bits(),
            ));
            self.came += 1;
        }
        Ok(json!({}))
    }
}

fn info(at: usize, run: &Run) -> Value {
    let stage = if run.deleted { "deleted" } else { "active" };
    json!({ "run_id": format!("run-{at}"), "artifact_uri": run.root, "lifecycle_stage": stage })
}

fn id(body: &Value) -> String {
    text(body, "run_id")
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap().into()
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    list.as_array().unwrap().iter().map(|pair| (text(pair, "key"), text(pair, "value"))).collect()
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "error_code": code, "message": message }))
}
