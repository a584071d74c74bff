//! The one error type of all MK.IO crates.

mod display;
mod expectation;
mod kind;
mod response;
mod scrub;
mod secret_fields;
mod target;

use std::{any::Any, borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{CallInfo, Operation, json};

pub(crate) use display::excerpt;
pub(crate) use expectation::{expectation, without_position, without_values};
pub use kind::ErrorKind;
pub(crate) use scrub::Secrets;
use target::Target;

/// Bytes that are kept of a body that is not JSON.
const KEPT: usize = 1024;

/// Shorthand for results with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error that can travel between threads, as a cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any failure of a call, a list or a wait.
///
/// Failed calls have been retried already where that is safe ([`RetryPolicy`](crate::RetryPolicy));
/// an error comes when that did not help. The `is_…` methods classify the response of the service:
///
/// ```
/// use mkio_core::Error;
///
/// /// What to do about a PUT that failed.
/// fn advice(error: &Error) -> String {
///     if error.is_conflict() && error.outcome_unknown() {
///         // The response got lost, and the retry met the resource of the first attempt.
///         "read the resource: an earlier attempt may have created it".to_owned()
///     } else if error.is_conflict() {
///         format!("the name is taken, or the resource is in use: {}", error.detail().unwrap_or_default())
///     } else if error.is_not_found() {
///         "create what the path names first".to_owned()
///     } else if error.is_rate_limited() {
///         format!("go on in {:?}", error.retry_after())
///     } else if error.outcome_unknown() {
///         "read the resource before sending the request again".to_owned()
///     } else {
///         format!("tell support the reference {:?}: {error}", error.reference())
///     }
/// }
///
/// # use mkio_core::http::{HeaderMap, StatusCode};
/// # let body = r#"{"error": {"code": "1", "detail": "taken"}, "ref": "r-1", "status": 409}"#;
/// # let error = Error::from_response(StatusCode::CONFLICT, HeaderMap::new(), body.into());
/// assert_eq!(advice(&error), "the name is taken, or the resource is in use: taken");
/// assert_eq!(error.reference(), Some("r-1"));
/// ```
///
/// | what happened | [`kind`](Self::kind) | [`status`](Self::status) | true for it |
/// |---|---|---|---|
/// | no such resource | `Api` | 404 | [`is_not_found`](Self::is_not_found) |
/// | name taken, or resource in use | `Api` | 409 | [`is_conflict`](Self::is_conflict) |
/// | too many requests, after all retries | `Api` | 429 | [`is_rate_limited`](Self::is_rate_limited), [`is_retryable`](Self::is_retryable) |
/// | token refused, or its rights are too few | `Api` | 401, 403 | [`is_denied`](Self::is_denied) |
/// | no usable token | `Token` | none | [`is_denied`](Self::is_denied) |
/// | the service was too slow | `Api` | 408, 504 | [`is_timeout`](Self::is_timeout), [`is_retryable`](Self::is_retryable) |
/// | a time limit of the client passed, also a wait's | `Timeout` | none | [`is_timeout`](Self::is_timeout), [`is_retryable`](Self::is_retryable) |
/// | no connection, or it broke | `Connection` | none | [`is_retryable`](Self::is_retryable) |
/// | the response does not decode | `Decode` | 200 to 299 | |
/// | a job failed, a resource disappeared | `Wait` | none | [`WaitFailure::of`](crate::WaitFailure::of) has state and errors |
/// | an argument is unusable; nothing was sent | `InvalidRequest` | none | |
///
/// [`outcome_unknown`](Self::outcome_unknown) can be true beside any of them.
///
/// Cheap to clone and small to pass around. `Display` is one line with operation, resource, status,
/// code, detail, `ref` and the number of attempts; without a response it has the address and the
/// cause. Causes are reached through [`source`](std::error::Error::source). Neither `Display` nor `Debug` shows headers, bodies
/// (save for a short excerpt of an error page that is not JSON) or the token.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static Operation>,
    target: Option<Target>,
    message: String,
    status: Option<StatusCode>,
    /// The status in an error body that came with a success status.
    body_status: Option<StatusCode>,
    code: Option<String>,
    detail: Option<String>,
    extra_detail: Option<Value>,
    reference: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    json_path: Option<String>,
    expectation: Option<String>,
    attempts: u32,
    elapsed: Duration,
    budget_wait: Duration,
    retry_after: Option<Duration>,
    outcome_unknown: bool,
    gave_up: Option<&'static str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    value: Option<Arc<dyn Any + Send + Sync>>,
}

