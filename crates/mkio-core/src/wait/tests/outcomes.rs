//! What a wait gives in the end, and what it tells on the way.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, future::join_all};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{BACKUP, JOB, LIVE_EVENT, Service, resource, status};
use crate::{
    Error, ErrorKind,
    wait::{ActionCall, Reason, State, StateEvent, Wait, WaitFailure},
};

const JOB_1: &str = "media/transforms/h264/jobs/job-1";
const SHOW: &str = "media/liveEvents/show";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn job(service: &Service, name: &str) -> Wait<Value, State> {
    let values = ["acme", "h264", name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

fn show(service: &Service) -> Wait<Value, State> {
    let values = ["acme", "show"].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &LIVE_EVENT, values)
}

/// A job in this state that was created at this time.
fn created(state: &str, time: &str) -> Value {
    let mut job = resource(JOB_1, state);
    job["properties"]["created"] = time.into();
    job
}

fn event(state: &str) -> StateEvent {
    StateEvent::new("/api/v1/projects/acme/transforms/h264/jobs/job-1").state(state)
}

#[tokio::test(start_paused = true)]
async fn waits_are_futures_for_whatever_takes_futures() {
    let service = Service::new();
    for name in ["a", "b"] {
        let path = format!("media/transforms/h264/jobs/{name}");
        service.at(&path, &[(0, "Processing"), (20, "Finished")]);
    }
    let ended = join_all(["a", "b"].map(|name| job(&service, name))).await;
    let names: Vec<_> = ended
        .into_iter()
        .map(|job| job.unwrap()["name"].clone())
        .collect();
    assert_eq!(names, ["a", "b"]);

    // By reference, so that the wait is still there after a `select!`.
    let mut waiting = job(&service, "a");
    let first = tokio::time::timeout(seconds(1), &mut waiting).await;
    assert_eq!(first.unwrap().unwrap()["name"], "a");
    assert_eq!((&mut waiting).await.unwrap()["name"], "a");

    // `StreamExt` has an `into_future` of its own.
    let _ = StreamExt::fuse(job(&service, "a"));
    assert_eq!(job(&service, "b").into_future().await.unwrap()["name"], "b");
}

#[tokio::test(start_paused = true)]
async fn a_closure_sees_each_change_while_the_wait_is_awaited() {
    let service = Service::new();
    let states = &[
        (0, "Queued"),
        (5, "Processing 10"),
        (20, "Processing 60"),
        (40, "Finished"),
    ];
    service.at(JOB_1, states);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let waiting = job(&service, "job-1").poll_every(seconds(1)..seconds(1));
    let waiting = waiting.on_change(move |change| {
        told.lock()
            .unwrap()
            .push((change.state.to_string(), change.progress));
    });
    waiting.await.unwrap();
    let expected = [
        ("Queued", None),
        ("Processing", Some(10)),
        ("Processing", Some(60)),
        ("Finished", None),
    ];
    let expected = expected.map(|(state, progress)| (state.to_owned(), progress));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_does_not_exist_is_refused_at_once_and_before_any_action() {
    let service = Service::new();
    let acted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&acted);
    let act = async move {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let error = job(&service, "job-1")
        .after(act)
        .until("Finishd")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let line = error.to_string();
    for part in ["media.job", "`Finishd`", "Finished", "Canceled"] {
        assert!(line.contains(part), "{line}");
    }
    let goal = job(&service, "job-1").goal("finishd").await.unwrap_err();
    assert!(goal.to_string().contains("finished"), "{goal}");
    assert_eq!(
        (acted.load(Ordering::Relaxed), service.script.calls()),
        (0, 0)
    );

    // A state without a name here, and the only one of a resource that has no states.
    service.at(JOB_1, &[(0, "Levitating")]);
    let levitating = job(&service, "job-1").until(State::from("Levitating"));
    assert_eq!(
        levitating.await.unwrap()["properties"]["state"],
        "Levitating"
    );
    service.at("fleet/backups/nightly", &[(0, "x")]);
    let values = || ["acme", "nightly"].map(str::to_owned).to_vec();
    let backup = || Wait::<Value, State>::new(&service.transport, &BACKUP, values());
    backup().until("Present").await.unwrap();
    let absent = backup().until("Absent").await.unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::InvalidRequest);
    assert!(absent.to_string().contains("Present"), "{absent}");
    let present = job(&service, "job-1").until("Present").await.unwrap_err();
    assert_eq!(present.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_missing_resource_is_no_error_where_that_is_fine() {
    let service = Service::new();
    let stop = |code| {
        let stop = move || async move { Err::<(), _>(status(code)) };
        show(&service)
            .goal("stopped")
            .acting([ActionCall::reaches("stopped", stop)])
    };
    assert!(stop(404).await.unwrap_err().is_not_found());
    assert_eq!(stop(404).missing_ok().await.unwrap(), None);
    assert!(stop(403).missing_ok().await.unwrap_err().is_denied());

    let delete = || {
        let delete = || async { Err::<(), _>(status(404)) };
        show(&service)
            .until_gone()
            .acting([ActionCall::deletes(delete)])
    };
    assert!(delete().await.unwrap_err().is_not_found());
    delete().missing_ok().await.unwrap();

    // It disappears, never appears, or is there.
    service.at(SHOW, &[(0, "Starting"), (20, "")]);
    assert_eq!(show(&service).missing_ok().await.unwrap(), None);
    let mut never = job(&service, "job-1").missing_ok();
    assert!(never.try_next().await.unwrap().is_none());
    assert_eq!(never.await.unwrap(), None);
    service.at(JOB_1, &[(0, "Finished")]);
    let there = job(&service, "job-1").missing_ok().await.unwrap().unwrap();
    assert_eq!(there["name"], "job-1");
}

#[tokio::test(start_paused = true)]
async fn code_and_detail_of_a_failed_job_are_the_jobs() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Error")]);
    let error = job(&service, "job-1").await.unwrap_err();
    assert_eq!(error.code(), Some("DownloadNotAccessible"));
    assert_eq!(error.detail(), Some("no such file"));
    let line = error.to_string();
    assert!(line.starts_with("media.job `job-1`"), "{line}");
    assert_eq!(line.matches("no such file").count(), 1, "{line}");
    for part in ["transform_name h264", "project_name acme"] {
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn code_and_reference_of_a_failed_poll_are_the_services() {
    let service = Service::new();
    service.fault(|_| {
        let body = json!({"error": {"code": "Denied", "detail": "no right"}, "ref": "r-1"});
        let headers = http::HeaderMap::new();
        let body = body.to_string().into();
        Some(Error::from_response(StatusCode::FORBIDDEN, headers, body))
    });
    let error = job(&service, "job-1").await.unwrap_err();
    assert_eq!(
        (error.code(), error.reference()),
        (Some("Denied"), Some("r-1"))
    );
    assert_eq!(error.operation_id(), Some("get_job_state"));
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::Poll);
}

/// Only direct reads say which of several jobs of one name is the newest.
#[tokio::test(start_paused = true)]
async fn an_event_with_an_odd_time_of_creation_hides_no_later_read() {
    let now = "2026-03-01T10:00:00Z";
    for odd in [
        "2026-03-01T10:00:01Z",
        "2026-03-01T12:00:00",
        "9999-12-31T23:59:59Z",
    ] {
        let service = Service::new();
        let life = [(0, "Queued"), (30, "Processing"), (60, "Finished")];
        let life = life.map(|(at, state)| (seconds(at), Some(created(state, now))));
        service.life(JOB_1, life.to_vec());
        let mut waiting = job(&service, "job-1");
        waiting.try_next().await.unwrap();
        let event = event("Scheduled").resource(created("Scheduled", odd));
        service.waits().notify(&event);
        let start = Instant::now();
        assert_eq!(waiting.await.unwrap()["properties"]["state"], "Finished");
        assert!(
            start.elapsed() < seconds(150),
            "{odd}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn polls_and_reads_that_are_no_json_are_retried() {
    let page = "<html><body>Bad gateway</body></html>";
    for cut in [page, "{\"status\": {\"sta", ""] {
        let service = Service::new();
        service.at(JOB_1, &[(0, "Processing"), (60, "Finished")]);
        let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
        service.garble(move |seen| {
            let count = &counts[usize::from(seen.path.ends_with("/state"))];
            let request = count.fetch_add(1, Ordering::Relaxed);
            (request % 3 != 2).then(|| cut.to_owned())
        });
        job(&service, "job-1").await.unwrap();
    }
    // Of several waits as well, whose list it is.
    let service = Service::new();
    let names = ["a", "b", "c"];
    for name in names {
        let path = format!("media/transforms/h264/jobs/{name}");
        service.at(&path, &[(0, "Processing"), (60, "Finished")]);
    }
    let lists = AtomicUsize::new(0);
    service.garble(move |seen| {
        let list = seen.path.ends_with("/jobs");
        (list && lists.fetch_add(1, Ordering::Relaxed) == 1).then(|| page.to_owned())
    });
    for ended in join_all(names.map(|name| job(&service, name))).await {
        ended.unwrap();
    }
    let lists = service
        .log()
        .iter()
        .filter(|(_, path)| path == "media/jobs")
        .count();
    assert!(
        lists > 3,
        "one such page put an end to list polls after {lists}"
    );

    // One that goes on like this ends the wait with what came.
    let service = Service::new();
    service.garble(move |_| Some(page.to_owned()));
    let start = Instant::now();
    let error = job(&service, "job-1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.operation_id(), Some("get_job_state"));
    assert_eq!(
        (
            service.script.calls(),
            WaitFailure::of(&error).unwrap().reason
        ),
        (10, Reason::Poll)
    );
    assert!(start.elapsed() < seconds(600), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_finished_job_that_does_not_decode_tells_what_is_known_of_it() {
    #[derive(Debug, Deserialize)]
    struct Strict {
        #[serde(rename = "properties")]
        _properties: Properties,
    }
    #[derive(Debug, Deserialize)]
    struct Properties {
        #[serde(rename = "state")]
        _state: u32,
    }
    let service = Service::new();
    service.at(JOB_1, &[(0, "Finished")]);
    let values = ["acme", "h264", "job-1"].map(str::to_owned).to_vec();
    let strict: Wait<Strict, State> = Wait::new(&service.transport, &JOB, values);
    let error: Error = strict.await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.json_path(), Some("properties.state"));
    assert_eq!(error.operation_id(), Some("get_job"));
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (
            failure.reason,
            failure.name.as_str(),
            failure.state.as_deref()
        ),
        (Reason::Decode, "job-1", Some("Finished"))
    );
    assert_eq!(failure.json().unwrap()["name"], "job-1");
    let line = error.to_string();
    for part in ["get_job", "job-1", "Finished", "properties.state"] {
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_final_poll_that_is_no_json_still_tells_the_state() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Finished")]);
    service.garble(|seen| (!seen.path.ends_with("/state")).then(|| "<html>".to_owned()));
    let error = job(&service, "job-1").await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.name.as_str(), failure.state.as_deref()),
        ("job-1", Some("Finished"))
    );
    assert_eq!(error.operation_id(), Some("get_job"));
    assert!(error.json_path().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_what_is_known_in_its_text_and_no_resource_in_debug() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing 40")]);
    let mut waiting = job(&service, "job-1").timeout(seconds(60));
    let change = waiting.try_next().await.unwrap().unwrap();
    let shown = format!("{change:?}");
    assert!(
        shown.contains("Processing") && shown.contains("40"),
        "{shown}"
    );
    assert!(!shown.contains("subscriptions"), "{shown}");
    let error = waiting.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert!(
        failure.to_string().contains("Processing at 40 %"),
        "{failure}"
    );
    let shown = format!("{failure:?}");
    assert!(
        shown.contains("media.job") && shown.contains("job-1"),
        "{shown}"
    );
    assert!(!shown.contains("subscriptions"), "{shown}");

    // Progress tells how far it came in time; a state of failure needs none.
    service.at(JOB_1, &[(0, "Canceled 40")]);
    let mut waiting = job(&service, "job-1");
    while let Ok(Some(_)) = waiting.try_next().await {}
    let error = waiting.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.progress, Some(40));
    assert!(!failure.to_string().contains('%'), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_resource_may_be_plain_text() {
    let service = Service::new();
    let with = |error: Value| {
        let mut failed = resource(JOB_1, "Error");
        failed["properties"]["outputs"][0]["error"] = error;
        service.life(JOB_1, vec![(seconds(0), Some(failed))]);
    };
    with("no such file".into());
    let error = job(&service, "job-1").await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.errors[0].message.as_deref(), Some("no such file"));
    assert!(failure.to_string().ends_with(": no such file"), "{failure}");
    with("".into());
    let error = job(&service, "job-1").await.unwrap_err();
    assert!(WaitFailure::of(&error).unwrap().errors.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_state_that_does_not_come_any_more_ends_the_wait_for_it() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Queued"), (5, "Finished")]);
    let error = job(&service, "job-1")
        .until("Processing")
        .await
        .unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::State);

    // A state that is a goal fails as the goal does.
    service.at(SHOW, &[(0, "Starting"), (20, "Stopped")]);
    let error = show(&service).until("Running").await.unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::FellBack);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_came_with_success_is_one_in_passing() {
    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (60, "Finished")]);
    let polls = AtomicUsize::new(0);
    // No JSON, and an error that tells no status.
    let bodies = ["", r#"{"error": {"code": "Busy", "detail": "not now"}}"#];
    service.garble(move |_| {
        let poll = polls.fetch_add(1, Ordering::Relaxed);
        (poll < 4).then(|| bodies[poll % 2].to_owned())
    });
    job(&service, "job-1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_tells_its_stage_and_that_it_has_ended() {
    use futures::stream::FusedStream;

    let service = Service::new();
    service.at(JOB_1, &[(0, "Processing"), (10, "Finished")]);
    let mut waiting = job(&service, "job-1");
    assert!(format!("{waiting:?}").contains("new"), "{waiting:?}");
    waiting.try_next().await.unwrap();
    assert!(format!("{waiting:?}").contains("running"), "{waiting:?}");
    assert!(!waiting.is_terminated());
    while waiting.try_next().await.unwrap().is_some() {}
    assert!(waiting.is_terminated());
    assert!(format!("{waiting:?}").contains("ended"), "{waiting:?}");
    let acting = job(&service, "job-1").after(std::future::pending::<crate::Result<()>>());
    let mut acting = acting;
    let next = tokio::time::timeout(seconds(1), acting.try_next()).await;
    assert!(
        next.is_err() && format!("{acting:?}").contains("acting"),
        "{acting:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_in_a_list_of_one_name_the_newest_is_the_one() {
    let (early, noon, late) = (
        "2026-03-01T10:00:00Z",
        "2026-03-01T12:00:00Z",
        "2026-03-02T10:00:00Z",
    );
    for (times, newest) in [
        ([early, late, noon], "nightly.tar"),
        // The first of several.
        ([early, noon, noon], "nightly.tar"),
        ([noon, noon, noon], "nightly"),
    ] {
        let service = Service::new();
        service.page_size(1);
        let paths = ["nightly", "nightly.tar", "nightly.zip"];
        for (name, time) in paths.into_iter().zip(times) {
            let path = format!("fleet/backups/{name}");
            let mut backup = resource(&path, "");
            backup["metadata"]["created"] = time.into();
            service.life(&path, vec![(seconds(0), Some(backup))]);
        }
        let values = ["acme", "nightly"].map(str::to_owned).to_vec();
        let backup: Wait<Value, State> = Wait::new(&service.transport, &BACKUP, values);
        assert_eq!(backup.await.unwrap()["name"], newest);
    }
}

/// Text of all warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Warnings {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_without_a_name_here_is_warned_of_once() {
    let warnings = Warnings::default();
    let writer = warnings.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // While there is only one subscriber, tracing asks that of the thread that is the first to warn:
    // another test has none.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _default = tracing::subscriber::set_default(subscriber);
    let service = Service::new();
    let states = &[
        (0, "Processing"),
        (20, "Levitating 10"),
        (60, "Levitating 20"),
        (90, "Finished"),
    ];
    service.at(JOB_1, states);
    let mut waiting = job(&service, "job-1");
    while waiting.try_next().await.unwrap().is_some() {}
    let text = warnings.0.lock().unwrap().clone();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("unknown state").count(), 1, "{text}");
    assert!(
        text.contains("Levitating") && text.contains("job-1"),
        "{text}"
    );
}
