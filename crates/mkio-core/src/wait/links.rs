//! How a wait reaches the service.

use std::sync::Arc;

use super::Waits;
use crate::page::Exchange;
use crate::{CallOptions, Priority, RetryPolicy, Transport};

#[derive(Clone)]
pub(super) struct Links {
    pub(super) waits: Waits,
    /// For looks: not repeated, and after all calls that somebody makes.
    pub(super) polls: Arc<dyn Exchange>,
    /// For the look at the deadline, which cannot be put off: not repeated.
    pub(super) urgent: Arc<dyn Exchange>,
    /// For actions' questions and the last read: as the user's own calls.
    pub(super) calls: Arc<dyn Exchange>,
    pub(super) retry: RetryPolicy,
}

impl Links {
    pub(super) fn of(transport: &Transport) -> Self {
        let once = CallOptions::new().retry(RetryPolicy::none());
        Self {
            waits: transport.waits().clone(),
            polls: Arc::new(transport.with(once.priority(Priority::Background))),
            urgent: Arc::new(transport.with(once)),
            calls: Arc::new(transport.clone()),
            retry: transport.retry_policy(),
        }
    }
}
