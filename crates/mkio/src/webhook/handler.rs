//! Takes in what is posted.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Request, Response, StatusCode, header};
use mkio_core::{Error, ErrorKind, Result, Waits};
use subtle::Choice;

use super::memory::{Known, Memory};
use super::{Event, SharedSecret};

/// An error of the code that handles events.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Handled = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
type Handler = dyn Fn(Event) -> Handled + Send + Sync;

/// Receives events: verifies the sender, leaves out what has been handled, tells the waits, and
/// calls your code.
///
/// Cheap to clone; clones share the memory of events. The answers:
///
/// | status | meaning |
/// |---|---|
/// | 204 | handled, now or before |
/// | 400 | not an event |
/// | 401 | the secret is missing or wrong |
/// | 405 | not a POST |
/// | 413 | the body is larger than allowed |
/// | 500 | your code gave an error; the event is handled when it is delivered again |
/// | 503 | the same event is being handled at this moment; deliver again |
///
/// The service delivers again what was not answered with success.
#[derive(Clone)]
pub struct Webhook {
    inner: Arc<Inner>,
}

struct Inner {
    secrets: Vec<SharedSecret>,
    open: bool,
    waits: Option<Waits>,
    handler: Option<Box<Handler>>,
    memory: Mutex<Memory>,
    largest: usize,
}

/// Settings of a [`Webhook`].
#[must_use]
pub struct WebhookBuilder {
    secrets: Vec<SharedSecret>,
    open: bool,
    waits: Option<Waits>,
    handler: Option<Box<Handler>>,
    remember: usize,
    largest: usize,
}

impl Webhook {
    /// Starts with no secret, no waits and no code to call; 10,000 events are remembered and
    /// bodies may have 4 MiB.
    pub fn builder() -> WebhookBuilder {
        WebhookBuilder {
            secrets: Vec::new(),
            open: false,
            waits: None,
            handler: None,
            remember: 10_000,
            largest: 4 << 20,
        }
    }

    /// Handles a request whose body has been read.
    pub async fn handle(&self, request: Request<impl AsRef<[u8]>>) -> Response<String> {
        let (parts, body) = request.into_parts();
        match self.take(&parts, body.as_ref()).await {
            Ok(()) => answer(StatusCode::NO_CONTENT, ""),
            Err((status, why)) => answer(status, why),
        }
    }

    /// Largest body, in bytes.
    pub fn largest_body(&self) -> usize {
        self.inner.largest
    }

    async fn take(
        &self,
        request: &http::request::Parts,
        body: &[u8],
    ) -> Result<(), (StatusCode, &'static str)> {
        if request.method != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "events are posted"));
        }
        let inner = &*self.inner;
        // All secrets are looked at, whichever fits.
        let verified = inner.secrets.iter().fold(Choice::from(0), |found, secret| {
            found | secret.is_in(request)
        });
        if !inner.open && !bool::from(verified) {
            tracing::warn!("a webhook event without the shared secret was refused");
            return Err((StatusCode::UNAUTHORIZED, "the secret is missing or wrong"));
        }
        if body.len() > inner.largest {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        }
        let event = Event::from_json(body).map_err(|error| {
            tracing::warn!(%error, json_path = error.json_path(), "a webhook event does not decode");
            (StatusCode::BAD_REQUEST, "this is not an event")
        })?;
        let mut turn = Turn::new(inner, event.id.clone());
        match turn.begin() {
            Known::New => {}
            Known::Done => return Ok(()),
            Known::Ongoing => {
                return Err((
                    StatusCode::SERVICE_UNAVAILABLE,
                    "this event is being handled",
                ));
            }
        }
        if let Some(waits) = &inner.waits {
            waits.notify(&event.state_event());
        }
        if let Some(handler) = &inner.handler
            && let Err(error) = handler(event).await
        {
            tracing::error!(error = &*error, "a webhook event was not handled");
            return Err((
                StatusCode::INTERNAL_SERVER_ERROR,
                "the event was not handled",
            ));
        }
        turn.done();
        Ok(())
    }
}

fn answer(status: StatusCode, why: &str) -> Response<String> {
    let mut response = Response::new(why.to_owned());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !why.is_empty() {
        let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, text);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, http::HeaderValue::from_static("POST"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, http::HeaderValue::from_static("5"));
    }
    response
}

/// An event being handled; if the handling is dropped midway, the event counts as not handled.
struct Turn<'a> {
    inner: &'a Inner,
    id: String,
    ours: bool,
}

impl<'a> Turn<'a> {
    fn new(inner: &'a Inner, id: String) -> Self {
        Self {
            inner,
            id,
            ours: false,
        }
    }

    fn memory(&self) -> MutexGuard<'a, Memory> {
        let memory = self.inner.memory.lock();
        memory.unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&mut self) -> Known {
        // Without an id there is nothing to know it by.
        if self.id.is_empty() {
            return Known::New;
        }
        let known = self.memory().begin(&self.id);
        self.ours = known == Known::New;
        known
    }

    fn done(mut self) {
        if std::mem::take(&mut self.ours) {
            self.memory().done(&self.id);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.ours {
            self.memory().failed(&self.id);
        }
    }
}

impl WebhookBuilder {
    /// Accepts events with this secret. Several can be given, and any of them suffices: that is
    /// how a secret is changed without losing events.
    pub fn secret(mut self, secret: SharedSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Accepts events from anybody, for example behind a proxy that has verified them.
    pub fn accept_unverified(mut self) -> Self {
        self.open = true;
        self
    }

    /// Tells these waits of every event, so that they end without polling.
    pub fn waits(mut self, waits: &Waits) -> Self {
        self.waits = Some(waits.clone());
        self
    }

    /// Calls this with every event that has not been handled before. The service has its answer
    /// when it is through, so keep it short; after an error the event is delivered again.
    pub fn on_event<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.handler = Some(Box::new(move |event| Box::pin(handler(event))));
        self
    }

    /// How many events are remembered to leave out repetitions.
    pub fn remember(mut self, events: usize) -> Self {
        self.remember = events;
        self
    }

    /// Largest body that is read, in bytes.
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Finishes the webhook.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](ErrorKind::Config) when there is no secret, or an empty one.
    pub fn build(self) -> Result<Webhook> {
        if self.secrets.iter().any(SharedSecret::is_empty) {
            let message = "the secret of a webhook must not be empty";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if self.secrets.is_empty() && !self.open {
            let message = "a webhook needs a secret, or anybody could post events: give it the one \
                           of its rule with `secret`, or call `accept_unverified`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Webhook {
            inner: Arc::new(Inner {
                secrets: self.secrets,
                open: self.open,
                waits: self.waits,
                handler: self.handler,
                memory: Mutex::new(Memory::new(self.remember)),
                largest: self.largest,
            }),
        })
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("secrets", &self.inner.secrets)
            .field("waits", &self.inner.waits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WebhookBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookBuilder")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}
