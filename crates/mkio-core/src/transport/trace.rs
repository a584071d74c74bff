//! Spans and events for `tracing`: one span per call, one event per attempt.
//!
//! Names follow OpenTelemetry's HTTP conventions. Never recorded: tokens, header values, query
//! values, bodies, and texts from the service other than its `ref`. Numbers are `i64`, the only
//! integer that OpenTelemetry has: others arrive there as text.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;
use tracing::{Span, field::Empty};

use super::attempt::Failed;
use crate::{Error, Operation, budget::project, response::CallInfo};

/// `tracing` target of every span and event.
const TARGET: &str = "mkio";

/// The attempt that an event is about.
pub(super) struct Attempted<'a> {
    pub(super) operation: &'static Operation,
    /// The path of the request, which contains its project.
    pub(super) path: Option<&'a str>,
    /// Attempts of the call so far, this one included.
    pub(super) attempts: u32,
}

pub(super) fn span(request: &reqwest::Request, operation: &Operation) -> Span {
    let url = request.url();
    let method = request.method();
    // Raw requests have no template.
    let path = match operation.path {
        "" => url.path(),
        template => template,
    };
    tracing::info_span!(
        target: TARGET,
        "mkio.call",
        otel.kind = "client",
        otel.name = span_name(method, operation.path),
        otel.status_code = Empty,
        mkio.api = operation.api,
        mkio.operation = operation.id,
        mkio.project = project(url.path()),
        mkio.ref = Empty,
        mkio.duration_ms = Empty,
        mkio.budget.wait_ms = Empty,
        http.request.method = %method,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        url.path = path,
        url.scheme = url.scheme(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        error.type = Empty,
    )
}

/// The path of a raw request is not part of it: names of spans must be few.
fn span_name(method: &Method, template: &str) -> String {
    match template {
        "" => method.to_string(),
        template => format!("{method} {template}"),
    }
}

pub(super) fn attempt_succeeded(attempt: &Attempted<'_>, status: StatusCode, since: Instant) {
    tracing::debug!(
        target: TARGET,
        {
            mkio.operation = attempt.operation.id,
            http.request.resend_count = resends(attempt.attempts),
            http.response.status_code = i64::from(status.as_u16()),
            mkio.duration_ms = millis(since.elapsed()),
        },
        "attempt succeeded"
    );
}

/// A warning, unless the response is one that programs ask for, such as 404.
pub(super) fn attempt_failed(attempt: &Attempted<'_>, failed: &Failed, retry_in: Option<Duration>) {
    let status = failed.error.status();
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: TARGET,
                tracing::Level::$level,
                {
                    mkio.operation = attempt.operation.id,
                    mkio.project = attempt.path.and_then(project),
                    http.request.resend_count = resends(attempt.attempts),
                    http.response.status_code = status.map(|status| i64::from(status.as_u16())),
                    error.type = %failed.error.word(),
                    mkio.ref = failed.error.reference(),
                    mkio.retry_in_ms = retry_in.map(millis),
                },
                "attempt failed"
            )
        };
    }
    match failed.error.effective_status() {
        Some(StatusCode::NOT_FOUND | StatusCode::CONFLICT) => event!(DEBUG),
        _ => event!(WARN),
    }
}

/// A response came in full and does not decode: the call's span has ended well by then.
pub(crate) fn undecodable(error: &Error) {
    tracing::warn!(
        target: TARGET,
        {
            mkio.operation = error.operation_id(),
            error.type = "decode",
            json_path = error.json_path(),
        },
        "the response does not decode"
    );
}

pub(super) fn finished(span: &Span, call: &CallInfo, result: Result<StatusCode, &Error>) {
    if span.is_disabled() {
        return;
    }
    let status = match result {
        Ok(status) => Some(status),
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", &*error.word());
            if let Some(reference) = error.reference() {
                span.record("mkio.ref", reference);
            }
            error.status()
        }
    };
    if let Some(status) = status {
        span.record("http.response.status_code", i64::from(status.as_u16()));
    }
    span.record("http.request.resend_count", resends(call.attempts));
    span.record("mkio.duration_ms", millis(call.elapsed));
    span.record("mkio.budget.wait_ms", millis(call.budget_wait));
}

/// Sent again so many times.
fn resends(attempts: u32) -> i64 {
    i64::from(attempts.saturating_sub(1))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
