//! The way out of a generated client and back.

use http::StatusCode;

use crate::{Error, Operation, Result, Transport, transport::CallSettings};

/// The error of a call, on its way through a signature that has no place for it.
#[derive(Clone)]
struct Failure(Error);

/// How long a streamed body may be silent.
#[derive(Clone, Copy)]
pub(super) struct Idle(pub(super) std::time::Duration);

/// Sends the request of a generated call. The hook's signature knows `reqwest::Error` only, which
/// nobody but reqwest can make; a failure rides on a synthetic response until `answer` meets it.
pub async fn exec(
    transport: &Transport,
    request: reqwest::Request,
    operation: &'static Operation,
) -> reqwest::Result<reqwest::Response> {
    Ok(match transport.call(request, operation).await {
        Ok(mut response) => {
            let idle = Idle(transport.settings().attempt_timeout);
            if operation.streams {
                response.extensions_mut().insert(idle);
            }
            response
        }
        Err(error) => {
            let mut response = http::Response::new(Vec::new());
            *response.status_mut() = error.status().unwrap_or(StatusCode::BAD_GATEWAY);
            response.extensions_mut().insert(Failure(error));
            response.into()
        }
    })
}

/// The answer, or the error that rides on it.
pub(super) fn answer(
    result: reqwest::Result<reqwest::Response>,
    operation: &'static Operation,
) -> Result<reqwest::Response> {
    let mut response = result.map_err(|error| super::arguments::not_built(error, operation))?;
    if let Some(Failure(error)) = response.extensions_mut().remove() {
        return Err(error.with_operation(operation));
    }
    match response.status().is_success() {
        true => Ok(response),
        // Only a hook other than `exec` lets such an answer through.
        false => Err(Error::from_answer(
            response.status(),
            response.headers().clone(),
            bytes::Bytes::new(),
        )
        .with_operation(operation)),
    }
}

pub(super) fn default_idle() -> std::time::Duration {
    CallSettings::default().attempt_timeout
}
