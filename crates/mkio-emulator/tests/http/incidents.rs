//! What the control handle lets happen, and what the platform tells of it.

use crate::common::Caller;
use crate::samples;
use mkio_emulator::{ChannelAlarm, Incident, JobFailure, SyncFailure};
use serde_json::{Value, json};

impl Caller {
    #[track_caller]
    fn cause(&self, path: &str, incident: Incident) {
        self.emulator
            .control()
            .cause("demo", path, &incident)
            .expect("it can happen");
    }

    #[track_caller]
    fn refuses(&self, path: &str, incident: Incident) -> String {
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
async fn a_device_goes_offline_and_returns() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let device = "fleet/devices/beam";
    let status = async || caller.get(device).await.expect(200).body["status"].clone();
    assert_eq!(status().await["secondsSinceLastContact"], 0);
    let newest = "1.13.0.2";
    caller
        .patch(
            device,
            json!({ "spec": { "preloadSoftwareVersion": newest } }),
        )
        .await
        .expect(200);
    caller.step(20);
    assert_eq!(
        status().await["preloadedSoftware"][0]["state"],
        "Downloading"
    );
    let contact = status().await["lastContact"].clone();
    caller.cause(device, Incident::GoesOffline);
    caller.step(90);
    let gone = status().await;
    assert_eq!(
        (&gone["lastContact"], &gone["secondsSinceLastContact"]),
        (&contact, &json!(90))
    );
    assert_eq!(gone["preloadedSoftware"], json!([]));
    let described = json!({ "metadata": samples::shown(), "spec": { "description": "why" } });
    for action in ["backup", "removeServices", "supportPackages"] {
        let refused = caller
            .post(&format!("{device}/{action}"), described.clone())
            .await
            .expect(409);
        assert!(refused.detail().contains("offline"), "{}", refused.detail());
    }
    // What it is to do is kept for it; a flow of its site waits for it.
    caller
        .patch(device, json!({ "metadata": { "displayName": "Away" } }))
        .await
        .expect(200);
    caller
        .patch(
            "live/liveEvents/flow2",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(600);
    assert_eq!(caller.state("live/liveEvents/flow2").await, "Starting");
    caller.cause(device, Incident::ComesOnline);
    assert_eq!(status().await["secondsSinceLastContact"], 0);
    caller.step(42);
    assert_eq!(
        status().await["preloadedSoftware"][0]["state"],
        "Downloaded"
    );
    assert_eq!(caller.state("live/liveEvents/flow2").await, "Running");
    assert_eq!(
        caller
            .get("live/liveEvents/flow2")
            .await
            .text("/status/deviceName"),
        "beam"
    );
    for flow in [
        "live/liveChannels/flow1",
        "live/liveEvents/flow2",
        "live/staticMultiviewChannels/flow3",
        "live/staticMultiviewEvents/flow4",
    ] {
        caller
            .delete(&format!("{flow}?$force=true"))
            .await
            .expect(200);
    }
    caller.step(10);
    // It goes neither while it is away, nor while it has services.
    caller.cause(device, Incident::GoesOffline);
    assert!(
        caller
            .delete(device)
            .await
            .expect(409)
            .detail()
            .contains("offline")
    );
    caller.cause(device, Incident::ComesOnline);
    caller.cause(device, Incident::ServicesRun(true));
    assert!(
        caller
            .delete(device)
            .await
            .expect(409)
            .detail()
            .contains("services")
    );
    caller.cause(device, Incident::ServicesRun(false));
    caller.cause(device, Incident::GoesOffline);
    caller
        .delete(&format!("{device}?$force=true&$reason=Failed"))
        .await
        .expect(200);
    caller.get(device).await.expect(404);
}

#[tokio::test]
async fn software_of_a_device_fails() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let device = "fleet/devices/beam";
    let newest = "1.13.0.2";
    let status = async |pointer: &str| {
        caller
            .get(device)
            .await
            .expect(200)
            .text(&format!("/status{pointer}"))
    };
    let want = async |field: &str, version: &str| {
        caller
            .patch(device, json!({ "spec": { field: version } }))
            .await
            .expect(200)
    };
    want("preloadSoftwareVersion", newest).await;
    caller.step(10);
    caller.cause(
        device,
        Incident::PreloadFails("the disk is full".to_owned()),
    );
    caller.step(600);
    assert_eq!(status("/preloadedSoftware/0/state").await, "PreloadFailed");
    assert_eq!(
        status("/preloadedSoftware/0/progressDetails").await,
        "the disk is full"
    );
    // Asking again tries again.
    want("preloadSoftwareVersion", newest).await;
    assert_eq!(status("/preloadedSoftware/0/state").await, "Requested");
    caller.cause(device, Incident::PreloadCancelled);
    assert_eq!(
        status("/preloadedSoftware/0/state").await,
        "PreloadCancelled"
    );
    want("preloadSoftwareVersion", newest).await;
    caller.step(60);
    assert_eq!(status("/preloadedSoftware/0/state").await, "Downloaded");
    want("desiredSoftwareVersion", newest).await;
    assert_eq!(status("/softwareUpgradeState").await, "Switching");
    caller.cause(device, Incident::SwitchFails);
    caller.step(60);
    assert_eq!(status("/softwareUpgradeState").await, "SwitchFailed");
    assert_eq!(status("/currentSoftwareVersion").await, "1.12.0.7");
    want("desiredSoftwareVersion", newest).await;
    caller.step(60);
    assert_eq!(
        (
            status("/softwareUpgradeState").await,
            status("/currentSoftwareVersion").await
        ),
        ("Idle".to_owned(), newest.to_owned())
    );
    // The second bank is a rollback without staging.
    want("preloadSoftwareVersion", "").await;
    assert_eq!(status("/preloadedSoftware/0/state").await, "Removing");
    caller.step(5);
    assert_eq!(status("/preloadedSoftware/0/state").await, "Removed");
    want("desiredSoftwareVersion", "1.12.0.7").await;
    caller.step(60);
    assert_eq!(status("/currentSoftwareVersion").await, "1.12.0.7");
    assert_eq!(status("/rollbackSoftwareVersion").await, newest);
    caller.cause(device, Incident::AlarmSeverity(3));
    caller.cause(device, Incident::InterfaceVanishes("sdi0".to_owned()));
    let told = caller.get(device).await.expect(200).body["status"].clone();
    assert_eq!(told["alarmSeverity"], 3);
    assert!(told["interfaces"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| one["name"] == "sdi0" && one["state"] == "NotPresent")
    }));
    let listed = caller
        .get("fleet/devices?$filter=status/alarmSeverity%20ge%203")
        .await
        .expect(200);
    assert_eq!(listed.body["supplemental"]["count"], 1);
    caller.cause(device, Incident::Recovers);
    let told = caller.get(device).await.expect(200).body["status"].clone();
    assert!(
        told["alarmSeverity"] == 0 && !told["interfaces"].to_string().contains("NotPresent"),
        "{told}"
    );
}

