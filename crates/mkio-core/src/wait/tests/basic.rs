//! Waits against a scripted service, with the paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{
    BACKUP, DEVICE_PRELOAD, DEVICE_SOFTWARE, JOB, LIVE_EVENT, Service, resource, status,
};
use crate::{
    Error, ErrorKind,
    wait::{Change, Reason, Resource, State, StateKind, StateName, Wait, WaitFailure},
};

#[derive(Debug, Deserialize)]
struct Model {
    name: String,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
struct Properties {
    state: String,
}

type Of<T> = Wait<T, State>;

fn wait(service: &Service, resource: &'static Resource, names: &[&str]) -> Of<Model> {
    let mut values = vec!["acme".to_owned()];
    values.extend(names.iter().map(|name| (*name).to_owned()));
    Wait::new(&service.transport, resource, values)
}

fn job(service: &Service, name: &str) -> Of<Model> {
    wait(service, &JOB, &["h264", name])
}

fn event(service: &Service) -> Of<Model> {
    wait(service, &LIVE_EVENT, &["show"])
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const JOB_1: &str = "media/transforms/h264/jobs/job-1";
const SHOW: &str = "media/liveEvents/show";

#[tokio::test(start_paused = true)]
async fn gives_the_finished_resource() {
    let service = Service::new();
    service.at(
        JOB_1,
        &[(0, "Queued"), (10, "Processing"), (60, "Finished")],
    );
    let model = job(&service, "job-1").await.unwrap();
    assert_eq!(
        (model.name.as_str(), model.properties.state.as_str()),
        ("job-1", "Finished")
    );

    // States alone while it lasts, the resource once at the end.
    let log = service.log();
    let (last, states) = log.split_last().unwrap();
    assert!(
        states
            .iter()
            .all(|(_, path)| path.ends_with("/job-1/state")),
        "{log:?}"
    );
    assert!(last.1.ends_with("/jobs/job-1"));
    assert!(last.0 >= 60.0 && last.0 < 91.0, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn starts_nothing_before_the_first_poll() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Finished")]);
    let waiting = job(&service, "job-1");
    tokio::time::sleep(seconds(100)).await;
    assert_eq!((service.script.calls(), service.waits().pollers()), (0, 0));
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shows_each_change_as_soon_as_it_is_seen() {
    let service = Service::new();
    service.at(
        JOB_1,
        &[
            (0, "Queued"),
            (5, "Processing 0"),
            (20, "Processing 50"),
            (40, "Finished"),
        ],
    );
    let start = Instant::now();
    let mut waiting = job(&service, "job-1").poll_every(seconds(1)..seconds(1));
    let mut seen = Vec::new();
    while let Some(change) = waiting.try_next().await.unwrap() {
        let at = start.elapsed().as_secs_f64();
        // Shown when it was seen, not a poll later.
        assert!((at - change.elapsed.as_secs_f64()).abs() < 0.1);
        seen.push((change.state.to_string(), change.progress, at));
    }
    let states: Vec<_> = seen
        .iter()
        .map(|(state, progress, _)| (state.as_str(), *progress))
        .collect();
    assert_eq!(
        states,
        [
            ("Queued", None),
            ("Processing", Some(0)),
            ("Processing", Some(50)),
            ("Finished", None)
        ]
    );
    for ((_, _, at), expected) in seen.iter().zip([0.0, 5.0, 20.0, 40.0]) {
        assert!(*at >= expected && *at < expected + 1.2, "{seen:?}");
    }
    assert_eq!(waiting.await.unwrap().properties.state, "Finished");
}

#[tokio::test(start_paused = true)]
async fn a_failure_state_is_an_error_at_once_and_owns_what_is_known() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (30, "Error")]);
    let error = job(&service, "job-1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Wait);
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.state.as_deref()),
        (Reason::State, Some("Error"))
    );
    assert_eq!(
        failure.errors[0].code.as_deref(),
        Some("DownloadNotAccessible")
    );
    assert_eq!(failure.errors[0].retry.as_deref(), Some("MayRetry"));
    assert!(failure.elapsed >= seconds(30) && failure.elapsed < seconds(61));
    assert_eq!(failure.decode::<Model>().unwrap().name, "job-1");
    let line = error.to_string();
    for part in [
        "media.job `job-1`",
        "Error",
        "DownloadNotAccessible",
        "no such file",
    ] {
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_error_and_awaiting_gives_it_again() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Canceled")]);
    let mut waiting = job(&service, "job-1");
    let change = waiting.try_next().await.unwrap().unwrap();
    assert_eq!(change.kind, Some(StateKind::Failure));
    let error = waiting.try_next().await.unwrap_err();
    assert!(waiting.try_next().await.unwrap().is_none());
    let again = waiting.await.unwrap_err();
    assert_eq!(error.to_string(), again.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_start_that_has_not_begun_is_not_the_end_and_one_that_fell_back_is() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (20, "Starting"), (40, "Running")]);
    assert_eq!(event(&service).await.unwrap().properties.state, "Running");

    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (20, "Starting"), (40, "Stopped")]);
    let error = event(&service).await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.state.as_deref()),
        (Reason::FellBack, Some("Stopped"))
    );
    assert!(failure.elapsed < seconds(60));
}

