//! States and the actions allowed in each: the published tables, cell by cell.

use crate::common::{Caller, Response};
use crate::samples;
use serde_json::{Value, json};

/// A request that is made on the way to a state, and the seconds that pass after it.
type Way = &'static [(&'static str, u64)];

async fn act(caller: &Caller, path: &str, action: &str) -> Response {
    match action {
        "PATCH" => {
            let all = samples::all(caller);
            let sample = samples::at(&all, path);
            caller
                .patch(path, sample.patch.clone().expect("a change"))
                .await
        }
        "DELETE" => caller.delete(path).await,
        "scale" => {
            caller
                .post(&format!("{path}/scale"), json!({ "scaleUnit": 2 }))
                .await
        }
        action => caller.post(&format!("{path}/{action}"), Value::Null).await,
    }
}

/// Makes a resource, leads it into a state, and does each action there: 200 where the table has it, else 409.
async fn table(path: &str, provisioning: &[&str], rows: &[(&str, Way, &[&str])], actions: &[&str]) {
    for (state, way, allowed) in rows {
        for action in actions {
            let caller = Caller::start().await;
            samples::make(&caller).await;
            for (step, seconds) in *way {
                if !step.is_empty() {
                    act(&caller, path, step).await.expect(200);
                }
                caller.step(*seconds);
            }
            let cell = format!("{action} while {state}");
            assert_eq!(caller.state(path).await, *state, "{cell}");
            let shown = caller.get(path).await.expect(200);
            assert_eq!(shown.text("/properties/resourceState"), *state, "{cell}");
            let wanted = if provisioning.contains(state) {
                "InProgress"
            } else {
                "Succeeded"
            };
            assert_eq!(
                shown.text("/properties/provisioningState"),
                wanted,
                "{cell}"
            );
            let response = act(&caller, path, action).await;
            let wanted = if allowed.contains(action) {
                200
            } else if *state == "Deleting" && *action == "DELETE" {
                204
            } else {
                409
            };
            assert_eq!(response.status, wanted, "{cell}: {}", response.body);
            if wanted == 409 {
                assert_eq!(caller.state(path).await, *state, "{cell} changed it");
                assert!(!response.detail().is_empty(), "{cell}");
            }
        }
    }
}

#[tokio::test]
async fn a_streaming_endpoint_does_in_each_state_what_its_table_says() {
    table(
        "media/streamingEndpoints/front",
        &["Creating", "Scaling", "Updating", "Deleting"],
        &[
            ("Creating", &[], &[]),
            (
                "Stopped",
                &[("", 5)],
                &["start", "scale", "PATCH", "DELETE"],
            ),
            ("Starting", &[("", 5), ("start", 0)], &[]),
            (
                "Running",
                &[("", 5), ("start", 20)],
                &["stop", "restart", "scale", "PATCH"],
            ),
            ("Stopping", &[("", 5), ("start", 20), ("stop", 0)], &[]),
            (
                "Stopped",
                &[("", 5), ("start", 20), ("stop", 10)],
                &["start", "scale", "PATCH", "DELETE"],
            ),
            ("Restarting", &[("", 5), ("start", 20), ("restart", 0)], &[]),
            (
                "Running",
                &[("", 5), ("start", 20), ("restart", 10)],
                &["stop", "restart", "scale", "PATCH"],
            ),
            ("Scaling", &[("", 5), ("scale", 0)], &[]),
            (
                "Running",
                &[("", 5), ("start", 20), ("scale", 15)],
                &["stop", "restart", "scale", "PATCH"],
            ),
            ("Updating", &[("", 5), ("PATCH", 0)], &[]),
            (
                "Running",
                &[("", 5), ("start", 20), ("PATCH", 5)],
                &["stop", "restart", "scale", "PATCH"],
            ),
            ("Deleting", &[("", 5), ("DELETE", 0)], &[]),
        ],
        &["start", "stop", "restart", "scale", "PATCH", "DELETE"],
    )
    .await;
}

#[tokio::test]
async fn a_live_event_does_in_each_state_what_its_table_says() {
    table(
        "media/liveEvents/match",
        &["Deleting"],
        &[
            ("Stopped", &[], &["start", "PATCH", "DELETE"]),
            ("Starting", &[("start", 0)], &[]),
            ("Running", &[("start", 15)], &["stop"]),
            ("Stopping", &[("start", 15), ("stop", 0)], &[]),
            (
                "Stopped",
                &[("start", 15), ("stop", 10)],
                &["start", "PATCH", "DELETE"],
            ),
            ("Deleting", &[("DELETE", 0)], &[]),
        ],
        &["start", "stop", "PATCH", "DELETE"],
    )
    .await;
}

