//! The seam that every request of every API passes.

mod attempt;
mod builder;
mod call;
mod carrier;
mod clients;
mod dispatch;
mod elsewhere;
mod fetch;
mod options;
mod origin;
mod raw;
mod redirect;
mod request;
mod route;
mod tls;
mod trace;
mod undecoded;

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

pub use builder::TransportBuilder;
pub(crate) use carrier::Carrier;
pub(crate) use clients::{Clients, Recipe};
pub use dispatch::{Dispatch, DispatchError, DispatchFuture};
pub(crate) use options::CallSettings;
pub use options::{CallOptions, Priority};
pub use origin::is_loopback;
pub use raw::RawRequest;
pub use request::RequestBuilder;
pub(crate) use route::{Route, Routes};
pub use tls::http_client_builder;
pub(crate) use trace::undecodable;
pub(crate) use undecoded::UndecodedResponse;

use url::Url;

use crate::{Error, ErrorKind, Metrics, Operation, Result, budget::Budget, retry::RetryPolicy};

/// Sends requests: the one seam of all generated crates.
///
/// Adds the token, keeps to the service's rate limits, retries failed calls where that does no harm,
/// traces, and turns failures into [`Error`](crate::Error). Cheap to clone; all clones share connections,
/// token, rate budget and retry budget.
#[derive(Clone)]
pub struct Transport {
    core: Arc<Core>,
    settings: Arc<CallSettings>,
}

pub(crate) struct Core {
    routes: Routes,
    project: Option<String>,
    user_agent: Option<http::HeaderValue>,
    http: reqwest::Client,
    carrier: Arc<Carrier>,
    budget: Budget,
    metrics: Option<Arc<dyn Metrics>>,
    /// Retries in a full retry budget of another host.
    retries: u32,
    /// Tokens may travel unencrypted.
    allow_plain_http: bool,
    /// State of the waits, for all clones; nothing here knows its type.
    attachment: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Transport {
    /// Starts building a transport.
    pub fn builder() -> TransportBuilder {
        TransportBuilder::new()
    }

    /// A transport from `MKIO_TOKEN`, `MKIO_BASE_URL`, `MKIO_PROJECT`, and the profile that
    /// `MKIO_PROFILE` names (or the file's default profile) for values that these do not set.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](crate::ErrorKind::Config) when there is no token or a setting is unusable.
    pub fn from_env() -> Result<Self> {
        Self::builder().with_env().build()
    }

    /// Base URL of an API (see [`Operation::api`]), without a trailing slash.
    pub fn base_url(&self, api: &str) -> &str {
        self.core.routes.of(api).base()
    }

    /// The HTTP client with which generated code builds its requests.
    pub fn http(&self) -> &reqwest::Client {
        &self.core.http
    }

    /// The HTTP client that sends a request to `url`. [`http`](Self::http) may use a proxy of the
    /// environment, which must not get a request for this machine. For uploads.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    #[doc(hidden)]
    pub fn http_for(&self, url: &Url) -> Result<reqwest::Client, DispatchError> {
        match &*self.core.carrier {
            Carrier::Own(clients) => clients.client(url),
            Carrier::Other(_) => Ok(self.core.http.clone()),
        }
    }

    /// The project that the configuration names, if any.
    pub fn project(&self) -> Option<&str> {
        self.core.project.as_deref()
    }

    /// The same transport with other settings for the calls made through the clone.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            core: Arc::clone(&self.core),
            settings: Arc::new(self.settings.with(&options)),
        }
    }

    /// The URL of an operation's path, whose names are percent-encoded already.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the path has not exactly the
    /// segments of the operation's template, or a URL cannot keep them.
    pub(crate) fn url(&self, operation: &'static Operation, path: &str) -> Result<Url> {
        if !route::fits(path, operation.path) {
            let message = format!(
                "the path `{}` does not fit the template `{}`",
                path.escape_debug(),
                operation.path
            );
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_operation(operation));
        }
        let route = self.core.routes.of(operation.api);
        route
            .url(path)
            .map_err(|error| error.with_operation(operation))
    }

    /// A value that all clones share, made when it is asked for first. There is place for one type.
    pub(crate) fn attachment<T: Any + Default + Send + Sync>(&self) -> &T {
        let attachment = &self.core.attachment;
        let attached = attachment.get_or_init(|| Box::new(T::default()));
        match attached.downcast_ref() {
            Some(attached) => attached,
            None => unreachable!("the attachment has one type"),
        }
    }

    /// Who counts, if anybody does.
    pub(crate) fn metrics(&self) -> Option<&dyn Metrics> {
        self.core.metrics.as_deref()
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.settings.retry
    }

    /// Sends a request that belongs to `operation` and gives its response, whose status is always in
    /// the 200s. Unless the operation streams, the body has been received as a whole. A request without
    /// `Accept` asks for JSON.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind) but `Decode`, `Paging` and `Wait`.
    pub async fn exec(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<reqwest::Response> {
        let response = self.call(request, operation).await?;
        Ok(response.into_response())
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("routes", &self.core.routes)
            .field("project", &self.core.project)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
