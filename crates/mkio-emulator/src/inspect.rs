//! What the control handle sees of the platform from outside of it.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::{engine::Engine, platform::call::Payload};

/// What GET answers for a path below the project. None when there is no such resource.
pub fn get(engine: &Engine, project: &str, path: &str) -> Option<Value> {
    let request = Request::get(format!("/api/v1/projects/{project}/{path}"))
        .body(Bytes::new())
        .ok()?;
    let answer = engine.operator(&request);
    match (answer.status.is_success(), answer.payload) {
        (true, Payload::Json(body)) => Some(body),
        _ => None,
    }
}
