//! Live events of the Media API.

use serde_json::{Value, json};

use crate::common::Caller;

#[tokio::test]
async fn a_media_live_event_runs_and_leaves_its_asset() {
    let caller = Caller::start().await;
    caller.asset("archive").await;
    let event = json!({ "tags": { "team": "sports" }, "properties": {
        "useStaticHostname": false, "encoding": { "encodingType": "PassthroughBasic" }, "input": { "streamingProtocol": "RTMP" }, "streamOptions": [],
    } });
    let made = caller
        .put("media/liveEvents/event1", event.clone())
        .await
        .expect(200);
    assert_eq!(made.body["properties"]["input"].get("endpoints"), None);
    assert!(made.text("/properties/input/accessToken").len() >= 10);
    caller
        .put("media/liveEvents/event1", event.clone())
        .await
        .expect(409);
    caller
        .post("media/liveEvents/event1/stop", Value::Null)
        .await
        .expect(409);
    caller
        .post("media/liveEvents/event1/start", Value::Null)
        .await
        .expect(200);
    assert_eq!(caller.state("media/liveEvents/event1").await, "Starting");
    caller.step(15);
    let running = caller.get("media/liveEvents/event1").await.expect(200);
    assert_eq!(running.text("/properties/resourceState"), "Running");
    assert!(
        running
            .text("/properties/input/endpoints/0/url")
            .starts_with("rtmp://")
    );
    let output = |window: &str| json!({ "properties": { "assetName": "archive", "archiveWindowLength": window, "manifestName": "show" } });
    for window in ["PT30S", "P1D", "P7D", "P1W", "P8DT0S"] {
        caller
            .put("media/liveEvents/event1/liveOutputs/o", output(window))
            .await
            .expect(400);
    }
    caller
        .put("media/liveEvents/event1/liveOutputs/o", output("PT4H"))
        .await
        .expect(201);
    caller.step(5);
    assert_eq!(
        caller.state("media/liveEvents/event1/liveOutputs/o").await,
        "Running"
    );
    caller.delete("media/assets/archive").await.expect(409);
    for action in ["reset", "allocate"] {
        caller
            .post(&format!("media/liveEvents/event1/{action}"), Value::Null)
            .await
            .expect(400);
    }
    caller.delete("media/liveEvents/event1").await.expect(409);
    caller
        .patch("media/liveEvents/event1", json!({ "properties": {} }))
        .await
        .expect(409);
    caller
        .post("media/liveEvents/event1/stop", Value::Null)
        .await
        .expect(200);
    caller.step(10);
    let listed = caller
        .get("media/liveEvents?$label=team~spo&$filter=properties/resourceState%20eq%20'Stopped'")
        .await
        .expect(200);
    assert_eq!(listed.body["supplemental"]["count"], 1);
    let pipeline = json!({ "properties": { "pipeline": { "name": "Predefined_Transcribe" } } });
    assert_eq!(
        caller
            .patch("media/liveEvents/event1", pipeline)
            .await
            .expect(200)
            .text("/properties/pipeline/name"),
        "Predefined_Transcribe"
    );
    let refused = caller
        .patch(
            "media/liveEvents/event1",
            json!({ "properties": { "pipeline": { "name": "x" } } }),
        )
        .await;
    refused.expect(200);
    let patch = json!([{ "op": "replace", "path": "/properties/pipeline/name", "value": "y" }]);
    let patched = caller
        .json_patch("media/liveEvents/event1", patch)
        .await
        .expect(200);
    assert_eq!(patched.text("/properties/pipeline/name"), "y");
    caller
        .delete("media/liveEvents/event1/liveOutputs/o")
        .await
        .expect(200);
    caller.delete("media/liveEvents/event1").await.expect(200);
    assert_eq!(
        caller
            .get("media/liveEvents/event1")
            .await
            .expect(200)
            .text("/properties/resourceState"),
        "Deleting"
    );
    caller.step(5);
    caller.get("media/liveEvents/event1").await.expect(404);
    caller
        .put("media/liveEvents/event1", event)
        .await
        .expect(409);
    caller.get("media/assets/archive").await.expect(200);
}
