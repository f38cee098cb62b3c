use crate::scratch::{self, parts};
use manyview_data::{redirected, same_origin};
use manyview_track::Server;

/// An address, where it redirects to, and the address of a tracking server: no redirect leaves encryption, a token goes
/// to the host it is for alone, and no password is shown.
pub fn addresses(data: &[u8]) {
    let [from, to, uri] = parts::<3>(data).map(String::from_utf8_lossy);
    redirect(&from, &to);
    tracking(&uri);
}

fn redirect(from: &str, to: &str) {
    let Some(place) = redirected(from, to) else { return };
    let (scheme, authority) = split(&place).unwrap();
    assert!(scheme == "https" || scheme == "http" && split(from).unwrap().0 == "http", "{from} {to} {place}");
    assert!(!authority.is_empty(), "{from} {to} {place}");
    assert!(same_origin(&place, &place) && same_origin(from, from));
    assert_eq!(same_origin(from, &place), same_origin(&place, from));
    if same_origin(from, &place) {
        assert_eq!(origin(from), origin(&place));
    }
    if to.starts_with('/') && !to.starts_with("//") {
        assert!(same_origin(from, &place), "{from} {to} {place}");
    }
}

/// The scheme of an address, and what stands between it and the path.
fn split(address: &str) -> Option<(String, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some((scheme.to_ascii_lowercase(), &rest[..end]))
}

/// Scheme, host and port, read without a library.
fn origin(address: &str) -> (String, String, u16) {
    let (scheme, authority) = split(address).unwrap();
    let host = authority.rsplit('@').next().unwrap();
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(usual)),
        _ => (host, usual),
    };
    (scheme, host.to_ascii_lowercase(), port)
}

fn tracking(uri: &str) {
    let server = match Server::new(uri) {
        Ok(server) => server,
        Err(e) => {
            scratch::refused(e.kind(), &e);
            return hidden(uri, &e.to_string());
        }
    };
    assert!(!server.uri().contains('@'), "{}", server.uri());
    assert_eq!(Server::new(server.uri()).unwrap().uri(), server.uri());
    hidden(uri, &format!("{server:?}"));
}

/// That the password in `uri` is not in what is shown, unless the same word stands behind the `@` as well.
fn hidden(uri: &str, shown: &str) {
    const PASSWORD: &str = "correct-horse-battery";
    let userinfo = uri.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let password =
        userinfo.filter(|(_, behind)| !behind.contains(PASSWORD)).and_then(|(u, _)| u.split_once(':'));
    if let Some((_, PASSWORD)) = password {
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}