#[tokio::test(start_paused = true)]
async fn a_restart_counts_only_once_it_has_begun() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Running"), (5, "Stopping"), (8, "Running")]);
    let start = Instant::now();
    event(&service).goal("restarted").await.unwrap();
    assert!(start.elapsed() >= seconds(8), "{:?}", start.elapsed());

    // One that was over before the first poll.
    let service = Service::new();
    service.at(SHOW, &[(0, "Running")]);
    let start = Instant::now();
    event(&service).goal("restarted").await.unwrap();
    assert!(
        start.elapsed() >= seconds(20) && start.elapsed() < seconds(21),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn waits_for_states_and_for_what_a_closure_accepts() {
    let states = &[
        (0, "Queued"),
        (10, "Processing 10"),
        (30, "Processing 60"),
        (60, "Finished"),
    ];
    let service = Service::new();
    service.at(JOB_1, states);
    let processing = || job(&service, "job-1");
    let model = processing().until("Processing").await.unwrap();
    assert_eq!(model.properties.state, "Processing");
    let either = [State::from("Processing"), State::from("Finished")];
    processing().until(either.clone()).await.unwrap();
    processing().until(either.to_vec()).await.unwrap();

    let mut half = processing().until_fn(|change| change.progress >= Some(50));
    let mut last = None;
    while let Some(change) = half.try_next().await.unwrap() {
        last = change.progress;
    }
    assert_eq!(last, Some(60));

    // A job that has ended will never process again.
    tokio::time::sleep(seconds(60)).await;
    let error = processing().until("Processing").await.unwrap_err();
    assert_eq!(
        WaitFailure::of(&error).unwrap().state.as_deref(),
        Some("Finished")
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_state_is_reported_and_the_wait_goes_on() {
    let service = Service::new();
    service.at(
        JOB_1,
        &[(0, "Queued"), (10, "Levitating"), (30, "Finished")],
    );
    let mut waiting = job(&service, "job-1");
    let mut unknown = Vec::new();
    while let Some(change) = waiting.try_next().await.unwrap() {
        if change.kind.is_none() {
            unknown.push(change.state.as_name().to_owned());
        }
    }
    assert_eq!(unknown, ["Levitating"]);
    assert_eq!(waiting.await.unwrap().properties.state, "Finished");
}

#[tokio::test(start_paused = true)]
async fn there_is_always_a_deadline_with_one_last_poll() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing 30")]);
    let mut waiting = job(&service, "job-1").timeout(seconds(100));
    while let Ok(Some(_)) = waiting.try_next().await {}
    let error = waiting.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout());
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.progress),
        (Reason::Timeout, Some(30))
    );
    let last = service.log().last().unwrap().0;
    assert!((100.0..100.1).contains(&last), "{last}");

    // What the last poll sees counts.
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (100, "Finished")]);
    job(&service, "job-1").timeout(seconds(100)).await.unwrap();

    // The default deadline.
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped")]);
    let start = Instant::now();
    let error = event(&service).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(start.elapsed() >= seconds(600) && start.elapsed() < seconds(601));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_does_not_move_the_deadline() {
    let hanging = crate::page::script::Script::slow(seconds(3600), |_| Ok("{}".to_owned()));
    let values = ["acme", "h264", "job-1"].map(str::to_owned).to_vec();
    let start = Instant::now();
    let waiting: Of<Model> = Wait::new(&hanging.transport(), &JOB, values);
    assert!(waiting.timeout(seconds(30)).await.unwrap_err().is_timeout());
    assert!(start.elapsed() <= seconds(41), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_404_is_tolerated_for_a_while_after_a_creation() {
    let service = Service::new();
    service.at(JOB_1, &[(20, "Queued"), (40, "Finished")]);
    job(&service, "job-1").await.unwrap();

    let service = Service::new();
    let error = job(&service, "job-1").await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.reason, Reason::NotFound);
    assert!(failure.elapsed >= seconds(30) && failure.elapsed < seconds(60));

    let service = Service::new();
    let error = job(&service, "job-1")
        .missing_for(seconds(0))
        .await
        .unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::NotFound);
    assert_eq!(service.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_404_means_gone_only_where_gone_is_the_goal() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (10, "Deleting"), (20, "")]);
    event(&service).until_gone().await.unwrap();

    let service = Service::new();
    event(&service).until_gone().await.unwrap();
    assert_eq!(service.script.calls(), 1);

    let service = Service::new();
    service.at(SHOW, &[(0, "Starting"), (20, "")]);
    let error = event(&service).await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.state.as_deref()),
        (Reason::Gone, Some("Starting"))
    );
}

