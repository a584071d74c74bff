//! Incidents on demand: jobs, publishing, live events, flows.

use mkio_emulator::{Incident, JobFailure};
use serde_json::{Value, json};

use crate::common::Caller;
use crate::samples;

impl Caller {
    #[track_caller]
    pub fn cause(&self, path: &str, incident: Incident) {
        self.emulator
            .control()
            .cause("demo", path, &incident)
            .expect("it can happen");
    }

    #[track_caller]
    pub fn refuses(&self, path: &str, incident: Incident) -> String {
        self.emulator
            .control()
            .cause("demo", path, &incident)
            .expect_err("it cannot happen")
    }
}

#[tokio::test]
async fn what_cannot_happen_is_refused() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    for path in [
        "media/assets/none",
        "nowhere",
        "media/assets",
        "/api/channels/none/",
    ] {
        assert!(
            caller
                .refuses(path, Incident::Recovers)
                .contains("no resource"),
            "{path}"
        );
    }
    assert!(
        caller
            .refuses("media/assets/film", Incident::ProvisioningFails)
            .contains("asset 'film'")
    );
    assert!(
        caller
            .refuses("fleet/devices/beam", Incident::ProvisioningFails)
            .contains("device 'beam'")
    );
    assert!(
        caller
            .refuses("fleet/devices/beam", Incident::AlarmSeverity(5))
            .contains('5')
    );
    assert!(
        caller
            .refuses(
                "fleet/devices/beam",
                Incident::InterfaceVanishes("wlan".to_owned())
            )
            .contains("wlan")
    );
    assert!(
        caller
            .refuses("fleet/devices/beam", Incident::PreloadCancelled)
            .contains("stages no software")
    );
    assert!(
        caller
            .refuses("media/storage/disk", Incident::PrivateLinkApproved)
            .contains("no private link")
    );
    assert!(
        caller
            .refuses("/api/channels/one/", Incident::AlarmCleared("x".to_owned()))
            .contains("no alarm")
    );
    caller.step(600);
    assert!(
        caller
            .refuses(
                "media/transforms/encode/jobs/job",
                Incident::JobFails(JobFailure::default())
            )
            .contains("Finished")
    );
}

#[tokio::test]
async fn a_locator_fails_and_is_provisioned_again() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    let path = "media/streamingLocators/play";
    let told = async || {
        let locator = caller.get(path).await.expect(200);
        assert_eq!(
            locator.text("/properties/resourceState"),
            caller.state(path).await
        );
        (
            locator.text("/properties/resourceState"),
            locator.text("/properties/provisioningState"),
        )
    };
    caller.cause(path, Incident::ProvisioningFails);
    // It does not get over it by itself.
    caller.step(60);
    assert_eq!(told().await, ("Error".to_owned(), "Failed".to_owned()));
    let body = all
        .iter()
        .find(|sample| sample.path == path)
        .expect("a locator")
        .body
        .clone();
    caller.put(path, body).await.expect(200);
    assert_eq!(
        told().await,
        ("Updating".to_owned(), "InProgress".to_owned())
    );
    caller.step(2);
    assert_eq!(told().await, ("Created".to_owned(), "Succeeded".to_owned()));
    caller.cause(path, Incident::ProvisioningFails);
    caller.cause(path, Incident::Recovers);
    caller.step(2);
    assert_eq!(told().await.0, "Created");
    caller.cause(path, Incident::ProvisioningFails);
    caller.delete(path).await.expect(200);
    caller.step(2);
    caller.get(path).await.expect(404);
}

