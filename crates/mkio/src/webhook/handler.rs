//! Receives posted events.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mkio_core::{Error, ErrorKind, Result, Waits};
use subtle::Choice;

use super::memory::{Known, Memory};
use super::{Event, SharedSecret};

/// An error of the code that handles events.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Handled = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
/// Handled, or the status of the refusal and its reason.
type Handling = Result<(), (StatusCode, &'static str)>;
type Handler = dyn Fn(Event) -> Handled + Send + Sync;

/// Receives events: verifies the sender, leaves out events that were handled, passes them to the
/// waits, and calls your code.
///
/// Cheap to clone; clones share the memory of events. The responses:
///
/// | status | meaning |
/// |---|---|
/// | 204 | handled, now or before |
/// | 400 | not an event |
/// | 401 | the secret is missing or wrong |
/// | 405 | not a POST |
/// | 413 | the body is larger than allowed |
/// | 415 | not an event, and not said to be JSON |
/// | 500 | your code gave an error; the event is handled when it is delivered again |
/// | 503 | the same event is being handled at this moment; deliver again |
///
/// The service delivers an event again unless the response is a success. Code that panics counts as code
/// that gave an error.
///
/// | your request | method |
/// |---|---|
/// | its body has been read | [`handle`](Self::handle) |
/// | it comes from a server (hyper, and servers built on it), its body is still to come |
/// [`serve`](Self::serve) |
/// | axum | `router`, with the feature `axum` |
///
/// The URL of a rule has to be reachable by the service. Behind a proxy, it is the proxy's address;
/// the proxy must pass the header or query parameter of the secret on.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mkio::webhook::{Event, SharedSecret, Webhook};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let sources = Arc::new(Mutex::new(Vec::new()));
/// let seen = Arc::clone(&sources);
/// let webhook = Webhook::builder()
///     .secret(SharedSecret::header("x-mkio-secret", "correct horse battery staple"))
///     .on_event(move |event: Event| {
///         seen.lock().unwrap().push(event.source);
///         async { Ok(()) }
///     })
///     .build()?;
///
/// let event = r#"{"specversion": "1.0", "id": "1", "type": "MediaKind.JobFinished",
///     "source": "/projects/acme/media/transforms/h264/jobs/job-1", "data": {}}"#;
/// let request = http::Request::post("/events")
///     .header("x-mkio-secret", "correct horse battery staple")
///     .body(event)?;
/// assert_eq!(webhook.handle(request).await.status(), 204);
/// assert_eq!(sources.lock().unwrap().len(), 1);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
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
    ///
    /// For requests of a server, whose bodies are still to come, see [`serve`](Self::serve).
    pub async fn handle(&self, request: Request<impl AsRef<[u8]>>) -> Response<String> {
        let (head, body) = request.into_parts();
        respond(match self.admit(&head) {
            Ok(()) => self.receive(&head, body.as_ref()).await,
            refused => refused,
        })
    }

    /// Handles a request of a server, reading its body: of hyper, and everything that is built on
    /// it. The response's body, text, is one for these as well.
    ///
    /// Nothing is read from a sender who does not know the secret, or who announces more than
    /// [`largest_body`](WebhookBuilder::largest_body), and no more than that from the others.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<String>
    where
        B: http_body::Body,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let refused = match self.admit(&head) {
            Ok(()) if body.size_hint().lower() > self.inner.largest as u64 => TOO_LARGE,
            Ok(()) => match Limited::new(body, self.inner.largest).collect().await {
                Ok(body) => return respond(self.receive(&head, &body.to_bytes()).await),
                Err(error) if error.is::<LengthLimitError>() => TOO_LARGE,
                Err(error) => {
                    tracing::warn!(
                        error = &*error,
                        "the body of a webhook event did not arrive"
                    );
                    (StatusCode::BAD_REQUEST, "the body ended early")
                }
            },
            Err(refused) => refused,
        };
        respond(Err(refused))
    }

    /// Largest body, in bytes.
    pub fn largest_body(&self) -> usize {
        self.inner.largest
    }

    /// Checks everything but the body.
    fn admit(&self, request: &Parts) -> Handling {
        if request.method != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "send events by POST"));
        }
        let inner = &*self.inner;
        // All secrets are compared, whichever fits.
        let verified = inner.secrets.iter().fold(Choice::from(0), |found, secret| {
            found | secret.is_in(request)
        });
        if !inner.open && !bool::from(verified) {
            tracing::warn!("a webhook event without the shared secret was refused");
            return Err((
                StatusCode::UNAUTHORIZED,
                "the secret is missing or wrong; the rule and the receiver need the same one",
            ));
        }
        let announced = request.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.trim().parse().ok());
        if announced.is_some_and(|length: u64| length > inner.largest as u64) {
            return Err(TOO_LARGE);
        }
        Ok(())
    }

    async fn receive(&self, request: &Parts, body: &[u8]) -> Handling {
        let inner = &*self.inner;
        if body.len() > inner.largest {
            return Err(TOO_LARGE);
        }
        let event = Event::from_json(body).map_err(|error| {
            tracing::warn!(%error, "a webhook event does not decode");
            // The media type that the service sends is not published, so only bodies that are not
            // JSON are refused.
            if says_json(request) {
                (
                    StatusCode::BAD_REQUEST,
                    "the body is not an event: a JSON object",
                )
            } else {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the event as JSON")
            }
        })?;
        let mut turn = Turn::new(inner, &event);
        match turn.begin() {
            Known::New => {}
            Known::Done => return Ok(()),
            Known::Ongoing => {
                return Err((
                    StatusCode::SERVICE_UNAVAILABLE,
                    "this event is being handled; deliver it again later",
                ));
            }
        }
        if let Some(waits) = &inner.waits {
            waits.notify(&event.state_event());
        }
        if let Some(handler) = &inner.handler
            && let Err(error) = caught(async { handler(event).await }).await
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

/// The result of a future, or an error when it panics: a server would drop the connection without a
/// response.
async fn caught(handled: impl Future<Output = Result<(), BoxError>>) -> Result<(), BoxError> {
    let mut handled = pin!(handled);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| handled.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err("the handler panicked".into())))
    })
    .await
}

