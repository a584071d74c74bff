//! Reports polls to the metrics.

use http::StatusCode;
use tokio::time::Instant;

use crate::{Error, Measurement, Operation, Transport};

/// Reports how a poll of so many resources of a project ended; it began at `since`.
pub(super) fn report(
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
