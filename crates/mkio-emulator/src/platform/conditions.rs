//! Conditional requests: the version of a file, and the response to a caller who has that version already.

use chrono::{DateTime, Utc};
use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{IF_MODIFIED_SINCE, IF_NONE_MATCH},
};
use serde_json::json;

use crate::{base::keys::hex_of, platform::call::Response};

/// A version of a file.
pub struct Version {
    tag: String,
    written: DateTime<Utc>,
}

impl Version {
    /// The version of these bytes.
    pub fn new(bytes: &[u8], written: DateTime<Utc>) -> Self {
        Self {
            tag: tag_of(bytes),
            written,
        }
    }

    /// Adds the headers of the version to a response.
    pub fn tell(&self, mut response: Response) -> Response {
        let written = self.written.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.headers.insert("etag".to_owned(), json!(self.tag));
        response
            .headers
            .insert("last-modified".to_owned(), json!(written));
        response
    }

    /// The response to a read; 304 where the caller has this version.
    pub fn read(&self, headers: &HeaderMap, response: impl FnOnce() -> Response) -> Response {
        self.tell(if self.is_known(headers) {
            Response::empty(StatusCode::NOT_MODIFIED)
        } else {
            response()
        })
    }

    /// Whether the caller has this version. Tags go before times.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok();
        if let Some(tags) = text(IF_NONE_MATCH) {
            let mut tags = tags.split(',').map(str::trim);
            return tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.tag);
        }
        text(IF_MODIFIED_SINCE)
            .and_then(|since| DateTime::parse_from_rfc2822(since).ok())
            .is_some_and(|since| self.written.timestamp() <= since.timestamp())
    }
}

/// The tag of a file.
pub fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", hex_of(bytes))
}