#[tokio::test]
async fn provisioning_and_starts_fail() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let told = async |path: &str| {
        let found = caller.get(path).await.expect(200);
        (
            found.text("/properties/resourceState"),
            found.text("/properties/provisioningState"),
        )
    };
    let is = |state: &str, provisioning: &str| (state.to_owned(), provisioning.to_owned());
    // An endpoint and an output that are never made.
    let (endpoint, output) = (
        "media/streamingEndpoints/front",
        "media/liveEvents/match/liveOutputs/record",
    );
    for path in [endpoint, output] {
        caller.cause(path, Incident::ProvisioningFails);
    }
    caller.step(60);
    assert_eq!(told(endpoint).await, is("Creating", "Failed"));
    assert_eq!(told(output).await, is("Creating", "Failed"));
    caller
        .post(&format!("{endpoint}/start"), Value::Null)
        .await
        .expect(409);
    caller.cause(endpoint, Incident::Recovers);
    caller.step(5);
    assert_eq!(told(endpoint).await, is("Stopped", "Succeeded"));
    caller.cause(endpoint, Incident::ProvisioningFails);
    // What is done to it next makes it good.
    caller
        .post(&format!("{endpoint}/scale"), json!({ "scaleUnit": 2 }))
        .await
        .expect(200);
    caller.step(15);
    assert_eq!(told(endpoint).await, is("Stopped", "Succeeded"));
    // Starts that come to nothing: the next one, and one that is going on.
    let event = "media/liveEvents/match";
    for path in [endpoint, event] {
        caller.cause(path, Incident::StartFails(String::new()));
        caller
            .post(&format!("{path}/start"), Value::Null)
            .await
            .expect(200);
        assert_eq!(caller.state(path).await, "Starting");
        caller.step(20);
        assert_eq!(caller.state(path).await, "Stopped");
        caller
            .post(&format!("{path}/start"), Value::Null)
            .await
            .expect(200);
        caller.cause(path, Incident::StartFails(String::new()));
        caller.step(20);
        assert_eq!(caller.state(path).await, "Stopped");
        caller
            .post(&format!("{path}/start"), Value::Null)
            .await
            .expect(200);
        caller.step(20);
        assert_eq!(caller.state(path).await, "Running");
        assert!(
            caller
                .refuses(path, Incident::StartFails(String::new()))
                .contains("Running")
        );
    }
}

#[tokio::test]
async fn flows_cannot_start_or_never_do() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    for path in [
        "live/liveChannels/flow1",
        "live/liveEvents/flow2",
        "live/staticMultiviewChannels/flow3",
        "live/staticMultiviewEvents/flow4",
    ] {
        let wanted = async |state: &str| {
            caller
                .patch(path, json!({ "spec": { "state": state } }))
                .await
                .expect(200)
        };
        caller.cause(path, Incident::StartFails("no encoder is free".to_owned()));
        wanted("Running").await;
        caller.step(6);
        let failed = caller.get(path).await.expect(200);
        assert_eq!(
            (failed.text("/status/state"), failed.text("/status/info")),
            ("UnableToStart".to_owned(), "no encoder is free".to_owned())
        );
        wanted("Stopped").await;
        assert_eq!(caller.state(path).await, "Stopped");
        // A start that hangs, however long one waits, and that goes on in the end.
        caller.cause(path, Incident::StaysStarting);
        wanted("Running").await;
        caller.step(6_000);
        assert_eq!(caller.state(path).await, "Starting");
        caller.cause(path, Incident::Recovers);
        caller.step(20);
        assert_eq!(caller.state(path).await, "Running");
        assert_eq!(caller.get(path).await.body["status"].get("info"), None);
        // There is nothing to recover from now.
        caller.cause(path, Incident::Recovers);
        assert_eq!(caller.state(path).await, "Running");
        assert!(
            caller
                .refuses(path, Incident::StaysStarting)
                .contains("Running")
        );
        // One that hangs is stopped, and starts the next time.
        wanted("Stopped").await;
        caller.step(10);
        wanted("Running").await;
        caller.step(7);
        caller.cause(path, Incident::StaysStarting);
        caller.step(600);
        assert_eq!(caller.state(path).await, "Starting");
        wanted("Stopped").await;
        caller.step(10);
        wanted("Running").await;
        caller.step(26);
        assert_eq!(caller.state(path).await, "Running");
    }
}

