//! Flows, scheduled operations and templates.

use crate::common::Caller;
use serde_json::{Value, json};

fn named() -> Value {
    json!({ "displayName": "Shown" })
}

async fn flow(caller: &Caller) -> Value {
    caller.asset("archive").await;
    caller
        .put("media/content/news", json!({ "metadata": named() }))
        .await
        .expect(201);
    let source = json!({ "metadata": named(), "spec": { "contentName": "news", "transport": { "type": "SRTListener" } } });
    let made = caller.put("media/sources/studio", source).await.expect(201);
    assert!(made.text("/status/transport/urls/0").starts_with("srt://"));
    let preset = caller
        .get("templating/presets/encodingLive")
        .await
        .expect(200)
        .text("/value/0/metadata/name");
    let config = caller
        .put(
            "templating/configs/encodingLive/cfg",
            json!({ "spec": { "presetName": preset } }),
        )
        .await
        .expect(201);
    let pin = config.text("/status/inputPins/0/name");
    json!({ "metadata": named(), "spec": {
        "state": "Stopped", "inputs": [{ "contentName": "news", "transformInput": pin }], "outputs": [],
        "transform": {
            "type": "LiveEvent", "assetName": "archive", "archiveWindowLength": "P1DT0S",
            "encodingLive": { "configRef": { "name": "cfg", "version": config.text("/metadata/hash") }, "configValues": { "latency": "low" } },
        },
    } })
}

#[tokio::test]
async fn a_flow_of_the_live_api_runs() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    for (pointer, value, named) in [
        (
            "/spec/inputs/0/transformInput",
            json!("wrong"),
            "spec.inputs.0.transformInput",
        ),
        (
            "/spec/inputs/0/sourceName",
            json!("studio"),
            "spec.inputs.0",
        ),
        (
            "/spec/transform/type",
            json!("LiveChannel"),
            "spec.transform.type",
        ),
        (
            "/spec/transform/assetName",
            json!("nothing"),
            "spec.transform.assetName",
        ),
        (
            "/spec/transform/encodingLive/configValues/other",
            json!(1),
            "configValues.other",
        ),
    ] {
        let mut wrong = body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        wrong.pointer_mut(parent).expect("a parent")[name] = value;
        let refused = caller.put("live/liveEvents/show", wrong).await.expect(400);
        assert!(refused.detail().contains(named), "{}", refused.detail());
    }
    caller
        .put("live/liveEvents/show", body.clone())
        .await
        .expect(201);
    caller.put("live/liveEvents/show", body).await.expect(200);
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
    assert_eq!(
        caller
            .get("media/sources/studio")
            .await
            .text("/status/state"),
        "Inactive"
    );
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(6);
    assert_eq!(caller.state("live/liveEvents/show").await, "Starting");
    caller.step(20);
    let running = caller
        .get("live/liveEvents/show?$detailedStatus=true")
        .await
        .expect(200);
    assert_eq!(running.text("/status/state"), "Running");
    assert_eq!(running.text("/status/inputs/0/sourceName"), "studio");
    assert!(
        running
            .text("/status/monitoring/input/thumbnailUrl")
            .starts_with("https://")
    );
    let content = caller.get("media/content/news").await.expect(200);
    assert_eq!(content.text("/status/state"), "Active");
    caller.delete("media/content/news").await.expect(409);
    let found = caller.get("live/search?$filter=status/state%20eq%20'Running'%20and%20spec/inputs/content%20eq%20'news'").await.expect(200);
    assert_eq!(found.body["supplemental"]["count"], 1);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Stopped" } }),
        )
        .await
        .expect(200);
    caller.step(10);
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
    caller.delete("live/liveEvents/show").await.expect(200);
    caller.step(5);
    caller.get("live/liveEvents/show").await.expect(404);
}

