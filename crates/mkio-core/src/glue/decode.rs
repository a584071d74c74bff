//! From an answer to a typed value.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::hook;
use crate::{
    ByteStream, Error, ErrorKind, Operation, Response, Result, json, response::CallInfo, transport,
    transport::Received,
};

/// Decodes a JSON answer.
pub async fn json<T: DeserializeOwned>(
    result: reqwest::Result<reqwest::Response>,
    operation: &'static Operation,
) -> Result<Response<T>> {
    let response = whole(hook::answer(result, operation)?, operation).await?;
    typed(response, operation, || None)
}

/// Takes an answer whose body does not matter.
pub async fn empty(
    result: reqwest::Result<reqwest::Response>,
    operation: &'static Operation,
) -> Result<Response<()>> {
    let response = whole(hook::answer(result, operation)?, operation).await?;
    Ok(response.map(drop))
}

/// Hands an answer's body on as a stream.
pub async fn stream(
    result: reqwest::Result<reqwest::Response>,
    operation: &'static Operation,
) -> Result<Response<ByteStream>> {
    let response = hook::answer(result, operation)?;
    let idle = response.extensions().get::<hook::Idle>().map(|idle| idle.0);
    let idle = idle.unwrap_or_else(hook::default_idle);
    Ok(streamed(response, idle, operation))
}

pub(crate) fn streamed(
    mut response: reqwest::Response,
    idle: Duration,
    operation: &'static Operation,
) -> Response<ByteStream> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let call = Received::detach(&mut response).map(|received| received.call);
    let body = ByteStream::new(response, idle, operation);
    Response::new(body, status, headers, Bytes::new()).with_call(call.unwrap_or_default())
}

/// The whole body as it is.
pub(crate) async fn whole(
    mut response: reqwest::Response,
    operation: &'static Operation,
) -> Result<Response<Bytes>> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let (body, call) = match Received::detach(&mut response) {
        Some(received) => (received.body, received.call),
        None => (None, CallInfo::default()),
    };
    let body = match body {
        Some(body) => body,
        None => response.bytes().await.map_err(|error| {
            let message = "the connection broke in the middle of the body";
            Error::new(ErrorKind::Connection, message)
                .with_source(error.without_url())
                .with_status(status)
                .with_operation(operation)
        })?,
    };
    let response = Response::new(body.clone(), status, headers, body);
    Ok(response.with_call(call))
}

pub(crate) async fn decode<T: DeserializeOwned>(
    response: reqwest::Response,
    operation: &'static Operation,
) -> Result<Response<T>> {
    typed(whole(response, operation).await?, operation, || None)
}

/// Decodes JSON; an answer without a body is what `empty` says.
pub(crate) async fn decode_or<T: DeserializeOwned>(
    response: reqwest::Response,
    operation: &'static Operation,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    typed(whole(response, operation).await?, operation, empty)
}

/// Not async, and called by all of the above: models are large, and every async function that
/// hands one on copies it.
fn typed<T: DeserializeOwned>(
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
        .with_status(response.status())
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
pub(super) fn retyped<T: DeserializeOwned + Serialize>(
    response: Response<Bytes>,
    operation: &'static Operation,
) -> Result<Response<Value>> {
    let typed = typed::<T>(response, operation, || None)?;
    let value = serde_json::to_value(&*typed).map_err(|error| {
        Error::new(ErrorKind::Decode, "the answer cannot be written as JSON")
            .with_source(error)
            .with_operation(operation)
    })?;
    Ok(typed.map(|_| value))
}
