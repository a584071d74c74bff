//! News from events, with the paused clock.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    service::{LIVE_EVENT, Service, resource},
    sharing::{job, path, seconds},
};
use crate::wait::{Change, State, StateEvent, Wait, WaitFailure};

fn finished(name: &str) -> StateEvent {
    // As the service prints it: without the part of the API.
    StateEvent::new(format!("/api/v1/projects/acme/transforms/h264/jobs/{name}"))
        .state("Finished")
        .time("2026-03-01T10:00:00Z")
        .resource(resource(&path(name), "Finished"))
}

#[tokio::test(start_paused = true)]
async fn an_event_ends_a_wait_without_a_poll() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    let calls = service.script.calls();
    // Others do not concern it.
    service.waits().notify(&finished("b"));
    service.waits().notify(
        &StateEvent::new("/api/v1/projects/other/transforms/h264/jobs/a").state("Finished"),
    );
    service.waits().notify(&finished("a"));
    let start = Instant::now();
    assert_eq!(waiting.await.unwrap()["name"], "a");
    assert_eq!(
        (service.script.calls(), start.elapsed()),
        (calls, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_without_the_resource_has_it_read_once() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Finished")]);
    let waiting = job(&service, "a").poll_every(seconds(30)..seconds(30));
    let mut event = finished("a");
    event.resource = None;
    let waits = service.waits().clone();
    service.at(&path("a"), &[(0, "Processing"), (10, "Finished")]);
    tokio::spawn(async move {
        tokio::time::sleep(seconds(10)).await;
        waits.notify(&event);
    });
    let start = Instant::now();
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
    assert!(start.elapsed() < seconds(11));
    assert_eq!(service.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_failure_is_an_error_with_what_the_resource_says() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    let mut event = finished("a").state("Error");
    event.resource = Some(resource(&path("a"), "Error"));
    service.waits().notify(&event);
    let error = waiting.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.errors[0].message.as_deref(), Some("no such file"));
}

#[tokio::test(start_paused = true)]
async fn events_that_come_late_do_not_turn_back_the_state() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Queued")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    let event = |state: &str, time: &str| finished("a").state(state).time(time);
    let strip = |mut event: StateEvent| {
        event.resource = None;
        event
    };
    service
        .waits()
        .notify(&strip(event("Processing", "2026-03-01T10:00:05Z")));
    service
        .waits()
        .notify(&strip(event("Scheduled", "2026-03-01T10:00:01Z")));
    service
        .waits()
        .notify(&strip(event("Canceling", "2026-03-01T10:00:09Z")));
    // Times are in whole seconds: another one within the same second is news.
    service
        .waits()
        .notify(&strip(event("Processing", "2026-03-01T10:00:09Z")));
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(waiting.try_next().await.unwrap().unwrap().state.to_string());
    }
    assert_eq!(states, ["Processing", "Canceling", "Processing"]);
}

