//! Calls of all kinds: requests and results.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod arguments;
mod bytes;
mod dynamic;
mod edits;
mod json;
mod lists;
mod media_types;
mod messages;
mod secrets;
mod threads;
mod types;

use mkio::{Client, media::ProjectClient};
use mkio_httpmock::httpmock::MockServer;
use serde_json::Value;

/// A client of a service at this address, which plays a Beam device, too.
fn client(base_url: &str) -> Client {
    Client::builder()
        .base_url(base_url)
        .api_base_url("channels", base_url)
        .token("no-real-token")
        .build()
        .expect("a client")
}

/// A client of a mock server.
fn mocked(server: &MockServer) -> Client {
    client(&server.base_url())
}

/// A client whose requests are made, but not sent.
fn offline() -> Client {
    client("http://127.0.0.1:9")
}

/// The same for the Media API of a project.
fn media() -> ProjectClient {
    offline().project("acme").media()
}

/// A header of a request as text; empty when it is not there.
fn header<'a>(request: &'a reqwest::Request, name: &str) -> &'a str {
    let value = request.headers().get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

/// The JSON that a request would send.
fn body(request: &reqwest::Request) -> Value {
    let bytes = request.body().and_then(|body| body.as_bytes());
    serde_json::from_slice(bytes.expect("a body")).expect("JSON")
}
