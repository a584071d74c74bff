//! Ten thousand calls against a service that fails one time in five, over real connections.

mod service;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mkio_core::{Error, Operation, RateBudget, RetryPolicy, Transport};
use serde_json::Value;
use service::{FAULTS, Service};
use tokio::time::{Instant, timeout_at};

use crate::support::{DELETE, GET, JSON_PATCH, PATCH, POST, PUT};

const CALLS: usize = 10_000;
const TASKS: usize = 64;

fn operation(id: usize) -> &'static Operation {
    match id % 10 {
        0..4 => &GET,
        4 | 5 => &PUT,
        6 => &DELETE,
        7 => &PATCH,
        8 => &POST,
        _ => &JSON_PATCH,
    }
}

async fn call(transport: &Transport, id: usize) -> Result<(Value, u32), Error> {
    let operation = operation(id);
    let url = format!(
        "{}/api/v1/projects/p{}/things/{id}",
        transport.base_url("media"),
        id % 3
    );
    let mut request = transport.http().request(operation.method.clone(), url);
    if let Some(media_type) = operation.request_body {
        request = request.header("content-type", media_type).body("{}");
    }
    let request = request.build().unwrap();
    let response = transport.send_as::<Value>(request, operation).await?;
    let attempts = response.call().attempts;
    Ok((response.into_inner(), attempts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_idempotent_call_ends_well_and_no_write_is_applied_twice() {
    let service = Service::start().await;
    let short = Duration::from_millis(2);
    let policy = RetryPolicy::default()
        .initial_backoff(short)
        .throttled_backoff(short)
        .max_backoff(10 * short)
        .max_retry_after(10 * short);
    let transport = Transport::builder()
        .token("t")
        .base_url(service.address())
        .retry(policy)
        // Large enough not to slow the test, small enough to be at work.
        .rate_budget(RateBudget::default().reads(6_000_000).writes(3_000_000))
        .build()
        .unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (next, transport) = (Arc::clone(&next), transport.clone());
            tokio::spawn(async move {
                let mut results = Vec::new();
                loop {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    if id >= CALLS {
                        return results;
                    }
                    results.push((id, call(&transport, id).await));
                }
            })
        })
        .collect();

    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    let mut ended = 0;
    // Guards against a call that hangs; the test needs some seconds.
    let guard = Instant::now() + Duration::from_secs(300);
    for task in tasks {
        let results = timeout_at(guard, task).await.expect("no call hangs");
        for (id, result) in results.unwrap() {
            ended += 1;
            let operation = operation(id);
            let applied = service.applied(id);
            match &result {
                Ok((value, attempts)) => {
                    assert_eq!(
                        value["id"], id,
                        "{} got another call's response",
                        operation.id
                    );
                    count(format!("{} right after {attempts} attempts", operation.id));
                }
                Err(error) => {
                    let effect = match applied {
                        0 => "not applied",
                        _ => "applied once",
                    };
                    count(format!("{} failed, {effect}", operation.id));
                    assert!(error.outcome_unknown() && error.is_retryable(), "{error}");
                }
            }
            if operation.is_idempotent() {
                assert!(result.is_ok(), "{}: {result:?}", operation.id);
            } else {
                assert!(applied <= 1, "{} was applied {applied} times", operation.id);
                assert!(result.is_err() || applied == 1);
            }
            if !operation.is_read() && result.is_ok() {
                assert!(applied >= 1, "{} was never applied", operation.id);
            }
        }
    }
    assert_eq!(ended, CALLS);
    println!(
        "{ended} calls by {TASKS} tasks, {} requests",
        service.requests()
    );
    for (fault, times) in FAULTS.iter().zip(service.faults()) {
        println!("  {times:>5} times {fault:?}");
        assert!(times > 100, "{fault:?} happened {times} times");
    }
    for (what, times) in counts {
        println!("  {times:>5} {what}");
    }
}
