//! What comes of a request.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::Value;

use crate::{base::error::ApiError, docs::Operation, faults::Fault, platform::call::Answer};

/// What came of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// How it is to be sent.
    pub delivery: Delivery,
    /// The operation that the request asked for, where it got that far and asked for one.
    pub operation: Option<&'static Operation>,
    /// The fault that met it.
    pub fault: Option<Arc<Fault>>,
}

impl From<Answer> for Outcome {
    /// An answer that nothing else is to be told of.
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            delivery: Delivery::default(),
            operation: None,
            fault: None,
        }
    }
}

/// How an answer is to be sent, where a fault has a say.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Wait before the first byte.
    pub delay: Duration,
    /// The connection breaks instead of the answer.
    pub reset: bool,
    /// The connection breaks after so many bytes of the body.
    pub cut: Option<usize>,
    /// Wait between pieces of the body.
    pub slow: Duration,
}

/// The answer that a fault makes up.
pub(super) fn made(fault: &Fault) -> Option<Answer> {
    let status = fault
        .status
        .or_else(|| fault.html.then_some(502))
        .and_then(|status| StatusCode::from_u16(status).ok())?;
    let mut answer = if fault.html {
        let page = format!(
            "<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy</body></html>"
        );
        Answer {
            status,
            ..Answer::bytes("text/html", page)
        }
    } else {
        Answer::from(ApiError::made(status, "a fault made on demand"))
    };
    if let Some(value) = &fault.retry_after {
        answer
            .headers
            .insert("retry-after".to_owned(), Value::String(value.clone()));
    }
    Some(answer)
}
