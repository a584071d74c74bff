//! From a response to a typed value.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use url::Url;
#[cfg(feature = "dynamic")]
use {crate::ErrorKind, serde::Serialize, serde_json::Value};

use crate::{
    ByteStream, Error, Operation, Response, Result, json, transport, transport::UndecodedResponse,
};

/// Decodes a JSON response; `asked` is where the request went, for an error.
pub(crate) fn json<T: DeserializeOwned>(
    undecoded: UndecodedResponse,
    operation: &'static Operation,
    asked: impl FnOnce() -> Option<Url>,
) -> Result<Response<T>> {
    json_or(undecoded, operation, asked, || None)
}

/// Decodes a JSON response; one without a body is what `empty` says.
pub(crate) fn json_or<T: DeserializeOwned>(
    mut undecoded: UndecodedResponse,
    operation: &'static Operation,
    asked: impl FnOnce() -> Option<Url>,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    let raw = undecoded.body.take().unwrap_or_default();
    // The parsed body is dropped first: its memory is free for the value.
    let came = undecoded.with((), raw);
    match decode(came.raw(), came.headers(), empty) {
        Ok(value) => Ok(came.map(|()| value)),
        Err(error) => {
            let error = undecodable(error, &came, operation);
            Err(match asked() {
                Some(url) => error.with_url(&url),
                None => error,
            })
        }
    }
}

/// A response whose body does not matter.
pub(crate) fn empty(undecoded: UndecodedResponse) -> Response<()> {
    read_body(undecoded).map(drop)
}

/// Hands a body on as a stream that may be silent for `silence`.
pub(crate) fn stream(
    undecoded: UndecodedResponse,
    silence: Duration,
    operation: &'static Operation,
) -> Response<ByteStream> {
    let mut response = undecoded.response;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let body = ByteStream::new(response, silence, operation);
    Response::of_call(body, status, headers, Bytes::new(), undecoded.call)
}

/// The whole body as it is.
pub(crate) fn read_body(mut undecoded: UndecodedResponse) -> Response<Bytes> {
    let raw = undecoded.body.take().unwrap_or_default();
    undecoded.with(raw.clone(), raw)
}

fn decode<T: DeserializeOwned>(
    raw: &[u8],
    headers: &HeaderMap,
    empty: impl FnOnce() -> Option<T>,
) -> Result<T> {
    let raw = json::without_mark(raw);
    // An empty body decodes to types that accept `null`, such as `()` and `Option`.
    let value = if raw.is_empty() {
        empty().or_else(|| serde_json::from_str("null").ok())
    } else {
        None
    };
    if let Some(value) = value {
        return Ok(value);
    }
    let media_type = || headers.get(CONTENT_TYPE)?.to_str().ok();
    json::decode(raw, media_type)
}

#[cold]
fn undecodable<T>(error: Error, response: &Response<T>, operation: &'static Operation) -> Error {
    let mut error = error
        .with_status(response.http_status())
        .with_response(response.headers().clone(), response.raw().clone())
        .with_operation(operation)
        .with_call(response.call());
    if !operation.is_read() {
        // The service has accepted it.
        error = error.with_outcome_unknown();
    }
    transport::undecodable(&error);
    error
}

/// Decodes JSON into a type, and writes it as JSON again.
#[cfg(feature = "dynamic")]
pub(crate) fn reencode<T: DeserializeOwned + Serialize>(
    response: Response<Bytes>,
    operation: &'static Operation,
) -> Result<Response<Value>> {
    let typed = decode::<T>(response.raw(), response.headers(), || None)
        .map_err(|error| undecodable(error, &response, operation))?;
    let value = json::value_of(&typed).map_err(|error| {
        Error::new(ErrorKind::Decode, "the response cannot be written as JSON")
            .with_source(error)
            .with_operation(operation)
    })?;
    Ok(response.map(|_| value))
}
