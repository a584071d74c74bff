//! Whether a failed attempt may be retried.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::Operation;

/// Why an attempt failed, as far as a retry is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The request never left: no connection.
    NotSent,
    /// The request left, or may have; no whole response came back.
    Broken,
    /// The service answered with an error, or with an unusable response.
    Status(StatusCode, Option<Duration>),
    /// The request cannot be sent.
    Unsendable,
    /// The response is of no use, and so would be the next one.
    Final,
}

impl Cause {
    /// The request may have taken effect or not: it was sent and not refused.
    pub(crate) fn leaves_outcome_open(self) -> bool {
        match self {
            Self::Broken | Self::Final => true,
            Self::Status(status, _) => !status.is_client_error(),
            Self::NotSent | Self::Unsendable => false,
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryVerdict {
    /// Retry. `paced`: the service itself said when, or how fast.
    Retry { paced: bool },
    /// The failure is the result.
    GiveUp,
}

/// Statuses that pass: throttling, and faults of the service or a proxy before it.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Carrying the request out twice does no harm.
///
/// A PATCH whose body is a JSON array is a JSON Patch even where its media type says plain JSON,
/// as for teams; adding to the end of a list twice adds two entries.
pub(crate) fn is_idempotent(operation: &Operation, request: &reqwest::Request) -> bool {
    let list = || {
        let body = request.body().and_then(reqwest::Body::as_bytes);
        body.unwrap_or_default()
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            == Some(&b'[')
    };
    operation.is_idempotent() && (operation.method != Method::PATCH || !list())
}

pub(crate) fn retry_verdict(cause: Cause, idempotent: bool) -> RetryVerdict {
    match cause {
        Cause::NotSent => RetryVerdict::Retry { paced: false },
        Cause::Broken if idempotent => RetryVerdict::Retry { paced: false },
        // Both are given before any work is done.
        Cause::Status(StatusCode::TOO_MANY_REQUESTS, _) => RetryVerdict::Retry { paced: true },
        Cause::Status(StatusCode::SERVICE_UNAVAILABLE, wait) => RetryVerdict::Retry {
            // The header counts in seconds; less than one is not a pace.
            paced: wait.is_some_and(|wait| wait >= Duration::from_secs(1)),
        },
        Cause::Status(status, _) if idempotent && is_transient(status) => {
            RetryVerdict::Retry { paced: false }
        }
        Cause::Broken | Cause::Status(..) | Cause::Unsendable | Cause::Final => {
            RetryVerdict::GiveUp
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let status = |code| Cause::Status(StatusCode::from_u16(code).unwrap(), None);
        // Cause, retried when the request is idempotent, retried when not.
        for (cause, safe, unsafe_) in [
            (Cause::NotSent, true, true),
            (Cause::Broken, true, false),
            (Cause::Final, false, false),
            (Cause::Unsendable, false, false),
            (status(429), true, true),
            (status(503), true, true),
            (status(408), true, false),
            (status(500), true, false),
            (status(502), true, false),
            (status(504), true, false),
            (status(501), false, false),
            (status(400), false, false),
            (status(401), false, false),
            (status(404), false, false),
            (status(409), false, false),
            (status(422), false, false),
        ] {
            let retries = |idempotent| retry_verdict(cause, idempotent) != RetryVerdict::GiveUp;
            assert_eq!(
                (retries(true), retries(false)),
                (safe, unsafe_),
                "{cause:?}"
            );
        }
    }

    #[test]
    fn only_what_was_refused_or_not_sent_had_no_effect() {
        let status = |code| Cause::Status(StatusCode::from_u16(code).unwrap(), None);
        for code in [
            200, 204, 302, 303, 500, 501, 502, 503, 504, 507, 520, 526, 599,
        ] {
            assert!(status(code).leaves_outcome_open(), "{code}");
        }
        for code in [400, 401, 404, 408, 409, 422, 429, 451] {
            assert!(!status(code).leaves_outcome_open(), "{code}");
        }
        assert!(Cause::Broken.leaves_outcome_open() && Cause::Final.leaves_outcome_open());
        assert!(!Cause::NotSent.leaves_outcome_open());
        assert!(!Cause::Unsendable.leaves_outcome_open());
    }

    #[test]
    fn a_patch_with_a_list_is_a_json_patch() {
        let operation = Operation::raw(&Method::PATCH, false, false);
        for (body, expected) in [
            (r#" [{"op":"add"}]"#, false),
            (r#"{"spec":[]}"#, true),
            ("", true),
        ] {
            let mut request =
                reqwest::Request::new(Method::PATCH, "http://localhost/".parse().unwrap());
            *request.body_mut() = Some(body.into());
            assert_eq!(is_idempotent(operation, &request), expected, "{body}");
        }
    }
}
