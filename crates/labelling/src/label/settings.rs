use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_data::{Filter, read_labelled};
use manyview_oracle::{
    Endpoint, EndpointConfig, Key, LabelFile, Labelling, Oracle, Prices, Prompt, Rubric, TokenLimit,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that says which oracle to ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OracleFile {
    endpoint: Option<EndpointTable>,
    labels: Option<LabelsTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsTable {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointTable {
    base_url: String,
    model: String,
    key_env: Option<String>,
    key_header: Option<String>,
    #[serde(default)]
    plain_http: bool,
    temperature: Option<OrDefault<f64>>,
    max_tokens: Option<OrDefault<u32>>,
    max_completion_tokens: Option<u32>,
    #[serde(default = "timeout")]
    timeout_seconds: f64,
    #[serde(default = "json")]
    json: bool,
    attempts: Option<u32>,
    first_wait_seconds: Option<f64>,
    longest_wait_seconds: Option<f64>,
    requests_per_minute: Option<f64>,
    parallel: Option<usize>,
    input_price: Option<f64>,
    output_price: Option<f64>,
    #[serde(default = "currency")]
    currency: String,
}

/// A number to send, or `"default"` to send none, so that the server's own holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number, or \"default\" to send none")]
enum OrDefault<T> {
    Number(T),
    Default(Unsent),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unsent {
    Default,
}

const MAX_TOKENS: u32 = 1024;

fn timeout() -> f64 {
    60.0
}

fn json() -> bool {
    true
}

fn currency() -> String {
    "USD".into()
}

/// An oracle, and how it is asked.
pub(super) struct Asked {
    pub(super) oracle: Box<dyn Oracle>,
    pub(super) labelling: Labelling,
    pub(super) prompt: Option<Fingerprint>,
    pub(super) model: String,
    pub(super) currency: String,
}

/// The environment variable that holds the key of the oracle in `path`; none where it needs none.
///
/// # Errors
/// A file that names no oracle.
pub fn key_variable(path: &Path) -> Result<Option<String>> {
    Ok(read(path)?.endpoint.and_then(|endpoint| endpoint.key_env))
}

/// The oracle of the file at `path`, asked with the prompt of `filter`.
pub(super) fn load(path: &Path, key: Option<Key>, filter: &Filter) -> Result<Asked> {
    let fail = |problem: &str| Err(Error::setting(&path.display().to_string(), problem));
    match read(path)? {
        OracleFile { endpoint: Some(table), labels: None } => endpoint(table, key, filter, path),
        OracleFile { endpoint: None, labels: Some(LabelsTable { path }) } => labels(&path, filter),
        OracleFile { endpoint: None, labels: None } => {
            fail("expected a table [endpoint] or [labels], found none; add one")
        }
        _ => fail("expected one of [endpoint] and [labels], found both; remove one"),
    }
}

fn read(path: &Path) -> Result<OracleFile> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    // The source of an error is not shown: a key may stand where none should.
    let parsed = toml::Deserializer::parse(&text).map_err(|e| Error::config("TOML", path, e.message()))?;
    serde_path_to_error::deserialize(parsed)
        .map_err(|e| Error::config(e.path().to_string(), path, e.inner().message()))
}

fn labels(path: &Path, filter: &Filter) -> Result<Asked> {
    let found = read_labelled(path, filter)?;
    found.bad.iter().for_each(|bad| tracing::warn!("left out: {bad}"));
    let scores = found.rows.into_iter().map(|row| (row.article.id, row.scores));
    Ok(Asked {
        oracle: Box::new(LabelFile::new(path, scores)),
        labelling: Labelling::default(),
        prompt: None,
        model: path.display().to_string(),
        currency: currency(),
    })
}

fn endpoint(table: EndpointTable, key: Option<Key>, filter: &Filter, path: &Path) -> Result<Asked> {
    let setting = |key: &str, problem: String| Error::config(format!("endpoint.{key}"), path, problem);
    let seconds = |key: &str, value: f64| {
        let seconds = Duration::try_from_secs_f64(value).ok().filter(|seconds| !seconds.is_zero());
        seconds.ok_or_else(|| setting(key, format!("expected seconds above 0, found {value}")))
    };
    if let (Some(variable), None) = (&table.key_env, &key) {
        let problem =
            format!("expected the environment variable {variable} to hold the key, found none; set it");
        return Err(setting("key_env", problem));
    }
    let prices = match (table.input_price, table.output_price) {
        (None, None) => None,
        (Some(input), Some(output)) if input >= 0.0 && output >= 0.0 => Some(Prices { input, output }),
        _ => {
            let problem = "expected input_price and output_price, from 0, for a million tokens, or neither";
            return Err(setting("input_price", problem.into()));
        }
    };
    let defaults = Labelling::default();
    let wait =
        |key: &str, value: Option<f64>, default: Duration| value.map_or(Ok(default), |v| seconds(key, v));
    let labelling = Labelling {
        attempts: table.attempts.unwrap_or(defaults.attempts),
        first_wait: wait("first_wait_seconds", table.first_wait_seconds, defaults.first_wait)?,
        longest_wait: wait("longest_wait_seconds", table.longest_wait_seconds, defaults.longest_wait)?,
        per_minute: table.requests_per_minute,
        parallel: table.parallel.unwrap_or(defaults.parallel),
        prices,
        ..defaults
    };
    let prompt = Prompt::new(&filter.prompt()?, &described(filter))?;
    let fingerprint = prompt.fingerprint();
    let rubric =
        Rubric { dimensions: filter.names().into_iter().map(String::from).collect(), range: filter.range };
    let max_tokens = match (table.max_tokens, table.max_completion_tokens) {
        (None, None) => TokenLimit::MaxTokens(MAX_TOKENS),
        (Some(OrDefault::Number(tokens)), None) => TokenLimit::MaxTokens(tokens),
        (Some(OrDefault::Default(_)), None) => TokenLimit::Unset,
        (None, Some(tokens)) => TokenLimit::MaxCompletionTokens(tokens),
        (Some(_), Some(_)) => {
            let problem = "expected max_tokens or max_completion_tokens, found both; remove the one that the model \
                           does not take";
            return Err(setting("max_completion_tokens", problem.into()));
        }
    };
    if max_tokens.tokens() == Some(0) {
        return Err(setting("max_tokens", "expected a number from 1, found 0".into()));
    }
    let config = EndpointConfig {
        base_url: table.base_url,
        model: table.model.clone(),
        key,
        key_header: table.key_header,
        plain_http: table.plain_http,
        temperature: match table.temperature {
            None => Some(0.0),
            Some(OrDefault::Number(temperature)) => Some(temperature),
            Some(OrDefault::Default(_)) => None,
        },
        max_tokens,
        timeout: seconds("timeout_seconds", table.timeout_seconds)?,
        json: table.json,
    };
    Ok(Asked {
        oracle: Box::new(Endpoint::new(config, prompt, rubric)?),
        labelling,
        prompt: Some(fingerprint),
        model: table.model,
        currency: table.currency,
    })
}

/// The dimensions, one a line with what each means: what `{dimensions}` stands for in a prompt.
fn described(filter: &Filter) -> String {
    let line = |d: &manyview_data::Dimension| match &d.description {
        Some(description) => format!("- {}: {description}", d.name),
        None => format!("- {}", d.name),
    };
    filter.dimensions.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTER: &str = "name = \"n\"\ndimensions = [\"scope\"]\n";

    fn loaded(keys: &str) -> Result<Asked, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let filter = file("config.toml", FILTER);
        file("prompt.md", "{content}");
        let oracle = format!("[endpoint]\nbase_url = \"http://localhost/v1\"\nmodel = \"m\"\n{keys}");
        load(&file("oracle.toml", &oracle), None, &Filter::load(&filter).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn parameters_can_be_renamed_and_left_out_and_each_changes_what_an_answer_is_kept_under() {
        let of = |keys: &str| loaded(keys).map(|asked| asked.oracle.fingerprint()).unwrap();
        let plain = of("");
        assert_eq!(
            plain,
            of("temperature = 0\nmax_tokens = 1024\nplain_http = true\nkey_header = \"api-key\"")
        );
        for keys in [
            "temperature = 1",
            "temperature = \"default\"",
            "max_tokens = \"default\"",
            "max_tokens = 99",
            "max_completion_tokens = 1024",
        ] {
            assert_ne!(plain, of(keys), "{keys}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        for (keys, words) in [
            ("max_tokens = 9\nmax_completion_tokens = 9", "found both; remove the one"),
            ("temperature = \"none\"", "or \"default\" to send none"),
            ("max_tokens = -1", "or \"default\" to send none"),
            ("max_tokens = 0", "expected a number from 1, found 0"),
            ("key_header = \"a b\"", "expected the name of a header"),
        ] {
            let e = loaded(keys).map(|_| ()).unwrap_err();
            assert!(e.contains(words), "{keys}: {e}");
        }
    }
}
