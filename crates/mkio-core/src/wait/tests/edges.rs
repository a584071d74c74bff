//! Waits that meet what was there before them, and closures, headers and times that are unusual.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::service::{GET_LIVE_EVENT, GET_LIVE_EVENT_STATE, JOB, LIVE_EVENT, Service};
use crate::{
    ErrorKind, RetryPolicy,
    wait::{Change, Goal, Reason, Resource, State, StateKind, Wait, WaitFailure, target::Target},
};

static CHANNEL: Resource = Resource {
    name: "live.channel",
    params: &["project_name", "event_name"],
    item: Some(&GET_LIVE_EVENT),
    state: Some(&GET_LIVE_EVENT_STATE),
    state_pointer: "/properties/resourceState",
    failed_when: &[("/properties/outputs/0/error/category", &["Download"])],
    states: &[
        ("UnableToStart", StateKind::Failure),
        ("Starting", StateKind::Transient),
        ("Running", StateKind::Steady),
        ("Deleting", StateKind::Deleting),
    ],
    goals: &[
        Goal {
            name: "running",
            states: &["Running"],
            failures: &["UnableToStart", "Deleting"],
            ..Goal::DEFAULT
        },
        Goal {
            name: "restarted",
            states: &["Running"],
            failures: &["UnableToStart", "Deleting"],
            min_age: Duration::from_secs(30),
            ..Goal::DEFAULT
        },
        Goal {
            name: "repaired",
            states: &["Running"],
            failures: &["UnableToStart", "Deleting"],
            min_age: Duration::from_secs(3),
            failure_grace: Duration::from_secs(15),
            ..Goal::DEFAULT
        },
    ],
    ..Resource::DEFAULT
};

const SHOW: &str = "media/liveEvents/show";

fn channel(service: &Service) -> Wait<Value, State> {
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &CHANNEL, values)
}

