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
    let base = caller.emulator.base_url();
    for (at, kind) in [
        ("thumbnailUrl", "image/jpeg"),
        ("metadataUrl", "application/json"),
    ] {
        let url = running.text(&format!("/status/monitoring/input/{at}"));
        assert!(url.starts_with(base), "{url}");
        let response = caller.http.get(url).send().await.expect("a response");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], kind);
    }
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

/// A live event that reads content.
fn reader(content: &str, refiner: Value) -> Value {
    json!({ "metadata": named(), "spec": {
        "state": "Running", "inputs": [{ "contentName": content, "transformInput": "main", "refiner": refiner }], "outputs": [],
        "transform": { "type": "LiveEvent", "assetName": "archive", "encodingLive": { "configRef": { "name": "cfg", "version": "latest" } } },
    } })
}

/// The origin of the only input: the source and the upstream flow.
async fn origin(caller: &Caller, flow: &str) -> (String, String) {
    let shown = caller.get(flow).await.expect(200);
    let text = |field: &str| shown.text(&format!("/status/inputs/0/{field}"));
    (text("sourceName"), text("upstreamFlowName"))
}

#[tokio::test]
async fn content_is_followed_to_sources_and_flows_that_are_reached_and_wanted() {
    let caller = Caller::start().await;
    caller.asset("archive").await;
    let config =
        json!({ "metadata": { "tags": ["latest"] }, "spec": { "presetName": "default_1080p" } });
    caller
        .put("templating/configs/encodingLive/cfg", config)
        .await
        .expect(201);
    for name in ["news", "clean"] {
        caller
            .put(
                &format!("media/content/{name}"),
                json!({ "metadata": named() }),
            )
            .await
            .expect(201);
    }
    caller
        .put(
            "infra/networks/lan",
            json!({ "metadata": named(), "spec": {} }),
        )
        .await
        .expect(201);
    for (name, network, studio) in [
        ("far", "lan", "north"),
        ("north", "internet", "north"),
        ("south", "internet", "south"),
    ] {
        let source = json!({ "metadata": { "displayName": name, "labels": { "studio": studio } }, "spec": {
            "contentName": "news", "networkName": network, "transport": { "type": "SRTListener", "port": 5000 } } });
        caller
            .put(&format!("media/sources/{name}"), source)
            .await
            .expect(201);
    }
    let label = |studio: &str| json!({ "labelMatch": { "key": "studio", "value": studio } });
    let mut publisher = reader("news", label("south"));
    publisher["spec"]["outputs"] = json!([{ "contentName": "clean" }]);
    caller
        .put("live/liveEvents/publisher", publisher)
        .await
        .expect(201);
    caller
        .put("live/liveEvents/second", reader("clean", json!({})))
        .await
        .expect(201);
    caller
        .put("live/liveEvents/third", reader("news", json!({})))
        .await
        .expect(201);
    let other = json!({ "flow": { "name": "nobody" } });
    caller
        .put("live/liveEvents/fourth", reader("clean", other))
        .await
        .expect(201);
    caller.step(60);
    let text = |source: &str, flow: &str| (source.to_owned(), flow.to_owned());
    assert_eq!(
        origin(&caller, "live/liveEvents/publisher").await,
        text("south", "")
    );
    assert_eq!(
        origin(&caller, "live/liveEvents/second").await,
        text("", "publisher")
    );
    // The network of the first source is not reached.
    assert_eq!(
        origin(&caller, "live/liveEvents/third").await,
        text("north", "")
    );
    assert_eq!(
        origin(&caller, "live/liveEvents/fourth").await,
        text("", "")
    );
    let publisher = caller.get("live/liveEvents/publisher").await.expect(200);
    assert_eq!(
        publisher.body["status"]["outputs"][0]["downstreamFlowNames"],
        json!(["second"])
    );
    assert!(
        publisher
            .text("/status/inputs/0/sourceUrl")
            .starts_with("srt://")
    );
    for (path, state, status) in [
        ("media/sources/far", "Inactive", 200),
        ("media/sources/north", "Active", 409),
        ("media/sources/south", "Active", 409),
    ] {
        assert_eq!(
            caller.get(path).await.text("/status/state"),
            state,
            "{path}"
        );
        caller.delete(path).await.expect(status);
    }
    let refused = caller.delete("live/liveEvents/publisher").await.expect(409);
    assert!(
        refused.detail().contains("'second'"),
        "{}",
        refused.detail()
    );
    let detached = json!({ "spec": { "contentName": null } });
    caller
        .patch("media/sources/north", detached)
        .await
        .expect(409);
    // With a route from its site, the first source would have been it.
    let routes = json!({ "spec": { "routes": [{ "networkName": "internet" }, { "networkName": "world" }] } });
    caller.patch("infra/sites/cloud", routes).await.expect(200);
}

#[tokio::test]
async fn a_flow_that_never_ran_has_not_stopped() {
    let caller = Caller::start().await;
    let body = flow(&caller).await;
    let path = "live/liveEvents/show";
    caller.put(path, body).await.expect(201);
    let rule = json!({ "spec": { "url": "http://127.0.0.1:9/hook", "enabled": true,
        "events": ["MediaKind.ChannelInstanceStarted", "MediaKind.ChannelInstanceStopped"] } });
    caller.put("webhook/rules/r", rule).await.expect(201);
    let want = async |state: &str, seconds: u64| {
        let body = json!({ "spec": { "state": state } });
        caller.patch(path, body).await.expect(200);
        caller.step(seconds);
        caller.emulator.control().deliveries(9).len()
    };
    assert_eq!(want("Running", 5).await, 0);
    assert_eq!(want("Stopped", 10).await, 0);
    assert_eq!(want("Running", 30).await, 1);
    assert_eq!(want("Stopped", 10).await, 2);
}
