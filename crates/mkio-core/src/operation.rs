//! What the runtime knows about an operation of an API.

use http::Method;

/// One operation of an OpenAPI document, as the generated crates describe it to the runtime.
///
/// Each generated crate has a table of them in its `operations` module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Rust name of the operation, for example `get_asset`; unique within its API.
    pub id: &'static str,
    /// Short name of the API: `media`, `management`, `fleets`, `infrastructure`, `live`,
    /// `templates` or `channels`.
    pub api: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template as in the document, for example
    /// `/api/v1/projects/{project_name}/media/assets/{asset_name}`.
    pub path: &'static str,
    /// Media type of the request body, if the operation has one.
    pub request_body: Option<&'static str>,
    /// The answer's body is handed to the caller as a stream instead of being read and decoded.
    pub streams: bool,
}
