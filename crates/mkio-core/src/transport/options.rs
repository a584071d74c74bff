//! Settings that a single call, or a group of calls, may override.

use std::time::Duration;

use crate::retry::RetryPolicy;

/// Order of calls when the rate budget runs short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Priority {
    /// The default.
    #[default]
    Foreground,
    /// A poll: takes what foreground calls leave.
    Background,
}

/// Per-call overrides. Unset options inherit the client's.
///
/// Give it to one request with `options`, or to `with` on a client, a project or a
/// [`Transport`](crate::Transport::with), which returns a client of its own and leaves the original
/// as it is.
///
/// ```no_run
/// # async fn example(transport: mkio_core::Transport) -> mkio_core::Result<()> {
/// use std::time::Duration;
///
/// use http::Method;
/// use mkio_core::{CallOptions, RetryPolicy};
///
/// // A person waits for it: 20 s in all, one attempt.
/// let hurry = CallOptions::new()
///     .total_timeout(Duration::from_secs(20))
///     .retry(RetryPolicy::none());
/// let path = "/api/v1/projects/acme/media/assets/intro";
/// let asset = transport.request(Method::GET, path).options(hurry).send().await?;
///
/// // All calls of this client.
/// let transport = transport.with(hurry);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CallOptions {
    retry: Option<RetryPolicy>,
    attempt_timeout: Option<Duration>,
    total_timeout: Option<Duration>,
    response_limit: Option<u64>,
    priority: Option<Priority>,
}

impl CallOptions {
    /// No overrides.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often and at what distance failed attempts are retried. Default: up to 10 attempts, see
    /// [`RetryPolicy`].
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Longest time for one attempt, its body included; for streamed bodies, longest silence. Default
    /// 60 s. An attempt that takes longer is retried where that is safe.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = Some(limit);
        self
    }

    /// Longest time for the whole call: all attempts, and the waits between them and for the rate
    /// budget. Default 300 s. After it, the error is that of the last attempt, or one of kind
    /// [`Timeout`](crate::ErrorKind::Timeout).
    #[must_use]
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = Some(limit);
        self
    }

    /// Most bytes of a response body, unless it is streamed. Default 100 MiB. A larger one is an error
    /// of kind [`Decode`](crate::ErrorKind::Decode).
    #[must_use]
    pub fn response_limit(mut self, bytes: u64) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// Order of calls when the rate budget runs short. Default [`Priority::Foreground`]; polls of waits
    /// are [`Priority::Background`].
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }
}

/// The settings that apply to a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSettings {
    pub(crate) retry: RetryPolicy,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) response_limit: u64,
    pub(crate) priority: Priority,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(300),
            response_limit: 100 * 1024 * 1024,
            priority: Priority::Foreground,
        }
    }
}

impl CallSettings {
    pub(crate) fn with(self, options: &CallOptions) -> Self {
        Self {
            retry: options.retry.unwrap_or(self.retry),
            attempt_timeout: options.attempt_timeout.unwrap_or(self.attempt_timeout),
            total_timeout: options.total_timeout.unwrap_or(self.total_timeout),
            response_limit: options.response_limit.unwrap_or(self.response_limit),
            priority: options.priority.unwrap_or(self.priority),
        }
    }
}