#[tokio::test]
async fn a_scheduled_operation_fails_and_leaves_its_flow() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let path = "live/liveEvents/flow2/scheduledOperations/op";
    caller
        .put(path, samples::window(&caller, 1, 600))
        .await
        .expect(200);
    caller.step(120);
    assert_eq!(caller.get(path).await.text("/status/state"), "Ongoing");
    caller.cause(
        path,
        Incident::OperationFails("the flow cannot be reached".to_owned()),
    );
    let failed = caller.get(path).await.expect(200);
    assert_eq!(failed.text("/status/state"), "Errored");
    assert_eq!(
        failed.body["status"]["errors"],
        json!(["the flow cannot be reached"])
    );
    // Nobody stops the flow at the end of the window.
    caller.step(86_400);
    assert_eq!(caller.state("live/liveEvents/flow2").await, "Running");
    assert!(
        caller
            .refuses(path, Incident::OperationFails(String::new()))
            .contains("Errored")
    );
    // Another window begins anew.
    caller
        .put(path, samples::window(&caller, 10, 20))
        .await
        .expect(200);
    caller.step(3);
    let accepted = caller.get(path).await.expect(200);
    assert_eq!(
        (
            accepted.text("/status/state"),
            accepted.body["status"]["errors"].clone()
        ),
        ("Accepted".to_owned(), json!([]))
    );
}

#[tokio::test]
async fn a_recording_may_end_when_time_ends() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(600);
    let clip = |time: &str| json!({ "@odata.type": "#Microsoft.Media.UtcClipTime", "time": time });
    for (name, start, end) in [
        ("last", "9999-12-31T23:00:00Z", "9999-12-31T23:59:59Z"),
        ("long", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("past", "0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
    ] {
        let body = json!({ "properties": {
            "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film", "start": clip(start), "end": clip(end) },
            "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "film" }],
        } });
        let path = format!("media/transforms/encode/jobs/{name}");
        let made = caller.put(&path, body).await;
        assert!(made.status < 500, "{name}: {}", made.body);
        caller.step(30);
        let lists = caller.get("media/jobs").await.expect(200);
        assert!(lists.body["value"].is_array(), "{}", lists.body);
        if made.status == 201 {
            let job = caller.get(&path).await.expect(200);
            let state = job.text("/properties/state");
            assert!(
                state == "Processing" || state == "Queued",
                "{name}: {state}"
            );
        }
    }
    // Nothing of it is due before the clock's own end.
    caller.step(365 * 24 * 3600);
    let long = caller
        .get("media/transforms/encode/jobs/long")
        .await
        .expect(200);
    assert_eq!(long.text("/properties/state"), "Processing");
    assert!(long.body["properties"]["outputs"][0]["progress"].as_i64() < Some(100));
}

