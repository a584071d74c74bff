//! Calls that act and wait, as their users get them: over the transport with its retries.

use std::sync::Mutex;
use std::time::Duration;

use http::Method;
use mkio::media::types::*;
use mkio::wait::{Reason, StateName};
use mkio::{Wait, WaitFailure};
use serde_json::{Value, json};

use super::service::{Scripted, Service, time};

fn state(state: &str) -> Scripted {
    let body = json!({
        "name": "it",
        "status": {"state": state, "syncState": state},
        "properties": {"resourceState": state},
    });
    Some((200, body))
}

fn error(status: u16) -> Scripted {
    Some((status, json!({"error": {"code": "Code", "detail": "why"}})))
}

fn done() -> Scripted {
    Some((200, Value::Null))
}

/// The states that the wait shows until it ends.
async fn states<T, S: StateName>(wait: &mut Wait<T, S>) -> mkio::Result<Vec<String>> {
    let mut states = Vec::new();
    while let Some(change) = wait.try_next().await? {
        states.push(change.state.as_name().to_owned());
    }
    Ok(states)
}

/// A resource that an action brings from one state to the next, each of which takes ten seconds.
struct Machine {
    states: Mutex<Vec<(u64, &'static str)>>,
}

impl Machine {
    fn new(state: &'static str) -> Self {
        Self {
            states: Mutex::new(vec![(0, state)]),
        }
    }

    fn now(&self, second: u64) -> &'static str {
        let states = self.states.lock().expect("the states");
        let now = states.iter().rfind(|(from, _)| *from <= second);
        now.map_or("gone", |(_, state)| *state)
    }