#[tokio::test(start_paused = true)]
async fn polls_at_growing_intervals_within_the_bounds() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (300, "Finished")]);
    job(&service, "job-1")
        .poll_every(seconds(2)..seconds(20))
        .await
        .unwrap();
    let log = service.log();
    let gaps: Vec<_> = log.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let (_, gaps) = gaps.split_last().unwrap();
    assert!(gaps[0] >= 1.8 && gaps[0] <= 3.1, "{gaps:?}");
    for (gap, next) in gaps.iter().zip(&gaps[1..]).take(5) {
        assert!(next > gap, "{gaps:?}");
    }
    assert!(gaps.iter().all(|gap| *gap <= 20.1), "{gaps:?}");
    let last = &gaps[gaps.len() - 5..];
    assert!(last.iter().all(|gap| *gap >= 17.9), "{gaps:?}");
    assert!(
        last.windows(2).any(|pair| pair[0] != pair[1]),
        "no jitter: {gaps:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_poll_is_retried_and_the_wait_survives() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (100, "Finished")]);
    let calls = AtomicUsize::new(0);
    service.fault(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        1 => Some(status(503)),
        2 => Some(status(429)),
        3 => Some(Error::new(ErrorKind::Connection, "reset")),
        _ => None,
    });
    let start = Instant::now();
    job(&service, "job-1").await.unwrap();
    assert!(start.elapsed() < seconds(131), "{:?}", start.elapsed());
    // Each is one request, and the next one comes after the shortest time between polls.
    let log = service.log();
    for pair in log[1..5].windows(2) {
        let gap = pair[1].0 - pair[0].0;
        assert!((1.99..2.1).contains(&gap), "{log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_that_fails_is_retried_as_well() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Finished")]);
    let reads = AtomicUsize::new(0);
    service.fault(move |seen| {
        let read = !seen.path.ends_with("/state");
        (read && reads.fetch_add(1, Ordering::Relaxed) < 2).then(|| status(502))
    });
    assert_eq!(job(&service, "job-1").await.unwrap().name, "job-1");
}

