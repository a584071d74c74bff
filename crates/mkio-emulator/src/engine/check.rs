//! Checks requests against the document of their operation.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use serde_json::Value;

use crate::{
    base::{error::ApiError, format},
    docs::{Keep, Operation, Schemas, findings},
    query::Query,
};

/// Findings listed in one refusal.
const MAX_FINDINGS: usize = 20;

/// The refusal of a body that is over the limit.
pub(crate) fn too_large(limit: usize) -> ApiError {
    ApiError::too_large(format!("a request body is at most {limit} bytes"))
}

pub(super) fn content_type(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| ApiError::bad_request("the Content-Type header is not ASCII"))?;
    Ok(text
        .split(';')
        .next()
        .map(|kind| kind.trim().to_ascii_lowercase()))
}

pub(super) fn check_query(operation: &Operation, query: &Query) -> Result<(), ApiError> {
    for parameter in &operation.query {
        let name = parameter.name.as_str();
        let mut given = query.all(name).peekable();
        if parameter.required && given.peek().is_none() {
            return Err(ApiError::bad_request(format!(
                "query parameter '{name}' is missing"
            )));
        }
        for value in given {
            let refused = parameter.refuses(operation.api, value);
            if let Some(reason) = refused.map_err(ApiError::internal)? {
                return Err(ApiError::bad_request(format!(
                    "query parameter '{name}' is not valid: {reason}"
                )));
            }
        }
    }
    Ok(())
}

/// Free text of callers, which is no time even if it looks like one.
const FREE: [&str; 5] = [
    "config",
    "configValues",
    "correlationData",
    "labels",
    "tags",
];

/// Times in a body that are finer than the platform records, `(pointer, reason)`.
fn too_fine(body: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), body)];
    while let Some((at, value)) = left.pop() {
        match value {
            Value::String(text) if format::is_too_fine(text) => {
                let name = at.rsplit('/').next().unwrap_or_default();
                if ["Time", "time", "Date"]
                    .iter()
                    .any(|end| name.ends_with(end))
                {
                    found.push((at, format::TOO_FINE.to_owned()));
                }
            }
            Value::Object(fields) => left.extend(
                fields
                    .iter()
                    .filter(|(name, _)| !FREE.contains(&name.as_str()))
                    .map(|(name, value)| (format!("{at}/{name}"), value)),
            ),
            Value::Array(items) => left.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (format!("{at}/{index}"), item)),
            ),
            _ => {}
        }
    }
    found
}

/// The body, cut down to what the operation takes; of a partial change also as it came.
pub(super) fn check_body(
    operation: &Operation,
    content_type: Option<&str>,
    raw: &Bytes,
) -> Result<(Value, Option<Value>), ApiError> {
    let Some(first) = operation.bodies.first() else {
        return Ok((Value::Null, None));
    };
    let declared = match content_type {
        _ if raw.is_empty() => first,
        None => first,
        Some(given) => operation
            .bodies
            .iter()
            .find(|body| body.content_type == given)
            .ok_or_else(|| {
                let taken: Vec<&str> = operation
                    .bodies
                    .iter()
                    .map(|body| body.content_type.as_str())
                    .collect();
                ApiError::bad_request(format!(
                    "the body is sent as '{given}'; this operation takes {}",
                    taken.join(" or ")
                ))
            })?,
    };
    let validator = declared
        .validator(operation.api)
        .map_err(ApiError::internal)?;
    let value: Value = if raw.is_empty() {
        // Most bodies are optional in the documents, whose schemas then demand fields: what an empty object lacks, no body has.
        let empty = serde_json::json!({});
        if operation.body_required || !validator.is_valid(&empty) {
            return Err(ApiError::bad_request("the request body is missing"));
        }
        empty
    } else {
        serde_json::from_slice(raw)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?
    };
    let mut findings = findings(validator, &value, MAX_FINDINGS);
    findings.extend(too_fine(&value));
    if !findings.is_empty() {
        return Err(ApiError::invalid("request body", findings));
    }
    let (keep, given) = if operation.method == Method::PATCH {
        (Keep::Change, Some(value.clone()))
    } else if operation.api.is_device() {
        // A device keeps a specification as it was sent.
        (Keep::Change, None)
    } else {
        (Keep::Stored, None)
    };
    let body = Schemas::get().prune(operation.api, &declared.schema, value, keep);
    Ok((body, given))
}
