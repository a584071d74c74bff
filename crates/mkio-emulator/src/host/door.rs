//! Refuses foreign callers. A web page can send requests to this machine, and a host name that points here makes them same-origin. Both
//! are refused, since some requests need no token.

use std::net::Ipv4Addr;

use http::{HeaderMap, HeaderValue, header, uri::Authority};
use url::{Host, Url};

use crate::base::error::ApiError;

/// Checks `Host` and `Origin`; gives the origin that may read the response, if there is one.
///
/// # Errors
/// 403 where one of them is foreign.
pub(super) fn enter(
    headers: &HeaderMap,
    allowed: &[String],
) -> Result<Option<HeaderValue>, ApiError> {
    if !headers.contains_key(header::ORIGIN) && headers.get(header::HOST).is_some_and(is_address) {
        return Ok(None);
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    if let Some(host) = &host
        && !is_own(host.host(), allowed)
    {
        return Err(ApiError::forbidden(format!(
            "the Host '{}' is not a name of this emulator; allow it with --allow-host {} where it is one",
            host.host(),
            host.host()
        )));
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(None);
    };
    let told = origin.to_str().unwrap_or_default();
    if is_near(told, host.as_ref(), allowed) {
        return Ok(Some(origin.clone()));
    }
    Err(ApiError::forbidden(format!(
        "only web pages of this machine may send requests, not those of the Origin '{told}'; allow it with --allow-host"
    )))
}

/// Whether a host is an address or this machine, as nearly all are: a shortcut without parsing a URL.
fn is_address(host: &HeaderValue) -> bool {
    let host = host.to_str().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<Ipv4Addr>().is_ok()
}

fn is_allowed(host: &str, allowed: &[String]) -> bool {
    allowed
        .iter()
        .any(|name| name == "*" || name.eq_ignore_ascii_case(host))
}

/// Whether a stranger cannot point this name here: an address, a name without a dot, a name of this machine.
fn is_own(host: &str, allowed: &[String]) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || name.ends_with(".localhost") || is_allowed(name, allowed)
        }
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Err(_) => false,
    }
}

/// Whether a web page comes from this machine, or from the emulator itself.
fn is_near(origin: &str, host: Option<&Authority>, allowed: &[String]) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let itself = || {
        let own = host.map(|host| format!("{}://{host}", url.scheme()));
        own.is_some_and(|own| own.eq_ignore_ascii_case(origin))
    };
    let near = match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || is_allowed(name, allowed)
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && (near || itself())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enters(host: &str, origin: Option<&str>, allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        let value = |text: &str| HeaderValue::from_str(text).ok();
        if let Some(host) = value(host) {
            headers.insert(header::HOST, host);
        }
        if let Some(origin) = origin.and_then(value) {
            headers.insert(header::ORIGIN, origin);
        }
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        enter(&headers, &allowed).is_ok()
    }

    #[test]
    fn names_that_a_stranger_can_own_are_refused() {
        for host in [
            "127.0.0.1:4080",
            "localhost",
            "[::1]:4080",
            "192.0.2.7:4080",
            "emulator:4080",
            "beam.localhost:80",
        ] {
            assert!(enters(host, None, &[]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:4080",
            "127.0.0.1.evil.example",
            "app.mk.io",
        ] {
            assert!(!enters(host, None, &[]), "{host}");
        }
        assert!(enters("ci.example", None, &["CI.example"]) && enters("a.b", None, &["*"]));
    }

    #[test]
    fn web_pages_of_others_are_refused() {
        let from = |origin| enters("127.0.0.1:4080", Some(origin), &[]);
        for origin in [
            "http://localhost:3000",
            "https://127.0.0.1:8443",
            "http://[::1]:9",
            "http://127.0.0.1:4080",
        ] {
            assert!(from(origin), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "file://",
            "http://192.0.2.7",
        ] {
            assert!(!from(origin), "{origin}");
        }
        assert!(enters("emulator:4080", Some("http://emulator:4080"), &[]));
    }
}