#[tokio::test(start_paused = true)]
async fn an_outage_until_the_deadline_is_the_cause_of_the_error() {
    let service = Service::new();
    service.fault(|_| Some(status(503)));
    let error = job(&service, "job-1")
        .timeout(seconds(600))
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("503"), "{source}");
    // Backoff up to 30 s, one request per try: nothing is nested.
    assert!(service.script.calls() < 120, "{}", service.script.calls());
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_cannot_succeed_ends_the_wait() {
    let service = Service::new();
    service.fault(|_| Some(status(403)));
    let error = job(&service, "job-1").await.unwrap_err();
    assert!(error.is_denied());
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::Poll);
    assert_eq!(service.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn unusable_names_are_errors_before_anything_is_sent() {
    let service = Service::new();
    for name in ["", ".", ".."] {
        let error = job(&service, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("job_name"), "{error}");
    }
    let error = job(&service, "a").goal("flying").await.unwrap_err();
    assert!(error.to_string().contains("flying"), "{error}");
    assert_eq!(service.script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_action_comes_first_and_its_error_ends_the_wait() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Finished")]);
    let acted = Arc::new(AtomicUsize::new(0));
    let count = acted.clone();
    let waiting = job(&service, "job-1").after(async move {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!(acted.load(Ordering::Relaxed), 0);
    waiting.await.unwrap();
    assert_eq!(acted.load(Ordering::Relaxed), 1);

    let before = service.script.calls();
    let refused = job(&service, "job-1").after(async { Err::<(), _>(status(409)) });
    assert!(refused.await.unwrap_err().is_conflict());
    assert_eq!(service.script.calls(), before);
}

#[tokio::test(start_paused = true)]
async fn resources_without_a_state_are_waited_for_by_presence() {
    let service = Service::new();
    service.at("fleet/backups/nightly.v2.tar.gz", &[(90, "x")]);
    let values = ["acme", "nightly.v2"].map(str::to_owned).to_vec();
    let backup: Of<Value> = Wait::new(&service.transport, &BACKUP, values);
    assert_eq!(
        backup.await.unwrap()["metadata"]["name"],
        "nightly.v2.tar.gz"
    );
    assert!(
        service
            .log()
            .iter()
            .all(|(_, path)| path == "fleet/backups")
    );
}

#[tokio::test(start_paused = true)]
async fn an_earlier_resource_of_the_same_name_is_as_good_as_absent_on_demand() {
    let made = |time: &str| json!({"metadata": {"name": "nightly.tar.gz", "created": time}});
    let (old, new) = (made("2026-03-01T10:00:00Z"), made("2026-03-02T10:00:00Z"));
    let service = Service::new();
    service.life("fleet/backups/0", vec![(seconds(0), Some(old.clone()))]);
    service.life("fleet/backups/1", vec![(seconds(60), Some(new.clone()))]);
    let values = || ["acme", "nightly"].map(str::to_owned).to_vec();
    let waiting = || Wait::<Value, State>::new(&service.transport, &BACKUP, values());
    assert_eq!(waiting().await.unwrap(), old);

    let newer = waiting().created_after("2026-03-01T12:00:00Z");
    let written = serde_json::to_string(&newer.describe().unwrap()).unwrap();
    let start = Instant::now();
    assert_eq!(newer.await.unwrap(), new);
    assert!(start.elapsed() >= seconds(60));
    // Among several the newest counts.
    assert_eq!(waiting().await.unwrap(), new);

    let read = serde_json::from_str(&written).unwrap();
    let again: Of<Value> = Wait::resume(&service.transport, &BACKUP, &read).unwrap();
    assert_eq!(again.await.unwrap(), new);
}

#[tokio::test(start_paused = true)]
async fn software_is_switched_when_the_version_runs() {
    let service = Service::new();
    let device = |state: &str, version: &str| {
        Some(json!({"status": {"softwareUpgradeState": state, "currentSoftwareVersion": version}}))
    };
    service.life(
        "fleet/devices/beam-1",
        vec![
            (seconds(0), device("Idle", "1.12.0.7")),
            (seconds(100), device("Switching", "1.12.0.7")),
            (seconds(200), device("Idle", "1.13.0.1")),
        ],
    );
    let values = ["acme", "beam-1", "1.13.0.1"].map(str::to_owned).to_vec();
    let start = Instant::now();
    let waiting: Of<Value> = Wait::new(&service.transport, &DEVICE_SOFTWARE, values);
    waiting.await.unwrap();
    assert!(start.elapsed() >= seconds(200));
}

#[tokio::test(start_paused = true)]
async fn a_state_can_be_that_of_an_entry_of_a_list() {
    let service = Service::new();
    let device = |state: &str, progress: u8| {
        Some(json!({"status": {"preloadedSoftware": [
            {"version": "1.0", "state": "Downloaded"},
            {"version": "2.0", "state": state, "precentProgress": progress},
        ]}}))
    };
    service.life(
        "fleet/devices/beam-1",
        vec![
            (
                seconds(0),
                Some(json!({"status": {"preloadedSoftware": []}})),
            ),
            (seconds(10), device("Downloading", 40)),
            (seconds(30), device("Downloaded", 100)),
        ],
    );
    let values = ["acme", "beam-1", "2.0"].map(str::to_owned).to_vec();
    let mut waiting: Of<Value> = Wait::new(&service.transport, &DEVICE_PRELOAD, values);
    let mut seen = Vec::new();
    while let Some(change) = waiting.try_next().await.unwrap() {
        seen.push((change.state.to_string(), change.progress));
    }
    assert_eq!(
        seen,
        [
            ("Downloading".to_owned(), Some(40)),
            ("Downloaded".to_owned(), Some(100))
        ]
    );
}

mod typed {
    crate::open_enum! {
        /// States of a job.
        pub enum JobState {
            /// It runs.
            Processing = "Processing",
            /// It is done.
            Finished = "Finished",
        }
    }
    crate::state_names!(JobState);
}

#[tokio::test(start_paused = true)]
async fn states_have_their_type() {
    use typed::JobState;
    assert_eq!(JobState::KNOWN.len(), 2);
    let service = Service::new();
    service.at(
        JOB_1,
        &[(0, "Queued"), (10, "Processing"), (60, "Finished")],
    );
    let values = || ["acme", "h264", "job-1"].map(str::to_owned).to_vec();
    let waiting = || Wait::<Model, JobState>::new(&service.transport, &JOB, values());
    let model = waiting().until(JobState::Processing).await.unwrap();
    assert_eq!(model.properties.state, "Processing");
    waiting()
        .until([JobState::Finished, JobState::Processing])
        .await
        .unwrap();
    let mut states = Vec::new();
    let finished = |change: &Change<JobState>| change.state == JobState::Finished;
    let mut waiting = waiting().until(finished);
    while let Some(change) = waiting.try_next().await.unwrap() {
        states.push(change.state);
    }
    assert_eq!(states, [JobState::Processing, JobState::Finished]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_described_and_taken_up_again_by_name() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (100, "Finished")]);
    let mut waiting = job(&service, "job-1").poll_every(seconds(3)..seconds(7));
    waiting.try_next().await.unwrap();
    let written = serde_json::to_string(&waiting.describe().unwrap()).unwrap();
    drop(waiting);

    let description = serde_json::from_str(&written).unwrap();
    let again: Of<Model> = Wait::resume(&service.transport, &JOB, &description).unwrap();
    assert_eq!(again.describe().unwrap().poll_every, Some((3000, 7000)));
    assert_eq!(again.await.unwrap().name, "job-1");

    // Each goal survives; a closure cannot be written down.
    for (goal, text) in [
        (event(&service).goal("stopped"), "stopped"),
        (event(&service).until(State::from("Elsewhere")), "Elsewhere"),
    ] {
        let description = goal.describe().unwrap();
        assert!(serde_json::to_string(&description).unwrap().contains(text));
        let again: Of<Model> = Wait::resume(&service.transport, &LIVE_EVENT, &description).unwrap();
        assert_eq!(again.describe().unwrap().goal, description.goal);
    }
    let gone = event(&service).until_gone().describe().unwrap();
    let again = Of::<Model>::resume_until_gone(&service.transport, &LIVE_EVENT, &gone).unwrap();
    again.await.unwrap();
    let closure = event(&service).until(|_: &Change<State>| true);
    assert_eq!(
        closure.describe().unwrap_err().kind(),
        ErrorKind::InvalidRequest
    );

    // Not a wait for another kind of resource.
    let wrong = Wait::<Model, State>::resume(&service.transport, &LIVE_EVENT, &description);
    assert!(wrong.unwrap_err().to_string().contains("media.job"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_taken_up_after_its_deadline_has_one_poll() {
    // The poll, and the read of what it saw; the poll alone where that is not the goal.
    for (state, requests) in [("Finished", 2), ("Processing", 1)] {
        let service = Service::new();
        service.at(JOB_1, &[(0, state)]);
        let mut description = job(&service, "job-1").describe().unwrap();
        description.deadline = chrono::DateTime::UNIX_EPOCH;
        let again: Of<Model> = Wait::resume(&service.transport, &JOB, &description).unwrap();
        let outcome = again.await;
        let late = outcome.as_ref().is_err_and(Error::is_timeout);
        assert_eq!((outcome.is_ok(), late), (requests == 2, requests == 1));
        assert_eq!(service.script.calls(), requests, "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_resource() {
    let service = Service::new();
    let mut secret = resource(SHOW, "Deleting");
    secret["properties"]["accessToken"] = json!("hunter2");
    service.life(SHOW, vec![(seconds(0), Some(secret))]);
    let mut waiting = event(&service);
    let change = waiting.try_next().await.unwrap();
    let error = waiting.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        failure.json().unwrap()["properties"]["accessToken"],
        "hunter2"
    );
    let shown = format!("{change:?} {error:?} {error} {failure:?} {failure}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_wait_outside_a_runtime_says_what_is_missing() {
    let waiting = {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let service = runtime.block_on(async { Service::new() });
        job(&service, "job-1")
    };
    let mut future = waiting.into_future();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = future.as_mut().poll(&mut cx) else {
        panic!("it cannot have begun");
    };
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[test]
fn waits_are_send() {
    fn send<T: Send + Unpin>() {}
    send::<Wait<Model, State>>();
    fn future<T: std::future::IntoFuture<IntoFuture: Send>>() {}
    future::<Wait<Model, State>>();
}