    fn go(&self, second: u64, states: &[&'static str]) {
        let mut all = self.states.lock().expect("the states");
        for (step, state) in (0u64..).zip(states) {
            all.push((second + 10 * step, *state));
        }
    }

    fn show(&self, second: u64) -> Scripted {
        match self.now(second) {
            "gone" => error(404),
            now => state(now),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_live_event_is_restarted() -> mkio::Result<()> {
    let machine = Machine::new("Running");
    let service = Service::new(
        move |asked| match (asked.call(), machine.now(asked.second)) {
            (("POST", "media/liveEvents/show/stop"), "Running") => {
                machine.go(asked.second, &["Stopping", "Stopped"]);
                done()
            }
            (("POST", "media/liveEvents/show/start"), "Stopped") => {
                machine.go(asked.second, &["Starting", "Running"]);
                done()
            }
            (("POST", _), _) => error(409),
            _ => machine.show(asked.second),
        },
    );
    let media = service.client().project("acme").media();
    let mut restart = media.restart_live_event_and_wait("show");
    let second = Duration::from_secs(1);
    restart = restart.poll_every(second..2 * second);
    assert_eq!(
        states(&mut restart).await?,
        ["Stopping", "Stopped", "Starting", "Running"]
    );
    assert_eq!(restart.await?.state(), LiveEventState::Running);
    assert_eq!(service.count(Method::POST, "/stop"), 1);
    assert_eq!(service.count(Method::POST, "/start"), 1);
    // The states of a media live event are read where they cost least.
    assert_eq!(service.count(Method::GET, "/show"), 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn flows_are_restarted_by_what_they_are_to_be() -> mkio::Result<()> {
    for kind in [
        "liveChannels",
        "liveEvents",
        "staticMultiviewChannels",
        "staticMultiviewEvents",
    ] {
        let machine = Machine::new("Running");
        let service = Service::new(move |asked| match asked.call() {
            ("PATCH", _) => {
                match asked.before {
                    0 => machine.go(asked.second, &["Stopping", "Stopped"]),
                    _ => machine.go(asked.second, &["Starting", "Running"]),
                }
                machine.show(asked.second)
            }
            _ => machine.show(asked.second),
        });
        let live = service.client().project("acme").live();
        let restart = match kind {
            "liveChannels" => live.restart_live_channel_and_wait("news"),
            "liveEvents" => live.restart_live_event_and_wait("news"),
            "staticMultiviewChannels" => live.restart_static_multiview_channel_and_wait("news"),
            _ => live.restart_static_multiview_event_and_wait("news"),
        };
        restart.await?;
        assert_eq!(service.count(Method::PATCH, &format!("{kind}/news")), 2);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_being_created_is_started_afterwards() -> mkio::Result<()> {
    let machine = Machine::new("Creating");
    machine.go(60, &["Stopped"]);
    let service = Service::new(
        move |asked| match (asked.call(), machine.now(asked.second)) {
            (("POST", _), "Stopped") => {
                machine.go(asked.second, &["Starting", "Running"]);
                done()
            }
            (("POST", _), _) => error(409),
            _ => machine.show(asked.second),
        },
    );
    let media = service.client().project("acme").media();
    media.start_streaming_endpoint_and_wait("play").await?;
    assert_eq!(service.count(Method::POST, "/start"), 2);
    Ok(())
}

/// A service whose responses to attempts to make a job are these (0: the connection breaks), and
/// that has a job of this time, which takes a minute.
fn jobs(responses: &'static [u16], created: String) -> Service {
    Service::new(move |asked| {
        let state = if asked.second < 60 {
            "Processing"
        } else {
            "Finished"
        };
        match asked.call() {
            ("PUT", _) => match responses.get(asked.before) {
                Some(0) => None,
                status => error(status.copied().unwrap_or(409)),
            },
            _ => Some((
                200,
                json!({
                    "name": "job", "status": {"state": state},
                    "properties": {"state": state, "created": created},
                }),
            )),
        }
    })
}

fn run(service: &Service) -> Wait<Job, JobState> {
    let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
    let properties = JobPutProperties::new(input, [JobOutputAsset::new("output")]);
    let media = service.client().project("acme").media();
    media.run_job("encode", "job", JobPut::new(properties))
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_creation_was_not_confirmed_is_waited_for() -> mkio::Result<()> {
    for responses in [&[0, 409][..], &[502, 409], &[0, 502, 409]] {
        let service = jobs(responses, time(0));
        let job = run(&service).await?;
        assert_eq!(job.state(), JobState::Finished);
        assert_eq!(service.count(Method::PUT, "/job"), responses.len());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_there_before_is_not_taken_for_the_new_one() {
    let yesterday = "2026-02-28T10:00:00Z".to_owned();
    for (responses, created) in [(&[0, 409][..], yesterday), (&[409], time(0))] {
        let service = jobs(responses, created);
        let conflict = run(&service).await.expect_err("a conflict");
        assert!(conflict.is_conflict(), "{conflict}");
        assert_eq!(service.count(Method::PUT, "/job"), responses.len());
    }
}

#[tokio::test(start_paused = true)]
async fn deletions_are_done_when_a_retry_says_so() -> mkio::Result<()> {
    for first in [None, error(502), error(500)] {
        let service = Service::new(move |asked| match (asked.call(), asked.before) {
            (("DELETE", _), 0) => first.clone(),
            _ => error(404),
        });
        let media = service.client().project("acme").media();
        media.delete_job_and_wait("encode", "job").await?;
        assert_eq!(service.count(Method::DELETE, "/job"), 2);
    }
    // A name that never was one.
    let service = Service::new(|_| error(404));
    let media = service.client().project("acme").media();
    let missing = media.delete_job_and_wait("encode", "job").await;
    assert!(missing.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_deletion_waits_for_what_keeps_it_and_until_it_is_gone() -> mkio::Result<()> {
    let machine = Machine::new("Stopping");
    machine.go(20, &["Stopped"]);
    let service = Service::new(
        move |asked| match (asked.call(), machine.now(asked.second)) {
            (("DELETE", _), "Stopped") => {
                machine.go(asked.second, &["Deleting", "gone"]);
                done()
            }
            (("DELETE", _), _) => error(409),
            _ => machine.show(asked.second),
        },
    );
    let media = service.client().project("acme").media();
    let mut delete = media.delete_live_event_and_wait("show");
    assert_eq!(
        states(&mut delete).await?,
        ["Stopping", "Stopped", "Deleting"]
    );
    delete.await
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_not_deleted_and_the_error_says_why() {
    let service = Service::new(|asked| match asked.call() {
        ("DELETE", _) => error(409),
        _ => state("Ready"),
    });
    let media = service.client().project("acme").media();
    let refused = media.delete_asset_and_wait("intro").await;
    let refused = refused.expect_err("a conflict");
    assert_eq!(
        (refused.is_conflict(), refused.detail()),
        (true, Some("why"))
    );
    let failure = WaitFailure::of(&refused).expect("the state");
    assert_eq!(failure.reason, Reason::Refused);
    assert_eq!(failure.state.as_deref(), Some("Ready"));
}

#[tokio::test(start_paused = true)]
async fn a_repaired_channel_is_not_judged_by_what_was_wrong_before() -> mkio::Result<()> {
    let machine = Machine::new("ConfigFailed");
    machine.go(8, &["Configuring", "Ok"]);
    let service = Service::new(move |asked| machine.show(asked.second));
    let channels = service.client().channels();
    let put: mkio::channels::types::ChannelPut = serde_json::from_value(json!({
        "kind": "BeamChannel", "metadata": {"name": "one", "displayName": "One"},
        "spec": {"type": "EncodingDistribution", "state": "Stopped", "outputs": [], "inputs": []},
    }))
    .expect("a channel");
    channels
        .create_or_replace_channel_and_wait("one", put)
        .await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_acts_and_waits_can_move_between_tasks() -> mkio::Result<()> {
    let machine = Machine::new("Stopped");
    machine.go(5, &["Starting", "Running"]);
    let service = Service::new(move |asked| match asked.call() {
        ("POST", _) => done(),
        _ => machine.show(asked.second),
    });
    let media = service.client().project("acme").media();
    let mut wait = media.start_live_event_and_wait("show");
    wait.try_next().await?;
    let rest = tokio::spawn(wait.into_future());
    rest.await.expect("no panic")?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn devices_and_what_they_leave_are_deleted_by_their_names() -> mkio::Result<()> {
    let service = Service::new(|asked| match (asked.call(), asked.second) {
        (("DELETE", _), _) => done(),
        ((_, path), 0..20) if path.ends_with("/supportPackages") => {
            Some((200, json!({"value": [{"metadata": {"name": "it"}}]})))
        }
        ((_, path), _) if path.ends_with("/supportPackages") => Some((200, json!({"value": []}))),
        (_, 0..20) => state("any"),
        _ => error(404),
    });
    let fleets = service.client().project("acme").fleets();
    let start = tokio::time::Instant::now();
    let mut device = fleets.delete_device_and_wait("beam");
    assert_eq!(states(&mut device).await?, [mkio::wait::PRESENT]);
    device.await?;
    assert!(start.elapsed() >= Duration::from_secs(20));
    fleets.delete_backup_and_wait("1234").await?;
    fleets.delete_support_package_and_wait("beam", "it").await?;
    for end in [
        "fleet/devices/beam",
        "fleet/backups/1234",
        "beam/supportPackages/it",
    ] {
        assert_eq!(service.count(Method::DELETE, end), 1, "{end}");
    }
    Ok(())
}
