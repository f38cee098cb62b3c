//! Where a server is, and whether a key may go there.

use crate::{Error, Result};
use std::net::IpAddr;

/// The address of a server's API, taken apart.
#[derive(Debug)]
pub(crate) struct Address {
    /// Where questions go.
    pub(crate) url: String,
    /// Whether it is this machine.
    pub(crate) local: bool,
    /// Whether it lies in a network of its own, which nobody outside reads.
    pub(crate) private: bool,
    /// Whether what is sent is encrypted.
    pub(crate) encrypted: bool,
}

const COMPLETIONS: &str = "/chat/completions";

impl Address {
    /// Takes `http://` or `https://`, a host and a path; after `?` only Azure's `api-version`.
    pub(crate) fn new(url: &str) -> Result<Self> {
        // Before a `@` a password may stand, and after a `?` a key, which no message may show.
        let fail = |problem: &str| {
            Err(Error::setting(
                "base_url",
                format!("expected http:// or https:// and a host, found {problem}"),
            ))
        };
        let (address, query) = match url.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (url, None),
        };
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let host = rest.split('/').next().unwrap_or_default();
        if !["http", "https"].contains(&scheme) {
            return fail("another scheme");
        }
        if rest.contains('@') {
            return fail("a user or password; name the key in key_env");
        }
        if url.contains('#') || query.is_some_and(|query| !is_version(query)) {
            return fail("`?` or `#`; leave it out, but for ?api-version=DATE");
        }
        if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return fail("a space");
        }
        if host.is_empty() || host.starts_with(':') {
            return fail("no host");
        }
        let path = address.trim_end_matches('/');
        if path.ends_with(COMPLETIONS) {
            return fail("the whole path; leave /chat/completions out, it is added");
        }
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let name = name(host);
        Ok(Self {
            url: format!("{path}{COMPLETIONS}{query}"),
            local: is_local(name),
            private: is_private(name),
            encrypted: scheme == "https",
        })
    }
}

fn is_version(query: &str) -> bool {
    let value = query.strip_prefix("api-version=");
    value.is_some_and(|v| {
        !v.is_empty() && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    })
}

/// A host without its port.
fn name(host: &str) -> &str {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    name.unwrap_or_default()
}

fn is_local(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a name or number is one that only networks without access from outside use.
fn is_private(name: &str) -> bool {
    const ENDS: [&str; 8] =
        [".local", ".lan", ".internal", ".intranet", ".home.arpa", ".localdomain", ".corp", ".cluster.local"];
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => {
            let name = name.to_lowercase();
            let short = !name.contains('.') && !name.bytes().all(|b| b.is_ascii_digit());
            short || ENDS.iter().any(|end| name.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_go_to_the_completions_of_the_address() {
        for (url, expected) in [
            ("http://h/v1", "http://h/v1/chat/completions"),
            ("https://h/v1/", "https://h/v1/chat/completions"),
            (
                "https://x.openai.azure.com/openai/deployments/m?api-version=2024-10-21",
                "https://x.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21",
            ),
        ] {
            assert_eq!(Address::new(url).unwrap().url, expected);
        }
        for url in [
            "https://h/v1/chat/completions",
            "https://h?api-version=",
            "https://h?api-version=1&key=a",
            "https://h?k",
        ] {
            assert!(Address::new(url).unwrap_err().to_string().contains("leave"), "{url}");
        }
    }

    #[test]
    fn only_addresses_of_networks_of_their_own_are_private() {
        for host in [
            "10.0.0.7",
            "192.168.1.2:8000",
            "172.16.0.1",
            "172.31.9.9",
            "[fd00::1]:80",
            "vllm",
            "gpu.local",
            "a.LAN:1",
        ] {
            assert!(Address::new(&format!("http://{host}/v1")).unwrap().private, "{host}");
        }
        for host in
            ["8.8.8.8", "172.32.0.1", "11.0.0.1", "example.org", "a.local.org", "[2001:db8::1]", "134744072"]
        {
            assert!(!Address::new(&format!("http://{host}/v1")).unwrap().private, "{host}");
        }
    }
}
