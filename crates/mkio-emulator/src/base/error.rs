//! The platform's error body.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A refused request. Answered as `{"error":{"code","detail","extraDetail"},"status","ref"}`.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// `error.code`. The platform publishes no list; these are names of the status or of the cause.
    pub code: &'static str,
    /// `error.detail`: the problem and its place.
    pub detail: String,
    /// `error.extraDetail`, for details beyond one sentence.
    pub extra: Box<Map<String, Value>>,
    /// Seconds for `Retry-After`, if it is sent.
    pub retry_after: Option<u64>,
    /// Methods for `Allow`, when the method was the problem.
    pub allow: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            extra: Box::default(),
            retry_after: None,
            allow: None,
        }
    }

    /// 400.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", detail)
    }

    /// 400 with the fields that were refused, `(JSON pointer, reason)`.
    pub fn invalid(what: &str, findings: Vec<(String, String)>) -> Self {
        let described: Vec<String> = findings
            .iter()
            .map(|(at, reason)| {
                if at.is_empty() {
                    reason.clone()
                } else {
                    format!("{}: {reason}", at.trim_start_matches('/').replace('/', "."))
                }
            })
            .collect();
        let mut error = Self::new(
            StatusCode::BAD_REQUEST,
            "ValidationError",
            format!("the {what} is not valid: {}", described.join("; ")),
        );
        let errors: Vec<Value> = findings
            .into_iter()
            .map(|(path, message)| json!({ "path": path, "message": message }))
            .collect();
        error
            .extra
            .insert("errors".to_owned(), Value::Array(errors));
        error
    }

    /// 400 with the one field of a request body that was refused, by its JSON pointer.
    pub fn field(at: &str, reason: impl Into<String>) -> Self {
        Self::invalid("request body", vec![(at.to_owned(), reason.into())])
    }

    /// 401.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", detail)
    }

    /// 405.
    pub fn method_not_allowed(detail: impl Into<String>, allow: String) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", detail)
        }
    }

    /// 408.
    pub fn timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", detail)
    }

    /// 422.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "UnprocessableEntity",
            detail,
        )
    }

    /// 429.
    pub fn too_many(detail: impl Into<String>, retry_after: Option<u64>) -> Self {
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", detail)
        }
    }

    /// 500, for states that the code rules out; answered rather than panicked.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            detail,
        )
    }

    /// 501, for operations that this emulator does not serve.
    pub fn not_implemented(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", detail)
    }

    /// 502, for a storage that cannot be reached.
    pub fn bad_gateway(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "BadGateway", detail)
    }

    /// Any status, for faults made on demand.
    pub fn made(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "EmulatedFault", detail)
    }

    /// The error body, with a fresh `ref`.
    pub fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("detail".to_owned(), json!(self.detail));
        if !self.extra.is_empty() {
            error.insert(
                "extraDetail".to_owned(),
                Value::Object(self.extra.as_ref().clone()),
            );
        }
        json!({ "error": error, "status": self.status.as_u16(), "ref": Uuid::new_v4().to_string() })
    }
}
