use crate::client::Client;
use crate::cursor::{Artifact, Remote};
use crate::{Error, Result, Server, name, percent};
use manyview_core::Progress;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where the artifacts of a run go.
#[derive(Debug, PartialEq)]
enum Place {
    /// Through the server, at this path below all its artifacts.
    Proxied(String),
    /// Into this directory.
    Local(PathBuf),
}

/// Sends a file of the run in `dir`; says why when it can never be sent.
pub(crate) fn send(
    client: &Client,
    remote: &Remote,
    dir: &Path,
    artifact: &Artifact,
    progress: &dyn Progress,
) -> Result<Option<String>> {
    let path = dir.join(&artifact.path);
    let never = |why: &dyn std::fmt::Display| Ok(Some(format!("artifact {}: {why}", path.display())));
    if let Err(e) = name::check(&artifact.name) {
        return never(&e);
    }
    let (file, length) = match File::open(&path).and_then(|f| f.metadata().map(|m| (f, m.len()))) {
        Ok(opened) => opened,
        Err(e) => return never(&e),
    };
    match place(&remote.artifact_uri, client.server()) {
        Ok(Place::Proxied(root)) => {
            client.put(&format!("{root}/{}", artifact.name), file, length, progress)?
        }
        Ok(Place::Local(root)) => copy(&path, &root.join(&artifact.name))?,
        Err(why) => return never(&why),
    }
    Ok(None)
}

fn place(uri: &str, server: &Server) -> Result<Place, String> {
    let other =
        || Err(format!("the server keeps artifacts at {uri}, which only the server's proxy can reach"));
    let (scheme, rest) = match uri.split_once(':') {
        Some((scheme, rest)) => (scheme, rest),
        None => ("file", uri),
    };
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let climbs = |path: &str| path.split('/').any(|part| part == "..");
    if climbs(path) {
        return other();
    }
    match scheme {
        "mlflow-artifacts" if host.is_empty() || host == server.authority() => {
            Ok(Place::Proxied(path.trim_matches('/').into()))
        }
        // A server elsewhere has no business naming directories of this machine.
        "file" if host.is_empty() && path.starts_with('/') && server.is_local() => {
            let path = percent::decode(path).filter(|path| !climbs(path));
            path.map_or_else(other, |path| Ok(Place::Local(path.into())))
        }
        _ => other(),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    fs::copy(from, to).map(drop).map_err(Error::io(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(uri: &str, server: &str) -> Result<Place, String> {
        place(uri, &Server::new(server).unwrap())
    }

    #[test]
    fn a_proxied_place_is_a_path_on_the_same_server() {
        let proxied = |path: &str| Ok(Place::Proxied(path.into()));
        assert_eq!(at("mlflow-artifacts:/1/abc/artifacts", "http://h"), proxied("1/abc/artifacts"));
        assert_eq!(at("mlflow-artifacts://h:5/1/abc", "http://h:5/mlflow"), proxied("1/abc"));
        assert!(at("mlflow-artifacts://elsewhere/1/abc", "http://h").is_err());
        assert!(at("mlflow-artifacts:/1/../../x", "http://h").is_err());
    }

    #[test]
    fn only_a_server_of_this_machine_may_name_a_directory_of_it() {
        assert_eq!(at("file:///tmp/a%20b", "http://127.0.0.1:5"), Ok(Place::Local("/tmp/a b".into())));
        assert_eq!(at("/tmp/x", "http://localhost"), Ok(Place::Local("/tmp/x".into())));
        for uri in ["file:///tmp/x", "/tmp/x"] {
            assert!(at(uri, "https://example.org").is_err());
        }
        for uri in [
            "file:///tmp/../etc",
            "file:///tmp/%2e%2e/etc",
            "file:///tmp/.%2E%2fetc",
            "./mlruns",
            "file://nas/x",
            "s3://bucket/x",
            "",
        ] {
            assert!(at(uri, "http://localhost").is_err(), "{uri}");
        }
    }
}