#[tokio::test]
async fn a_recording_waits_records_and_ends() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(600);
    let now = caller.emulator.control().now();
    let at = |seconds: i64| {
        (now + chrono::TimeDelta::seconds(seconds))
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    let clip = |seconds: i64| json!({ "@odata.type": "#Microsoft.Media.UtcClipTime", "time": at(seconds) });
    let put = async |name: &str, start: Value, end: Value| {
        let body = json!({ "properties": {
            "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film", "start": start, "end": end },
            "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "film" }],
        } });
        caller
            .put(&format!("media/transforms/encode/jobs/{name}"), body)
            .await
            .expect(201)
    };
    let job = async |name: &str| {
        caller
            .get(&format!("media/transforms/encode/jobs/{name}"))
            .await
            .expect(200)
            .body["properties"]
            .clone()
    };
    let made = put("live", clip(100), clip(400)).await;
    assert_eq!(made.text("/properties/recording/state"), "Scheduled");
    caller.step(60);
    let waiting = job("live").await;
    assert_eq!(
        (&waiting["state"], &waiting["recording"]["state"]),
        (&json!("Processing"), &json!("Waiting"))
    );
    assert_eq!(waiting["recording"]["targetStartTime"], at(100));
    assert_eq!(waiting["recording"]["actualStartTime"], Value::Null);
    caller.step(141);
    let running = job("live").await;
    assert_eq!(
        (&running["state"], &running["recording"]["state"]),
        (&json!("Processing"), &json!("InProgress"))
    );
    assert_eq!(running["recording"]["actualStartTime"], at(100));
    let progress = running["outputs"][0]["progress"]
        .as_i64()
        .unwrap_or_default();
    assert!((40..60).contains(&progress), "{progress}");
    caller.step(200);
    let done = job("live").await;
    assert_eq!(
        (&done["state"], &done["recording"]["state"]),
        (&json!("Finished"), &json!("Completed"))
    );
    assert_eq!(
        (
            &done["recording"]["actualEndTime"],
            &done["recording"]["details"]
        ),
        (&json!(at(400)), &json!(""))
    );
    // What is past is cut out at once; what fails says why; a job without points in time has no recording.
    put("past", clip(-600), clip(-300)).await;
    caller.step(10);
    assert_eq!(job("past").await["recording"]["state"], "InProgress");
    caller.step(60);
    assert_eq!(job("past").await["recording"]["state"], "Completed");
    put("broken", clip(0), clip(900)).await;
    caller.step(10);
    caller.cause(
        "media/transforms/encode/jobs/broken",
        Incident::JobFails(JobFailure {
            message: "the source is gone".to_owned(),
            ..JobFailure::default()
        }),
    );
    caller.step(60);
    let broken = job("broken").await;
    assert_eq!(
        (
            &broken["state"],
            &broken["recording"]["state"],
            &broken["recording"]["details"]
        ),
        (
            &json!("Error"),
            &json!("Error"),
            &json!("the source is gone")
        )
    );
    assert_eq!(
        broken["outputs"][0]["error"]["message"],
        "the source is gone"
    );
    assert_eq!(job("job").await.get("recording"), None);
}

#[tokio::test]
async fn hooks_hear_of_incidents() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let events = [
        "MediaKind.ChannelInstanceError",
        "MediaKind.ScheduledOperationError",
        "MediaKind.JobFinished",
        "MediaKind.StreamingLocatorCreated",
    ];
    let hook =
        json!({ "spec": { "url": "http://127.0.0.1:9/hook", "enabled": true, "events": events } });
    caller.put("webhook/rules/hook", hook).await.expect(200);
    // A locator that fails was never created.
    caller.cause("media/streamingLocators/play", Incident::ProvisioningFails);
    caller.cause(
        "live/liveEvents/flow2",
        Incident::StartFails("no encoder is free".to_owned()),
    );
    caller
        .patch(
            "live/liveEvents/flow2",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.cause(
        "live/liveChannels/flow1/scheduledOperations/op",
        Incident::OperationFails("locked".to_owned()),
    );
    caller.cause(
        "media/transforms/encode/jobs/job",
        Incident::JobFails(JobFailure::default()),
    );
    caller.step(600);
    let told = caller
        .get("webhook/rules/hook/events")
        .await
        .expect(200)
        .body;
    let mut told: Vec<(&str, &str)> = told["value"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| Some((event["type"].as_str()?, event["source"].as_str()?)))
        .collect();
    told.sort_unstable();
    let project = "/api/v1/projects/demo";
    assert_eq!(
        told,
        [
            (
                "MediaKind.ChannelInstanceError",
                format!("{project}/live/liveEvents/flow2").as_str()
            ),
            (
                "MediaKind.JobFinished",
                &format!("{project}/transforms/encode/jobs/job")
            ),
            (
                "MediaKind.ScheduledOperationError",
                &format!("{project}/live/liveChannels/flow1/scheduledOperations/op")
            ),
        ]
    );
}
