//! Error bodies that arrive with 200: a poll reads them as the errors that they are.

use http::Method;
use mkio::wait::{Reason, WaitFailure};
use serde_json::{Value, json};

use super::service::{Asked, Scripted, Service};

fn envelope(status: u16, code: &str) -> Value {
    json!({"status": status, "error": {"code": code, "detail": "told"}, "ref": "r-1"})
}

fn job(state: &str) -> Scripted {
    let body = json!({"name": "job", "status": {"state": state}, "properties": {"state": state}});
    Some((200, body))
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_refused_with_200_ends_the_wait_with_code_and_ref() {
    let service = Service::new(|_: &Asked| Some((200, envelope(403, "Forbidden"))));
    let media = service.client().project("acme").media();
    let error = media
        .wait_for_job("encode", "job")
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Some("Forbidden"));
    assert_eq!(error.reference(), Some("r-1"));
    let failure = WaitFailure::of(&error).expect("a wait's error");
    assert_eq!(failure.reason, Reason::Poll);
    assert_eq!(service.count(Method::GET, "job/state"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_with_200_is_repeated() -> mkio::Result<()> {
    let service = Service::new(|asked: &Asked| match asked.before {
        _ if !asked.path.ends_with("/state") => job("Finished"),
        0 => job("Processing"),
        1 => Some((200, envelope(503, "ServiceUnavailable"))),
        2 => Some((200, Value::String("no object".to_owned()))),
        _ => job("Finished"),
    });
    let media = service.client().project("acme").media();
    let job = media.wait_for_job("encode", "job").await?;
    assert!(job.state() == "Finished");
    assert!(service.count(Method::GET, "job/state") >= 4);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_gone_with_200_is_gone() {
    let service = Service::new(|asked: &Asked| match asked.before {
        0 => job("Processing"),
        _ => Some((200, envelope(404, "Job_NotFound"))),
    });
    let media = service.client().project("acme").media();
    let error = media
        .wait_for_job("encode", "job")
        .await
        .expect_err("it is gone");
    let failure = WaitFailure::of(&error).expect("a wait's error");
    assert_eq!(failure.reason, Reason::Gone, "{error}");
}
