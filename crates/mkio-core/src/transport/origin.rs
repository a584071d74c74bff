//! Keeps requests, and with them tokens, at the service they are meant for.

use url::{Host, Position, Url};

use crate::{Error, ErrorKind, Result};

/// How the names under `localhost` end.
const UNDER: &[u8] = b".localhost";

/// The URL names this very machine. For `localhost` and the names under it that is so because our
/// clients do not ask DNS for them.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.as_bytes();
            let under = name.len().checked_sub(UNDER.len());
            name.eq_ignore_ascii_case(&UNDER[1..])
                || under.is_some_and(|at| name[at..].eq_ignore_ascii_case(UNDER))
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
        None => false,
    }
}

/// Both URLs are of the same origin: scheme, host and port. As `Url::origin`, without its
/// allocations; for schemes other than http and https no two URLs are.
pub(crate) fn equal(one: &Url, other: &Url) -> bool {
    matches!(one.scheme(), "http" | "https")
        && (one[..Position::BeforePath] == other[..Position::BeforePath]
            || one.scheme() == other.scheme()
                && one.host_str() == other.host_str()
                && one.port_or_known_default() == other.port_or_known_default())
}

/// Refuses a URL that leaves the origin of the base URL. The message shows origins only: paths and
/// queries of foreign links are not ours to repeat.
pub(crate) fn same(base: &Url, url: &Url) -> Result<()> {
    if equal(base, url) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Origin,
        format!(
            "the request would go to {}, but the service is {}; nothing was sent",
            url.origin().ascii_serialization(),
            base.origin().ascii_serialization()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        for (url, expected) in [
            ("http://localhost:8080", true),
            ("http://emulator.LOCALHOST", true),
            ("http://127.0.0.5", true),
            ("http://[::1]:80", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("http://127.0.0.1.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn origins() {
        let base = Url::parse("https://app.mk.io/").unwrap();
        for (url, ok) in [
            ("https://app.mk.io:443/x?y", true),
            ("http://app.mk.io/x", false),
            ("https://app.mk.io:8443/x", false),
            ("https://app.mk.io.evil.example/x", false),
            ("https://app.mk.io@evil.example/x", false),
            ("https://APP.mk.io/x", true),
            ("https://user@app.mk.io/x", true),
            ("http://app.mk.io:443/x", false),
            ("file:///x", false),
            ("data:x", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(same(&base, &url).is_ok(), ok, "{url}");
            assert_eq!(base.origin() == url.origin(), ok, "{url}");
        }
    }
}
