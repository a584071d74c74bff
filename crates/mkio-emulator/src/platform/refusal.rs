//! Refusals in the form of the API that the path belongs to.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::error::ApiError,
    platform::call::{Payload, Response},
};

/// The response to a request that is refused, in the form of the API that the path belongs to.
pub(crate) fn refusal(path: &str, error: ApiError) -> Response {
    if !path.starts_with("/api/channel") && !path.starts_with("/api/interfaces") {
        return error.into();
    }
    let (status, body) = error_body(&error);
    Response {
        status,
        payload: Payload::Json(body),
        ..Response::from(error)
    }
}

/// The device's form of an error.
fn error_body(error: &ApiError) -> (StatusCode, Value) {
    if error.status != StatusCode::BAD_REQUEST {
        return (error.status, json!({ "detail": error.detail }));
    }
    let findings = error
        .extra
        .get("errors")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let place = |path: &Value| -> Value {
        let mut parts = vec![json!("body")];
        for part in path
            .as_str()
            .unwrap_or_default()
            .split('/')
            .filter(|part| !part.is_empty())
        {
            parts.push(
                part.parse::<u64>()
                    .map_or_else(|_| json!(part), |index| json!(index)),
            );
        }
        Value::Array(parts)
    };
    let mut detail: Vec<Value> = findings
        .iter()
        .map(|finding| json!({ "loc": place(finding.get("path").unwrap_or(&Value::Null)), "msg": finding.get("message"), "type": "value_error" }))
        .collect();
    if detail.is_empty() {
        detail.push(json!({ "loc": ["request"], "msg": error.detail, "type": "value_error" }));
    }
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        json!({ "detail": detail }),
    )
}
