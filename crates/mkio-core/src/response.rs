//! A decoded response together with what came with it.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::json;

/// The cost of a call: how many attempts, how long, and how much of that was waiting for a turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallInfo {
    /// How many times the request was sent, or tried to be.
    pub attempts: u32,
    /// Time from the start of the call to its response, waits included.
    pub elapsed: Duration,
    /// How much of `elapsed` was waiting for a turn in the rate budget.
    pub budget_wait: Duration,
}

/// The typed value of a successful response, with its status, headers and raw body.
///
/// Dereferences to the value, so its methods and fields can be used directly;
/// [`into_inner`](Self::into_inner) takes it out.
///
/// ```
/// # use mkio_core::{Response, http::{HeaderMap, StatusCode}};
/// # let mut headers = HeaderMap::new();
/// # headers.insert("x-trace", "42".parse().unwrap());
/// # let response = Response::new("intro".to_owned(), StatusCode::OK, headers, Default::default());
/// assert_eq!(response.len(), 5); // a method of the value, here a `String`
/// assert_eq!(response.http_status(), 200);
/// assert_eq!(response.headers()["x-trace"], "42");
/// println!("{} attempts, {:?}", response.call().attempts, response.call().elapsed);
/// let name: String = response.into_inner();
/// # assert_eq!(name, "intro");
/// ```
///
/// Typed values drop fields that this version does not know. [`json`](Self::json), serializing the
/// response, and [`raw`](Self::raw) give the body as it was received, with all fields:
///
/// ```
/// # use mkio_core::{Response, serde_json::Value};
/// # fn show(asset: Response<Value>) -> Result<(), Box<dyn std::error::Error>> {
/// println!("{}", serde_json::to_string_pretty(&asset)?);
/// println!("{}", asset.json()["properties"]["fieldOfTomorrow"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    raw: Bytes,
    call: CallInfo,
}

impl<T> Response<T> {
    /// Puts a response together; useful in tests of code that takes one.
    pub fn new(value: T, status: StatusCode, headers: HeaderMap, raw: Bytes) -> Self {
        Self {
            value,
            status,
            headers,
            raw,
            call: CallInfo::default(),
        }
    }

    /// The same, with the cost of the call.
    pub(crate) fn of_call(
        value: T,
        status: StatusCode,
        headers: HeaderMap,
        raw: Bytes,
        call: CallInfo,
    ) -> Self {
        Self {
            value,
            status,
            headers,
            raw,
            call,
        }
    }

    /// The decoded value; fields that its type does not have are dropped, see [`json`](Self::json).
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Splits the response into value, status, headers and raw body.
    pub fn into_parts(self) -> (T, StatusCode, HeaderMap, Bytes) {
        (self.value, self.status, self.headers, self.raw)
    }

    /// HTTP status, always in the 200s. (`status()` is that of a resource that has one.)
    pub fn http_status(&self) -> StatusCode {
        self.status
    }

    /// HTTP headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body exactly as it was received; empty for responses without a body and for streams.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The body as JSON, exactly as it was received: also fields that the value's type does not
    /// have. `null` for a body that is not JSON, such as an empty one.
    pub fn json(&self) -> Value {
        json::from_slice(&self.raw).unwrap_or_default()
    }

    /// The cost of the call: attempts, time, and time spent waiting for the rate budget.
    pub fn call(&self) -> CallInfo {
        self.call
    }

    /// Applies a function to the value and keeps everything else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Response<U> {
        Response {
            value: f(self.value),
            status: self.status,
            headers: self.headers,
            raw: self.raw,
            call: self.call,
        }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Writes the body as it was received, also fields that the type does not have. A response without
/// a JSON body, such as one made in a test, writes its value.
impl<T: Serialize> Serialize for Response<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match json::from_slice::<Value>(&self.raw) {
            Ok(received) => received.serialize(serializer),
            Err(_) => self.value.serialize(serializer),
        }
    }
}

/// Shows status and value; headers and raw body may hold secrets and stay out.
impl<T: std::fmt::Debug> std::fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, Serialize)]
    struct Asset {
        name: String,
    }

    fn response(raw: &'static str) -> Response<Asset> {
        let value = serde_json::from_str(raw).unwrap_or(Asset {
            name: "made".into(),
        });
        Response::new(
            value,
            StatusCode::OK,
            HeaderMap::new(),
            Bytes::from_static(raw.as_bytes()),
        )
    }

    #[test]
    fn what_was_received_is_kept_with_unknown_fields() {
        let text = r#"{"tomorrow":[1,null],"name":"intro"}"#;
        let asset = response(text);
        assert_eq!(serde_json::to_string(&asset).unwrap(), text);
        assert_eq!(
            asset.json(),
            json!({"name": "intro", "tomorrow": [1, null]})
        );
        // The value is not needed for it.
        let name = asset.map(|asset| asset.name);
        assert_eq!(serde_json::to_string(&name).unwrap(), text);
    }

    #[test]
    fn without_a_json_body_the_value_is_written() {
        let made = response("");
        assert_eq!(serde_json::to_string(&made).unwrap(), r#"{"name":"made"}"#);
        assert_eq!(made.json(), Value::Null);
    }
}
