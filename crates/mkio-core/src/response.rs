//! A decoded answer together with what came with it.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// What a call took: how many attempts, how long, and how much of that was waiting for a turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallInfo {
    /// How many times the request was sent, or tried to be.
    pub attempts: u32,
    /// Time from the start of the call to its answer, waits included.
    pub elapsed: Duration,
    /// How much of `elapsed` was waiting for a turn in the rate budget.
    pub budget_wait: Duration,
}

/// The typed value of a successful answer, with its status, headers and raw body.
///
/// Dereferences to the value, so fields can be read directly; [`into_inner`](Self::into_inner)
/// takes it out.
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    raw: Bytes,
    call: CallInfo,
}

impl<T> Response<T> {
    /// Puts a response together; useful in tests of code that takes one.
    pub fn new(value: T, status: StatusCode, headers: HeaderMap, raw: Bytes) -> Self {
        Self {
            value,
            status,
            headers,
            raw,
            call: CallInfo::default(),
        }
    }

    pub(crate) fn with_call(mut self, call: CallInfo) -> Self {
        self.call = call;
        self
    }

    /// The decoded value.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The decoded value, status, headers and raw body, each to be owned.
    pub fn into_parts(self) -> (T, StatusCode, HeaderMap, Bytes) {
        (self.value, self.status, self.headers, self.raw)
    }

    /// HTTP status, always in the 200s.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// HTTP headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body exactly as it was received; empty for answers without a body and for streams.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// What the call took: attempts, time, and time spent waiting for the rate budget.
    pub fn call(&self) -> CallInfo {
        self.call
    }

    /// Applies a function to the value and keeps everything else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Response<U> {
        Response {
            value: f(self.value),
            status: self.status,
            headers: self.headers,
            raw: self.raw,
            call: self.call,
        }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Shows status and value; headers and raw body may hold secrets and stay out.
impl<T: std::fmt::Debug> std::fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}
