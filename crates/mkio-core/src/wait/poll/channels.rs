//! How a wait reaches the service.

use crate::{CallOptions, Priority, RetryPolicy, Transport};

/// One transport for each purpose.
#[derive(Clone)]
pub(in crate::wait) struct Channels {
    /// Sends polls: each once, and after the calls that somebody makes.
    pub(in crate::wait) background: Transport,
    /// Sends the poll at the deadline, which cannot wait: once.
    pub(in crate::wait) urgent: Transport,
    /// Sends the questions of actions and the final poll: like the caller's own calls.
    pub(in crate::wait) foreground: Transport,
}

impl Channels {
    pub(in crate::wait) fn of(transport: &Transport) -> Self {
        let once = CallOptions::new().retry(RetryPolicy::none());
        Self {
            background: transport.with(once.priority(Priority::Background)),
            urgent: transport.with(once),
            foreground: transport.clone(),
        }
    }

    /// When a failed poll is retried.
    pub(in crate::wait) fn retry(&self) -> RetryPolicy {
        self.foreground.retry_policy()
    }
}
