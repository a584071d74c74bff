//! Tells metrics of polls.

use http::StatusCode;
use tokio::time::Instant;

use crate::{Error, Measurement, Operation, Transport};

/// Tells how a poll of so many resources of a project ended that began at `since`.
pub(super) fn tell(
    transport: &Transport,
    operation: &'static Operation,
    project: Option<&str>,
    since: Instant,
    outcome: Result<StatusCode, &Error>,
    resources: usize,
) {
    if let Some(metrics) = transport.metrics() {
        let poll = Measurement::new(operation, since.elapsed())
            .project(project)
            .outcome(outcome);
        metrics.poll(&poll, resources);
    }
}
