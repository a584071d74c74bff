//! Reads the body of an error answer.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Error, ErrorKind};
use crate::retry;

pub(super) fn read(status: StatusCode, headers: HeaderMap, body: Bytes) -> Error {
    let retry_after = retry::retry_after(&headers);
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let mut error = Error::new(ErrorKind::Api, "")
        .with_status(status)
        .with_retry_after(retry_after);
    let recognised = json.as_ref().map(Envelope::read).unwrap_or_default();
    error = error.with_answer(headers, body);
    error.edit(|inner| {
        inner.code = recognised.code;
        inner.detail = recognised.detail;
        inner.extra_detail = recognised.extra_detail;
        inner.reference = recognised.reference;
    })
}

/// What the known error bodies say.
#[derive(Debug, Default, PartialEq)]
struct Envelope {
    code: Option<String>,
    detail: Option<String>,
    extra_detail: Option<Value>,
    reference: Option<String>,
}

impl Envelope {
    fn read(body: &Value) -> Self {
        let reference = body.get("ref").and_then(text);
        match (body.get("error"), body.get("detail")) {
            (Some(Value::Object(error)), _) => Self {
                code: error.get("code").and_then(text),
                detail: error.get("detail").and_then(text),
                extra_detail: error.get("extraDetail").filter(|v| !v.is_null()).cloned(),
                reference,
            },
            (Some(error), _) => Self {
                detail: text(error),
                reference,
                ..Self::default()
            },
            (None, Some(Value::Array(entries))) => Self::validation(entries, reference),
            (None, detail) => Self {
                code: body.get("code").and_then(text),
                detail: detail
                    .and_then(text)
                    .or_else(|| body.get("message").and_then(text)),
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
                    .map(|parts| parts.iter().filter_map(text).collect())
                    .unwrap_or_default();
                let message = entry.get("msg").and_then(text).unwrap_or_default();
                match place.is_empty() {
                    true => message,
                    false => format!("{}: {message}", place.join(".")),
                }
            })
            .collect();
        Self {
            code: entries
                .first()
                .and_then(|entry| entry.get("type"))
                .and_then(text),
            detail: Some(lines.join("; ")).filter(|detail| !detail.is_empty()),
            extra_detail: Some(Value::Array(entries.to_vec())),
            reference,
        }
    }
}

/// Text of a scalar; nothing for null, lists and objects.
fn text(value: &Value) -> Option<String> {
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
        Error::from_answer(
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            Bytes::copy_from_slice(body.as_bytes()),
        )
    }

    #[test]
    fn platform_body() {
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