/// The states of `…/state`, second by second, without repeats.
async fn watch(caller: &Caller, path: &str, seconds: u64) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..seconds {
        let response = caller.get(&format!("{path}/state")).await;
        let state = if response.status == 404 {
            "404".to_owned()
        } else {
            response.expect(200).text("/status/state")
        };
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        caller.step(1);
    }
    seen
}

#[tokio::test]
async fn every_resource_with_a_state_runs_through_it() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    for (path, made, deleted) in [
        (
            "media/assets/film",
            &["Pending", "Ready"][..],
            &["Deleting", "404"][..],
        ),
        (
            "media/contentKeyPolicies/keys",
            &["Creating", "Created"],
            &["Deleting", "404"],
        ),
        (
            "media/streamingLocators/play",
            &["Creating", "Created"],
            &["Deleting", "404"],
        ),
        (
            "media/streamingEndpoints/front",
            &["Creating", "Stopped"],
            &["Deleting", "404"],
        ),
        (
            "media/liveEvents/match/liveOutputs/record",
            &["Creating", "Running"],
            &["Deleting", "404"],
        ),
        ("media/liveEvents/match", &["Stopped"], &["Deleting", "404"]),
        (
            "live/liveChannels/flow1",
            &["Stopped"],
            &["Deleting", "404"],
        ),
        ("live/liveEvents/flow2", &["Stopped"], &["Deleting", "404"]),
        (
            "live/staticMultiviewChannels/flow3",
            &["Stopped"],
            &["Deleting", "404"],
        ),
        (
            "live/staticMultiviewEvents/flow4",
            &["Stopped"],
            &["Deleting", "404"],
        ),
    ] {
        // Each from its creation on: the others had no time to pass yet, or have come to rest.
        let caller = Caller::start().await;
        samples::make(&caller).await;
        assert_eq!(watch(&caller, path, 10).await, made, "{path}");
        for other in [
            "media/liveEvents/match/liveOutputs/record",
            "media/transforms/encode/jobs/job",
        ] {
            if other != path {
                caller.delete(other).await;
            }
        }
        caller.step(10);
        caller
            .delete(&format!(
                "{path}{}",
                if path.starts_with("live/") {
                    "?$force=true"
                } else {
                    ""
                }
            ))
            .await
            .expect(200);
        assert_eq!(watch(&caller, path, 10).await, deleted, "{path}");
    }
    // Actions and changes.
    for (path, action, states) in [
        (
            "media/liveEvents/match",
            "start",
            &["Starting", "Running"][..],
        ),
        ("media/liveEvents/match", "stop", &["Stopping", "Stopped"]),
    ] {
        act(&caller, path, action).await.expect(200);
        assert_eq!(watch(&caller, path, 20).await, states, "{path} {action}");
    }
    let locator = samples::all(&caller)
        .into_iter()
        .find(|sample| sample.path == "media/streamingLocators/play")
        .expect("a locator");
    caller.put(locator.path, locator.body).await.expect(200);
    assert_eq!(
        watch(&caller, "media/streamingLocators/play", 5).await,
        ["Updating", "Created"]
    );
}

