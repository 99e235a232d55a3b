//! Where a client shall dial for its streams: where the settings say, else the host under which it reached us.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderValue;

/// What `stream_url` is made of, as far as it is the same for every request.
pub(crate) struct StreamBase {
    scheme: String,
    host: Option<String>,
}

impl StreamBase {
    /// From a scheme and a host, `https://focus.example`, and a host that is to stand in for that one.
    pub(crate) fn new(public_url: Option<&str>, host: Option<&str>) -> Self {
        let (scheme, public) = match public_url.and_then(|url| url.split_once("://")) {
            Some((scheme, host)) => (scheme, Some(host.trim_end_matches('/'))),
            None => ("http", None),
        };
        let host = host.map(bracketed).or_else(|| public.map(str::to_owned));
        Self { scheme: scheme.to_owned(), host }
    }

    /// The host, where it does not depend on the request.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The URL; clients append the port.
    pub(super) fn url(&self, host: &str) -> String {
        format!("{}://{host}", self.scheme)
    }
}

/// A host as it stands in a URL.
fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

/// The host part of a Host header, without port; the address the request came in on where there is none, or where it
/// is neither a name nor an address that can be dialled.
pub(super) fn of_request(header: Option<&HeaderValue>, local: IpAddr) -> String {
    let sent = header.and_then(|value| value.to_str().ok()).and_then(host_part);
    // A listener for IPv6 may take IPv4 as well, and shows it as a part of its own range.
    sent.map(str::to_owned).unwrap_or_else(|| match local.to_canonical() {
        IpAddr::V6(address) => format!("[{address}]"),
        IpAddr::V4(address) => address.to_string(),
    })
}

fn host_part(authority: &str) -> Option<&str> {
    let host = well_formed(authority)?;
    // Who dials "every address" gets somewhere, but only on this machine, and only on some systems.
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    (!address.is_ok_and(|address| address.is_unspecified())).then_some(host)
}

fn well_formed(authority: &str) -> Option<&str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        let valid =
            address.parse::<Ipv6Addr>().is_ok() && (after.is_empty() || is_port(after.strip_prefix(':')?));
        return valid.then(|| &authority[..address.len() + 2]);
    }
    let host = match authority.split_once(':') {
        Some((host, port)) => is_port(port).then_some(host)?,
        None => authority,
    };
    is_name(host).then_some(host)
}

fn is_port(text: &str) -> bool {
    text.is_empty() || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

/// A host name or an IPv4 address. Underscores are no part of a name, but containers are called by such.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(header: &str) -> String {
        let header = HeaderValue::from_bytes(header.as_bytes()).expect("a header value of the test");
        of_request(Some(&header), IpAddr::from([127, 0, 0, 9]))
    }

    #[test]
    fn a_host_is_answered_without_its_port() {
        for (header, host) in [
            ("localhost:5000", "localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1:5000", "127.0.0.1"),
            ("[::1]:5000", "[::1]"),
            ("focus_mock.test:80", "focus_mock.test"),
        ] {
            assert_eq!(host_of(header), host);
        }
    }

    #[test]
    fn what_is_no_host_is_replaced_by_the_address_the_request_came_in_on() {
        let long = "x".repeat(64);
        for header in [
            "",
            ":5000",
            "a b",
            "<script>",
            "a/b",
            "../x",
            "host:99999",
            "host:x",
            "[::1",
            "[x]",
            "-a",
            &long,
        ] {
            assert_eq!(host_of(header), "127.0.0.9", "{header:?}");
        }
        assert_eq!(of_request(None, IpAddr::from([127, 0, 0, 9])), "127.0.0.9");
        assert_eq!(of_request(None, IpAddr::V6(Ipv6Addr::LOCALHOST)), "[::1]");
    }
}
