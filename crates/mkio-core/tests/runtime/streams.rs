//! Bodies that are handed on as they arrive.

use std::time::Duration;

use futures::StreamExt;
use mkio_core::{ByteStream, CallOptions, ErrorKind, Response};
use tokio::time::Instant;

use crate::support::*;

async fn open(script: &Script) -> mkio_core::Result<Response<ByteStream>> {
    let transport = transport(script).with(CallOptions::new().attempt_timeout(LIMIT));
    let request = request(&transport, &STREAM);
    transport.send_stream(request, &STREAM).await
}

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn a_stream_gives_the_whole_body_and_ends() {
    let script = Script::new([Scripted::status(502), Scripted::json(200, "video")]);
    let response = open(&script).await.unwrap();
    assert_eq!(response.call().attempts, 2);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.raw().is_empty());
    let mut stream = response.into_inner();
    assert_eq!(stream.try_next().await.unwrap().unwrap(), "video");
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_keeps_what_came_and_is_not_repeated() {
    let script = Script::new([Scripted::Half(200, "vid".to_owned()), Scripted::ok()]);
    let mut stream = open(&script).await.unwrap().into_inner();
    assert_eq!(stream.try_next().await.unwrap().unwrap(), "vid");
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(error.operation_id(), Some("STREAM"));
    assert!(stream.next().await.is_none());
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_stream_but_a_slow_reader_does_not() {
    let script = Script::new([Scripted::Stall(200, "vid".to_owned())]);
    let mut stream = open(&script).await.unwrap().into_inner();
    assert_eq!(stream.try_next().await.unwrap().unwrap(), "vid");
    tokio::time::advance(10 * LIMIT).await;
    let asked = Instant::now();
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(asked.elapsed(), LIMIT);
    let script = Script::new([Scripted::Stall(200, String::new())]);
    let stream = open(&script).await.unwrap().into_inner();
    assert!(stream.bytes().await.unwrap_err().is_timeout());
}

#[tokio::test(start_paused = true)]
async fn an_error_instead_of_a_stream() {
    let script = Script::new([Scripted::status(404)]);
    assert_eq!(open(&script).await.unwrap_err().code(), Some("E404"));
}
