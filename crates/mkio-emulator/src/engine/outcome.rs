//! The outcome of a request.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::Value;

use crate::{base::error::ApiError, docs::Operation, faults::Fault, platform::call::Response};

/// The outcome of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The response.
    pub response: Response,
    /// How it is to be sent.
    pub delivery: Delivery,
    /// The operation that the request asked for, where it got that far and asked for one.
    pub operation: Option<&'static Operation>,
    /// The fault that it matched.
    pub fault: Option<Arc<Fault>>,
}

impl From<Response> for Outcome {
    /// A response to be sent as it is.
    fn from(response: Response) -> Self {
        Self {
            response,
            delivery: Delivery::default(),
            operation: None,
            fault: None,
        }
    }
}

/// How a response is sent, as a fault may demand.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Wait before the first byte.
    pub delay: Duration,
    /// The connection breaks instead of the response.
    pub reset: bool,
    /// The connection breaks after this many bytes of the body.
    pub cut: Option<usize>,
    /// Wait between pieces of the body.
    pub slow: Duration,
}

/// The response that a fault makes up.
pub(super) fn made(fault: &Fault) -> Option<Response> {
    let status = fault
        .status
        .or_else(|| fault.html.then_some(502))
        .and_then(|status| StatusCode::from_u16(status).ok())?;
    let mut response = if fault.html {
        let page = format!(
            "<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy</body></html>"
        );
        Response {
            status,
            ..Response::bytes("text/html", page)
        }
    } else {
        Response::from(ApiError::made(status, "a fault made on demand"))
    };
    if let Some(value) = &fault.retry_after {
        response
            .headers
            .insert("retry-after".to_owned(), Value::String(value.clone()));
    }
    Some(response)
}
