//! Waits that begin with actions: refusals, lost responses, several steps; with the paused clock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{JOB, LIVE_EVENT, Service, resource, status};
use crate::{
    Error, ErrorKind, Operation, Response, Result,
    wait::{ActionCall, Reason, State, Wait, WaitFailure},
};

const SHOW: &str = "media/liveEvents/show";
const JOB_1: &str = "media/transforms/h264/jobs/job-1";

static START: Operation = Operation {
    id: "start_live_event",
    api: "media",
    method: Method::POST,
    path: "/",
    request_body: None,
    streams: false,
};

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

/// Outcomes of a call, one after the other; the last one again and again.
#[derive(Clone)]
struct Calls {
    count: Arc<AtomicUsize>,
    outcomes: Arc<dyn Fn(usize) -> Result<()> + Send + Sync>,
}

impl Calls {
    fn new(outcomes: impl Fn(usize) -> Result<()> + Send + Sync + 'static) -> Self {
        Self {
            count: Arc::default(),
            outcomes: Arc::new(outcomes),
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn reaches(&self, goal: &'static str) -> ActionCall {
        let calls = self.clone();
        ActionCall::reaches(goal, move || {
            let calls = calls.clone();
            async move { calls.outcome() }
        })
    }

    fn deletes(&self) -> ActionCall {
        let calls = self.clone();
        ActionCall::deletes(move || {
            let calls = calls.clone();
            async move { calls.outcome() }
        })
    }

    /// A creation; `made` is the resource that a success shows.
    fn creates(&self, made: Value) -> ActionCall {
        let calls = self.clone();
        ActionCall::creates(move || {
            let (calls, made) = (calls.clone(), made.to_string());
            async move {
                calls.outcome()?;
                let headers = http::HeaderMap::new();
                Ok(Response::new((), StatusCode::CREATED, headers, made.into()))
            }
        })
    }

    fn outcome(&self) -> Result<()> {
        (self.outcomes)(self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// The response to a POST that was sent got lost.
fn lost() -> Error {
    Error::new(ErrorKind::Connection, "reset")
        .with_operation(&START)
        .with_outcome_unknown()
}

/// Who waits sees these states, each once.
async fn states(wait: &mut Wait<Value, State>) -> Vec<String> {
    let mut states = Vec::new();
    while let Ok(Some(change)) = wait.try_next().await {
        states.push(change.state.to_string());
    }
    states
}

#[tokio::test(start_paused = true)]
async fn a_restart_stops_waits_starts_and_waits() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Running"), (10, "Stopping"), (30, "Stopped")]);
    let stop = Calls::new(|_| Ok(()));
    let begun = Arc::new(Mutex::new(None));
    let (when, world, start) = (begun.clone(), service.clone(), Instant::now());
    let begin = Calls::new(move |_| {
        let now = start.elapsed().as_secs();
        *when.lock().unwrap() = Some(now);
        world.at(
            SHOW,
            &[(0, "Stopped"), (now + 4, "Starting"), (now + 20, "Running")],
        );
        Ok(())
    });
    let mut wait = show(&service).acting([stop.reaches("stopped"), begin.reaches("running")]);
    assert_eq!(
        states(&mut wait).await,
        ["Running", "Stopping", "Stopped", "Starting", "Running"]
    );
    assert_eq!((stop.count(), begin.count()), (1, 1));
    assert!(begun.lock().unwrap().is_some_and(|at| at >= 30));
    assert_eq!(wait.await.unwrap()["properties"]["state"], "Running");
}

#[tokio::test(start_paused = true)]
async fn the_limit_covers_all_waiting_of_a_restart() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Running"), (50, "Stopped")]);
    let (stop, begin) = (Calls::new(|_| Ok(())), Calls::new(|_| Ok(())));
    let restart = || [stop.reaches("stopped"), begin.reaches("running")];
    let start = Instant::now();
    let error = show(&service)
        .timeout(seconds(40))
        .acting(restart())
        .await
        .unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.state.as_deref(), Some("Running"));
    assert!(error.is_timeout() && begin.count() == 0);
    assert!(start.elapsed() < seconds(41));

    // Stopped in time, but never running.
    let start = Instant::now();
    let wait = show(&service).timeout(seconds(40)).acting(restart());
    let error = wait.await.unwrap_err();
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(failure.state.as_deref(), Some("Stopped"));
    assert!(error.is_timeout() && begin.count() == 1);
    let took = start.elapsed();
    assert!(took >= seconds(40) && took < seconds(41), "{took:?}");
    assert!(failure.elapsed >= seconds(40) && failure.elapsed < seconds(41));
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_already_is_restarted_all_the_same() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (5, "Starting"), (10, "Running")]);
    let stop = Calls::new(|_| Err(status(409)));
    let begin = Calls::new(|_| Ok(()));
    show(&service)
        .acting([stop.reaches("stopped"), begin.reaches("running")])
        .await
        .unwrap();
    assert_eq!((stop.count(), begin.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_action_is_made_again_when_the_resource_is_not_busy_any_more() {
    let service = Service::new();
    service.at(
        SHOW,
        &[
            (0, "Creating"),
            (40, "Stopped"),
            (45, "Starting"),
            (60, "Running"),
        ],
    );
    let start = Instant::now();
    let begin = Calls::new(move |_| {
        if start.elapsed() < seconds(40) {
            Err(status(409))
        } else {
            Ok(())
        }
    });
    let mut wait = show(&service)
        .poll_every(seconds(1)..seconds(1))
        .acting([begin.reaches("running")]);
    assert_eq!(
        states(&mut wait).await,
        ["Creating", "Stopped", "Starting", "Running"]
    );
    wait.await.unwrap();
    assert_eq!(begin.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_action_that_is_refused_for_good_ends_with_its_own_error() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped")]);
    let begin = Calls::new(|_| Err(status(409)));
    let start = Instant::now();
    let error = show(&service)
        .acting([begin.reaches("running")])
        .await
        .unwrap_err();
    assert!(error.is_conflict() && start.elapsed() < seconds(5));
    let failure = WaitFailure::of(&error).unwrap();
    assert_eq!(
        (failure.reason, failure.state.as_deref()),
        (Reason::Refused, Some("Stopped"))
    );
    // Once more, for the state may have changed right after the refusal.
    assert_eq!(begin.count(), 2);

    // A state from which the goal is not reached: not even that.
    service.at(SHOW, &[(0, "Deleting")]);
    let begin = Calls::new(|_| Err(status(409)));
    let wait = show(&service).acting([begin.reaches("running")]);
    assert!(wait.await.unwrap_err().is_conflict());
    assert_eq!(begin.count(), 1);

    // It does not exist, or nobody may ask.
    for code in [404, 403] {
        service.fault(move |_| Some(status(code)));
        let wait = show(&service).acting([begin.reaches("running")]);
        assert!(wait.await.unwrap_err().is_conflict());
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_somebody_else_has_begun_is_not_made_again() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Starting"), (20, "Running")]);
    let begin = Calls::new(|_| Err(status(409)));
    show(&service)
        .acting([begin.reaches("running")])
        .await
        .unwrap();
    assert_eq!(begin.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_resource_tells_whether_a_lost_call_arrived() {
    // It did.
    let service = Service::new();
    service.at(SHOW, &[(0, "Starting"), (20, "Running")]);
    let begin = Calls::new(|_| Err(lost()));
    show(&service)
        .acting([begin.reaches("running")])
        .await
        .unwrap();
    assert_eq!(begin.count(), 1);

    // It did not.
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (5, "Starting"), (20, "Running")]);
    let begin = Calls::new(|call| match call {
        0 => Err(lost()),
        _ => Ok(()),
    });
    show(&service)
        .acting([begin.reaches("running")])
        .await
        .unwrap();
    assert_eq!(begin.count(), 2);

    // A connection that stays broken.
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped")]);
    let begin = Calls::new(|_| Err(lost()));
    let wait = show(&service).acting([begin.reaches("running")]);
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(begin.count(), 2);
}

/// A job in this state, made at this time.
fn made(state: &str, created: chrono::DateTime<chrono::Utc>) -> Value {
    let mut job = resource(JOB_1, state);
    job["properties"]["created"] = json!(created.to_rfc3339());
    job
}

#[tokio::test(start_paused = true)]
async fn a_job_that_a_lost_attempt_has_made_is_waited_for() {
    let now = chrono::Utc::now();
    let conflict = || status(409).with_outcome_unknown();
    let service = Service::new();
    let life = [(0, "Queued"), (30, "Finished")];
    let life = life.map(|(at, state)| (seconds(at), Some(made(state, now))));
    service.life(JOB_1, life.to_vec());
    let create = Calls::new(move |_| Err(conflict()));
    let done = job(&service).acting([create.creates(json!({}))]).await;
    assert_eq!(done.unwrap()["properties"]["state"], "Finished");
    assert_eq!(create.count(), 1);

    // One that does not tell when it was made.
    service.at(JOB_1, &[(0, "Finished")]);
    job(&service)
        .acting([create.creates(json!({}))])
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_older_job_of_the_name_is_still_a_conflict() {
    let long_ago = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let service = Service::new();
    service.life(JOB_1, vec![(seconds(0), Some(made("Finished", long_ago)))]);
    for conflict in [status(409).with_outcome_unknown(), status(409)] {
        let create = Calls::new(move |_| Err(conflict.clone()));
        let error = job(&service)
            .acting([create.creates(json!({}))])
            .await
            .unwrap_err();
        assert!(error.is_conflict());
        assert_eq!(create.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_job_of_the_name_shows_does_not_count() {
    let new = chrono::Utc::now();
    let old = new - chrono::TimeDelta::hours(1);
    let service = Service::new();
    // Reads lag behind for a while.
    service.life(
        JOB_1,
        vec![
            (seconds(0), Some(made("Finished", old))),
            (seconds(15), Some(made("Processing", new))),
            (seconds(60), Some(made("Finished", new))),
        ],
    );
    let create = Calls::new(|_| Ok(()));
    for detail in [false, true] {
        let start = Instant::now();
        let mut wait = job(&service).acting([create.creates(made("Queued", new))]);
        if detail {
            states(&mut wait).await;
        }
        let done = wait.await.unwrap();
        assert_eq!(done["properties"]["created"], json!(new.to_rfc3339()));
        if !detail {
            assert!(start.elapsed() >= seconds(60), "{:?}", start.elapsed());
        }
    }

    // Nor does an event that was delivered late.
    let service = Service::new();
    service.life(JOB_1, vec![(seconds(0), Some(made("Processing", new)))]);
    let mut wait = job(&service).acting([create.creates(made("Queued", new))]);
    wait.try_next().await.unwrap();
    let event = crate::wait::StateEvent::new("/api/v1/projects/acme/transforms/h264/jobs/job-1")
        .state("Finished")
        .resource(made("Finished", old));
    service.waits().notify(&event);
    let ended = tokio::time::timeout(seconds(100), wait.into_future()).await;
    assert!(ended.is_err(), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_job_that_fails_at_once_is_an_error_at_once() {
    let now = chrono::Utc::now();
    let service = Service::new();
    service.life(JOB_1, vec![(seconds(0), Some(made("Error", now)))]);
    let create = Calls::new(|_| Ok(()));
    let start = Instant::now();
    let wait = job(&service).acting([create.creates(made("Queued", now))]);
    let error = wait.await.unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::State);
    assert!(start.elapsed() < seconds(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn responses_may_tell_the_time_of_creation_more_or_less_exactly() {
    let job_of = |state: &str, created: &str| {
        let mut job = resource(JOB_1, state);
        job["properties"]["created"] = json!(created);
        job
    };
    let service = Service::new();
    let read = |state: &str| Some(job_of(state, "2026-03-01T10:00:00Z"));
    let life = vec![
        (seconds(0), read("Processing")),
        (seconds(20), read("Finished")),
    ];
    service.life(JOB_1, life);
    let create = Calls::new(|_| Ok(()));
    let response = job_of("Queued", "2026-03-01T10:00:00.512Z");
    let wait = job(&service).acting([create.creates(response)]);
    let done = wait.timeout(seconds(600)).await.unwrap();
    assert_eq!(done["properties"]["state"], "Finished");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_response_was_lost_is_done() {
    let service = Service::new();
    let gone = Calls::new(|_| Err(status(404).with_outcome_unknown()));
    let wait = show(&service).until_gone().acting([gone.deletes()]);
    wait.await.unwrap();

    // What never was there is an error.
    let never = Calls::new(|_| Err(status(404)));
    let wait = show(&service).until_gone().acting([never.deletes()]);
    assert!(wait.await.unwrap_err().is_not_found());
    assert_eq!((gone.count(), never.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_under_way_is_waited_for_and_a_busy_resource_as_well() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Deleting"), (30, "")]);
    let refused = Calls::new(|_| Err(status(409)));
    let wait = show(&service).until_gone().acting([refused.deletes()]);
    wait.await.unwrap();
    assert_eq!(refused.count(), 1);

    let service = Service::new();
    service.at(
        SHOW,
        &[(0, "Stopping"), (20, "Stopped"), (25, "Deleting"), (40, "")],
    );
    let start = Instant::now();
    let once = Calls::new(move |_| {
        if start.elapsed() < seconds(20) {
            Err(status(409))
        } else {
            Ok(())
        }
    });
    let wait = show(&service).until_gone().acting([once.deletes()]);
    let wait = wait.poll_every(seconds(1)..seconds(1));
    wait.await.unwrap();
    assert_eq!(once.count(), 2);

    // Used by something else.
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped")]);
    let used = Calls::new(|_| Err(status(409)));
    let wait = show(&service).until_gone().acting([used.deletes()]);
    assert!(wait.await.unwrap_err().is_conflict());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_acts_no_more() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Running"), (30, "Stopped")]);
    let (stop, begin) = (Calls::new(|_| Ok(())), Calls::new(|_| Ok(())));
    let mut wait = show(&service).acting([stop.reaches("stopped"), begin.reaches("running")]);
    wait.try_next().await.unwrap();
    drop(wait);
    tokio::time::sleep(seconds(100)).await;
    assert_eq!((stop.count(), begin.count()), (1, 0));
    assert_eq!(service.waits().pollers(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_the_last_action_only_the_waits_own_goal_counts() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Stopped"), (5, "Starting"), (100, "Running")]);
    let begin = Calls::new(|_| Ok(()));
    let start = Instant::now();
    let wait = show(&service).until("Starting");
    wait.acting([begin.reaches("running")]).await.unwrap();
    assert!(start.elapsed() < seconds(30), "{:?}", start.elapsed());
}

/// The resource is asked only when it can tell something: after a conflict, or a POST that was lost.
#[tokio::test(start_paused = true)]
async fn other_errors_of_actions_end_the_wait_without_a_request() {
    static REPLACE: Operation = Operation {
        id: "replace_live_event",
        api: "media",
        method: Method::PUT,
        path: "/",
        request_body: None,
        streams: false,
    };
    let service = Service::new();
    service.at(SHOW, &[(0, "Starting"), (20, "Running")]);
    let unreadable = Error::new(ErrorKind::Decode, "no JSON");
    let broken = Error::new(ErrorKind::Connection, "reset");
    for error in [
        status(403).with_operation(&START),
        status(500).with_operation(&REPLACE).with_outcome_unknown(),
        status(500).with_outcome_unknown(),
        unreadable.with_operation(&START).with_outcome_unknown(),
        broken.with_operation(&START),
    ] {
        let kind = error.kind();
        let begin = Calls::new(move |_| Err(error.clone()));
        let wait = show(&service).acting([begin.reaches("running")]);
        assert_eq!(wait.await.unwrap_err().kind(), kind);
        assert_eq!((begin.count(), service.script.calls()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_failed_for_certain_is_not_looked_for() {
    let service = Service::new();
    let new = made("Queued", chrono::Utc::now());
    service.life(JOB_1, vec![(seconds(0), Some(new))]);
    // Somebody else has made it, or the connection broke and nobody knows.
    for error in [status(409), lost()] {
        let kind = error.kind();
        let create = Calls::new(move |_| Err(error.clone()));
        let wait = job(&service).acting([create.creates(json!({}))]);
        assert_eq!(wait.await.unwrap_err().kind(), kind);
        assert_eq!(service.script.calls(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_after_a_lost_attempt_goes_on_when_reads_lag_behind() {
    let service = Service::new();
    let create = || Calls::new(|_| Err(status(409).with_outcome_unknown()));
    service.at(JOB_1, &[(10, "Processing"), (20, "Finished")]);
    let done = job(&service).acting([create().creates(json!({}))]).await;
    assert_eq!(done.unwrap()["properties"]["state"], "Finished");

    // Who may not read cannot know.
    service.fault(|_| Some(status(403)));
    let wait = job(&service).acting([create().creates(json!({}))]);
    assert!(wait.await.unwrap_err().is_conflict());
}

/// A resource that was busy and is refused again right after may have changed in between.
#[tokio::test(start_paused = true)]
async fn a_refusal_while_busy_does_not_count_as_one_of_the_two() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Creating"), (40, "Stopped"), (50, "Running")]);
    let begin = Calls::new(|call| if call < 2 { Err(status(409)) } else { Ok(()) });
    let wait = show(&service).poll_every(seconds(1)..seconds(1));
    wait.acting([begin.reaches("running")]).await.unwrap();
    assert_eq!(begin.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_between_calls_has_the_time_since_the_wait_began() {
    let service = Service::new();
    service.at(SHOW, &[(0, "Creating"), (40, "Stopped"), (45, "Running")]);
    let start = Instant::now();
    let begin = ActionCall::reaches("running", move || async move {
        tokio::time::sleep(seconds(10)).await;
        let busy = start.elapsed() < seconds(40);
        if busy { Err(status(409)) } else { Ok(()) }
    });
    let mut wait = show(&service).acting([begin]);
    let first = wait.try_next().await.unwrap().unwrap();
    assert_eq!(first.state.to_string(), "Creating");
    let at = first.elapsed;
    assert!(at >= seconds(10) && at < seconds(11), "{at:?}");
}
