//! Requests that no document describes.

use bytes::Bytes;
use http::{Method, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use super::{
    CallOptions, Route, Transport, UndecodedResponse,
    request::{Parts, accepting_json},
};
use crate::{ByteStream, Error, Operation, Response, Result, glue, operation::JSON_PATCH};

/// A request put together by hand, for operations and fields that the crates do not know yet.
///
/// Goes the same way as every typed call: token, rate budget, retries, errors. Made by
/// [`Transport::request`].
#[must_use = "a request does nothing until it is sent"]
pub struct RawRequest {
    transport: Transport,
    method: Method,
    api: String,
    path: String,
    parts: Parts,
    /// A body that is not JSON.
    body: Option<reqwest::Body>,
}

impl Transport {
    /// Begins a request by hand. The path begins with `/` and is appended to the base URL; it is
    /// taken as it is, so names in it must be percent-encoded already.
    ///
    /// ```no_run
    /// # async fn example(transport: mkio_core::Transport) -> mkio_core::Result<()> {
    /// use http::Method;
    ///
    /// let locations = transport.request(Method::GET, "/api/v1/locations").send().await?;
    /// println!("{}", locations["value"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        RawRequest {
            transport: self.clone(),
            method,
            api: String::new(),
            path: path.into(),
            parts: Parts::default(),
            body: None,
        }
    }
}

impl RawRequest {
    /// Sends to the service of this API, when it has one of its own, for example `channels`.
    pub fn api(mut self, api: impl Into<String>) -> Self {
        self.api = api.into();
        self
    }

    /// Adds a query parameter; call it again for more.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parts.add_query(name.into(), value.to_string());
        self
    }

    /// Sets a header. The value is treated as a secret: it is in no log.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.parts.header(name.as_ref(), value.as_ref());
        self
    }

    /// Sends a JSON body. A merge PATCH may be retried, a list of JSON Patch operations may not.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.parts.json(body, "application/json");
        self
    }

    /// Sends a body of any media type. A call whose body is a stream is never retried.
    pub fn body(mut self, body: impl Into<reqwest::Body>, media_type: &str) -> Self {
        self.body = Some(body.into());
        self.parts.media_type(media_type);
        self
    }

    /// Overrides settings of this call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.transport = self.transport.with(options);
        self
    }

    /// Sends the request; the response is JSON, or `null` when it has no body.
    ///
    /// A future that is dropped before it is ready sends nothing more. A request that was sent is
    /// not undone: it may have been carried out or not.
    ///
    /// # Errors
    ///
    /// As for every call; kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when an argument is
    /// unusable, [`Decode`](crate::ErrorKind::Decode) when the response is not JSON (see
    /// [`send_bytes`](Self::send_bytes)).
    pub async fn send(self) -> Result<Response<Value>> {
        let (response, operation, url) = self.exec(false).await?;
        glue::json_or(response, operation, || Some(url), || Some(Value::Null))
    }

    /// Sends the request; the response is decoded into a type of yours.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_as<T: DeserializeOwned>(self) -> Result<Response<T>> {
        let (response, operation, url) = self.exec(false).await?;
        glue::json(response, operation, || Some(url))
    }

    /// Sends the request; the response is taken as it is.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), save for decoding.
    pub async fn send_bytes(self) -> Result<Response<Bytes>> {
        let (response, ..) = self.exec(false).await?;
        Ok(glue::read_body(response))
    }

    /// Sends the request; the response's body is handed on as it arrives.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), save for decoding.
    pub async fn send_stream(self) -> Result<Response<ByteStream>> {
        let idle = self.transport.settings.attempt_timeout;
        let (response, operation, _) = self.exec(true).await?;
        Ok(glue::stream(response, idle, operation))
    }

    /// Builds the HTTP request without sending it, and without the token.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when an argument is unusable,
    /// [`Config`](crate::ErrorKind::Config) when there is no address for the API.
    pub fn into_request(self) -> Result<reqwest::Request> {
        let (transport, operation) = (self.transport.clone(), self.operation(false));
        let route = transport.core.routes.served(&self.api);
        route
            .and_then(|route| self.request_on(route))
            .map(accepting_json)
            .map_err(|error| error.with_operation(operation))
    }

    async fn exec(self, streams: bool) -> Result<(UndecodedResponse, &'static Operation, Url)> {
        let (transport, operation) = (self.transport.clone(), self.operation(streams));
        let named = |error: Error| error.with_operation(operation);
        let route = transport.core.routes.served(&self.api).map_err(named)?;
        let request = self.request_on(route).map_err(named)?;
        let url = request.url().clone();
        let response = transport.call_on(route, request, operation).await?;
        Ok((response, operation, url))
    }

    fn operation(&self, streams: bool) -> &'static Operation {
        let media_type = self.parts.headers.get(CONTENT_TYPE);
        let json_patch = media_type.is_some_and(|value| {
            value.to_str().is_ok_and(|text| {
                let media_type = text.split(';').next().unwrap_or_default();
                media_type.trim().eq_ignore_ascii_case(JSON_PATCH)
            })
        });
        Operation::raw(&self.method, json_patch, streams)
    }

    fn request_on(mut self, route: &Route) -> Result<reqwest::Request> {
        let url = route.url_with_query(&self.path)?;
        let mut request = self.parts.request(self.method, url)?;
        if self.body.is_some() {
            *request.body_mut() = self.body;
        }
        Ok(request)
    }
}

impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("path", &path)
            .finish_non_exhaustive()
    }
}
