//! Calls by name: what the generated `dynamic` modules share.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::decode;
use crate::{Error, ErrorKind, Operation, Response, Result, Transport, error::expectation};

/// What to do with an answer.
pub enum Retype {
    /// It has no body that matters.
    Empty,
    /// Its body is no JSON.
    Bytes,
    /// Its body is of a type: decoded into it and encoded again.
    Json(fn(Response<Bytes>, &'static Operation) -> Result<Response<Value>>),
}

impl Retype {
    /// Through the type `T`.
    pub fn json<T: DeserializeOwned + Serialize>() -> Self {
        Self::Json(decode::reencode::<T>)
    }
}

/// There is no such operation.
pub fn unknown(api: &str, operation: &str) -> Error {
    let message =
        format!("the {api} API has no operation {operation:?}; `operations::ALL` has their names");
    Error::new(ErrorKind::InvalidRequest, message)
}

/// A required parameter.
pub fn required<T>(operation: &'static Operation, name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| {
        let message = format!("argument `{name}` is missing");
        Error::new(ErrorKind::InvalidRequest, message).with_operation(operation)
    })
}

/// A parameter. Numbers and flags may come as text.
pub fn argument<T: DeserializeOwned>(
    operation: &'static Operation,
    arguments: &Map<String, Value>,
    name: &str,
) -> Result<Option<T>> {
    let Some(value) = arguments.get(name) else {
        return Ok(None);
    };
    let typed = serde_json::from_value(value.clone()).or_else(|error| match value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| error),
        _ => Err(error),
    });
    typed
        .map(Some)
        .map_err(|error| misfit(operation, name, error))
}

/// The body.
pub fn body<T: DeserializeOwned>(
    operation: &'static Operation,
    arguments: &Map<String, Value>,
) -> Result<Option<T>> {
    let body = arguments
        .get("body")
        .cloned()
        .map(serde_json::from_value)
        .transpose();
    body.map_err(|error| misfit(operation, "body", error))
}

fn misfit(operation: &'static Operation, name: &str, error: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("argument `{name}` does not fit: {}", expectation(&error)),
    )
    .with_operation(operation)
}

/// Sends the request, and passes the response through its type.
pub async fn send(
    transport: &Transport,
    request: reqwest::Request,
    operation: &'static Operation,
    retype: Retype,
) -> Result<Response<Value>> {
    let response = decode::read_body(transport.call(request, operation).await?);
    match retype {
        Retype::Json(through) => through(response, operation),
        Retype::Empty | Retype::Bytes => Ok(response.map(|_| Value::Null)),
    }
}
