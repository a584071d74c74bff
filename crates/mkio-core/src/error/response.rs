//! Reads the body of an error response.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Error, ErrorKind};
use crate::{json, retry};

pub(super) fn read(status: StatusCode, headers: HeaderMap, body: Bytes) -> Error {
    let retry_after = retry::retry_after(&headers);
    let json: Option<Value> = json::from_slice(&body).ok();
    let mut error = Error::new(ErrorKind::Api, "")
        .with_status(status)
        .with_retry_after(retry_after);
    let recognised = json.as_ref().map(Envelope::read).unwrap_or_default();
    error = error.with_response(headers, body);
    error.edit(|inner| {
        inner.code = recognised.code;
        inner.detail = recognised.detail;
        inner.extra_detail = recognised.extra_detail;
        inner.reference = recognised.reference;
    })
}

/// Longest body of a success that is searched for an error.
const LONGEST: usize = 64 * 1024;

/// Members of the service's error body, and of those that gateways write.
const MEMBERS: [&str; 6] = ["error", "status", "ref", "detail", "message", "code"];

/// Whether the body is an error body and nothing else, and the status in it.
///
/// A resource may have an `error` of its own, beside other members.
pub(super) fn error_body_status(body: &[u8]) -> Option<Option<StatusCode>> {
    let text = json::without_mark(body).trim_ascii_start();
    let key = text.strip_prefix(b"{")?.trim_ascii_start();
    // Nearly all bodies end here.
    let key = key
        .strip_prefix(b"\"")?
        .split(|byte| *byte == b'"')
        .next()?;
    if body.len() > LONGEST || !MEMBERS.iter().any(|member| member.as_bytes() == key) {
        return None;
    }
    let body: serde_json::Map<String, Value> = json::from_slice(body).ok()?;
    let is_error = match body.get("error")? {
        Value::Object(error) => ["code", "detail", "message"]
            .iter()
            .any(|name| error.get(*name).and_then(text_of).is_some()),
        // Others have an `error` that is text, such as metrics.
        Value::String(error) => {
            !error.is_empty()
                && (body.contains_key("ref") || body.get("status").is_some_and(Value::is_u64))
        }
        _ => false,
    };
    if !is_error || body.keys().any(|key| !MEMBERS.contains(&key.as_str())) {
        return None;
    }
    let status = body.get("status").and_then(Value::as_u64);
    let status = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    Some(status.filter(|status| status.is_client_error() || status.is_server_error()))
}

/// The members of the known error bodies.
#[derive(Debug, Default, PartialEq)]
struct Envelope {
    code: Option<String>,
    detail: Option<String>,
    extra_detail: Option<Value>,
    reference: Option<String>,
}

impl Envelope {
    fn read(body: &Value) -> Self {
        let reference = body.get("ref").and_then(text_of);
        match (body.get("error"), body.get("detail")) {
            (Some(Value::Object(error)), _) => Self {
                code: error.get("code").and_then(text_of),
                detail: error
                    .get("detail")
                    .and_then(text_of)
                    .or_else(|| error.get("message").and_then(text_of)),
                extra_detail: error.get("extraDetail").filter(|v| !v.is_null()).cloned(),
                reference,
            },
            (Some(error), _) => Self {
                detail: text_of(error),
                reference,
                ..Self::default()
            },
            (None, Some(Value::Array(entries))) => Self::validation(entries, reference),
            (None, detail) => Self {
                code: body.get("code").and_then(text_of),
                detail: detail
                    .and_then(text_of)
                    .or_else(|| body.get("message").and_then(text_of)),
                reference,
                ..Self::default()
            },
        }
    }

    /// The 422 body of the Channels API: `{"detail": [{"loc": […], "msg": …, "type": …}]}`.
    ///
    /// `input`, the offending value, may be a secret and stays out of the detail.
    fn validation(entries: &[Value], reference: Option<String>) -> Self {
        let lines: Vec<String> = entries
            .iter()
            .map(|entry| {
                let place: Vec<String> = entry
                    .get("loc")
                    .and_then(Value::as_array)
                    .map(|parts| parts.iter().filter_map(text_of).collect())
                    .unwrap_or_default();
                let message = entry.get("msg").and_then(text_of).unwrap_or_default();
                if place.is_empty() {
                    return message;
                }
                format!("{}: {message}", place.join("."))
            })
            .collect();
        Self {
            code: entries
                .first()
                .and_then(|entry| entry.get("type"))
                .and_then(text_of),
            detail: Some(lines.join("; ")).filter(|detail| !detail.is_empty()),
            extra_detail: Some(Value::Array(entries.to_vec())),
            reference,
        }
    }
}

