//! The runtime's description of an operation.

use http::Method;

/// Media type of a JSON Patch document.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";

/// One operation of an OpenAPI document, as the generated crates describe it to the runtime.
///
/// Each generated crate has a table of them in its `operations` module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Rust name of the operation, for example `get_asset`; unique within its API.
    pub id: &'static str,
    /// Short name of the API, for example `media`.
    pub api: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template as in the document, for example
    /// `/api/v1/projects/{project_name}/media/assets/{asset_name}`.
    pub path: &'static str,
    /// Media type of the request body, if the operation has one.
    pub request_body: Option<&'static str>,
    /// The response's body is handed to the caller as a stream instead of being read and decoded.
    pub streams: bool,
}

impl Operation {
    /// Carrying it out twice leaves the same state as once: GET, HEAD, OPTIONS, PUT, DELETE, and
    /// PATCH with a merge document. POST and JSON Patch are not.
    pub fn is_idempotent(&self) -> bool {
        match self.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" => true,
            "PATCH" => self.request_body != Some(JSON_PATCH),
            _ => false,
        }
    }

    /// Changes nothing: GET, HEAD and OPTIONS. Counts against the read budget.
    pub fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// The operation of a raw request, which no document describes.
    ///
    /// Its `id` is `request`, its `path` is empty. A method without an entry of its own counts as
    /// POST: it is retried only when it was not sent.
    pub(crate) fn raw(method: &Method, json_patch: bool, streams: bool) -> &'static Self {
        let row = match (method.as_str(), json_patch) {
            ("GET", _) => 0,
            ("HEAD", _) => 1,
            ("OPTIONS", _) => 2,
            ("PUT", _) => 3,
            ("DELETE", _) => 4,
            ("PATCH", false) => 5,
            ("PATCH", true) => 6,
            _ => 7,
        };
        &RAW[row][usize::from(streams)]
    }
}

macro_rules! raw {
    ($method:ident, $body:expr, $streams:expr) => {
        Operation {
            id: "request",
            api: "",
            method: Method::$method,
            path: "",
            request_body: $body,
            streams: $streams,
        }
    };
    ($($method:ident $body:expr),* $(,)?) => {
        [$([raw!($method, $body, false), raw!($method, $body, true)]),*]
    };
}

static RAW: [[Operation; 2]; 8] = raw![
    GET None,
    HEAD None,
    OPTIONS None,
    PUT None,
    DELETE None,
    PATCH None,
    PATCH Some(JSON_PATCH),
    POST None,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_retried() {
        for (method, body, idempotent, read) in [
            (Method::GET, None, true, true),
            (Method::PUT, Some("application/json"), true, false),
            (Method::DELETE, None, true, false),
            (Method::PATCH, Some("application/json"), true, false),
            (Method::PATCH, Some(JSON_PATCH), false, false),
            (Method::POST, Some("application/json"), false, false),
        ] {
            let operation = Operation {
                id: "x",
                api: "media",
                method: method.clone(),
                path: "/x",
                request_body: body,
                streams: false,
            };
            assert_eq!(operation.is_idempotent(), idempotent, "{method} {body:?}");
            assert_eq!(operation.is_read(), read, "{method}");
        }
    }

    #[test]
    fn raw_operations_keep_their_method() {
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::POST,
        ] {
            for (streams, json_patch) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let operation = Operation::raw(&method, json_patch, streams);
                assert_eq!((&operation.method, operation.streams), (&method, streams));
            }
        }
        assert!(!Operation::raw(&Method::PATCH, true, false).is_idempotent());
        let unknown = Method::from_bytes(b"PURGE").unwrap();
        assert!(!Operation::raw(&unknown, false, false).is_idempotent());
    }
}
