//! Sending requests that are built already, and reading links and raw paths.

use http::Method;
use serde::de::DeserializeOwned;

use super::Transport;
use crate::{ByteStream, Operation, Response, Result, glue};

impl Transport {
    /// Sends a request that belongs to `operation` and decodes its JSON response.
    ///
    /// For a request that was changed by hand, for example one of a generated `into_request`.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec); kind [`Decode`](crate::ErrorKind::Decode) when the response is
    /// no JSON of this type.
    pub async fn send_as<T: DeserializeOwned>(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<Response<T>> {
        let url = request.url().clone();
        glue::json(self.call(request, operation).await?, operation, || {
            Some(url)
        })
    }

    /// Sends a request that belongs to `operation`; its response needs no body.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec).
    pub async fn send_empty(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<Response<()>> {
        Ok(glue::empty(self.call(request, operation).await?))
    }

    /// Sends a request that belongs to `operation`; the response's body is handed on as it arrives.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec).
    pub async fn send_stream(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> Result<Response<ByteStream>> {
        let silence = self.settings.attempt_timeout;
        Ok(glue::stream(
            self.call(request, operation).await?,
            silence,
            operation,
        ))
    }

    /// GETs a link from a response, or a path, as a call of `operation`.
    ///
    /// A path is appended to the base URL of the operation's API, unless it has the base URL's own
    /// path in front already. An absolute link must be of the same origin.
    ///
    /// # Errors
    ///
    /// Kind [`Origin`](crate::ErrorKind::Origin) when the link leads elsewhere, and whatever
    /// [`exec`](Self::exec) and decoding give.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        url_or_path: &str,
    ) -> Result<Response<T>> {
        let url = self
            .core
            .routes
            .of(operation.api)
            .resolve(url_or_path)
            .map_err(|error| error.with_operation(operation))?;
        let request = reqwest::Request::new(Method::GET, url.clone());
        glue::json(self.call(request, operation).await?, operation, || {
            Some(url)
        })
    }
}