#[tokio::test]
async fn a_private_link_has_to_be_approved() {
    let caller = Caller::start().await;
    let link = json!({ "requestMessage": "please", "resourceGroupName": "group", "storageAccountName": "account", "subscriptionId": "00000000-0000-4000-8000-000000000001" });
    let body = |link: &Value| {
        json!({ "spec": {
        "type": "Microsoft.Storage", "url": "https://linked.example.com", "credential": { "sasToken": "?sv=1&sig=x" }, "privateLinkServiceConnection": link,
    } })
    };
    let path = "media/storage/linked";
    let state = async || {
        caller.get(path).await.expect(200).body["status"]
            .get("privateLinkServiceConnectionStatus")
            .cloned()
    };
    caller.put(path, body(&link)).await.expect(201);
    assert_eq!(state().await, Some(json!("Creating")));
    caller
        .put(
            "media/assets/film",
            json!({ "properties": { "storageAccountName": "linked", "container": "film" } }),
        )
        .await
        .expect(201);
    caller.step(5);
    assert_eq!(state().await, Some(json!("Pending")));
    let refused = caller.get("media/assets/film/storage/").await.expect(400);
    assert!(refused.detail().contains("Pending"), "{}", refused.detail());
    caller
        .post("media/assets/film/getFileAccessInfo", Value::Null)
        .await
        .expect(400);
    caller.cause(path, Incident::PrivateLinkIgnored);
    caller.step(86_400);
    assert_eq!(state().await, Some(json!("Pending")));
    caller.cause(path, Incident::PrivateLinkApproved);
    assert_eq!(state().await, Some(json!("Ready")));
    caller.get("media/assets/film/storage/").await.expect(200);
    // It cannot be changed, only taken away.
    let mut other = link.clone();
    other["resourceGroupName"] = json!("other");
    assert!(
        caller
            .put(path, body(&other))
            .await
            .expect(400)
            .detail()
            .contains("privateLinkServiceConnection")
    );
    caller.patch(path, json!({ "spec": { "type": "Microsoft.Storage", "privateLinkServiceConnection": null } })).await.expect(200);
    assert_eq!(state().await, None);
    caller.put(path, body(&other)).await.expect(200);
    caller.put(path, body(&Value::Null)).await.expect(200);
    assert_eq!(state().await, None);
    // Left alone, somebody approves it.
    caller.put(path, body(&other)).await.expect(200);
    caller.step(65);
    assert_eq!(state().await, Some(json!("Ready")));
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
async fn channels_have_alarms_and_failed_configurations() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let path = "/api/channels/one/";
    let status = async || caller.get(path).await.expect(200).body["status"].clone();
    let alarms = async |name: &str| {
        caller
            .get(&format!(
                "/api/channel-channelalarms/active/?channelName={name}"
            ))
            .await
            .expect(200)
            .body
    };
    caller.step(5);
    for (state, told) in [
        (SyncFailure::ConfigFailed, "ConfigFailed"),
        (SyncFailure::SyncFailed, "SyncFailed"),
        (SyncFailure::Failed, "Failed"),
    ] {
        caller
            .patch(path, json!({ "spec": { "state": "Running" } }))
            .await
            .expect(200);
        assert_eq!(status().await["syncState"], "Configuring");
        caller.cause(
            path,
            Incident::ConfigurationFails {
                state,
                code: "CH-17".to_owned(),
                detail: "the card is in use".to_owned(),
            },
        );
        caller.step(600);
        let failed = status().await;
        assert_eq!(failed["syncState"], told);
        assert_eq!(failed["errors"][0]["code"], "CH-17");
        assert_eq!(failed["syncError"], json!(["the card is in use"]));
        // What was wanted is not what is.
        assert_eq!(failed["state"], "Stopped");
        caller
            .patch(path, json!({ "spec": { "state": "Stopped" } }))
            .await
            .expect(200);
        caller.step(5);
        let repaired = status().await;
        assert_eq!(
            (
                &repaired["syncState"],
                &repaired["errors"],
                &repaired["syncError"]
            ),
            (&json!("Ok"), &json!([]), &json!([]))
        );
    }
    assert_eq!(alarms("one").await["value"], json!([]));
    let alarm = |name: &str, severity: &str| {
        Incident::AlarmRaised(ChannelAlarm {
            name: name.to_owned(),
            severity: severity.to_owned(),
            info: Some("input_1".to_owned()),
        })
    };
    caller.cause(path, alarm("no signal", "Minor"));
    caller.cause(path, alarm("too hot", "Critical"));
    assert!(caller.refuses(path, alarm("x", "Clear")).contains("Clear"));
    let raised = alarms("one").await;
    assert_eq!(raised["supplemental"]["count"], 2);
    assert_eq!(raised["value"][0]["metadata"]["name"], "no signal");
    assert_eq!(raised["value"][0]["metadata"]["channelName"], "one");
    assert_eq!(
        raised["value"][0]["status"],
        json!({ "severity": "Minor", "additionalInfo": "input_1" })
    );
    assert_eq!(status().await["health"]["severity"], "Critical");
    assert_eq!(alarms("other").await["value"], json!([]));
    caller.cause(path, Incident::AlarmCleared("too hot".to_owned()));
    assert_eq!(status().await["health"]["severity"], "Minor");
    caller.cause(path, Incident::Recovers);
    assert_eq!(
        (
            status().await["health"]["severity"].clone(),
            alarms("one").await["value"].clone()
        ),
        (json!("Clear"), json!([]))
    );
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