/// Text of a scalar; nothing for null, lists and objects.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        Error::from_response(
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            Bytes::copy_from_slice(body.as_bytes()),
        )
    }

    #[test]
    fn service_body() {
        let error = error(
            404,
            r#"{"error":{"code":"NotFound","detail":"no asset\n\"intro\"","extraDetail":{"name":"intro"}},"status":404,"ref":"r-1"}"#,
        );
        assert!(error.is_not_found());
        assert_eq!(error.code(), Some("NotFound"));
        assert_eq!(error.extra_detail().unwrap()["name"], "intro");
        assert_eq!(error.reference(), Some("r-1"));
        assert_eq!(
            error.to_string(),
            "404 Not Found: NotFound: no asset \"intro\" (ref r-1)"
        );
    }

    #[test]
    fn validation_errors_of_the_channels_api() {
        let error = error(
            422,
            r#"{"detail":[{"loc":["body","metadata",0],"msg":"Field required","type":"missing","input":"hunter2"},{"msg":"bad","type":"x"}]}"#,
        );
        assert_eq!(error.code(), Some("missing"));
        assert_eq!(error.detail(), Some("body.metadata.0: Field required; bad"));
        assert_eq!(error.extra_detail().unwrap()[0]["input"], "hunter2");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn other_shapes_keep_what_they_say() {
        for (body, code, detail) in [
            (r#"{"detail":"Not Found"}"#, None, Some("Not Found")),
            (r#"{"error":"invalid_token"}"#, None, Some("invalid_token")),
            (r#"{"error":{"code":7}}"#, Some("7"), None),
            (r#"{"error":{"code":true}}"#, Some("true"), None),
            (r#"{"error":{"code":[1]}}"#, None, None),
            (r#"{"message":"gone"}"#, None, Some("gone")),
            (r#"[1]"#, None, None),
            ("", None, None),
        ] {
            let error = error(400, body);
            assert_eq!((error.code(), error.detail()), (code, detail), "{body}");
            assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
            assert_eq!(error.body(), body);
        }
    }

    #[test]
    fn a_byte_order_mark_hides_nothing() {
        let error = error(
            404,
            "\u{feff}{\"error\":{\"code\":\"NotFound\"},\"ref\":\"r-1\"}",
        );
        assert_eq!(
            (error.code(), error.reference()),
            (Some("NotFound"), Some("r-1"))
        );
    }

    #[test]
    fn an_error_body_is_told_from_a_resource() {
        let read = |body: &str| error_body_status(body.as_bytes());
        let status = |code| StatusCode::from_u16(code).ok();
        for (body, expected) in [
            (
                r#"{"error":{"code":"NotFound","detail":"x"},"status":404,"ref":"r"}"#,
                Some(status(404)),
            ),
            (
                "\u{feff} { \"status\":500,\"error\":{\"detail\":\"x\"}}",
                Some(status(500)),
            ),
            (r#"{"error":"invalid_token","ref":"r"}"#, Some(None)),
            (
                r#"{"error":"invalid_token","status":401}"#,
                Some(status(401)),
            ),
            (r#"{"error":"bad query","status":"error"}"#, None),
            (r#"{"error":"bad query"}"#, None),
            (r#"{"error":{"message":"x"},"status":200}"#, Some(None)),
            (r#"{"error":null,"status":"Finished"}"#, None),
            (r#"{"error":{},"status":404}"#, None),
            (
                r#"{"error":{"code":"E"},"name":"job-1","status":"Error"}"#,
                None,
            ),
            (r#"{"name":"job-1","error":{"code":"E"}}"#, None),
            (r#"{"status":"ok"}"#, None),
            (r#"[{"error":{"code":"E"}}]"#, None),
            (r#"{"error":{"code":"E"}"#, None),
            ("", None),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
        // Nobody writes so much about an error.
        let long = "x".repeat(LONGEST);
        assert_eq!(read(&format!(r#"{{"error":{{"detail":"{long}"}}}}"#)), None);
    }

    #[test]
    fn long_texts_are_cut_where_they_are_shown() {
        let long = "x".repeat(10_000);
        let body = serde_json::json!({"error": {"code": long, "detail": long}, "ref": long});
        let error = error(400, &body.to_string());
        assert_eq!(error.detail(), Some(&*long));
        let (line, debug) = (error.to_string(), format!("{error:?}"));
        assert!(
            line.len() < 2000 && debug.len() < 2500,
            "{} {}",
            line.len(),
            debug.len()
        );
    }

    #[test]
    fn a_page_keeps_its_status_and_first_kib() {
        let page = format!("<html>\n<h1>502</h1>{}", "x".repeat(5000));
        let error = error(502, &page);
        assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
        assert_eq!(error.body(), &page.as_bytes()[..1024]);
        let line = error.to_string();
        assert!(line.starts_with("502 Bad Gateway: <html> <h1>502</h1>xxx"));
        assert!(line.len() < 200 && !line.contains('\n'), "{line}");
    }
}
