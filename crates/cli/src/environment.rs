use manyview_artifact::{EmbeddedData, Hub, Sources};
use manyview_pipeline::{Environment, Secret, TrackingAccess};
use std::env;
use std::path::PathBuf;

/// The environment from environment variables; those of the hub are the same as in Python's huggingface_hub.
pub(crate) fn environment() -> Environment {
    let embedded = match set("MANYVIEW_DATA") {
        Some(data) => EmbeddedData::directory(data),
        None => EmbeddedData::unpacked_in(cache_home().join("manyview")),
    };
    Environment { sources: Sources { embedded, hub: hub() }, tracking: tracking() }
}

fn hub() -> Hub {
    let mut hub = Hub::new(hub_cache());
    if let Some(endpoint) = set("HF_ENDPOINT") {
        hub = hub.with_endpoint(endpoint);
    }
    if let Some(token) = set("HF_TOKEN").or_else(saved_token) {
        hub = hub.with_token(token);
    }
    let offline =
        set("HF_HUB_OFFLINE").is_some_and(|v| ["1", "on", "yes", "true"].contains(&&*v.to_lowercase()));
    hub.with_offline(offline)
}

/// The variables of Python's MLflow client; a tracking URI that is not a server, such as a directory, is ignored.
fn tracking() -> TrackingAccess {
    let password = || Secret(set("MLFLOW_TRACKING_PASSWORD").unwrap_or_default());
    TrackingAccess {
        uri: set("MLFLOW_TRACKING_URI").filter(|uri| uri.starts_with("http")),
        token: set("MLFLOW_TRACKING_TOKEN").map(Secret),
        user: set("MLFLOW_TRACKING_USERNAME").map(|user| (user, password())),
    }
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The cache directory of the user.
fn cache_home() -> PathBuf {
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| PathBuf::from(home).join(".cache"));
    set("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(|| PathBuf::from(".cache"))
}

fn hub_home() -> PathBuf {
    set("HF_HOME").map_or_else(|| cache_home().join("huggingface"), PathBuf::from)
}

fn hub_cache() -> PathBuf {
    set("HF_HUB_CACHE").map_or_else(|| hub_home().join("hub"), PathBuf::from)
}

fn saved_token() -> Option<String> {
    let text = std::fs::read_to_string(hub_home().join("token")).ok()?;
    Some(text.trim().to_string()).filter(|token| !token.is_empty())
}
