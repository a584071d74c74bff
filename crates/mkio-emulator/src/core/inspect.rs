//! What the control handle sees of the platform from outside of it.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::call::Payload;
use super::engine::Engine;
use super::seed;

/// What GET answers for a path below the project. None when there is no such resource.
pub fn get(engine: &Engine, project: &str, path: &str) -> Option<Value> {
    let token = seed::token(&mut engine.world(), None).ok()?;
    let request = Request::get(format!("/api/v1/projects/{project}/{path}"))
        .header("authorization", format!("Bearer {token}"));
    let answer = engine.plain(&request.body(Bytes::new()).ok()?);
    let id = *engine
        .world()
        .token_digests
        .get(&super::tokens::digest_of(&token))?;
    super::tokens::forget(&mut engine.world(), id, &token);
    match (answer.status.is_success(), answer.payload) {
        (true, Payload::Json(body)) => Some(body),
        _ => None,
    }
}
