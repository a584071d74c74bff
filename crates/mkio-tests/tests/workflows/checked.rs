//! Every response on its way to the client is checked against the documents.

use std::sync::{Arc, Mutex, PoisonError};

use mkio_core::{Dispatch, DispatchFuture};
use mkio_emulator::docs::Documents;
use reqwest::{Method, ResponseBuilderExt, StatusCode};
use serde_json::Value;

/// The responses so far.
#[derive(Debug, Default)]
pub struct Seen {
    responses: usize,
    findings: Vec<String>,
}

/// Sends over the network, and looks at what comes back before the client does. Clones share what they have seen.
#[derive(Debug, Clone)]
pub struct Checked {
    http: reqwest::Client,
    seen: Arc<Mutex<Seen>>,
}

impl Default for Checked {
    fn default() -> Self {
        let http = mkio_core::http_client_builder().expect("a crypto provider");
        Self {
            http: http.build().expect("an HTTP client"),
            seen: Arc::default(),
        }
    }
}

impl Checked {
    /// Ends the test when a response did not fit its document, or none was looked at.
    pub fn assert_clean(&self) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.findings.is_empty(), "{}", seen.findings.join("\n"));
        assert!(seen.responses > 0, "no response was looked at");
    }

    fn look(&self, method: &Method, path: &str, status: StatusCode, body: &[u8], json: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.responses += 1;
        let Ok((operation, _)) = Documents::get().route(method, path) else {
            seen.findings
                .push(format!("{method} {path} is in no document"));
            return;
        };
        // The documents forget 409, and the device's 404, for some of the operations that send them.
        let device = path.starts_with("/api/channels/");
        let forgotten =
            status == StatusCode::CONFLICT || (status == StatusCode::NOT_FOUND && device);
        let body = json.then(|| serde_json::from_slice(body)).transpose();
        let checked = match body {
            Ok(body) if forgotten && operation.response(status).is_none() => {
                shaped(path, status, body.as_ref())
                    .then_some(())
                    .ok_or_else(|| format!("{method} {path} answered {status} with {body:?}"))
            }
            Ok(body) => operation.check_response(status, body.as_ref()),
            Err(error) => Err(format!("{method} {path}: {error}")),
        };
        seen.findings.extend(checked.err());
    }
}

/// Whether a refusal that no document declares has at least the form that all the others have.
fn shaped(path: &str, status: StatusCode, body: Option<&Value>) -> bool {
    let text = |at: &str| {
        body.and_then(|body| body.pointer(at))
            .is_some_and(Value::is_string)
    };
    if path.starts_with("/api/channel") {
        return text("/detail");
    }
    let told = body.and_then(|body| body.get("status")?.as_u64());
    ["/error/code", "/error/detail", "/ref"]
        .into_iter()
        .all(text)
        && told == Some(u64::from(status.as_u16()))
}

impl Dispatch for Checked {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let method = request.method().clone();
        Box::pin(async move {
            let response = self.http.dispatch(request).await?;
            let (status, url) = (response.status(), response.url().clone());
            let headers = response.headers().clone();
            let body = response.bytes().await?;
            let json = headers
                .get("content-type")
                .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
            self.look(&method, url.path(), status, &body, json);
            let mut response = http::Response::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            let (mut parts, body) = response.into_parts();
            parts.extensions = url_of(url);
            Ok(http::Response::from_parts(parts, body).into())
        })
    }
}

/// The mark by which reqwest knows where a response came from.
fn url_of(url: reqwest::Url) -> http::Extensions {
    let marked = http::Response::builder().url(url).body(());
    marked
        .map(|marked| marked.into_parts().0.extensions)
        .unwrap_or_default()
}

#[test]
fn a_response_that_does_not_fit_is_found() {
    let checked = Checked::default();
    let path = "/api/v1/projects/demo/media/assets";
    checked.look(&Method::GET, path, StatusCode::OK, b"{\"value\":5}", true);
    checked.look(&Method::GET, path, StatusCode::CREATED, b"", false);
    checked.look(&Method::GET, path, StatusCode::OK, b"nonsense", true);
    checked.look(&Method::GET, "/nowhere", StatusCode::OK, b"", false);
    let seen = checked.seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(
        (seen.responses, seen.findings.len()),
        (4, 4),
        "{:?}",
        seen.findings
    );
}

#[test]
fn a_refusal_that_no_document_declares_has_the_form_of_the_others() {
    let checked = Checked::default();
    let asset = "/api/v1/projects/demo/media/assets/a";
    let channel = "/api/channels/one/";
    let standard = r#"{"error":{"code":"Conflict","detail":"d"},"ref":"r","status":409}"#;
    let cases = [
        (Method::DELETE, asset, StatusCode::CONFLICT, standard, true),
        (
            Method::DELETE,
            asset,
            StatusCode::CONFLICT,
            r#"{"detail":"d"}"#,
            false,
        ),
        (
            Method::DELETE,
            asset,
            StatusCode::CONFLICT,
            r#"{"error":{"code":"c","detail":"d"},"ref":"r","status":400}"#,
            false,
        ),
        (
            Method::PATCH,
            channel,
            StatusCode::NOT_FOUND,
            r#"{"detail":"d"}"#,
            true,
        ),
        (Method::PATCH, channel, StatusCode::NOT_FOUND, "{}", false),
    ];
    for (method, path, status, body, fits) in cases {
        let (operation, _) = Documents::get().route(&method, path).expect("an operation");
        assert!(
            operation.response(status).is_none(),
            "{path} declares {status}"
        );
        checked.look(&method, path, status, body.as_bytes(), true);
        let mut seen = checked.seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(
            seen.findings.is_empty(),
            fits,
            "{body}: {:?}",
            seen.findings
        );
        seen.findings.clear();
    }
    checked.look(&Method::DELETE, asset, StatusCode::CONFLICT, b"", false);
    let seen = checked.seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(seen.findings.len(), 1);
}
