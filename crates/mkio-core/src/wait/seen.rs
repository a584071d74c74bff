//! A resource as a response or an event shows it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde_json::Value;

use super::{pointer, target::Target};
use crate::{Response, Timestamp, retry};

/// A resource as it was seen.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// The resource, by its state and, depending on the request, as a whole.
    There {
        state: Option<String>,
        resource: Option<Value>,
    },
    /// No such resource.
    Absent,
}

/// The result of a poll of one resource.
#[derive(Debug, Clone)]
pub(super) struct Polled {
    pub(super) seen: Seen,
    /// When the service wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// `Date` of the response.
    pub(super) date: Option<DateTime<Utc>>,
}

impl Polled {
    pub(super) fn new<T>(response: &Response<T>, seen: Seen) -> Self {
        Self {
            seen,
            retry_after: retry::retry_after(response.headers()),
            date: date(response.headers()),
        }
    }
}

/// The resource that this JSON is.
pub(super) fn resource(target: &Target, json: Value) -> Seen {
    let presence = target.resource.presence;
    let at = target.pointer(target.resource.state_pointer);
    let state = pointer::text(&json, &at).filter(|_| !presence);
    Seen::There {
        state: state.map(str::to_owned),
        resource: Some(json),
    }
}

/// The state in a resource's JSON.
pub(super) fn state_of<'a>(target: &Target, json: &'a Value) -> Option<&'a str> {
    let at = target.resource.state_pointer;
    pointer::text(json, &target.pointer(at)).filter(|_| !at.is_empty())
}

/// The time of creation in a resource's JSON.
pub(super) fn created_at(target: &Target, json: &Value) -> Option<DateTime<Utc>> {
    let at = target.resource.created_pointer;
    let text = pointer::text(json, at).filter(|_| !at.is_empty())?;
    Timestamp::from(text).utc()
}

/// The service's time of a response.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(DateTime::from)
}
