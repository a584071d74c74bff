//! The seam that every request of every API passes.

use std::sync::Arc;

use crate::{Error, ErrorKind, Operation, Result};

/// Builds a [`Transport`].
#[derive(Debug, Default)]
pub struct TransportBuilder {
    base_url: Option<String>,
}

impl TransportBuilder {
    /// Origin of the service, by default `https://app.mk.io`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Finishes the transport.
    pub fn build(self) -> Result<Transport> {
        Ok(Transport(Arc::new(Core {
            base_url: self.base_url.unwrap_or_default(),
            http: reqwest::Client::new(),
        })))
    }
}

/// Sends requests; cheap to clone, all clones share connections and budgets.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Core>);

#[derive(Debug)]
struct Core {
    base_url: String,
    http: reqwest::Client,
}

impl Transport {
    /// Starts building a transport.
    pub fn builder() -> TransportBuilder {
        TransportBuilder::default()
    }

    /// Base URL of an API (see [`Operation::api`]), without a trailing slash.
    pub fn base_url(&self, _api: &str) -> &str {
        &self.0.base_url
    }

    /// The HTTP client with which generated code builds its requests.
    pub fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Sends a request that belongs to `operation` and gives its successful answer.
    pub async fn exec(
        &self,
        request: reqwest::Request,
        _operation: &'static Operation,
    ) -> Result<reqwest::Response> {
        self.0
            .http
            .execute(request)
            .await
            .map_err(|e| Error::new(ErrorKind::Connection, e.to_string()))
    }
}
