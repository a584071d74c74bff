//! The client of all APIs.

use http::Method;
use mkio_core::{CallOptions, Error, ErrorKind, RawRequest, Result, Transport, TransportBuilder};

use crate::Project;

/// The client: everything that all APIs share, and a method for each API.
///
/// [`project`](Self::project) returns the APIs of one project. APIs with operations outside of
/// projects are methods of the client itself: `mkio.management()`, `mkio.channels()`.
///
/// ```no_run
/// # #[cfg(all(feature = "media", feature = "management"))]
/// # async fn example() -> mkio::Result<()> {
/// use std::time::Duration;
///
/// use mkio::{CallOptions, RetryPolicy};
///
/// let mkio = mkio::Client::builder()
///     .token("a.b.c")                        // or with_env(): MKIO_TOKEN, or a profile
///     .total_timeout(Duration::from_secs(60)) // of a call with all its retries; default 300 s
///     .build()?;
/// let organization = mkio.management().get_organization().send().await?;
/// let media = mkio.project("acme").media();
///
/// // For one call, or for a client beside the first one.
/// let once = CallOptions::new().retry(RetryPolicy::none());
/// let asset = media.get_asset("intro").options(once).send().await?;
/// let hurried = mkio.with(once).project("acme").media();
/// # Ok(())
/// # }
/// ```
///
/// Cheap to clone; clones share connections, token, rate budget and retry budget. A token belongs to
/// one organization, so each organization needs a client of its own.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client from the environment: `MKIO_TOKEN`, `MKIO_BASE_URL` (default `https://app.mk.io`),
    /// `MKIO_PROFILE`, `MKIO_PROJECT`, or the profile file. Variables come before the profile.
    ///
    /// ```no_run
    /// # fn main() -> mkio::Result<()> {
    /// let mkio = mkio::Client::from_env()?;
    /// let project = mkio.default_project()?; // MKIO_PROJECT, or the profile's
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no token, or settings contradict each other; the message names them.
    pub fn from_env() -> Result<Self> {
        Transport::from_env().map(Self::from)
    }

    /// Settings of a client; end with [`TransportBuilder::build`].
    ///
    /// ```
    /// # fn main() -> mkio::Result<()> {
    /// let mkio = mkio::Client::builder().token("a.b.c").project("acme").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> TransportBuilder<Self> {
        TransportBuilder::new()
    }

    /// The APIs of one project. Nothing is sent: a project that does not exist is an error of the
    /// first call.
    pub fn project(&self, name: impl Into<String>) -> Project {
        Project::new(self.transport.clone(), name.into())
    }

    /// The project of the configuration (`MKIO_PROJECT`, the profile, or the builder).
    ///
    /// # Errors
    ///
    /// When the configuration names none.
    pub fn default_project(&self) -> Result<Project> {
        match self.transport.project() {
            Some(name) => Ok(self.project(name)),
            None => Err(Error::new(
                ErrorKind::Config,
                "no project is configured: set MKIO_PROJECT, `project` in the profile, or call \
                 Client::project with its name",
            )),
        }
    }

    /// A copy of this client whose calls have these options: retries, timeouts, largest response, priority. The
    /// original keeps its own; both share connections, token and budgets.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self::from(self.transport.with(options))
    }

    /// A request that no method makes. Token, rate budget, retries and errors are those of every
    /// call. The path starts with `/`; names in it have to be percent-encoded.
    ///
    /// ```no_run
    /// # async fn example(mkio: mkio::Client) -> mkio::Result<()> {
    /// use mkio::http::Method;
    ///
    /// let asset = mkio
    ///     .request(Method::GET, "/api/v1/projects/acme/media/assets/intro")
    ///     .send()
    ///     .await?;
    /// println!("{}", asset.json()["properties"]["description"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        self.transport.request(method, path)
    }

    /// All waits of this client and its clones, for [`notify`](mkio_core::Waits::notify) and
    /// [`WebhookBuilder::waits`](crate::webhook::WebhookBuilder::waits).
    pub fn waits(&self) -> &mkio_core::Waits {
        self.transport.waits()
    }

    /// The transport that all requests go through.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl From<Transport> for Client {
    fn from(transport: Transport) -> Self {
        Self { transport }
    }
}
