//! Numbers about calls, for metrics of the caller.

use std::{borrow::Cow, fmt, time::Duration};

use http::StatusCode;

use crate::{Error, Operation};

/// Receives numbers when a call, an attempt, a wait for the rate budget or a poll ends. Off by default;
/// given to [`TransportBuilder::metrics`](crate::TransportBuilder::metrics).
///
/// Every method has an empty default. They are called on the task that makes the call, so they must
/// be quick and must not block; a counter or a histogram is. `crates/mkio-telemetry` in the repository
/// has an example that feeds OpenTelemetry.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use mkio_core::{Measurement, Metrics, Transport};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl Metrics for Failures {
///     fn call(&self, call: &Measurement<'_>) {
///         if call.error().is_some() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// # fn main() -> mkio_core::Result<()> {
/// let transport = Transport::builder().token("a.b.c").metrics(Failures::default()).build()?;
/// # Ok(())
/// # }
/// ```
pub trait Metrics: Send + Sync {
    /// A call has ended, with all its attempts.
    fn call(&self, call: &Measurement<'_>) {
        let _ = call;
    }

    /// An attempt has ended. [`attempts`](Measurement::attempts) is its number: 1 for the first.
    fn attempt(&self, attempt: &Measurement<'_>) {
        let _ = attempt;
    }

    /// A call has waited for its turn in the rate budget. Not called for calls that got theirs at once.
    fn budget_wait(&self, wait: &Measurement<'_>) {
        let _ = wait;
    }

    /// A poll has ended, which showed the states of so many resources: one, or those of a list.
    /// The calls that it took are reported to [`call`](Self::call) as well.
    fn poll(&self, poll: &Measurement<'_>, resources: usize) {
        let _ = (poll, resources);
    }
}

/// What ended, how long it took, and how.
#[derive(Clone, Copy)]
pub struct Measurement<'a> {
    operation: &'static Operation,
    project: Option<&'a str>,
    duration: Duration,
    attempts: u32,
    outcome: Option<Result<StatusCode, &'a Error>>,
}

impl<'a> Measurement<'a> {
    pub(crate) fn new(operation: &'static Operation, duration: Duration) -> Self {
        Self {
            operation,
            project: None,
            duration,
            attempts: 0,
            outcome: None,
        }
    }

    pub(crate) fn project(self, project: Option<&'a str>) -> Self {
        Self { project, ..self }
    }

    pub(crate) fn attempts_so_far(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    pub(crate) fn outcome(self, outcome: Result<StatusCode, &'a Error>) -> Self {
        let outcome = Some(outcome);
        Self { outcome, ..self }
    }

    /// The operation, for example `get_asset` of `media`.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The project that the call is about, if it is about one.
    pub fn project_name(&self) -> Option<&'a str> {
        self.project
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Attempts so far, this one included; 0 before the first, and for polls.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match self.outcome? {
            Ok(status) => Some(status),
            Err(error) => error.status(),
        }
    }

    /// The failure, if it was one.
    pub fn error(&self) -> Option<&'a Error> {
        self.outcome?.err()
    }

    /// The kind of failure in one word, as OpenTelemetry's `error.type` wants it: the status of an error
    /// response, else a word such as `timeout`.
    pub fn error_type(&self) -> Option<Cow<'static, str>> {
        self.error().map(Error::word)
    }
}

impl fmt::Debug for Measurement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measurement")
            .field("operation", &self.operation.id)
            .field("duration", &self.duration)
            .field("attempts", &self.attempts)
            .field("status", &self.status())
            .field("error_type", &self.error_type())
            .finish_non_exhaustive()
    }
}
