//! Waits that are written down and taken up again.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{JOB, LIVE_EVENT, Service, status};
use crate::wait::{Reason, Resource, State, Wait, WaitDescription, WaitFailure};

const SHOW: &str = "media/liveEvents/show";
const JOB_1: &str = "media/transforms/h264/jobs/job-1";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn show(service: &Service) -> Wait<Value, State> {
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &LIVE_EVENT, values)
}

fn job(service: &Service) -> Wait<Value, State> {
    let values = ["acme", "h264", "job-1"].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

/// Writes the wait down, drops it, and takes it up in a process that knows nothing else.
fn again(
    service: &Service,
    resource: &'static Resource,
    wait: Wait<Value, State>,
) -> Wait<Value, State> {
    let written = serde_json::to_string(&wait.describe().unwrap()).unwrap();
    drop(wait);
    let read: WaitDescription = serde_json::from_str(&written).unwrap();
    Wait::resume(&service.transport, resource, &read).unwrap()
}

fn reason(error: &crate::Error) -> Reason {
    WaitFailure::of(error).unwrap().reason
}

#[tokio::test(start_paused = true)]
async fn how_long_a_404_is_tolerated_is_written_down() {
    let service = Service::new();
    let wait = again(&service, &JOB, job(&service).missing_for(seconds(0)));
    let start = Instant::now();
    assert_eq!(reason(&wait.await.unwrap_err()), Reason::NotFound);
    assert!(start.elapsed() < seconds(1));

    let wait = again(&service, &JOB, job(&service).missing_for(seconds(600)));
    service.at(JOB_1, &[(500, "Finished")]);
    wait.await.unwrap();

    // As a point in time: what has passed before the restart counts.
    let service = Service::new();
    let mut late = job(&service).describe().unwrap();
    late.missing_until = Some(chrono::DateTime::UNIX_EPOCH);
    let wait: Wait<Value, State> = Wait::resume(&service.transport, &JOB, &late).unwrap();
    assert_eq!(reason(&wait.await.unwrap_err()), Reason::NotFound);
    assert_eq!(service.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_before_the_restart_counts() {
    // A start that was under way, and fell back meanwhile.
    let service = Service::new();
    service.at(SHOW, &[(0, "Starting")]);
    let mut wait = show(&service);
    wait.try_next().await.unwrap();
    let wait = again(&service, &LIVE_EVENT, wait);
    service.at(SHOW, &[(0, "Stopped")]);
    assert_eq!(reason(&wait.await.unwrap_err()), Reason::FellBack);

    // A resource that was there and is not any more: no time to appear.
    let mut wait = show(&service);
    wait.try_next().await.unwrap();
    let wait = again(&service, &LIVE_EVENT, again(&service, &LIVE_EVENT, wait));
    service.at(SHOW, &[(0, "")]);
    let start = Instant::now();
    assert_eq!(reason(&wait.await.unwrap_err()), Reason::Gone);
    assert!(start.elapsed() < seconds(1));

    // A restart that was seen to have begun.
    service.at(SHOW, &[(0, "Starting")]);
    let mut wait = show(&service).goal("restarted");
    wait.try_next().await.unwrap();
    let wait = again(&service, &LIVE_EVENT, wait);
    service.at(SHOW, &[(0, "Running")]);
    let start = Instant::now();
    wait.await.unwrap();
    assert!(start.elapsed() < seconds(1));
}

#[tokio::test(start_paused = true)]
async fn what_is_from_before_an_action_does_not_count_after_a_restart_either() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Deleting"), (5, "Running")]);
    service.at(JOB_1, &[(0, "Error"), (5, "Processing"), (20, "Finished")]);
    let mut wait = job(&service).after(async { Ok(()) });
    wait.try_next().await.unwrap();
    let description = wait.describe().unwrap();
    assert!(description.after_action);
    again(&service, &JOB, wait).await.unwrap();

    // Without an action the failure is one.
    service.at(JOB_1, &[(0, "Error")]);
    let wait = again(&service, &JOB, job(&service));
    assert_eq!(reason(&wait.await.unwrap_err()), Reason::State);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_has_ended_and_one_that_acts_can_be_described_as_well() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (10, "Finished")]);
    let mut wait = job(&service).timeout(seconds(100));
    wait.try_next().await.unwrap();
    assert!(!wait.describe().unwrap().after_action);
    while wait.try_next().await.unwrap().is_some() {}
    let description = serde_json::to_value(wait.describe().unwrap()).unwrap();
    assert_eq!(description["seen"], json!(["Finished", "Processing"]));

    let mut wait = job(&service).after(std::future::pending::<crate::Result<()>>());
    let next = tokio::time::timeout(seconds(1), wait.try_next()).await;
    assert!(next.is_err());
    assert!(wait.describe().unwrap().after_action);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_put_back_makes_no_wait_longer() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing")]);
    let mut written = job(&service).timeout(seconds(60)).describe().unwrap();
    written.deadline += chrono::TimeDelta::days(365);
    let wait: Wait<Value, State> = Wait::resume(&service.transport, &JOB, &written).unwrap();
    let start = Instant::now();
    assert!(wait.await.unwrap_err().is_timeout());
    assert!(start.elapsed() < seconds(61));
}

#[tokio::test(start_paused = true)]
async fn endless_times_are_written_and_read() {
    let service = Service::new();
    service.at(JOB_1, &[(25, "Processing"), (60, "Finished")]);
    let wait = job(&service)
        .timeout(Duration::MAX)
        .missing_for(Duration::MAX);
    let wait = again(&service, &JOB, wait);
    let deadline = wait.describe().unwrap().deadline();
    assert!(deadline > chrono::Utc::now() + chrono::TimeDelta::days(36500));
    wait.await.unwrap();
}

#[test]
fn descriptions_of_earlier_versions_are_read() {
    let written = json!({
        "resource": "media.job",
        "parameters": {"project_name": "acme", "transform_name": "h264", "job_name": "job-1"},
        "goal": {"goal": "finished"},
        "deadline": "2026-03-01T10:00:00Z",
    });
    let read: WaitDescription = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
}

#[tokio::test(start_paused = true)]
async fn a_description_that_lacks_something_is_refused_by_name() {
    let service = Service::new();
    service.fault(|_| Some(status(500)));
    let mut written = serde_json::to_value(job(&service).describe().unwrap()).unwrap();
    written["parameters"]
        .as_object_mut()
        .unwrap()
        .remove("job_name");
    let read: WaitDescription = serde_json::from_value(written).unwrap();
    let error = Wait::<Value, State>::resume(&service.transport, &JOB, &read).unwrap_err();
    assert!(error.to_string().contains("job_name"), "{error}");
    assert_eq!(service.script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_description_tells_its_resource_and_belongs_to_a_project() {
    let service = Service::new();
    let written = job(&service).describe().unwrap();
    assert_eq!(written.resource(), "media.job");
    assert_eq!(written.parameter("job_name"), Some("job-1"));
    assert_eq!(written.parameter("device_name"), None);
    assert!(!written.after_action);
    assert!(written.check_project("acme").is_ok());
    let error = written.check_project("other").map(drop).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::InvalidRequest);
    let line = error.to_string();
    assert!(
        line.contains("`acme`") && line.contains("`other`"),
        "{line}"
    );
}
