//! Requests while they are put together.

use std::fmt::{self, Debug, Display};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{CallOptions, Reply, Transport};
use crate::{
    ByteStream, Error, ErrorKind, Operation, Response, Result,
    error::BoxError,
    glue,
    page::{Page, Pages, query::Filter},
};

/// The request of an operation: what every generated request holds. For generated code.
///
/// Arguments are checked as they come; the first that is unusable is the error of
/// [`build`](Self::build) and of everything that sends.
#[doc(hidden)]
#[derive(Clone)]
pub struct RequestBuilder {
    transport: Transport,
    operation: &'static Operation,
    path: Result<String>,
    parts: Parts,
}

impl RequestBuilder {
    /// A request whose path has these arguments, in the order of the path.
    pub fn new(transport: &Transport, operation: &'static Operation, arguments: &[&str]) -> Self {
        Self {
            transport: transport.clone(),
            operation,
            path: glue::path(operation, arguments),
            parts: Parts::default(),
        }
    }

    /// Sets a query parameter.
    pub fn query(&mut self, name: &'static str, value: &(impl Display + ?Sized)) {
        let value = value.to_string();
        match self.parts.query.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.parts.query.push((name.to_owned(), value)),
        }
    }

    /// Adds a value of a query parameter whose name is repeated.
    pub fn add_query(&mut self, name: &'static str, value: &(impl Display + ?Sized)) {
        self.parts.query.push((name.to_owned(), value.to_string()));
    }

    /// Sets the filter of a list.
    pub fn filter<L>(&mut self, name: &'static str, filter: &Filter<L>) {
        if let Some(fault) = filter.fault() {
            let message = format!("the filter is unusable: {fault}");
            self.parts
                .keep_fault(Error::new(ErrorKind::InvalidRequest, message));
        }
        self.query(name, filter.as_str());
    }

    /// Sets a header; its value is in no log.
    pub fn header(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) {
        self.parts.header(name.as_ref(), value.as_ref());
    }

    /// Asks for a response of this media type instead of JSON.
    pub fn accept(&mut self, media_type: &'static str) {
        let media_type = HeaderValue::from_static(media_type);
        self.parts.headers.insert(ACCEPT, media_type);
    }

    /// Overrides settings of this call.
    pub fn options(&mut self, options: CallOptions) {
        self.transport = self.transport.with(options);
    }

    /// Sets the body, as JSON of the operation's media type.
    pub fn json(&mut self, body: &(impl Serialize + ?Sized)) {
        let media_type = self.operation.request_body.unwrap_or("application/json");
        self.parts.json(body, media_type);
    }

    /// Sets the body, as a form.
    pub fn form(&mut self, body: &(impl Serialize + ?Sized)) {
        let media_type = self.operation.request_body;
        let media_type = media_type.unwrap_or("application/x-www-form-urlencoded");
        self.parts.form(body, media_type);
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The request, without authentication.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is unusable.
    pub fn build(self) -> Result<reqwest::Request> {
        let operation = self.operation;
        let url = self.transport.url(operation, &self.path?)?;
        let method = operation.method.clone();
        let request = self.parts.into_request(method, url);
        request.map_err(|error| error.with_operation(operation))
    }

    /// The request with a body that is no JSON.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is unusable.
    pub fn build_with(self, body: reqwest::Body) -> Result<reqwest::Request> {
        let media_type = self.operation.request_body;
        let mut request = self.build()?;
        *request.body_mut() = Some(body);
        if let Some(media_type) = media_type {
            let media_type = HeaderValue::from_static(media_type);
            request
                .headers_mut()
                .entry(CONTENT_TYPE)
                .or_insert(media_type);
        }
        Ok(request)
    }

    /// Sends the request; the response is JSON.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::send_as`].
    pub async fn send<T: DeserializeOwned>(self) -> Result<Response<T>> {
        let operation = self.operation;
        glue::json(self.call().await?, operation)
    }

    /// Sends the request; the body of the response does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_empty(self) -> Result<Response<()>> {
        Ok(glue::empty(self.call().await?))
    }

    /// Sends the request; the body of the response is handed on as it arrives.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_stream(self) -> Result<Response<ByteStream>> {
        let operation = self.operation;
        let silence = self.transport.settings.attempt_timeout;
        Ok(glue::stream(self.call().await?, silence, operation))
    }

    /// Sends the request with a body that is no JSON; the response is JSON.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::send_as`].
    pub async fn send_with<T: DeserializeOwned>(self, body: reqwest::Body) -> Result<Response<T>> {
        let (transport, operation) = (self.transport.clone(), self.operation);
        let request = self.build_with(body)?;
        transport.send_as(request, operation).await
    }

    /// Sends the request with a body that is no JSON; the body of the response does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_empty_with(self, body: reqwest::Body) -> Result<Response<()>> {
        let (transport, operation) = (self.transport.clone(), self.operation);
        let request = self.build_with(body)?;
        Ok(glue::empty(transport.call(request, operation).await?))
    }

    /// Sends the request with a body that is no JSON; the body of the response is handed on as it
    /// arrives.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build) and of [`Transport::exec`].
    pub async fn send_stream_with(self, body: reqwest::Body) -> Result<Response<ByteStream>> {
        let (transport, operation) = (self.transport.clone(), self.operation);
        let silence = transport.settings.attempt_timeout;
        let request = self.build_with(body)?;
        let reply = transport.call(request, operation).await?;
        Ok(glue::stream(reply, silence, operation))
    }

    async fn call(self) -> Result<Reply> {
        let (transport, operation) = (self.transport.clone(), self.operation);
        let request = self.build()?;
        transport.call(request, operation).await
    }

    /// The pages of the list that the request asks for.
    pub fn pages<P: Page>(self) -> Pages<P> {
        let (transport, operation) = (self.transport.clone(), self.operation);
        Pages::new(transport, operation, self.build())
    }
}

/// The operation and the path; arguments and body may hold secrets.
impl Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("operation", &self.operation.id)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What a request has besides its method and path.
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
            "`{name}` is no text, number or flag"
        ))),
    };
    let Value::Object(fields) = body else {
        return Err("it is no object".into());
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
            Err(error) => self.unusable(format!("header `{name}` is unusable"), error),
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

    /// Pairs of texts: what a form holds besides them cannot be sent.
    pub(super) fn form(&mut self, body: &(impl Serialize + ?Sized), media_type: &str) {
        let pairs = serde_json::to_value(body)
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
            Err(error) => self.unusable("the media type is unusable".to_owned(), error.into()),
        }
    }

    fn unusable(&mut self, message: String, source: BoxError) {
        self.keep_fault(Error::new(ErrorKind::InvalidRequest, message).with_source(source));
    }

    fn keep_fault(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }

    pub(super) fn into_request(
        self,
        method: http::Method,
        mut url: Url,
    ) -> Result<reqwest::Request> {
        if let Some(error) = self.fault {
            return Err(error);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = self.headers;
        request
            .headers_mut()
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        *request.body_mut() = self.body.map(Into::into);
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
