//! How a wait reaches the service.

use super::Waits;
use crate::{CallOptions, Priority, RetryPolicy, Transport};

/// One transport for each purpose.
#[derive(Clone)]
pub(super) struct Channels {
    /// Sends polls: each once, and after the calls that somebody makes.
    pub(super) background: Transport,
    /// Sends the poll at the deadline, which cannot be put off: once.
    pub(super) urgent: Transport,
    /// Sends the questions of actions and the last read: like the caller's own calls.
    pub(super) foreground: Transport,
}

impl Channels {
    pub(super) fn of(transport: &Transport) -> Self {
        let once = CallOptions::new().retry(RetryPolicy::none());
        Self {
            background: transport.with(once.priority(Priority::Background)),
            urgent: transport.with(once),
            foreground: transport.clone(),
        }
    }

    /// All waits over these transports.
    pub(super) fn waits(&self) -> &Waits {
        self.foreground.waits()
    }

    /// When a failed poll is repeated.
    pub(super) fn retry(&self) -> RetryPolicy {
        self.foreground.retry_policy()
    }
}
