use super::client::Failure;
use crate::Error;
use ureq::Body;
use ureq::http::{Response, Uri, header};

/// Whether both addresses have the same scheme, host and port.
pub fn same_origin(a: &str, b: &str) -> bool {
    let origin = |url: &str| {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    origin(a).is_some_and(|a| Some(a) == origin(b))
}

/// Where an answer of `url` sends to: an address, or a path of the same origin.
pub(super) fn moved(url: &str, answer: &Response<Body>) -> Result<String, Failure> {
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    let place = redirected(url, to).ok_or_else(|| Error::Answer {
        url: url.into(),
        problem: format!(
            "sent to {to:?}, expected an address, and none without encryption where there was some"
        ),
    });
    Ok(place?)
}

/// Where an answer of `from` sends to with the header `Location: to`.
pub fn redirected(from: &str, to: &str) -> Option<String> {
    let uri: Uri = from.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let place = match to {
        _ if to.starts_with("//") => format!("{scheme}:{to}"),
        _ if to.starts_with('/') => format!("{scheme}://{authority}{to}"),
        _ => to.to_string(),
    };
    let found: Uri = place.parse().ok()?;
    let fine = found.host().is_some()
        && match found.scheme_str()? {
            "https" => true,
            "http" => scheme == "http",
            _ => false,
        };
    fine.then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_followed_to_an_address_or_a_path_and_never_out_of_encryption() {
        let from = "https://h:1/a/b?c";
        assert_eq!(redirected(from, "/x?y").unwrap(), "https://h:1/x?y");
        assert_eq!(redirected(from, "//o/x").unwrap(), "https://o/x");
        assert_eq!(redirected("http://h/a", "http://o:2/x").unwrap(), "http://o:2/x");
        for bad in ["", "http://h:1/x", "ftp://o/x", "file:///etc/passwd", "x/y", "https://", "https://a b/"]
        {
            assert_eq!(redirected(from, bad), None, "{bad}");
        }
    }
}
