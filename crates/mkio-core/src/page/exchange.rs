//! How lists and waits reach the service: the transport, or a script in tests.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Operation, Response, Result, Transport};

/// A successful answer with its body read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends a request and reads the whole answer.
pub(crate) trait Exchange: Send + Sync {
    fn exchange<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Answer>>;
}

impl dyn Exchange {
    /// Sends a request and decodes the answer.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: Request,
        operation: &'static Operation,
    ) -> Result<Response<T>> {
        let answer = self.exchange(request, operation).await?;
        let value = match serde_json::from_slice(&answer.body) {
            Ok(value) => value,
            Err(_) => {
                let mut json = serde_json::Deserializer::from_slice(&answer.body);
                serde_path_to_error::deserialize(&mut json).map_err(|error| {
                    Error::new(ErrorKind::Decode, format!("{}: {error}", operation.id))
                })?
            }
        };
        Ok(Response::new(
            value,
            answer.status,
            answer.headers,
            answer.body,
        ))
    }
}

impl Exchange for Transport {
    fn exchange<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            let response = self.exec(request, operation).await?;
            Ok(Answer {
                status: response.status(),
                headers: response.headers().clone(),
                body: response
                    .bytes()
                    .await
                    .map_err(|error| Error::new(ErrorKind::Connection, error.to_string()))?,
            })
        })
    }
}
