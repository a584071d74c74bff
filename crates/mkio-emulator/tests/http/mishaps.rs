//! Incidents of devices, private links and channels.

use mkio_emulator::{ChannelAlarm, Incident, SyncFailure};
use serde_json::{Value, json};

use crate::common::Caller;
use crate::samples;

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
        // The wanted state differs from the reported one.
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
