use crate::percent;
use crate::{Error, Result};
use std::fmt;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Where a tracking server is and how to be let in. `Debug` and errors show neither token nor password.
///
/// ```
/// # use manyview_track::Server;
/// let server = Server::new("https://mlflow.example.org")?.bearer("my-token");
/// assert!(!format!("{server:?}").contains("my-token"));
/// # Ok::<(), manyview_track::Error>(())
/// ```
#[derive(Clone)]
pub struct Server {
    uri: String,
    auth: Auth,
    timeout: Duration,
}

#[derive(Clone)]
enum Auth {
    None,
    Bearer(String),
    Basic { user: String, password: String },
}

impl Server {
    /// The server at `uri`, `http://` or `https://`. A user and a password in it are taken out and used.
    ///
    /// # Errors
    /// [`Error::Uri`] for any other address, and for one with a query or a fragment.
    pub fn new(uri: &str) -> Result<Self> {
        let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        let fail = |problem: &str| {
            // After a mistyped scheme or a stray `/`, anything up to the last `@` may be a password.
            let shown = uri.rsplit_once('@').map_or(uri, |(_, shown)| shown);
            let shown = shown.split(['?', '#']).next().unwrap_or_default();
            Err(Error::Uri { uri: shown.into(), problem: problem.into() })
        };
        if !matches!(scheme, "http" | "https") {
            return fail("another scheme");
        }
        if host.is_empty() || host.starts_with(':') {
            return fail("no host");
        }
        if uri.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return fail("a space");
        }
        if path.contains(['?', '#', '@']) {
            return fail("`?`, `#` or `@` after the host");
        }
        let auth = match userinfo.map(|u| u.split_once(':').unwrap_or((u, ""))) {
            None => Auth::None,
            Some((user, password)) => match (percent::decode(user), percent::decode(password)) {
                (Some(user), Some(password)) => Auth::Basic { user, password },
                _ => return fail("a user or password that is not well escaped"),
            },
        };
        let uri = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
        Ok(Self { uri, auth, timeout: Duration::from_secs(15) })
    }

    /// Shows `token` to be let in.
    #[must_use]
    pub fn bearer(self, token: impl Into<String>) -> Self {
        Self { auth: Auth::Bearer(token.into()), ..self }
    }

    /// Shows a user and a password to be let in.
    #[must_use]
    pub fn basic(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { auth: Auth::Basic { user: user.into(), password: password.into() }, ..self }
    }

    /// How long the thread that sends, or [`crate::sync`], waits for an answer; 15 seconds unless said otherwise.
    /// A run waits for neither.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Whether something listens at its address within `patience`.
    ///
    /// # Errors
    /// Why nothing could be reached.
    pub fn listens(&self, patience: Duration) -> std::io::Result<()> {
        let (scheme, rest) = self.uri.split_once("://").unwrap_or(("", &self.uri));
        let host = rest.split('/').next().unwrap_or_default();
        let port = if scheme == "https" { 443 } else { 80 };
        let has_port =
            host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let address = if has_port { host.to_string() } else { format!("{host}:{port}") };
        let mut last = std::io::ErrorKind::NotFound.into();
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(_) => return Ok(()),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Its address, without user and password.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    pub(crate) fn patience(&self) -> Duration {
        self.timeout
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.uri.split('/').nth(2).unwrap_or_default()
    }

    /// Whether the server runs on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = match self.authority().strip_prefix('[') {
            Some(v6) => v6.split(']').next(),
            None => self.authority().split(':').next(),
        };
        let host = host.unwrap_or_default();
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<String> {
        match &self.auth {
            Auth::None => None,
            Auth::Bearer(token) => Some(format!("Bearer {token}")),
            Auth::Basic { user, password } => {
                Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
            }
        }
    }

    /// `text` without the secret, should a server or a proxy repeat it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let (secret, sent) = match &self.auth {
            Auth::None => return text.into(),
            Auth::Bearer(token) => (token.as_str(), String::new()),
            Auth::Basic { user, password } => {
                (password.as_str(), base64(format!("{user}:{password}").as_bytes()))
            }
        };
        [secret, &sent]
            .iter()
            .filter(|s| !s.is_empty())
            .fold(text.into(), |t: String, s| t.replace(*s, "***"))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let auth = match self.auth {
            Auth::None => "none",
            Auth::Bearer(_) => "bearer ***",
            Auth::Basic { .. } => "basic ***",
        };
        f.debug_struct("Server")
            .field("uri", &self.uri)
            .field("auth", &format_args!("{auth}"))
            .field("timeout", &self.timeout)
            .finish()
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain(&[0, 0]).take(3).fold(0u32, |word, &b| word << 8 | u32::from(b));
        for at in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * at) & 63) as usize).filter(|_| at <= chunk.len());
            out.push(digit.map_or('=', |&d| d.into()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let known = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{ff}", "w78="),
        ];
        for (plain, encoded) in known {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_password_in_the_address_is_used_and_not_shown() {
        let server = Server::new("https://ann:p%40ss@example.org:8443/mlflow/").unwrap();
        assert_eq!(server.uri(), "https://example.org:8443/mlflow");
        assert_eq!(server.authorization().unwrap(), format!("Basic {}", base64(b"ann:p@ss")));
        assert_eq!(server.redact("no p@ss here"), "no *** here");
    }

    #[test]
    fn a_wrong_address_is_refused_without_its_password() {
        let wrong = [
            "ftp://u:canary@h",
            "u:canary@h",
            "http://u:canary@",
            "http://u:can/ary@h",
            "http://u:canary@h?x",
            "http://h?token=canary",
            "http://u:canary@h/a b",
            "http://u:canary%@h",
        ];
        for uri in wrong {
            let e = Server::new(uri).unwrap_err();
            assert!(matches!(e, Error::Uri { .. }));
            let shown = format!("{e} {e:?}");
            assert!(!shown.contains("canary") && !shown.contains("can/ary"), "{shown}");
        }
    }

    #[test]
    fn only_a_loopback_host_is_local() {
        for (uri, local) in [
            ("http://localhost:5000", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:5000/x", true),
            ("http://localhost.example.org", false),
            ("http://10.0.0.1:5000", false),
        ] {
            assert_eq!(Server::new(uri).unwrap().is_local(), local, "{uri}");
        }
    }
}