#[tokio::test]
async fn a_flow_goes_where_it_is_wanted() {
    for (path, kind) in [
        ("live/liveChannels/flow1", "LiveChannel"),
        ("live/liveEvents/flow2", "LiveEvent"),
        (
            "live/staticMultiviewChannels/flow3",
            "StaticMultiviewChannel",
        ),
        ("live/staticMultiviewEvents/flow4", "StaticMultiviewEvent"),
    ] {
        let caller = Caller::start().await;
        samples::make(&caller).await;
        let wanted = async |state: &str| {
            caller
                .patch(path, json!({ "spec": { "state": state } }))
                .await
                .expect(200)
        };
        wanted("Running").await;
        assert_eq!(
            watch(&caller, path, 40).await,
            ["Pending", "Allocating", "Starting", "Running"],
            "{path}"
        );
        // Its sources and destinations are active now, and only now.
        let active = async || {
            let mut states = Vec::new();
            for used in ["media/content/news", "media/destinations/target"] {
                states.push(caller.get(used).await.expect(200).text("/status/state"));
            }
            states
        };
        assert_eq!(active().await, ["Active", "Active"], "{path}");
        let mut body = samples::flow(kind);
        body["spec"]["state"] = json!("Running");
        body["spec"]["outputs"] = json!([]);
        caller.put(path, body).await.expect(200);
        assert_eq!(
            watch(&caller, path, 10).await,
            ["Updating", "Running"],
            "{path}"
        );
        assert_eq!(active().await, ["Active", "Inactive"], "{path}");
        // Asking for the current state changes nothing.
        wanted("Stopped").await;
        assert_eq!(
            watch(&caller, path, 20).await,
            ["Stopping", "Stopped"],
            "{path}"
        );
        wanted("Stopped").await;
        assert_eq!(watch(&caller, path, 3).await, ["Stopped"], "{path}");
        assert_eq!(active().await, ["Inactive", "Inactive"], "{path}");
        // Stopped on its way up.
        wanted("Running").await;
        caller.step(4);
        wanted("Stopped").await;
        assert_eq!(
            watch(&caller, path, 30).await,
            ["Stopping", "Stopped"],
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_scheduled_operation_runs_through_its_states_on_each_kind_of_flow() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    for flow in [
        "live/liveChannels/flow1",
        "live/liveEvents/flow2",
        "live/staticMultiviewChannels/flow3",
        "live/staticMultiviewEvents/flow4",
    ] {
        let path = format!("{flow}/scheduledOperations/op");
        let state = async || caller.get(&path).await.expect(200).text("/status/state");
        caller
            .put(&path, samples::window(&caller, 10, 20))
            .await
            .expect(200);
        assert_eq!(state().await, "Pending", "{path}");
        caller.step(2);
        assert_eq!(state().await, "Accepted", "{path}");
        caller.step(601);
        assert_eq!(state().await, "Ongoing", "{path}");
        let changed = caller
            .put(&path, samples::window(&caller, 10, 20))
            .await
            .expect(409);
        let told = changed.detail();
        assert!(told.contains("while it is Ongoing"), "{told}");
        caller.step(600);
        assert_eq!(state().await, "Completed", "{path}");
        // Windows of one flow do not overlap; those of ended operations do not count.
        caller
            .put(
                &format!("{flow}/scheduledOperations/next"),
                samples::window(&caller, 5, 10),
            )
            .await
            .expect(201);
        for (from, to, status) in [
            (6, 7, 409),
            (1, 6, 409),
            (9, 30, 409),
            (1, 30, 409),
            (10, 12, 201),
            (1, 5, 201),
        ] {
            let name = format!("{flow}/scheduledOperations/w{from}-{to}");
            let response = caller.put(&name, samples::window(&caller, from, to)).await;
            assert_eq!(response.status, status, "{name}: {}", response.body);
        }
        caller
            .put(
                "live/liveChannels/none/scheduledOperations/op",
                samples::window(&caller, 1, 2),
            )
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn deleting_a_transform_frees_the_slots_of_its_jobs() {
    let caller = Caller::with(|builder| builder.settings(|settings| settings.job_slots = 1)).await;
    let all = samples::make(&caller).await;
    let body = |path: &str| samples::at(&all, path).body.clone();
    caller
        .put("media/transforms/other", body("media/transforms/encode"))
        .await
        .expect(201);
    caller
        .put(
            "media/transforms/other/jobs/waiting",
            body("media/transforms/encode/jobs/job"),
        )
        .await
        .expect(201);
    caller.step(1);
    assert_eq!(
        caller.state("media/transforms/other/jobs/waiting").await,
        "Queued"
    );
    caller.delete("media/transforms/encode").await.expect(200);
    caller
        .get("media/transforms/encode/jobs/job")
        .await
        .expect(404);
    assert_eq!(
        caller.state("media/transforms/other/jobs/waiting").await,
        "Scheduled"
    );
}

#[tokio::test]
async fn a_job_cannot_be_canceled_once_it_has_ended() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let job = all
        .iter()
        .find(|sample| sample.path.ends_with("/jobs/job"))
        .expect("a job");
    for (name, wait, states) in [
        ("early", 0, &["Canceling", "Canceled"][..]),
        ("late", 10, &["Canceling", "Canceled"]),
    ] {
        let path = format!("media/transforms/encode/jobs/{name}");
        caller.put(&path, job.body.clone()).await.expect(201);
        caller.step(wait);
        caller
            .post(&format!("{path}/cancelJob"), Value::Null)
            .await
            .expect(200);
        caller
            .post(&format!("{path}/cancelJob"), Value::Null)
            .await
            .expect(409);
        assert_eq!(watch(&caller, &path, 5).await, states, "{name}");
        let ended = caller.get(&path).await.expect(200);
        assert_eq!(ended.text("/properties/outputs/0/state"), "Canceled");
        assert_ne!(ended.body["properties"]["endTime"], Value::Null);
        caller
            .post(&format!("{path}/cancelJob"), Value::Null)
            .await
            .expect(409);
    }
    caller.step(600);
    assert_eq!(
        caller.state("media/transforms/encode/jobs/job").await,
        "Finished"
    );
    caller
        .post("media/transforms/encode/jobs/job/cancelJob", Value::Null)
        .await
        .expect(409);
}
