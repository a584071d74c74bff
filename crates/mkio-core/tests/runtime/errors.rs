//! What an error tells.

use std::error::Error as _;

use http::Method;
use mkio_core::{DispatchError, Error, ErrorKind, RetryPolicy, glue::RequestBuilder};

use crate::support::*;

/// The error of a call that is sent once.
async fn fails(response: Scripted) -> Error {
    let script = Script::new([response]);
    let transport = builder(&script).retry(RetryPolicy::none()).build().unwrap();
    call(&transport, &GET).await.unwrap_err()
}

/// The methods that are true for an error.
fn true_for(error: &Error) -> Vec<&'static str> {
    let methods = [
        ("not_found", error.is_not_found()),
        ("conflict", error.is_conflict()),
        ("rate_limited", error.is_rate_limited()),
        ("denied", error.is_denied()),
        ("timeout", error.is_timeout()),
        ("retryable", error.is_retryable()),
    ];
    let known = methods.into_iter().filter(|(_, is)| *is);
    known.map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_status_says_what_an_error_is() {
    for (status, expected) in [
        (400, &[][..]),
        (401, &["denied"]),
        (403, &["denied"]),
        (404, &["not_found"]),
        (408, &["timeout", "retryable"]),
        (409, &["conflict"]),
        (422, &[]),
        (429, &["rate_limited", "retryable"]),
        (500, &["retryable"]),
        (501, &[]),
        (503, &["retryable"]),
        (504, &["timeout", "retryable"]),
    ] {
        let error = fails(Scripted::status(status)).await;
        assert_eq!(true_for(&error), expected, "{status}");
    }
}

#[test]
fn without_a_status_the_kind_says_what_an_error_is() {
    for (kind, expected) in [
        (ErrorKind::Token, &["denied"][..]),
        (ErrorKind::Timeout, &["timeout", "retryable"]),
        (ErrorKind::Connection, &["retryable"]),
        (ErrorKind::Api, &[]),
        (ErrorKind::Decode, &[]),
        (ErrorKind::Wait, &[]),
        (ErrorKind::Paging, &[]),
        (ErrorKind::Origin, &[]),
        (ErrorKind::Config, &[]),
        (ErrorKind::InvalidRequest, &[]),
    ] {
        assert_eq!(true_for(&Error::new(kind, "x")), expected, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_has_the_path_of_its_url_if_there_was_one() {
    let error = fails(Scripted::status(404)).await;
    assert_eq!(error.path(), Some(PATH));
    let transport = transport(&Script::new([]));
    let refused = RequestBuilder::new(&transport, &GET, &["acme", ".."]).build();
    assert_eq!(refused.unwrap_err().path(), None);
    let raw = transport.request(Method::GET, "no/path").into_request();
    assert_eq!(raw.unwrap_err().path(), None);
}

/// The line of a call that was sent once does not count attempts.
#[tokio::test(start_paused = true)]
async fn a_connection_that_failed_is_told_with_its_cause() {
    for (response, line, cause) in [
        (
            Scripted::NotSent,
            "GET 'intro' at https://app.mk.io: the request could not be sent: connection refused",
            "connection refused",
        ),
        (
            Scripted::Broken,
            "GET 'intro' at https://app.mk.io: the connection broke before the whole response was \
             there: connection reset",
            "connection reset",
        ),
    ] {
        let error = fails(response).await;
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1));
        assert_eq!(error.to_string(), line);
        assert_eq!(
            format!("{error:?}"),
            format!("Error {{ kind: Connection, line: {line}, source: {cause}, .. }}")
        );
    }
}

#[test]
fn a_failed_dispatch_says_what_failed_and_why() {
    for (error, line) in [
        (
            DispatchError::not_sent("why"),
            "the request could not be sent",
        ),
        (
            DispatchError::broken("why"),
            "the connection broke before the whole response was there",
        ),
        (DispatchError::timed_out("why"), "no response in time"),
    ] {
        assert_eq!(error.to_string(), line);
        assert_eq!(error.source().unwrap().to_string(), "why");
        let debug = format!("{error:?}");
        assert!(
            debug.starts_with("DispatchError") && debug.contains("\"why\""),
            "{debug}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn debug_shows_where_decoding_stopped() {
    let script = Script::new([Scripted::json(200, r#"{"a":["hunter2"]}"#)]);
    let transport = transport(&script);
    let request = request(&transport, &GET);
    type Numbers = std::collections::BTreeMap<String, Vec<u8>>;
    let sent = transport.send_as::<Numbers>(request, &GET).await;
    let debug = format!("{:?}", sent.unwrap_err());
    assert!(
        debug.starts_with("Error { kind: Decode, line: GET 'intro': 200 OK: "),
        "{debug}"
    );
    assert!(debug.contains("json_path: \"a[0]\""), "{debug}");
    assert!(!debug.contains("hunter2"), "{debug}");
}
