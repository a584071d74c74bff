//! A scripted service in the place of the network.

mod capture;
mod script;

pub use capture::Capture;
pub use script::{Script, Scripted};

use http::Method;
use mkio_core::{Operation, RateBudget, Transport, TransportBuilder};
use serde_json::Value;

macro_rules! operation {
    ($name:ident, $method:ident, $path:literal, $body:expr, $streams:expr) => {
        pub static $name: Operation = Operation {
            id: stringify!($name),
            api: "media",
            method: Method::$method,
            path: $path,
            request_body: $body,
            streams: $streams,
        };
    };
}

operation!(
    GET,
    GET,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    None,
    false
);
operation!(
    PUT,
    PUT,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    Some("application/json"),
    false
);
operation!(
    DELETE,
    DELETE,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    None,
    false
);
operation!(
    PATCH,
    PATCH,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    Some("application/json"),
    false
);
operation!(
    JSON_PATCH,
    PATCH,
    "/api/v1/organization/paymentMethods/{id}",
    Some("application/json-patch+json"),
    false
);
operation!(
    POST,
    POST,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    Some("application/json"),
    false
);
operation!(
    STREAM,
    GET,
    "/api/v1/projects/{project_name}/media/assets/{asset_name}",
    None,
    true
);

pub const PATH: &str = "/api/v1/projects/acme/media/assets/intro";

/// A transport to the script, without a budget in the way.
pub fn builder(script: &Script) -> TransportBuilder {
    Transport::builder()
        .token("canary")
        .rate_budget(RateBudget::off())
        .dispatch(script.clone())
}

pub fn transport(script: &Script) -> Transport {
    builder(script).build().unwrap()
}

/// A request as generated code makes it.
pub fn request(transport: &Transport, operation: &'static Operation) -> reqwest::Request {
    request_to(transport, operation, PATH)
}

pub fn request_to(
    transport: &Transport,
    operation: &'static Operation,
    path: &str,
) -> reqwest::Request {
    let url = format!("{}{path}", transport.base_url(operation.api));
    let mut request = transport.http().request(operation.method.clone(), url);
    if let Some(media_type) = operation.request_body {
        request = request.header("content-type", media_type).body("{}");
    }
    request.build().unwrap()
}

/// A call as generated code makes it.
pub async fn call(
    transport: &Transport,
    operation: &'static Operation,
) -> mkio_core::Result<mkio_core::Response<Value>> {
    let request = request(transport, operation);
    transport.send_as(request, operation).await
}
