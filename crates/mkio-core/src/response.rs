//! A decoded answer together with what came with it.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

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
}

impl<T> Response<T> {
    /// Puts a response together; useful in tests of code that takes one.
    pub fn new(value: T, status: StatusCode, headers: HeaderMap, raw: Bytes) -> Self {
        Self {
            value,
            status,
            headers,
            raw,
        }
    }

    /// The decoded value.
    pub fn into_inner(self) -> T {
        self.value
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

    /// Applies a function to the value and keeps everything else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Response<U> {
        Response {
            value: f(self.value),
            status: self.status,
            headers: self.headers,
            raw: self.raw,
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
