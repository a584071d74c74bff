//! Requests while they are put together.

use std::{
    fmt::{self, Debug, Display},
    mem,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{CallOptions, Transport};
use crate::{
    ByteStream, Error, ErrorKind, Operation, Response, Result,
    error::BoxError,
    glue, json,
    page::{Page, Pages, query::Filter},
};

/// The request of an operation: what every generated request holds. For generated code.
///
/// Arguments are checked as they come; the first that is unusable is the error of
/// [`build`](Self::build) and of everything that sends.
#[doc(hidden)]
#[derive(Clone)]
pub struct RequestBuilder(Box<Inner>);

/// In a box: setters and async functions copy the request on its way.
#[derive(Clone)]
struct Inner {
    transport: Transport,
    operation: &'static Operation,
    path: Result<String>,
    parts: Parts,
}

impl RequestBuilder {
    /// A request whose path has these arguments, in the order of the path.
    pub fn new(transport: &Transport, operation: &'static Operation, arguments: &[&str]) -> Self {
        Self(Box::new(Inner {
            transport: transport.clone(),
            operation,
            path: glue::path(operation, arguments),
            parts: Parts::default(),
        }))
    }

    /// Sets a query parameter.
    pub fn query(&mut self, name: &'static str, value: &(impl Display + ?Sized)) {
        let value = value.to_string();
        match self
            .0
            .parts
            .query
            .iter_mut()
            .find(|(known, _)| known == name)
        {
            Some((_, known)) => *known = value,
            None => self.0.parts.query.push((name.to_owned(), value)),
        }
    }

    /// Adds a value of a query parameter whose name is repeated.
    pub fn add_query(&mut self, name: &'static str, value: &(impl Display + ?Sized)) {
        self.0
            .parts
            .query
            .push((name.to_owned(), value.to_string()));
    }

    /// Sets the filter of a list.
    pub fn filter<L>(&mut self, name: &'static str, filter: &Filter<L>) {
        if let Some(reason) = filter.invalid_reason() {
            let message = format!("the filter is unusable: {reason}");
            self.0
                .parts
                .keep_fault(Error::new(ErrorKind::InvalidRequest, message));
        }
        self.query(name, filter.as_str());
    }

    /// Sets a header; its value is in no log.
    pub fn header(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) {
        self.0.parts.header(name.as_ref(), value.as_ref());
    }

    /// Asks for a response of this media type instead of JSON.
    pub fn accept(&mut self, media_type: &'static str) {
        let media_type = HeaderValue::from_static(media_type);
        self.0.parts.headers.insert(ACCEPT, media_type);
    }

    /// Overrides settings of this call.
    pub fn options(&mut self, options: CallOptions) {
        self.0.transport = self.0.transport.with(options);
    }

    /// Sets the body, as JSON of the operation's media type.
    pub fn json(&mut self, body: &(impl Serialize + ?Sized)) {
        let media_type = self.0.operation.request_body.unwrap_or("application/json");
        self.0.parts.json(body, media_type);
    }

    /// Sets the body, as a form.
    pub fn form(&mut self, body: &(impl Serialize + ?Sized)) {
        let media_type = self.0.operation.request_body;
        let media_type = media_type.unwrap_or("application/x-www-form-urlencoded");
        self.0.parts.form(body, media_type);
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.0.operation
    }

    /// The request, without authentication.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is unusable.
    pub fn build(mut self) -> Result<reqwest::Request> {
        self.0.request().map(accepting_json)
    }

    /// The request with a body that is not JSON, without authentication.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is unusable.
    pub fn build_with(self, body: reqwest::Body) -> Result<reqwest::Request> {
        let media_type = self.0.operation.request_body;
        let mut request = self.build()?;
        set_body(&mut request, body, media_type);
        Ok(request)
    }

    /// Sends the request; the response is JSON.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::send_as`].
    pub async fn send<T: DeserializeOwned>(mut self) -> Result<Response<T>> {
        let (request, operation) = (self.0.request()?, self.0.operation);
        // Not by `send_as`: each async function on the way copies request and response.
        let response = self.0.transport.call(request, operation).await?;
        glue::json(response, operation, || self.0.url().ok())
    }

    /// Sends the request; the body of the response does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_empty(mut self) -> Result<Response<()>> {
        let request = self.0.request()?;
        self.0.transport.send_empty(request, self.0.operation).await
    }

    /// Sends the request; the body of the response is handed on as it arrives.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_stream(mut self) -> Result<Response<ByteStream>> {
        let request = self.0.request()?;
        self.0
            .transport
            .send_stream(request, self.0.operation)
            .await
    }

    /// Sends the request with a body that is not JSON; the response is JSON.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::send_as`].
    pub async fn send_with<T: DeserializeOwned>(
        mut self,
        body: reqwest::Body,
    ) -> Result<Response<T>> {
        let request = self.0.request_with(body)?;
        self.0.transport.send_as(request, self.0.operation).await
    }

    /// Sends the request with a body that is not JSON; the body of the response does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_empty_with(mut self, body: reqwest::Body) -> Result<Response<()>> {
        let request = self.0.request_with(body)?;
        self.0.transport.send_empty(request, self.0.operation).await
    }

    /// Sends the request with a body that is not JSON; the body of the response is handed on as it
    /// arrives.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_stream_with(mut self, body: reqwest::Body) -> Result<Response<ByteStream>> {
        let request = self.0.request_with(body)?;
        self.0
            .transport
            .send_stream(request, self.0.operation)
            .await
    }

    /// The pages of the list that the request asks for.
    pub fn pages<P: Page>(mut self) -> Pages<P> {
        let request = self.0.request();
        Pages::new(self.0.transport, self.0.operation, request)
    }
}

