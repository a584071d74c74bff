//! The client of all APIs.

use http::Method;
use mkio_core::{CallOptions, Error, ErrorKind, RawRequest, Result, Transport, TransportBuilder};

use crate::Project;

/// The client: everything that all APIs share, and the way to each of them.
///
/// Cheap to clone; clones share connections, token, rate budget and retry budget.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client from the environment: `MKIO_TOKEN`, `MKIO_BASE_URL`, `MKIO_PROFILE`,
    /// `MKIO_PROJECT`, or the profile file.
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

    /// The same client, scoped to a project.
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

    /// A client whose calls have other options: retries, timeouts, priority.
    pub fn with(&self, options: CallOptions) -> Self {
        Self::from(self.transport.with(options))
    }

    /// Sends a request that the generated clients do not cover, with the same token, rate budget,
    /// retries and errors.
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        self.transport.request(method, path)
    }

    /// All waits of this client and its clones, for [`notify`](mkio_core::Waits::notify) and
    /// [`WebhookBuilder::waits`](crate::webhook::WebhookBuilder::waits).
    pub fn waits(&self) -> &mkio_core::Waits {
        self.transport.waits()
    }

    /// What all requests go through.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl From<Transport> for Client {
    fn from(transport: Transport) -> Self {
        Self { transport }
    }
}
