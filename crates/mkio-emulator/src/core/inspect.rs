//! What the control handle does to the platform from outside of it.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::call::Payload;
use super::engine::Engine;
use super::family::Kind;
use super::media::jobs;
use super::merge;
use super::store::Place;

/// How a job fails. The fields are those of `outputs[].error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// `category`: `Account`, `Configuration`, `Content`, `Download`, `Service` or `Upload`.
    pub category: String,
    /// `code`, such as `ContentMalformed`.
    pub code: String,
    /// `message`.
    pub message: String,
    /// Whether `retry` is `MayRetry`.
    pub may_retry: bool,
}

impl Default for JobFailure {
    /// `Service`, `ServiceTransientError`, may be tried again.
    fn default() -> Self {
        Self {
            category: "Service".to_owned(),
            code: "ServiceTransientError".to_owned(),
            message: "a failure made on demand".to_owned(),
            may_retry: true,
        }
    }
}

/// Lets a job that has not ended fail half way through its processing.
///
/// # Errors
/// When there is no such job, or it has ended.
pub fn fail_job(
    engine: &Engine,
    project: &str,
    transform: &str,
    job: &str,
    failure: &JobFailure,
) -> Result<(), String> {
    let mut world = engine.world();
    let address = Place::under(project, Kind::Job, transform).at(job);
    let found = world
        .get_mut(&address)
        .ok_or_else(|| format!("there is no job '{job}' of transform '{transform}'"))?;
    let error = jobs::error(
        &failure.category,
        &failure.code,
        &failure.message,
        failure.may_retry,
    );
    match found.state {
        "Queued" | "Scheduled" => {
            merge::put(&mut found.private, "/planned", error);
            Ok(())
        }
        "Processing" => {
            jobs::fail_later(&mut world, &address, error);
            Ok(())
        }
        state => Err(format!("the job '{job}' is {state}")),
    }
}

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
