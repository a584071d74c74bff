//! Failed polls that may pass.

use std::iter::successors;

use crate::{Error, ErrorKind, token};

/// The token provider failed, at first or when the service refused the token that it gave before.
pub(super) fn is_provider_failure(error: &Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<Error>())
        .any(token::is_provider_failure)
}

/// The service answered with success and with something that is not a resource: no JSON, or an error
/// body without a status.
pub(super) fn is_unreadable(error: &Error) -> bool {
    let success = error
        .effective_status()
        .is_some_and(|status| status.is_success());
    error.kind() == ErrorKind::Decode || success
}
