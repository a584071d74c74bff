//! How lists and waits reach the service: the transport, or a script in tests.

use futures_core::future::BoxFuture;
use reqwest::Request;
use serde::de::DeserializeOwned;

use crate::{Operation, Response, Result, Transport, glue, transport::Reply};

/// Sends a request and gives its successful answer.
pub(crate) trait Exchange: Send + Sync {
    /// Base URL of an API.
    fn base(&self, api: &str) -> String;

    /// Sends the request.
    fn exchange<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Reply>>;
}

impl dyn Exchange {
    /// Sends a request and decodes the answer.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: Request,
        operation: &'static Operation,
    ) -> Result<Response<T>> {
        glue::json(self.exchange(request, operation).await?, operation)
    }
}

impl Exchange for Transport {
    fn base(&self, api: &str) -> String {
        self.base_url(api).to_owned()
    }

    fn exchange<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(self.call(request, operation))
    }
}
