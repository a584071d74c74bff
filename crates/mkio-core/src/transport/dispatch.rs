//! What carries a single request: the HTTP client, or something in its place.

use std::{fmt, future::Future, pin::Pin};

use http::Method;

use super::origin;
use crate::error::BoxError;

/// The response to a dispatched request, later.
pub type DispatchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<reqwest::Response, DispatchError>> + Send + 'a>>;

/// Carries one request to the service and brings its response.
///
/// [`reqwest::Client`] does it over the network. Another implementation can answer from memory, in
/// tests or from an emulator: build an [`http::Response`] and turn it into a
/// [`reqwest::Response`] with `into()`. Tokens, rate budget, retries, timeouts, redirects and
/// errors are handled above this; an implementation sends once and follows nothing.
pub trait Dispatch: Send + Sync {
    /// Sends the request once.
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_>;
}

impl Dispatch for reqwest::Client {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let asked = request.url().clone();
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        Box::pin(async move {
            let response = self.execute(request).await?;
            // Only a client brought by the user can follow redirects by itself. Those of writes
            // it follows with a GET, whose success says nothing about the write.
            let here = origin::equal(response.url(), &asked);
            if here && (reads || *response.url() == asked) {
                Ok(response)
            } else {
                Err(DispatchError::elsewhere(response.url()))
            }
        })
    }
}

/// Why no response came to a dispatched request.
pub struct DispatchError {
    pub(crate) fault: Fault,
    pub(crate) source: Option<BoxError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    NotSent,
    Broken,
    TimedOut { sent: bool },
    Unusable,
    Elsewhere(String),
}

impl DispatchError {
    /// The request never left, for example because the connection was refused. Any call may be
    /// retried after it.
    pub fn not_sent(source: impl Into<BoxError>) -> Self {
        Self::new(Fault::NotSent, source)
    }

    /// The request left, or may have, and no whole response came back.
    pub fn broken(source: impl Into<BoxError>) -> Self {
        Self::new(Fault::Broken, source)
    }

    /// The request left, or may have, and no response came in time.
    pub fn timed_out(source: impl Into<BoxError>) -> Self {
        Self::new(Fault::TimedOut { sent: true }, source)
    }

    fn new(fault: Fault, source: impl Into<BoxError>) -> Self {
        Self {
            fault,
            source: Some(source.into()),
        }
    }

    fn elsewhere(url: &url::Url) -> Self {
        Self {
            fault: Fault::Elsewhere(url.origin().ascii_serialization()),
            source: None,
        }
    }
}

impl From<reqwest::Error> for DispatchError {
    fn from(error: reqwest::Error) -> Self {
        let fault = if error.is_connect() && error.is_timeout() {
            Fault::TimedOut { sent: false }
        } else if error.is_connect() {
            Fault::NotSent
        } else if error.is_timeout() {
            Fault::TimedOut { sent: true }
        } else if error.is_builder() || error.is_redirect() {
            Fault::Unusable
        } else {
            Fault::Broken
        };
        // The URL's query may hold secrets.
        Self::new(fault, error.without_url())
    }
}

impl fmt::Debug for DispatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchError")
            .field("fault", &self.fault)
            .field("source", &self.source)
            .finish()
    }
}

impl fmt::Display for DispatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::NotSent => f.write_str("the request could not be sent"),
            Fault::Broken => {
                f.write_str("the connection broke before the whole response was there")
            }
            Fault::TimedOut { sent: true } => f.write_str("no response in time"),
            Fault::TimedOut { sent: false } => f.write_str("no connection in time"),
            Fault::Unusable => f.write_str("the request could not be sent"),
            Fault::Elsewhere(origin) => write!(
                f,
                "the HTTP client followed a redirect to another place at {origin}; its response was \
                 dropped. Turn its redirects off"
            ),
        }
    }
}

impl std::error::Error for DispatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