impl Inner {
    /// The request without the headers that the transport adds.
    fn request(&mut self) -> Result<reqwest::Request> {
        let url = self.url()?;
        let request = self.parts.request(self.operation.method.clone(), url);
        request.map_err(|error| error.with_operation(self.operation))
    }

    fn url(&self) -> Result<Url> {
        let path = self.path.as_ref().map_err(Error::clone);
        path.and_then(|path| self.transport.url(self.operation, path))
            .map_err(|error| error.with_operation(self.operation))
    }

    fn request_with(&mut self, body: reqwest::Body) -> Result<reqwest::Request> {
        let mut request = self.request()?;
        set_body(&mut request, body, self.operation.request_body);
        Ok(request)
    }
}

/// For a request that others may send: the transport adds `Accept` by itself.
pub(super) fn accepting_json(mut request: reqwest::Request) -> reqwest::Request {
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().entry(ACCEPT).or_insert(json);
    request
}

fn set_body(request: &mut reqwest::Request, body: reqwest::Body, media_type: Option<&'static str>) {
    *request.body_mut() = Some(body);
    if let Some(media_type) = media_type {
        let media_type = HeaderValue::from_static(media_type);
        let headers = request.headers_mut();
        headers.entry(CONTENT_TYPE).or_insert(media_type);
    }
}

/// The operation and the path; arguments and body may hold secrets.
impl Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("operation", &self.0.operation.id)
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

/// The parts of a request besides its method and path.
#[derive(Clone, Default)]
pub(super) struct Parts {
    query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    body: Option<Bytes>,
    /// The first argument that is unusable.
    fault: Option<Error>,
}

/// The fields of an object as pairs; a list repeats its name, null is left out.
fn form_pairs(body: serde_json::Value) -> Result<Vec<(String, String)>, BoxError> {
    use serde_json::Value;
    let text = |name: &str, value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(BoxError::from(format!(
            "a form takes texts, numbers and flags, but `{name}` is something else"
        ))),
    };
    let Value::Object(fields) = body else {
        return Err("a form takes an object".into());
    };
    let mut pairs = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                for item in items {
                    pairs.push((name.clone(), text(&name, item)?));
                }
            }
            value => {
                let value = text(&name, value)?;
                pairs.push((name, value));
            }
        }
    }
    Ok(pairs)
}

impl Parts {
    pub(super) fn add_query(&mut self, name: String, value: String) {
        self.query.push((name, value));
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        let parsed = HeaderName::try_from(name)
            .map_err(BoxError::from)
            .and_then(|name| Ok((name, HeaderValue::from_str(value)?)));
        match parsed {
            Ok((name, mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(error) => self.unusable(
                format!("header `{name}` has characters that a header cannot have"),
                error,
            ),
        }
    }

    pub(super) fn json(&mut self, body: &(impl Serialize + ?Sized), media_type: &str) {
        match serde_json::to_vec(body) {
            Ok(body) => {
                self.body = Some(body.into());
                self.media_type(media_type);
            }
            Err(error) => {
                let message = "the body cannot be written as JSON".to_owned();
                self.unusable(message, error.into());
            }
        }
    }

    /// Pairs of texts: a form with other values cannot be sent.
    pub(super) fn form(&mut self, body: &(impl Serialize + ?Sized), media_type: &str) {
        let pairs = json::value_of(body)
            .map_err(BoxError::from)
            .and_then(form_pairs);
        match pairs {
            Ok(pairs) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(pairs);
                self.body = Some(form.finish().into());
                self.media_type(media_type);
            }
            Err(error) => {
                let message = "the body cannot be written as a form".to_owned();
                self.unusable(message, error);
            }
        }
    }

    pub(super) fn media_type(&mut self, media_type: &str) {
        match HeaderValue::from_str(media_type) {
            Ok(value) => {
                self.headers.insert(CONTENT_TYPE, value);
            }
            Err(error) => self.unusable(
                format!("the media type {media_type:?} has characters that a header cannot have"),
                error.into(),
            ),
        }
    }

    fn unusable(&mut self, message: String, source: BoxError) {
        self.keep_fault(Error::new(ErrorKind::InvalidRequest, message).with_source(source));
    }

    fn keep_fault(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }

    /// The request that they make; nothing is left of them.
    pub(super) fn request(
        &mut self,
        method: http::Method,
        mut url: Url,
    ) -> Result<reqwest::Request> {
        if let Some(error) = self.fault.take() {
            return Err(error);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query.drain(..));
        }
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = mem::take(&mut self.headers);
        *request.body_mut() = self.body.take().map(Into::into);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::form_pairs;

    #[test]
    fn forms_hold_texts_and_lists_of_them() {
        let pairs = form_pairs(json!({"a": "x y", "n": 1, "list": ["p", true], "gone": null}));
        let pairs = pairs.unwrap();
        let expected = [("a", "x y"), ("n", "1"), ("list", "p"), ("list", "true")];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let error = form_pairs(json!({"deep": {"a": 1}})).unwrap_err();
        assert!(error.to_string().contains("deep"), "{error}");
        assert!(form_pairs(json!([1])).is_err());
    }
}