/// Making errors: for the runtime, for generated crates, and for fakes in tests.
impl Error {
    /// An error of this kind; the message is one sentence that names the thing and the way out.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            operation: None,
            target: None,
            message: message.into(),
            status: None,
            body_status: None,
            code: None,
            detail: None,
            extra_detail: None,
            reference: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            json_path: None,
            expectation: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            budget_wait: Duration::ZERO,
            retry_after: None,
            outcome_unknown: false,
            gave_up: None,
            source: None,
            value: None,
        }))
    }

    /// The error of a response whose status is not a success.
    ///
    /// Understands the service's error body, the validation errors of the Channels API, and keeps
    /// the first KiB of anything else.
    pub fn from_response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self::from_whole_response(status, headers, body).truncate_body()
    }

    /// The same with the whole body, so that secrets can be taken out before
    /// [`truncate_body`](Self::truncate_body) shortens it.
    pub(crate) fn from_whole_response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        response::read(status, headers, body)
    }

    /// The error of a response with a success status and the service's error body. With it comes
    /// the status in that body, if it is an error status.
    pub(crate) fn from_false_success(
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Option<(Self, StatusCode)> {
        let body_status = response::error_body_status(body)?;
        let error = response::read(status, headers.clone(), body.clone());
        let error = error.edit(|inner| inner.body_status = body_status);
        Some((error, body_status.unwrap_or(status)))
    }

    /// Keeps the first KiB of a body that is not JSON.
    pub(crate) fn truncate_body(self) -> Self {
        let body = &self.0.body;
        let fits = self.0.kind != ErrorKind::Api
            || body.len() <= KEPT
            || json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if fits {
            return self;
        }
        // Copied, so that the excerpt does not keep the whole page alive.
        self.edit(|inner| inner.body = Bytes::copy_from_slice(&inner.body[..KEPT]))
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Names the operation that failed, unless one is named already.
    #[must_use]
    pub fn with_operation(self, operation: &'static Operation) -> Self {
        self.edit(|inner| {
            inner.operation.get_or_insert(operation);
        })
    }

    /// Adds where the request went, unless that is known already.
    pub(crate) fn with_url(self, url: &Url) -> Self {
        self.edit(|inner| {
            inner.target.get_or_insert_with(|| Target::new(url));
        })
    }

    /// Replaces the message.
    #[cfg(feature = "dynamic")]
    pub(crate) fn with_message(self, message: String) -> Self {
        self.edit(|inner| inner.message = message)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.edit(|inner| inner.source = Some(Arc::from(source.into())))
    }

    /// Adds the HTTP status of the response that caused the error.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        self.edit(|inner| inner.status = Some(status))
    }

    /// Adds headers and body of the response that caused the error.
    #[must_use]
    pub fn with_response(self, headers: HeaderMap, body: Bytes) -> Self {
        self.edit(|inner| {
            inner.headers = headers;
            inner.body = body;
        })
    }

    /// Adds the place in the JSON body where reading stopped, and the expectation there: the
    /// message of serde's error. Values from the document are taken out of it; they may be secret.
    #[must_use]
    pub fn with_json_path(self, path: impl Into<String>, expectation: impl Into<String>) -> Self {
        let expectation = without_values(&expectation.into());
        self.with_place(path.into(), expectation)
    }

    /// The same with a text that quotes nothing from the document.
    pub(crate) fn with_place(self, path: String, expectation: String) -> Self {
        self.edit(|inner| {
            inner.json_path = Some(path);
            inner.expectation = Some(expectation);
        })
    }

    /// Adds a value that the failure must not lose, for example the resource as it was last seen.
    #[must_use]
    pub fn with_value(self, value: impl Any + Send + Sync) -> Self {
        self.edit(|inner| inner.value = Some(Arc::new(value)))
    }

    /// Adds how often and how long the call was tried.
    pub(crate) fn with_call(self, call: CallInfo) -> Self {
        self.edit(|inner| {
            inner.attempts = call.attempts;
            inner.elapsed = call.elapsed;
            inner.budget_wait = call.budget_wait;
        })
    }

    /// Adds the code and the detail of the failure, where these are known.
    pub(crate) fn with_code(self, code: Option<String>, detail: Option<String>) -> Self {
        self.edit(|inner| {
            inner.code = code.or_else(|| inner.code.take());
            inner.detail = detail.or_else(|| inner.detail.take());
        })
    }

    /// Adds status, code, detail and reference of another error, which is this one's cause.
    pub(crate) fn with_response_of(self, cause: &Self) -> Self {
        self.edit(|inner| {
            inner.operation = cause.0.operation;
            inner.target.clone_from(&cause.0.target);
            inner.status = cause.0.status;
            inner.body_status = cause.0.body_status;
            inner.code.clone_from(&cause.0.code);
            inner.detail.clone_from(&cause.0.detail);
            inner.extra_detail.clone_from(&cause.0.extra_detail);
            inner.reference.clone_from(&cause.0.reference);
            inner.json_path.clone_from(&cause.0.json_path);
            inner.expectation.clone_from(&cause.0.expectation);
        })
    }

    /// Sets how long the service asked to wait.
    #[must_use]
    pub fn with_retry_after(self, wait: Option<Duration>) -> Self {
        self.edit(|inner| inner.retry_after = wait)
    }

    /// Says that the service may have carried out the call; for fakes in tests.
    #[must_use]
    pub fn with_outcome_unknown(self) -> Self {
        self.edit(|inner| inner.outcome_unknown = true)
    }

    /// Says why no further attempt was made.
    pub(crate) fn with_gave_up(self, why: &'static str) -> Self {
        self.edit(|inner| inner.gave_up = Some(why))
    }
}