fn job(service: &Service, name: &str) -> Wait<Value, State> {
    let values = ["acme", "h264", name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

fn path(name: &str) -> String {
    format!("media/transforms/h264/jobs/{name}")
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn a_closure_of_an_awaited_wait_sees_progress_and_the_resource() {
    let service = Service::new();
    service.at(
        &path("job-1"),
        &[(0, "Processing 10"), (20, "Processing 60"), (500, "Error")],
    );
    let start = Instant::now();
    let half = |change: &Change<State>| {
        change.progress >= Some(50) && change.resource().is_some_and(|job| job["name"] == "job-1")
    };
    job(&service, "job-1").until(half).await.unwrap();
    assert!(start.elapsed() < seconds(60), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_failure_from_before_the_action_is_not_the_end() {
    let states = &[(0, "UnableToStart"), (5, "Starting"), (20, "Running")];
    let service = Service::new();
    service.at(SHOW, states);
    channel(&service).after(async { Ok(()) }).await.unwrap();

    let service = Service::new();
    service.at(SHOW, states);
    channel(&service).goal("restarted").await.unwrap();

    // Without an action it is.
    let service = Service::new();
    service.at(SHOW, states);
    let start = Instant::now();
    channel(&service).await.unwrap_err();
    assert!(start.elapsed() < seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_lasts_ends_the_wait_after_its_grace() {
    let service = Service::new();
    service.at(SHOW, &[(0, "UnableToStart")]);
    for (waiting, grace) in [
        (channel(&service).after(async { Ok(()) }), 10),
        (channel(&service).goal("restarted"), 30),
    ] {
        let start = Instant::now();
        let error = waiting.await.unwrap_err();
        let failure = WaitFailure::of(&error).unwrap();
        assert_eq!(
            (failure.reason, failure.state.as_deref()),
            (Reason::State, Some("UnableToStart"))
        );
        let took = start.elapsed();
        assert!(
            took >= seconds(grace) && took < seconds(grace + 2),
            "{took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_another_state_and_a_deletion_are_the_end_at_once() {
    for states in [
        &[(0, "Starting"), (2, "UnableToStart")][..],
        &[(0, "Deleting")],
    ] {
        let service = Service::new();
        service.at(SHOW, states);
        let start = Instant::now();
        let waiting = channel(&service).after(async { Ok(()) });
        waiting.await.unwrap_err();
        assert!(start.elapsed() < seconds(6), "{states:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_elsewhere_in_the_resource_has_its_grace_as_well() {
    let service = Service::new();
    let healed = super::service::resource(SHOW, "Running");
    let mut stale = healed.clone();
    stale["properties"]["outputs"][0]["error"] = serde_json::json!({"category": "Download"});
    service.life(
        SHOW,
        vec![(seconds(0), Some(stale)), (seconds(5), Some(healed))],
    );
    let mut waiting = channel(&service).goal("restarted");
    while waiting.try_next().await.unwrap().is_some() {}
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_a_write_repairs_may_show_longer_than_the_goal_settles() {
    let states = &[(0, "UnableToStart"), (12, "Starting"), (14, "Running")];
    let service = Service::new();
    service.at(SHOW, states);
    let start = Instant::now();
    channel(&service).goal("repaired").await.unwrap();
    assert!(start.elapsed() >= seconds(12));

    // One that lasts, and one that is new.
    for (states, from, to) in [
        (&[(0, "UnableToStart")][..], 15, 17),
        (&[(0, "Running"), (2, "UnableToStart")], 2, 6),
    ] {
        let service = Service::new();
        service.at(SHOW, states);
        let start = Instant::now();
        channel(&service).goal("repaired").await.unwrap_err();
        let took = start.elapsed();
        assert!(took >= seconds(from) && took < seconds(to), "{took:?}");
    }

    // The goal itself does not wait for that.
    let service = Service::new();
    service.at(SHOW, &[(0, "Running")]);
    let start = Instant::now();
    channel(&service).goal("repaired").await.unwrap();
    assert!(start.elapsed() < seconds(4));
}

#[tokio::test(start_paused = true)]
async fn a_stream_asks_for_states_alone_where_there_is_no_progress() {
    let service = Service::new();
    service.at(
        "media/liveEvents/show",
        &[(0, "Stopped"), (20, "Starting"), (40, "Running")],
    );
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    let mut event: Wait<Value, State> = Wait::new(&service.transport, &LIVE_EVENT, values);
    while event.try_next().await.unwrap().is_some() {}
    let log = service.log();
    let (last, polls) = log.split_last().unwrap();
    assert!(last.1.ends_with("/show"), "{log:?}");
    assert!(
        polls.iter().all(|(_, path)| path.ends_with("/state")),
        "{log:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_retry_after_of_a_poll_that_succeeded_is_capped() {
    for (asked, expected) in [("100000", 60.0), ("40", 40.0)] {
        let capped = RetryPolicy::none().max_retry_after(seconds(60));
        let service = Service::with(|builder| builder.token("token").retry(capped));
        service.script.header("retry-after", asked);
        service.at(&path("job-1"), &[(0, "Processing"), (100, "Finished")]);
        job(&service, "job-1").await.unwrap();
        let log = service.log();
        let gap = log[1].0 - log[0].0;
        assert!((gap - expected).abs() < 0.1, "{asked}: {log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_panics_ends_its_own_wait_only() {
    let service = Service::new();
    for name in ["job-1", "job-2"] {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
    }
    let other = tokio::spawn(job(&service, "job-2").into_future());
    let broken = job(&service, "job-1").until(|_: &Change<State>| panic!("a bug of the user"));
    let error = broken.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Wait);
    let line = error.to_string();
    assert!(
        line.contains("job-1") && line.contains("panicked"),
        "{line}"
    );
    other.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn absurd_intervals_are_those_of_a_year() {
    const YEAR: u64 = 365 * 24 * 3600 * 1000;
    for (range, expected) in [
        (Duration::MAX..Duration::MAX, (YEAR, YEAR)),
        (Duration::ZERO..Duration::MAX, (100, YEAR)),
        (Duration::MAX..Duration::ZERO, (YEAR, YEAR)),
    ] {
        let service = Service::new();
        // Not there at the first poll, so that the interval grows.
        service.at(&path("job-1"), &[(5, "Processing"), (60, "Finished")]);
        // The poll at the deadline comes all the same.
        let waiting = job(&service, "job-1")
            .poll_every(range)
            .timeout(seconds(90));
        assert_eq!(waiting.describe().unwrap().poll_every, Some(expected));
        waiting.await.unwrap();
        let log = service.log();
        let rare = log.len() < 5;
        assert_eq!(rare, expected.0 == YEAR, "{log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_dropped_in_the_middle_of_a_poll_leaves_nothing_behind() {
    let service = Service::new();
    service.at(&path("job-1"), &[(0, "Processing")]);
    let waiting = job(&service, "job-1").into_future();
    // The poll begins after 10 ms and takes 5.
    let poll = Duration::from_millis(12);
    tokio::time::timeout(poll, waiting).await.unwrap_err();
    assert_eq!(service.script.calls(), 1);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(service.waits().pollers(), 0);
    tokio::time::sleep(seconds(100)).await;
    assert_eq!(service.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_is_one_that_failed() {
    let service = Service::new();
    for name in ["job-1", "job-2"] {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
    }
    let polls = std::sync::atomic::AtomicUsize::new(0);
    service.fault(move |_| {
        let poll = polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert_ne!(poll, 1, "a bug in what carries requests");
        None
    });
    let start = Instant::now();
    job(&service, "job-1").await.unwrap();
    assert!(start.elapsed() < seconds(95));
}

#[tokio::test(start_paused = true)]
async fn a_failure_elsewhere_in_the_resource_ends_a_wait_for_states_as_well() {
    let service = Service::new();
    let mut stale = super::service::resource(SHOW, "Running");
    stale["properties"]["outputs"][0]["error"] = serde_json::json!({"category": "Download"});
    service.life(SHOW, vec![(seconds(0), Some(stale))]);
    // A goal, and states that are none.
    for states in [&["Running"][..], &["Running", "Starting"]] {
        let states = states.iter().map(|state| State::from(*state));
        let waiting = channel(&service).until(states.collect::<Vec<_>>());
        let error = waiting.await.unwrap_err();
        assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::State);
    }
}

#[test]
fn a_target_is_written_with_its_place_if_it_has_one() {
    static ALONE: Resource = Resource {
        name: "live.channel",
        params: &["event_name"],
        item: Some(&GET_LIVE_EVENT),
        ..Resource::DEFAULT
    };
    let target = |resource, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned());
        Target::new(resource, values.collect()).unwrap().to_string()
    };
    assert_eq!(target(&ALONE, &["show"]), "live.channel `show`");
    assert_eq!(
        target(&CHANNEL, &["acme", "show"]),
        "live.channel `show` (project_name acme)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_settles_is_polled_at_the_callers_pace_once_it_has_moved() {
    for (states, second) in [
        (&[(0, "Running")][..], 25.0..30.1),
        (&[(0, "Starting"), (40, "Running")], 35.0..39.1),
    ] {
        let service = Service::new();
        service.at(SHOW, states);
        let waiting = channel(&service).goal("restarted");
        waiting.poll_every(seconds(39)..seconds(39)).await.unwrap();
        let log = service.log();
        assert!(second.contains(&log[1].0), "{states:?}: {log:?}");
    }
}