#[tokio::test]
async fn a_flow_without_its_dependency_waits_and_without_its_configuration_cannot_start() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    caller.put("live/liveEvents/show", body).await.expect(201);
    caller.delete("media/assets/archive").await.expect(200);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(86_400);
    assert_eq!(caller.state("live/liveEvents/show").await, "Starting");
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Stopped" } }),
        )
        .await
        .expect(200);
    caller.step(10);
    caller
        .delete("templating/configs/encodingLive/cfg")
        .await
        .expect(200);
    caller
        .patch(
            "live/liveEvents/show",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(60);
    assert_eq!(caller.state("live/liveEvents/show").await, "UnableToStart");
}

#[tokio::test]
async fn a_scheduled_operation_starts_and_stops_its_flow() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    caller.put("live/liveEvents/show", body).await.expect(201);
    let at = |minutes: i64| {
        (caller.emulator.control().now() + chrono::TimeDelta::minutes(minutes))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let window = |from, to| json!({ "spec": { "type": "MediaKind.ScheduledOperation.StartStop", "startTime": at(from), "endTime": at(to), "correlationData": {} } });
    let path = "live/liveEvents/show/scheduledOperations";
    caller
        .put(&format!("{path}/o1"), window(10, 5))
        .await
        .expect(400);
    caller
        .put(&format!("{path}/o1"), window(10, 20))
        .await
        .expect(201);
    caller
        .put(&format!("{path}/o2"), window(15, 25))
        .await
        .expect(409);
    caller
        .put(&format!("{path}/late"), window(-20, -10))
        .await
        .expect(201);
    assert_eq!(
        caller
            .get(&format!("{path}/late"))
            .await
            .text("/status/state"),
        "Errored"
    );
    caller.delete("live/liveEvents/show").await.expect(409);
    caller.step(3);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Accepted"
    );
    caller.step(660);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Ongoing"
    );
    assert_eq!(caller.state("live/liveEvents/show").await, "Running");
    caller.step(660);
    assert_eq!(
        caller
            .get(&format!("{path}/o1"))
            .await
            .text("/status/state"),
        "Completed"
    );
    assert_eq!(caller.state("live/liveEvents/show").await, "Stopped");
}

#[tokio::test]
async fn templates_have_versions_and_moving_tags() {
    let caller = Caller::start().await;
    let path = "templating/configs/encodingLive/cfg";
    let body = |value: u32, tags: Value| json!({ "metadata": { "tags": tags }, "spec": { "config": { "v": value }, "parameters": [] } });
    let first = caller
        .put(path, body(1, json!(["stable"])))
        .await
        .expect(201)
        .text("/metadata/hash");
    let second = caller
        .put(path, body(2, json!(["stable"])))
        .await
        .expect(200)
        .text("/metadata/hash");
    assert_ne!(first, second);
    assert_eq!(
        caller
            .get(&format!("{path}/versions/stable"))
            .await
            .expect(200)
            .text("/metadata/hash"),
        second
    );
    assert_eq!(
        caller
            .get(&format!("{path}/versions/{first}"))
            .await
            .expect(200)
            .body["metadata"]["tags"],
        json!([])
    );
    assert_eq!(
        caller
            .get(&format!("{path}/versions"))
            .await
            .expect(200)
            .body["supplemental"]["count"],
        2
    );
    assert_eq!(
        caller.get("templating/configs").await.expect(200).body["supplemental"]["count"],
        1
    );
    caller
        .delete(&format!("{path}/versions/latest"))
        .await
        .expect(400);
    caller
        .delete(&format!("{path}/versions/{first}"))
        .await
        .expect(200);
    caller
        .delete(&format!("{path}/versions/{first}"))
        .await
        .expect(204);
    caller
        .get(&format!("{path}/versions/{first}"))
        .await
        .expect(404);
    caller
        .put("templating/configs/nothing/cfg", body(1, json!([])))
        .await
        .expect(404);
    caller
        .put(path, json!({ "spec": { "presetName": "nothing" } }))
        .await
        .expect(400);
}
