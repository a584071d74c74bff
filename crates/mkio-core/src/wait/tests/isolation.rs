//! Waits that share a task must not spoil each other's, with the paused clock.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

use super::service::{JOB, LIVE_EVENT, Service, status};
use crate::{
    Token, token_fn,
    wait::{Reason, State, StateEvent, Wait, WaitFailure},
};

const SHOW: &str = "media/liveEvents/show";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn job(service: &Service, name: &str) -> Wait<Value, State> {
    of(service, "h264", name)
}

fn of(service: &Service, transform: &str, name: &str) -> Wait<Value, State> {
    let values = ["acme", transform, name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

fn path(name: &str) -> String {
    format!("media/transforms/h264/jobs/{name}")
}

/// An event that tells nothing but the state.
fn event(state: &str) -> StateEvent {
    StateEvent::new("/api/v1/projects/acme/transforms/h264/jobs/a").state(state)
}

fn requests(service: &Service, from: f64, to: f64) -> usize {
    let log = service.log();
    log.iter().filter(|(at, _)| (from..to).contains(at)).count()
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_its_own_wait_and_no_other_of_the_resource() {
    for others in [&[][..], &["b", "c"]] {
        let service = Service::new();
        service.at(&path("a"), &[(0, "Processing"), (100, "Finished")]);
        let mut running = JoinSet::new();
        for name in others {
            service.at(&path(name), &[(0, "Processing"), (100, "Finished")]);
            running.spawn(job(&service, name).into_future());
        }
        running.spawn(job(&service, "a").into_future());
        let short = job(&service, "a").timeout(seconds(10));
        assert!(short.await.unwrap_err().is_timeout());
        for ended in running.join_all().await {
            assert_eq!(ended.unwrap()["properties"]["state"], "Finished");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_at_one_deadline_leaves_other_waits_of_the_resource_alone() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (100, "Finished")]);
    let start = Instant::now();
    service.fault(move |_| {
        (9..12)
            .contains(&start.elapsed().as_secs())
            .then(|| status(503))
    });
    let long = tokio::spawn(job(&service, "a").into_future());
    let short = job(&service, "a").timeout(seconds(10));
    assert!(short.await.unwrap_err().is_timeout());
    long.await.unwrap().unwrap();
}

#[test]
fn deadlines_close_to_each_other_do_not_keep_the_task_busy() {
    // A task that spins keeps the paused clock from going on: the real one notices.
    let (end, ended) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let service = Service::new();
            for name in ["a", "b", "c"] {
                service.at(&path(name), &[(0, "Processing")]);
            }
            let mut running = JoinSet::new();
            for (name, pace, timeout) in [("a", 200, 10_000), ("b", 60_000, 10_500)] {
                let pace = Duration::from_millis(pace);
                let wait = job(&service, name).poll_every(pace..pace);
                running.spawn(wait.timeout(Duration::from_millis(timeout)).into_future());
            }
            let third = job(&service, "c").poll_every(seconds(60)..seconds(60));
            let third = tokio::spawn(third.into_future());
            for ended in running.join_all().await {
                assert!(ended.unwrap_err().is_timeout());
            }
            third.abort();
        });
        end.send(()).unwrap();
    });
    ended.recv_timeout(seconds(20)).expect("the task spins");
    thread.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_refused_once_is_used_again() {
    let service = Service::new();
    let first = AtomicUsize::new(0);
    service.fault(move |seen| {
        let list = seen.path.ends_with("/jobs");
        (list && first.fetch_add(1, Ordering::Relaxed) == 0).then(|| status(403))
    });
    let mut running = JoinSet::new();
    for number in 0..500 {
        let name = format!("job-{number:03}");
        service.at(&path(&name), &[(0, "Processing")]);
        running.spawn(job(&service, &name).into_future());
    }
    tokio::time::sleep(seconds(420)).await;
    let busy = requests(&service, 60.0, 120.0);
    assert!(busy > 500, "{busy} requests without the list");
    for minute in [240.0, 300.0, 360.0] {
        let count = requests(&service, minute, minute + 60.0);
        assert!((1..60).contains(&count), "{count} requests in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_tells_resources_apart_again_is_used_again() {
    let service = Service::new();
    service.without_ids();
    let mut running = JoinSet::new();
    for number in 0..40 {
        let transform = format!("transform-{number:03}");
        let at = format!("media/transforms/{transform}/jobs/main");
        service.at(&at, &[(0, "Processing")]);
        running.spawn(of(&service, &transform, "main").into_future());
    }
    tokio::time::sleep(seconds(60)).await;
    service.with_ids();
    tokio::time::sleep(seconds(300)).await;
    let count = requests(&service, 300.0, 360.0);
    assert!((1..20).contains(&count), "{count} requests in a minute");
}

#[tokio::test(start_paused = true)]
async fn the_final_poll_must_show_what_was_told() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (60, "Finished")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    service.waits().notify(&event("Finished"));
    let start = Instant::now();
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
    assert!(start.elapsed() > seconds(50), "{:?}", start.elapsed());

    // Not before the deadline.
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a").timeout(seconds(60));
    waiting.try_next().await.unwrap();
    service.waits().notify(&event("Finished"));
    assert!(waiting.await.unwrap_err().is_timeout());

    // One that has moved on was there.
    let service = Service::new();
    service.at(&path("a"), &[(0, "Queued")]);
    let mut waiting = job(&service, "a").until("Processing");
    waiting.try_next().await.unwrap();
    service.at(&path("a"), &[(0, "Finished")]);
    service.waits().notify(&event("Processing"));
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_that_shows_a_failure_is_one() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Starting")]);
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    let mut waiting: Wait<Value, State> = Wait::new(&service.transport, &LIVE_EVENT, values);
    waiting.try_next().await.unwrap();
    service.at(SHOW, &[(0, "Deleting")]);
    let event = StateEvent::new("/api/v1/projects/acme/media/liveEvents/show").state("Running");
    service.waits().notify(&event);
    let error = waiting.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.state.as_deref()),
        (Reason::State, Some("Deleting"))
    );
    // One poll and the final one.
    assert_eq!(service.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_that_finds_nothing_says_that_it_is_gone() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    service.at(&path("a"), &[(0, "")]);
    service.waits().notify(&event("Finished"));
    let error = waiting.await.unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::Gone);
    assert_eq!(service.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_that_panics_is_retried() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Finished")]);
    let reads = AtomicUsize::new(0);
    service.fault(move |seen| {
        let read = !seen.path.ends_with("/state");
        assert!(!read || reads.fetch_add(1, Ordering::Relaxed) > 0, "a bug");
        None
    });
    let start = Instant::now();
    job(&service, "a").await.unwrap();
    assert!(start.elapsed() < seconds(60), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_doubted_is_not_put_off_by_events() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Error")]);
    let waiting = job(&service, "a").after(async { Ok(()) });
    let running = tokio::spawn(waiting.into_future());
    tokio::time::sleep(Duration::from_millis(1)).await;
    service
        .waits()
        .notify(&StateEvent::new("/api/v1/projects/acme/transforms/h264/jobs/b").state("Queued"));
    let start = Instant::now();
    running.await.unwrap().unwrap_err();
    assert!(start.elapsed() < seconds(12), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_token_provider_that_fails_for_a_while_ends_no_wait() {
    for names in [&["a"][..], &["a", "b", "c"]] {
        let start = Instant::now();
        let sealed = move || (10..40).contains(&start.elapsed().as_secs());
        let provider = token_fn(move || async move {
            if sealed() {
                Err("the vault is sealed".into())
            } else {
                Ok(Token::new("token"))
            }
        });
        let service = Service::with(|builder| builder.token_provider(provider));
        service.fault(move |_| sealed().then(|| status(401)));
        let mut running = JoinSet::new();
        for name in names {
            service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
            running.spawn(job(&service, name).into_future());
        }
        for ended in running.join_all().await {
            ended.unwrap();
        }
    }

    // A wait that never had a response tells what is wrong at once.
    let provider = token_fn(|| async { Err("the vault is sealed".into()) });
    let service = Service::with(|builder| builder.token_provider(provider));
    let error = job(&service, "a").await.unwrap_err();
    assert!(error.is_denied());
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::Poll);
    assert_eq!(service.script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_is_not_decided_again_while_the_resource_is_read() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    service.at(&path("a"), &[(0, "Finished")]);
    service.waits().notify(&event("Finished"));
    // The final poll is under way.
    while service.script.calls() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    service.waits().notify(&event("Error"));
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
    assert_eq!(service.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_at_the_deadline_that_shows_no_goal_is_the_end() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let start = Instant::now();
    service.garble(move |seen| {
        let ahead = seen.path.ends_with("/state") && start.elapsed() >= seconds(60);
        ahead.then(|| r#"{"status": {"state": "Finished"}}"#.to_owned())
    });
    let hour = seconds(3600)..seconds(3600);
    let waiting = job(&service, "a").timeout(seconds(60)).poll_every(hour);
    let ended = tokio::time::timeout(seconds(70), waiting).await;
    assert!(ended.expect("it ends").unwrap_err().is_timeout());
    // One at first, one at the deadline, and the final one.
    assert_eq!(service.script.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn news_right_before_a_deadline_does_not_put_it_off() {
    let service = Service::new();
    let mut running = JoinSet::new();
    let start = Instant::now();
    for name in ["a", "b"] {
        service.at(&path(name), &[(0, "Processing")]);
        let wait = job(&service, name).poll_every(seconds(60)..seconds(60));
        running.spawn(wait.timeout(seconds(10)).into_future());
    }
    tokio::time::sleep(Duration::from_millis(9500)).await;
    let other = "/api/v1/projects/acme/transforms/h264/jobs/c";
    service
        .waits()
        .notify(&StateEvent::new(other).state("Queued"));
    for ended in running.join_all().await {
        assert!(ended.unwrap_err().is_timeout());
    }
    let took = start.elapsed();
    assert!(took < Duration::from_millis(10_100), "{took:?}");
}
