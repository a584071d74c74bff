//! Time limits: of an attempt, and of the call with all its waits.

use std::time::Duration;

use mkio_core::{CallOptions, ErrorKind, Jitter, RateBudget, RetryPolicy};
use tokio::time::Instant;

use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_repeated() {
    for slow in [Scripted::Silence, Scripted::Stall(200, "{".to_owned())] {
        let script = Script::new([slow, Scripted::ok()]);
        let policy = RetryPolicy::default().jitter(Jitter::None);
        let transport = builder(&script)
            .attempt_timeout(3 * SECOND)
            .retry(policy)
            .build()
            .unwrap();
        call(&transport, &GET).await.unwrap();
        assert_eq!(script.gaps(), [3 * SECOND + SECOND / 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_a_minute_by_default() {
    let script = Script::new([Scripted::Silence]);
    let started = Instant::now();
    let error = call(&transport(&script), &POST).await.unwrap_err();
    assert_eq!(started.elapsed(), 60 * SECOND);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && error.is_retryable() && error.outcome_unknown());
    assert!(
        error.to_string().contains("attempt timeout of 60s"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_cuts_the_last_attempt() {
    let script = Script::new([Scripted::Silence]);
    let options = CallOptions::new()
        .attempt_timeout(4 * SECOND)
        .total_timeout(10 * SECOND)
        .retry(RetryPolicy::default().jitter(Jitter::None));
    let started = Instant::now();
    let error = call(&transport(&script).with(options), &GET)
        .await
        .unwrap_err();
    // 4 s, half a second's wait, 4 s, a second's wait, and the half second that is left.
    assert_eq!(started.elapsed(), 10 * SECOND);
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert_eq!(error.elapsed(), 10 * SECOND);
    assert!(
        error.to_string().contains("total timeout of 10s"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_begun_that_cannot_end_in_an_attempt() {
    let script = Script::new([Scripted::status(503).with("retry-after", 30)]);
    let options = CallOptions::new().total_timeout(20 * SECOND);
    let started = Instant::now();
    let error = call(&transport(&script).with(options), &GET)
        .await
        .unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.status().unwrap(), 503);
    assert!(
        error.to_string().contains("no time for another attempt"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_covers_waiting_for_a_turn() {
    let script = Script::new([]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default().reads(1).writes(1))
        .total_timeout(10 * SECOND)
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    let started = Instant::now();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(started.elapsed(), 10 * SECOND);
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 0));
    assert_eq!(error.budget_wait(), 10 * SECOND);
    assert!(error.to_string().contains("rate budget"), "{error}");
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_too_late_keeps_the_error_before() {
    let script = Script::new([Scripted::status(500)]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default().reads(1).writes(1))
        .total_timeout(10 * SECOND)
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    let before = std::error::Error::source(&error).unwrap();
    assert!(before.to_string().contains("E500"), "{before}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_error_body_does_not_hide_the_status() {
    let script = Script::new([Scripted::Stall(404, "<p>gone".to_owned())]);
    let error = call(&transport(&script), &GET).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.body(), "<p>gone");
}

#[tokio::test(start_paused = true)]
async fn endless_limits_are_allowed() {
    let script = Script::new([Scripted::ok().after(100_000 * SECOND)]);
    let started = Instant::now();
    let options = CallOptions::new()
        .attempt_timeout(Duration::MAX)
        .total_timeout(Duration::MAX);
    call(&transport(&script).with(options), &GET).await.unwrap();
    assert_eq!(started.elapsed(), 100_000 * SECOND);
    assert_eq!(script.count(), 1);
}
