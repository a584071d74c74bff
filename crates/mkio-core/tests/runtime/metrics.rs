//! What metrics are told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mkio_core::{Measurement, Metrics, RateBudget, RetryPolicy, Transport};

use crate::support::*;

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, what: &str, told: &Measurement<'_>) {
        let line = format!(
            "{what} {} {} {} attempts={} {}ms {}",
            told.operation().id,
            told.project_name().unwrap_or("-"),
            told.status().map_or(0, |status| status.as_u16()),
            told.attempts(),
            told.duration().as_millis(),
            told.error_type().as_deref().unwrap_or("-"),
        );
        assert_eq!(
            format!("{told:?}"),
            format!(
                "Measurement {{ operation: {:?}, duration: {:?}, attempts: {}, status: {:?}, \
                 error_type: {:?}, .. }}",
                told.operation().id,
                told.duration(),
                told.attempts(),
                told.status(),
                told.error_type(),
            )
        );
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Metrics for Told {
    fn call(&self, call: &Measurement<'_>) {
        self.note("call", call);
    }

    fn attempt(&self, attempt: &Measurement<'_>) {
        self.note("attempt", attempt);
    }

    fn budget_wait(&self, wait: &Measurement<'_>) {
        self.note("wait", wait);
    }
}

fn measured(script: &Script) -> (Transport, Told) {
    let told = Told::default();
    let policy = RetryPolicy::default()
        .initial_backoff(SECOND)
        .jitter(mkio_core::Jitter::None);
    let transport = builder(script).retry(policy).metrics(told.clone());
    (transport.build().unwrap(), told)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_call_and_its_attempts_are_told() {
    let slow = Scripted::ok().after(2 * SECOND);
    let script = Script::new([Scripted::status(503), Scripted::Broken, slow]);
    let (transport, told) = measured(&script);
    call(&transport, &GET).await.unwrap();
    assert_eq!(
        told.lines(),
        [
            "attempt GET acme 503 attempts=1 0ms 503",
            "attempt GET acme 0 attempts=2 0ms connection",
            "attempt GET acme 200 attempts=3 2000ms -",
            "call GET acme 200 attempts=3 5000ms -",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_tells_its_error() {
    let (transport, told) = measured(&Script::new([Scripted::status(404)]));
    call(&transport, &GET).await.unwrap_err();
    assert_eq!(
        told.lines(),
        [
            "attempt GET acme 404 attempts=1 0ms 404",
            "call GET acme 404 attempts=1 0ms 404",
        ]
    );
    // The status of a success whose body got lost is not what went wrong.
    let (transport, told) = measured(&Script::new([Scripted::Half(201, "{".to_owned())]));
    call(&transport, &POST).await.unwrap_err();
    assert_eq!(
        told.lines().last().unwrap(),
        "call POST acme 201 attempts=1 0ms connection"
    );
    // Nothing was sent.
    let (transport, told) = measured(&Script::new([]));
    let elsewhere = transport
        .http()
        .get("https://evil.example/")
        .build()
        .unwrap();
    transport.exec(elsewhere, &GET).await.unwrap_err();
    assert_eq!(told.lines(), ["call GET - 0 attempts=0 0ms origin"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_is_told_when_there_is_some() {
    let told = Told::default();
    let transport = Transport::builder()
        .token("canary")
        .rate_budget(RateBudget::default().reads(61).writes(1))
        .metrics(told.clone())
        .dispatch(Script::new([]))
        .build()
        .unwrap();
    for _ in 0..7 {
        call(&transport, &GET).await.unwrap();
    }
    let waits: Vec<String> = told
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("wait"))
        .collect();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert!(
        waits[0].starts_with("wait GET acme 0 attempts=0 10"),
        "{waits:?}"
    );
}
