//! Requests that no document describes.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Transport;
use crate::{
    ByteStream, Error, ErrorKind, Operation, Response, Result, error::BoxError, glue,
    operation::JSON_PATCH,
};

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
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<reqwest::Body>,
    /// The first thing that was wrong with an argument.
    fault: Option<Error>,
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
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            fault: None,
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
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets a header. The value is treated as a secret: it is in no log.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let parsed = HeaderName::try_from(name.as_ref())
            .map_err(BoxError::from)
            .and_then(|name| Ok((name, HeaderValue::from_str(value.as_ref())?)));
        match parsed {
            Ok((name, mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(error) => self.fault(format!("header `{}` is unusable", name.as_ref()), error),
        }
        self
    }

    /// Sends a JSON body. A merge PATCH may be repeated, a list of JSON Patch operations may not.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body(body, "application/json"),
            Err(error) => {
                self.fault(
                    "the body cannot be written as JSON".to_owned(),
                    error.into(),
                );
                self
            }
        }
    }

    /// Sends a body of any media type. A body that is a stream is never repeated.
    pub fn body(mut self, body: impl Into<reqwest::Body>, media_type: &str) -> Self {
        self.body = Some(body.into());
        match HeaderValue::from_str(media_type) {
            Ok(value) => {
                self.headers.insert(CONTENT_TYPE, value);
            }
            Err(error) => self.fault("the media type is unusable".to_owned(), error.into()),
        }
        self
    }

    /// Sends the request; the answer is JSON, or `null` when it has no body.
    ///
    /// # Errors
    ///
    /// As for every call; kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is
    /// unusable, [`Decode`](ErrorKind::Decode) when the answer is no JSON (see
    /// [`send_bytes`](Self::send_bytes)).
    pub async fn send(self) -> Result<Response<Value>> {
        let (response, operation) = self.exec(false).await?;
        glue::decode_or(response, operation, || Some(Value::Null)).await
    }

    /// Sends the request; the answer is decoded into a type of yours.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_as<T: DeserializeOwned>(self) -> Result<Response<T>> {
        let (response, operation) = self.exec(false).await?;
        glue::decode(response, operation).await
    }

    /// Sends the request; the answer is taken as it is.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), save for decoding.
    pub async fn send_bytes(self) -> Result<Response<Bytes>> {
        let (response, operation) = self.exec(false).await?;
        glue::whole(response, operation).await
    }

    /// Sends the request; the answer's body is handed on as it arrives.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), save for decoding.
    pub async fn send_stream(self) -> Result<Response<ByteStream>> {
        let idle = self.transport.settings.attempt_timeout;
        let (response, operation) = self.exec(true).await?;
        Ok(glue::streamed(response, idle, operation))
    }

    fn fault(&mut self, message: String, source: BoxError) {
        let error = Error::new(ErrorKind::InvalidRequest, message).with_source(source);
        self.fault.get_or_insert(error);
    }

    async fn exec(self, streams: bool) -> Result<(reqwest::Response, &'static Operation)> {
        let json_patch = self.headers.get(CONTENT_TYPE).is_some_and(|value| {
            value.to_str().is_ok_and(|text| {
                let media_type = text.split(';').next().unwrap_or_default();
                media_type.trim().eq_ignore_ascii_case(JSON_PATCH)
            })
        });
        let operation = Operation::raw(&self.method, json_patch, streams);
        let named = |error: Error| error.with_operation(operation);
        if let Some(error) = self.fault {
            return Err(named(error));
        }
        let route = self
            .transport
            .core
            .routes
            .served(&self.api)
            .map_err(named)?;
        let mut url = route.url_with_query(&self.path).map_err(named)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = reqwest::Request::new(self.method, url);
        *request.headers_mut() = self.headers;
        request
            .headers_mut()
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        *request.body_mut() = self.body;
        let response = self.transport.call_on(route, request, operation).await?;
        Ok((response, operation))
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
