//! Checks the address of a service.

use url::Url;

use super::{CLOUD, config_error};
use crate::{Result, transport::origin};

/// Reads a base URL, without the beginning that every path of the APIs has. `guarded`: a token will travel there, so it must be encrypted.
pub(super) fn base_url(setting: &str, text: &str, guarded: bool) -> Result<Url> {
    let mut url = address(setting, text, guarded)?;
    let path = url.path().trim_end_matches('/');
    let kept = path.strip_suffix("/api/v1").or(match path {
        "/api" => Some(""),
        _ => None,
    });
    if let Some(kept) = kept.map(str::to_owned) {
        url.set_path(&kept);
    }
    Ok(url)
}

/// Reads the address of a host as it is.
pub(in crate::transport) fn address(setting: &str, text: &str, guarded: bool) -> Result<Url> {
    // Not shown as it is: it may hold a password.
    let url = Url::parse(text.trim()).map_err(|error| {
        config_error(format!("{setting} is not a URL; it looks like `{CLOUD}`")).with_source(error)
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(config_error(format!(
            "{setting} must begin with https:// or http://"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(config_error(format!(
            "{setting} must not hold a user name or password"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(config_error(format!(
            "{setting} must not have a query or fragment"
        )));
    }
    if guarded && url.scheme() == "http" && !origin::is_loopback(&url) {
        return Err(config_error(format!(
            "{setting}, {}, would send the token unencrypted; use https, or allow it with \
             `allow_plain_http`",
            url.origin().ascii_serialization()
        )));
    }
    Ok(url)
}
