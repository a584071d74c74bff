//! One request, as handlers see it, and their response.

use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        store::{Address, Place},
    },
    docs::Operation,
    platform::identity::Caller,
    query::Query,
};

/// A request that was routed, authorized and checked against its document.
#[derive(Debug)]
pub struct Call<'a> {
    /// The operation it asks for.
    pub operation: &'static Operation,
    /// Path parameters in path order, decoded.
    pub parameters: Vec<(&'static str, String)>,
    /// Query string.
    pub query: Query,
    /// The body, cut down to what the document declares. Null when there is none.
    pub body: Value,
    /// The body as it came.
    pub raw: Bytes,
    /// Content type of the body, without parameters.
    pub content_type: Option<String>,
    /// The raw path.
    pub path: &'a str,
    /// Scheme and authority the caller used, `http://127.0.0.1:4080`.
    pub origin: String,
    /// Who calls.
    pub caller: Caller,
    /// The user who calls.
    pub user: Uuid,
    /// The organization the caller acts in.
    pub organization: Uuid,
    /// The id of the project in the path, if there is one.
    pub project_id: Option<Uuid>,
    /// Whether the caller's token has reduced permissions.
    pub restricted: bool,
}

impl Call<'_> {
    /// A path parameter; empty when the path has none of that name.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(given, _)| *given == name)
            .map_or("", |(_, value)| value)
    }

    /// The project in the path; empty outside projects.
    pub fn project(&self) -> &str {
        self.parameter("project_name")
    }

    /// The resource that the path names, for a kind whose name is the path's last parameter.
    pub fn address(&self, kind: Kind) -> Address {
        address(&self.parameters, kind)
    }

    /// The table that the path names, for a list.
    pub fn place(&self, kind: Kind) -> Place {
        let parents: Vec<&str> = below(&self.parameters).collect();
        Place::under(self.project(), kind, &parents.join("/"))
    }

    /// The address of the parent of a resource in the path.
    ///
    /// # Errors
    /// None; `None` when the kind has no parent.
    pub fn parent(place: &Place) -> Option<Address> {
        let kind = place.kind.parent()?;
        let (grand, name) = place.parent.rsplit_once('/').unwrap_or(("", &place.parent));
        Some(Place::under(&place.project, kind, grand).at(name))
    }
}

/// A path below a project, or one from the root, which begins with `/`, from the root.
pub fn full_path(project: &str, path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/api/v1/projects/{project}/{path}")
    }
}

/// Path parameters below the project.
fn below<'a>(parameters: &'a [(&str, String)]) -> impl Iterator<Item = &'a str> {
    parameters
        .iter()
        .filter(|(name, _)| *name != "project_name")
        .map(|(_, value)| value.as_str())
}

/// The resource that path parameters name, for a kind whose name is the last of them.
pub fn address(parameters: &[(&str, String)], kind: Kind) -> Address {
    let project = parameters
        .iter()
        .find(|(name, _)| *name == "project_name")
        .map_or("", |(_, project)| project);
    let names: Vec<&str> = below(parameters).collect();
    match names.split_last() {
        Some((name, parents)) => Place::under(project, kind, &parents.join("/")).at(name),
        None => Address::new(project, kind, ""),
    }
}

/// The body of a response.
#[derive(Debug, Clone)]
pub enum Payload {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Anything else.
    Bytes(&'static str, Bytes),
}

/// The response of a handler.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub payload: Payload,
    /// More headers.
    pub headers: Map<String, Value>,
}

impl Response {
    /// The response as an HTTP response.
    pub fn into_response(self) -> http::Response<Bytes> {
        let (content_type, body) = match self.payload {
            Payload::Empty => (None, Bytes::new()),
            Payload::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
            Payload::Bytes(content_type, bytes) => (Some(content_type), bytes),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(
                header::CONTENT_TYPE,
                http::HeaderValue::from_static(content_type),
            );
        }
        for (name, value) in &self.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            let value = value.as_str().map(http::HeaderValue::from_str);
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                headers.insert(name, value);
            }
        }
        response
    }

    /// A status with a JSON body.
    pub fn json(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            payload: Payload::Json(body),
            headers: Map::new(),
        }
    }

    /// 200 with a JSON body.
    pub fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            payload: Payload::Empty,
            headers: Map::new(),
        }
    }

    /// 200 with bytes.
    pub fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            payload: Payload::Bytes(content_type, bytes.into()),
            headers: Map::new(),
        }
    }
}

impl From<ApiError> for Response {
    fn from(error: ApiError) -> Self {
        let mut headers = Map::new();
        if let Some(seconds) = error.retry_after {
            headers.insert("retry-after".to_owned(), Value::String(seconds.to_string()));
        }
        if let Some(allow) = &error.allow {
            headers.insert("allow".to_owned(), Value::String(allow.clone()));
        }
        Self {
            status: error.status,
            payload: Payload::Json(error.body()),
            headers,
        }
    }
}
