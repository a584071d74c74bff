//! From an answer to a typed value.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
#[cfg(feature = "dynamic")]
use {crate::ErrorKind, serde::Serialize, serde_json::Value};

use crate::{ByteStream, Error, Operation, Response, Result, json, transport, transport::Reply};

/// Decodes a JSON reply.
pub(crate) fn json<T: DeserializeOwned>(
    reply: Reply,
    operation: &'static Operation,
) -> Result<Response<T>> {
    json_or(reply, operation, || None)
}

/// Decodes a JSON reply; one without a body is what `empty` says.
pub(crate) fn json_or<T: DeserializeOwned>(
    reply: Reply,
    operation: &'static Operation,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    let mut reply = reply;
    let request = reply.request.take();
    decode_body(read_body(reply), operation, empty).map_err(|error| match request {
        Some(request) => error.with_url(request.url()),
        None => error,
    })
}

/// A reply whose body does not matter.
pub(crate) fn empty(reply: Reply) -> Response<()> {
    read_body(reply).map(drop)
}

/// Hands a reply's body on as a stream that may be silent for `silence`.
pub(crate) fn stream(
    reply: Reply,
    silence: Duration,
    operation: &'static Operation,
) -> Response<ByteStream> {
    let mut response = reply.response;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let body = ByteStream::new(response, silence, operation);
    Response::new(body, status, headers, Bytes::new()).with_call(reply.call)
}

/// The whole body as it is.
pub(crate) fn read_body(mut reply: Reply) -> Response<Bytes> {
    let status = reply.response.status();
    let headers = std::mem::take(reply.response.headers_mut());
    let body = reply.body.unwrap_or_default();
    Response::new(body.clone(), status, headers, body).with_call(reply.call)
}

fn decode_body<T: DeserializeOwned>(
    response: Response<Bytes>,
    operation: &'static Operation,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    let raw = json::without_mark(response.raw());
    // An empty body decodes to types that accept `null`, such as `()` and `Option`.
    let value = if raw.is_empty() {
        empty().or_else(|| serde_json::from_str("null").ok())
    } else {
        None
    };
    let value = match value {
        Some(value) => value,
        None => {
            let media_type = response.headers().get(CONTENT_TYPE);
            let media_type = media_type.and_then(|value| value.to_str().ok());
            match json::decode(raw, media_type) {
                Ok(value) => value,
                Err(error) => return Err(undecodable(error, &response, operation)),
            }
        }
    };
    Ok(response.map(|_| value))
}

#[cold]
fn undecodable(error: Error, response: &Response<Bytes>, operation: &'static Operation) -> Error {
    let mut error = error
        .with_status(response.http_status())
        .with_answer(response.headers().clone(), response.raw().clone())
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
    let typed = decode_body::<T>(response, operation, || None)?;
    let value = serde_json::to_value(&*typed).map_err(|error| {
        Error::new(ErrorKind::Decode, "the answer cannot be written as JSON")
            .with_source(error)
            .with_operation(operation)
    })?;
    Ok(typed.map(|_| value))
}