/// Reading errors.
impl Error {
    /// The kind of failure, in one word.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The kind of failure, as OpenTelemetry's `error.type` wants it: the status of a response that is an
    /// error, else the kind in one word.
    pub(crate) fn word(&self) -> Cow<'static, str> {
        match self.effective_status() {
            Some(status) if self.0.kind == ErrorKind::Api => status.as_str().to_owned().into(),
            _ => self.0.kind.word().into(),
        }
    }

    /// The operation that failed, if the failure belongs to one.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// Name of the operation that failed, for example `get_asset`.
    pub fn operation_id(&self) -> Option<&'static str> {
        self.0.operation.map(|operation| operation.id)
    }

    /// Path of the request's URL, for example `/api/v1/projects/acme/media/assets/intro`; `None`
    /// when the call was refused before its URL was made. Names in it are percent-encoded.
    pub fn path(&self) -> Option<&str> {
        self.0.target.as_ref().map(Target::path)
    }

    /// The message without status, operation and attempts.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// HTTP status of the response, if there was one.
    ///
    /// An error body that came with a success status has a status of its own; the `is_…` methods go by
    /// that.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The status by which the response is judged.
    pub(crate) fn effective_status(&self) -> Option<StatusCode> {
        self.0.body_status.or(self.0.status)
    }

    /// `error.code` of the service's error body; for the Channels API the type of the first
    /// validation error; for a wait whose job failed the code of the job's error.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// `error.detail` of the service's error body; for the Channels API all validation messages
    /// with the place each belongs to; for a wait whose job failed the message of the job's error.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// `error.extraDetail` of the service's error body; for the Channels API the list of
    /// validation errors as it was received.
    pub fn extra_detail(&self) -> Option<&Value> {
        self.0.extra_detail.as_ref()
    }

    /// The service's `ref` of the failed request: quote it to MediaKind's support.
    pub fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// Headers of the response; empty when there was none.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Body of the response: whole when it is JSON or did not decode, else its first KiB.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// Where in the JSON body decoding stopped, for example `value[3].properties.created`.
    pub fn json_path(&self) -> Option<&str> {
        self.0.json_path.as_deref()
    }

    /// What decoding expected at [`json_path`](Self::json_path).
    pub fn expectation(&self) -> Option<&str> {
        self.0.expectation.as_deref()
    }

    /// How many times the request was sent, or tried to be; 0 when it was refused before that.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Time from the start of the call to its failure, waits included.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// How much of [`elapsed`](Self::elapsed) was waiting for a turn in the rate budget.
    pub fn budget_wait(&self) -> Duration {
        self.0.budget_wait
    }

    /// The wait that the service asked for with `Retry-After`, uncapped.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Why no further attempt was made although the failure might have passed: the body cannot be
    /// sent again, the total timeout left no time, or the retry budget was spent.
    pub fn gave_up(&self) -> Option<&'static str> {
        self.0.gave_up
    }

    /// The service may have carried out the call although it failed: it changes something, and at
    /// least one attempt was neither refused (400 to 499) nor left unsent. That includes a success
    /// whose body does not decode.
    ///
    /// After a PUT that creates, a 409 with this flag often means that an earlier attempt did it.
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// A value that came with the failure, for example the resource as a wait last saw it.
    pub fn value<T: Any>(&self) -> Option<&T> {
        self.0.value.as_deref()?.downcast_ref()
    }

    /// The service answered 404: no such resource.
    pub fn is_not_found(&self) -> bool {
        self.effective_status() == Some(StatusCode::NOT_FOUND)
    }

    /// The service answered 409: the name is taken, or something else uses the resource.
    pub fn is_conflict(&self) -> bool {
        self.effective_status() == Some(StatusCode::CONFLICT)
    }

    /// The service answered 429: too many requests in the last minute.
    pub fn is_rate_limited(&self) -> bool {
        self.effective_status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The service answered 401 or 403, or there is no usable token.
    pub fn is_denied(&self) -> bool {
        self.0.kind == ErrorKind::Token
            || matches!(
                self.effective_status(),
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            )
    }

    /// A time limit passed: of an attempt, the call or a wait (client side), or of the service
    /// (408, 504).
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
            || matches!(
                self.effective_status(),
                Some(StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT)
            )
    }

    /// The same call may succeed later: throttled, a fault of the service, no response, or a time limit.
    ///
    /// Says nothing about whether a retry is harmless; see
    /// [`outcome_unknown`](Self::outcome_unknown).
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connection | ErrorKind::Timeout => true,
            ErrorKind::Api => self
                .effective_status()
                .is_some_and(crate::retry::is_transient),
            _ => false,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
