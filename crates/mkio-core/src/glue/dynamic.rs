//! Calls by name: what the generated `dynamic` modules share.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{decode, hook};
use crate::{Error, ErrorKind, Operation, Response, Result, error::expectation};

/// What to do with an answer.
pub enum Retype {
    /// It has no body that matters.
    Empty,
    /// Its body is no JSON.
    Bytes,
    /// Its body is of a type: decoded into it and encoded again.
    Json(fn(&[u8]) -> serde_json::Result<Value>),
}

impl Retype {
    /// Through the type `T`.
    pub fn json<T: DeserializeOwned + Serialize>() -> Self {
        Self::Json(|body| serde_json::to_value(serde_json::from_slice::<T>(body)?))
    }
}

/// There is no such operation.
pub fn unknown(api: &str, operation: &str) -> Error {
    let message =
        format!("the {api} API has no operation {operation:?}; `operations::ALL` has their names");
    Error::new(ErrorKind::InvalidRequest, message)
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

/// The answer, through its type.
pub async fn answer(
    result: reqwest::Result<reqwest::Response>,
    operation: &'static Operation,
    retype: Retype,
) -> Result<Response<Value>> {
    let response = decode::whole(hook::answer(result, operation)?, operation).await?;
    let Retype::Json(through) = retype else {
        return Ok(response.map(|_| Value::Null));
    };
    let body = response.raw().clone();
    match through(&body) {
        Ok(value) => Ok(response.map(|_| value)),
        Err(error) => Err(Error::new(
            ErrorKind::Decode,
            format!("the answer does not fit its type: {}", expectation(&error)),
        )
        .with_status(response.status())
        .with_answer(response.headers().clone(), body)
        .with_operation(operation)),
    }
}
