//! From an answer to a typed value.

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    ByteStream, Error, ErrorKind, Operation, Response, Result, error::expectation, transport,
    transport::Reply,
};

/// Decodes a JSON reply.
pub(crate) fn json<T: DeserializeOwned>(
    reply: Reply,
    operation: &'static Operation,
) -> Result<Response<T>> {
    typed(whole(reply), operation, || None)
}

/// Decodes a JSON reply; one without a body is what `empty` says.
pub(crate) fn json_or<T: DeserializeOwned>(
    reply: Reply,
    operation: &'static Operation,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    typed(whole(reply), operation, empty)
}

/// A reply whose body does not matter.
pub(crate) fn empty(reply: Reply) -> Response<()> {
    whole(reply).map(drop)
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
pub(crate) fn whole(mut reply: Reply) -> Response<Bytes> {
    let status = reply.response.status();
    let headers = std::mem::take(reply.response.headers_mut());
    let body = reply.body.unwrap_or_default();
    Response::new(body.clone(), status, headers, body).with_call(reply.call)
}

fn typed<T: DeserializeOwned>(
    response: Response<Bytes>,
    operation: &'static Operation,
    empty: impl FnOnce() -> Option<T>,
) -> Result<Response<T>> {
    let raw = response.raw();
    let value = match raw.is_empty() {
        // What may be nothing, such as `()` and `Option`, is.
        true => empty().or_else(|| serde_json::from_str("null").ok()),
        false => None,
    };
    let value = match value {
        Some(value) => value,
        // The usual case pays nothing for the path; a failure is decoded again to find it.
        None => match serde_json::from_slice(raw) {
            Ok(value) => value,
            Err(error) => return Err(undecodable::<T>(&response, error, operation)),
        },
    };
    Ok(response.map(|_| value))
}

fn undecodable<T: DeserializeOwned>(
    response: &Response<Bytes>,
    error: serde_json::Error,
    operation: &'static Operation,
) -> Error {
    let raw = response.raw();
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let (path, error) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(traced) => (traced.path().to_string(), traced.into_inner()),
        // Trailing characters: the value itself was fine.
        Ok(_) => (".".to_owned(), error),
    };
    let expected = match raw.is_empty() {
        true => "expected JSON, found an empty body".to_owned(),
        false => expectation(&error),
    };
    let (path, place) = match path.as_str() {
        "." => ("$".to_owned(), "the body".to_owned()),
        path => (path.to_owned(), format!("`{path}` in the body")),
    };
    let error = Error::new(
        ErrorKind::Decode,
        format!(
            "{place} does not decode: {expected} (line {}, column {})",
            error.line(),
            error.column()
        ),
    )
    .with_status(response.status())
    .with_answer(response.headers().clone(), raw.clone())
    .with_place(path, expected)
    .with_operation(operation)
    .with_call(response.call());
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