#[tokio::test(start_paused = true)]
async fn polling_is_slow_while_events_arrive_and_resumes_when_they_stop() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let waiting = job(&service, "a").poll_every(seconds(5)..seconds(5));
    let running = tokio::spawn(waiting.into_future());
    tokio::time::sleep(seconds(60)).await;
    let before = service.script.calls();
    assert!((12..=14).contains(&before), "{before}");

    // Events about other jobs of the project, for ten minutes.
    for number in 0..10 {
        service
            .waits()
            .notify(&finished(&format!("other-{number}")));
        tokio::time::sleep(seconds(60)).await;
    }
    let during = service.script.calls() - before;
    assert!((9..=11).contains(&during), "{during}");

    // They stop: three minutes later the wait is back at its own pace.
    tokio::time::sleep(seconds(130)).await;
    let before = service.script.calls();
    tokio::time::sleep(seconds(60)).await;
    let after = service.script.calls() - before;
    assert!((11..=14).contains(&after), "{after}");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn events_do_not_slow_down_what_has_none() {
    let service = Service::new();
    service.at("media/liveEvents/show", &[(0, "Starting"), (30, "Running")]);
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    let event: Wait<Value, State> = Wait::new(&service.transport, &LIVE_EVENT, values);
    service
        .waits()
        .notify(&StateEvent::new("/api/v1/projects/acme/media/liveEvents/other").state("Running"));
    let start = Instant::now();
    event.await.unwrap();
    assert!(start.elapsed() < seconds(41));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_began_before_an_event_tells_nothing_new() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Queued"), (100, "Finished")]);
    let mut waiting = job(&service, "a").poll_every(seconds(5)..seconds(5));
    waiting.try_next().await.unwrap();
    // The next poll is under way when the event comes.
    let calls = service.script.calls();
    while service.script.calls() == calls {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut event = finished("a").state("Processing");
    event.resource = None;
    service.waits().notify(&event);
    service.at(
        &path("a"),
        &[(0, "Queued"), (6, "Processing"), (100, "Finished")],
    );
    let mut states = Vec::new();
    while let Some(change) = waiting.try_next().await.unwrap() {
        states.push(change.state.to_string());
    }
    assert_eq!(states, ["Processing", "Finished"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_older_than_a_poll_makes_it_poll_again() {
    let service = Service::new();
    service
        .script
        .header("date", "Sun, 01 Mar 2026 10:00:10 GMT");
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a").poll_every(seconds(600)..seconds(600));
    waiting.try_next().await.unwrap();
    let calls = service.script.calls();
    // Of the time before the job was made again, for all one knows.
    service.waits().notify(&finished("a"));
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(service.script.calls(), calls + 1);
    service
        .waits()
        .notify(&finished("a").time("2026-03-01T10:00:09Z"));
    assert_eq!(waiting.await.unwrap()["name"], "a");
}

#[tokio::test(start_paused = true)]
async fn a_fall_back_that_only_an_event_tells_is_polled() {
    let service = Service::new();
    let show = "media/liveEvents/show";
    service.at(show, &[(0, "Starting"), (60, "Running")]);
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    let mut event: Wait<Value, State> = Wait::new(&service.transport, &LIVE_EVENT, values);
    event.try_next().await.unwrap();
    let late = StateEvent::new("/api/v1/projects/acme/media/liveEvents/show").state("Stopped");
    service.waits().notify(&late);
    assert_eq!(event.await.unwrap()["properties"]["state"], "Running");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_tells_no_state_has_the_one_of_its_resource() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    let mut waiting = job(&service, "a");
    waiting.try_next().await.unwrap();
    let calls = service.script.calls();
    let mut event = finished("a");
    event.state = None;
    service.waits().notify(&event);
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
    assert_eq!(service.script.calls(), calls);
}

#[tokio::test(start_paused = true)]
async fn an_event_about_something_else_is_no_news() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (50, "Finished")]);
    let mut waiting = job(&service, "a").poll_every(seconds(100)..seconds(100));
    waiting.try_next().await.unwrap();
    let calls = service.script.calls();
    for source in [
        "",
        "/",
        "projects",
        "/api/v1/projects",
        "/api/v1/projects/acme",
    ] {
        service
            .waits()
            .notify(&StateEvent::new(source).state("Finished"));
    }
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(service.script.calls(), calls);
    waiting.await.unwrap();
}

/// What an event says is the reason to read the resource; the resource has the last word.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_ahead_of_reads_ends_no_wait_for_a_closure() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Queued"), (50, "Processing")]);
    let wait = || {
        let processing = |change: &Change<State>| change.state.to_string() == "Processing";
        let waiting = job(&service, "a").until(processing);
        waiting.poll_every(seconds(10)..seconds(10))
    };
    let mut event = finished("a").state("Processing");
    event.resource = None;
    let mut waiting = wait();
    waiting.try_next().await.unwrap();
    service.waits().notify(&event);
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Processing");

    // One that is right ends it, with one read.
    service.at(&path("a"), &[(0, "Queued")]);
    let mut waiting = wait();
    waiting.try_next().await.unwrap();
    service.at(&path("a"), &[(0, "Processing")]);
    let calls = service.script.calls();
    service.waits().notify(&event);
    assert_eq!(waiting.await.unwrap()["properties"]["state"], "Processing");
    assert_eq!(service.script.calls(), calls + 1);
}

#[test]
fn debug_of_an_event_shows_no_resource() {
    let shown = format!("{:?}", finished("a"));
    assert!(
        shown.contains("Finished") && shown.contains("jobs/a"),
        "{shown}"
    );
    assert!(!shown.contains("properties"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn the_pace_with_events_and_its_end_are_the_callers() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    service.waits().poll_every_with_events(seconds(20));
    service.waits().expect_events_for(seconds(100));
    let waiting = job(&service, "a").poll_every(seconds(5)..seconds(5));
    let running = tokio::spawn(waiting.into_future());
    tokio::time::sleep(seconds(60)).await;
    let polls = async |time: u64| {
        let before = service.script.calls();
        tokio::time::sleep(seconds(time)).await;
        service.script.calls() - before
    };
    service.waits().notify(&finished("other"));
    let slow = polls(100).await;
    assert!((4..=6).contains(&slow), "{slow}");
    polls(20).await;
    let again = polls(60).await;
    assert!((11..=14).contains(&again), "{again}");
    running.abort();
}
