//! The Beam device.

use crate::common::Caller;
use serde_json::{Value, json};

#[tokio::test]
async fn a_beam_channel_is_made_started_copied_and_removed() {
    let caller = Caller::start().await;
    caller.get("/api/channel-system/").await.expect(200);
    assert_eq!(
        caller
            .get("/api/channel-deployment/eligibility/")
            .await
            .expect(200)
            .body["canRun"],
        true
    );
    caller.get("/api/interfaces/").await.expect(200);
    caller.get("/api/channel-capability/").await.expect(200);
    caller.get("/api/channel-me/").await.expect(200);
    let channel = json!({ "kind": "BeamChannel", "metadata": { "name": "one", "displayName": "One" }, "spec": {
        "type": "EncodingDistribution", "state": "Stopped",
        "inputs": [{ "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/1/0" } }], "outputs": [],
    } });
    let made = caller
        .put("/api/channels/one/", channel.clone())
        .await
        .expect(200);
    assert_eq!(made.text("/status/syncState"), "Configuring");
    caller.step(5);
    caller
        .patch("/api/channels/one/", json!({ "state": "Running" }))
        .await
        .expect(200);
    caller.step(5);
    assert_eq!(
        caller.get("/api/channels/one/").await.text("/status/state"),
        "Stopped"
    );
    caller
        .patch(
            "/api/channels/one/",
            json!({ "spec": { "state": "Running" } }),
        )
        .await
        .expect(200);
    caller.step(5);
    let running = caller.get("/api/channels/one/").await.expect(200);
    assert_eq!(
        (
            running.text("/status/state"),
            running.text("/status/inputs/0/name")
        ),
        ("Running".to_owned(), "sdi-0".to_owned())
    );
    let url = format!(
        "{}/api/channels/one/thumbnails/sdi-0/thumbnail.jpg",
        caller.emulator.base_url()
    );
    let picture = caller.http.get(url).send().await.expect("a response");
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    assert!(
        picture
            .bytes()
            .await
            .expect("a body")
            .starts_with(&[0xff, 0xd8])
    );
    let invalid = caller
        .put(
            "/api/channels/two/",
            json!({ "metadata": { "name": "two" }, "spec": {} }),
        )
        .await
        .expect(422);
    assert_eq!(invalid.body["detail"][0]["loc"][0], "body");
    let page = caller
        .get("/api/channels/?$filter=contains(toupper(metadata/displayName),%20'ON')&$top=1")
        .await
        .expect(200);
    assert_eq!(page.body["supplemental"]["pagination"]["total"], 1);
    caller
        .post("/api/channel-export/", Value::Null)
        .await
        .expect(422);
    let exported = caller
        .post("/api/channel-export/", json!({}))
        .await
        .expect(200);
    let import = |payload: Value, mode: &str| json!({ "payload": payload, "mode": mode });
    let again = caller
        .post(
            "/api/channel-import/",
            import(exported.body.clone(), "merge"),
        )
        .await
        .expect(200);
    assert_eq!(again.text("/imported/0/status"), "skipped");
    let mut empty = exported.body;
    empty["channels"] = json!([]);
    let replaced = caller
        .post("/api/channel-import/", import(empty, "replace"))
        .await
        .expect(200);
    assert_eq!(replaced.body["deleted"], json!(["one"]));
    caller.put("/api/channels/one/", channel).await.expect(200);
    caller.delete("/api/channels/one/").await.expect(204);
}
