//! A raw HTTP caller that checks every response against the documents.

use std::time::Duration;

use mkio_emulator::docs::{Documents, Operation};
use mkio_emulator::{Emulator, EmulatorBuilder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A response: status, headers, body.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Response {
    /// The response, if it has the status; else the test fails with the response.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// A text in the body.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        match self.body.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            other => panic!("{pointer} is {other:?} in {}", self.body),
        }
    }

    /// `error.detail`.
    #[track_caller]
    pub fn detail(&self) -> String {
        self.text("/error/detail")
    }
}

/// An emulator and a client of it.
pub struct Caller {
    pub emulator: Emulator,
    pub http: reqwest::Client,
    pub token: String,
}

impl Caller {
    /// With the default settings and a paused clock.
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let emulator = change(Emulator::builder())
            .start()
            .await
            .expect("the emulator starts");
        emulator.control().pause();
        let token = emulator.token().to_owned();
        Self {
            emulator,
            http: reqwest::Client::new(),
            token,
        }
    }

    pub fn step(&self, seconds: u64) {
        self.emulator.control().step(Duration::from_secs(seconds));
    }

    /// A request below the project, or at an absolute path. The response is checked against the documents.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let path = if path.starts_with('/') || path.starts_with("http") {
            path.to_owned()
        } else {
            format!("/api/v1/projects/{}/{path}", self.emulator.project())
        };
        let url = if path.starts_with("http") {
            path
        } else {
            format!("{}{path}", self.emulator.base_url())
        };
        let mut request = self
            .http
            .request(method.clone(), &url)
            .bearer_auth(&self.token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.expect("the emulator answers");
        checked(&method, response).await
    }

    pub async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// A JSON Patch of a resource below the project.
    pub async fn json_patch(&self, path: &str, patch: Value) -> Response {
        let (base, project) = (self.emulator.base_url(), self.emulator.project());
        let url = format!("{base}/api/v1/projects/{project}/{path}");
        let request = self.http.patch(url).bearer_auth(&self.token);
        let request = request
            .header("content-type", "application/json-patch+json")
            .body(patch.to_string());
        checked(&Method::PATCH, request.send().await.expect("a response")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.call(
            Method::POST,
            path,
            if body.is_null() { None } else { Some(body) },
        )
        .await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.call(Method::DELETE, path, None).await
    }

    /// Makes an asset.
    pub async fn asset(&self, name: &str) {
        let body = json!({ "properties": { "storageAccountName": "storage1", "container": format!("container-{name}") } });
        self.put(&format!("media/assets/{name}"), body)
            .await
            .expect(201);
    }

    /// The state of `…/state`.
    #[track_caller]
    pub fn state(&self, path: &str) -> impl Future<Output = String> {
        let path = format!("{path}/state");
        async move { self.get(&path).await.expect(200).text("/status/state") }
    }
}

/// The operations of the documents that `data/unserved.txt` does not list.
pub fn served() -> impl Iterator<Item = &'static Operation> {
    let operations = Documents::get().operations().iter();
    operations.filter(|operation| is_served(operation))
}

pub fn is_served(operation: &Operation) -> bool {
    let unserved = include_str!("../../data/unserved.txt");
    !unserved.lines().any(|line| line.trim() == operation.id)
}

/// Reads a response and checks it: a declared status, a body that fits its schema, the standard body for errors.
pub async fn checked(method: &Method, response: reqwest::Response) -> Response {
    let status = response.status();
    let path = response.url().path().to_owned();
    let headers = response.headers().clone();
    let bytes = response.bytes().await.expect("a whole body");
    let json = headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = if json {
        serde_json::from_slice(&bytes).expect("JSON")
    } else {
        Value::String(String::from_utf8_lossy(&bytes).into_owned())
    };
    let documents = Documents::get();
    if let Ok((operation, _)) = documents.route(method, &path) {
        // Documents do not declare 413, and forget 409 and the device's 401 and 404 for some of the operations that send them.
        let forgotten = (status == StatusCode::NOT_IMPLEMENTED && !is_served(operation))
            || matches!(status, StatusCode::CONFLICT | StatusCode::PAYLOAD_TOO_LARGE)
            || (status == StatusCode::NOT_FOUND && path.starts_with("/api/channels/"))
            || (status == StatusCode::UNAUTHORIZED && path == "/api/channel-me/");
        if !forgotten || operation.response(status).is_some() {
            let checked = operation.check_response(status, json.then_some(&body));
            assert_eq!(checked, Ok(()), "{method} {path} answered {body}");
        }
    }
    if (status.is_client_error() || status.is_server_error()) && path.starts_with("/api/v1") {
        for pointer in ["/error/code", "/error/detail", "/ref"] {
            assert!(
                body.pointer(pointer).is_some_and(Value::is_string),
                "{pointer} of {body}"
            );
        }
        assert_eq!(body["status"], status.as_u16());
    }
    Response {
        status: status.as_u16(),
        headers,
        body,
    }
}
