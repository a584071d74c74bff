//! Follows redirects within the service, and nowhere else.

use http::{Method, StatusCode, header::LOCATION};
use url::Url;

use crate::{Error, ErrorKind, Result, transport::origin};

/// Redirects of one attempt before it is called a loop.
pub(crate) const LIMIT: usize = 5;

/// Where a redirect of a request to `asked` leads; `None` when the response is not a redirect, or one that
/// must not be followed: 301, 302 and 303 turn a write into a read in practice, 307 and 308 keep it.
///
/// # Errors
///
/// Kind `Origin` when it leaves the service.
pub(crate) fn target(
    method: &Method,
    asked: &Url,
    response: &reqwest::Response,
    base: &Url,
) -> Result<Option<Url>> {
    let status = response.status();
    let keeps_method = match status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
        _ => return Ok(None),
    };
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| asked.join(value).ok());
    let Some(location) = location else {
        return Ok(None);
    };
    origin::same(base, &location).map_err(|_| {
        Error::new(
            ErrorKind::Origin,
            format!(
                "a redirect leads to {}, away from the service at {}; it was not followed",
                location.origin().ascii_serialization(),
                base.origin().ascii_serialization()
            ),
        )
        .with_status(status)
    })?;
    let followed = keeps_method || matches!(*method, Method::GET | Method::HEAD);
    Ok(followed.then_some(location))
}