const TOO_LARGE: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");

/// The request says that its body is JSON, or nothing.
fn says_json(request: &Parts) -> bool {
    let Some(given) = request.headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let given = given.to_str().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

fn respond(handled: Handling) -> Response<String> {
    let (status, why) = handled.err().unwrap_or((StatusCode::NO_CONTENT, ""));
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
    source: String,
    id: String,
    ours: bool,
}

impl<'a> Turn<'a> {
    fn new(inner: &'a Inner, event: &Event) -> Self {
        Self {
            inner,
            source: event.source.clone(),
            id: event.id.clone(),
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
        let known = self.memory().begin(&self.source, &self.id);
        self.ours = known == Known::New;
        known
    }

    fn done(mut self) {
        if std::mem::take(&mut self.ours) {
            self.memory().done(&self.source, &self.id);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.ours {
            self.memory().failed(&self.source, &self.id);
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

    /// Passes every event to these waits, so that they end without polling.
    pub fn waits(mut self, waits: &Waits) -> Self {
        self.waits = Some(waits.clone());
        self
    }

    /// Calls this with every event that has not been handled before. The service gets its response
    /// when your code has ended, so keep it short. After an error the service delivers the event
    /// again.
    pub fn on_event<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.handler = Some(Box::new(move |event| Box::pin(handler(event))));
        self
    }

    /// How many events are remembered, by source and id, to leave out repeated deliveries.
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
    /// Kind [`Config`](ErrorKind::Config) when there is no secret, or one that no request can have.
    pub fn build(self) -> Result<Webhook> {
        for secret in &self.secrets {
            secret.check()?;
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
