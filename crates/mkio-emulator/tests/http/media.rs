//! Storage, assets and jobs over raw HTTP.

use serde_json::{Value, json};

use crate::common::Caller;

pub fn transform(preset: Value) -> Value {
    json!({ "properties": { "outputs": [{ "preset": preset }] } })
}

pub fn encoder() -> Value {
    transform(
        json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p" }),
    )
}

pub fn job(input: &str, output: &str) -> Value {
    json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": input },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": output }],
    } })
}

#[tokio::test]
async fn storage_is_registered_and_its_credential_rotated() {
    let caller = Caller::start().await;
    let body = |token: &str| json!({ "spec": { "type": "Microsoft.Storage", "url": "https://s2.example.com", "credential": { "sasToken": token } } });
    let made = caller
        .put(
            "media/storage/s2",
            body("?sv=1&se=2999-01-01T00:00:00Z&sig=secret1"),
        )
        .await
        .expect(201);
    assert!(!made.body.to_string().contains("secret1"), "{}", made.body);
    let first = made.text("/status/activeCredentialId");
    let credential = json!({ "spec": { "type": "Microsoft.Storage", "credential": { "sasToken": "?sv=1&se=2999-06-01T00:00:00Z&sig=secret2" } } });
    let second = caller
        .post("media/storage/s2/credentials", credential)
        .await
        .expect(201)
        .text("/metadata/id");
    assert_eq!(
        caller
            .get("media/storage/s2")
            .await
            .expect(200)
            .text("/status/activeCredentialId"),
        second
    );
    let listed = caller.get("media/storage/s2/credentials").await.expect(200);
    assert_eq!(listed.body["supplemental"]["count"], 2);
    assert!(
        !listed.body.to_string().contains("secret"),
        "{}",
        listed.body
    );
    caller
        .put(
            "media/assets/a",
            json!({ "properties": { "storageAccountName": "s2" } }),
        )
        .await
        .expect(201);
    caller
        .post("media/assets/a/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    for id in [&first, &second] {
        caller
            .delete(&format!("media/storage/s2/credentials/{id}"))
            .await
            .expect(204);
    }
    assert_eq!(
        caller.get("media/storage/s2").await.expect(200).body["status"]["activeCredentialId"],
        Value::Null
    );
    caller
        .post("media/assets/a/getFileAccessInfo", Value::Null)
        .await
        .expect(400);
    caller.delete("media/storage/s2").await.expect(409);
    caller.delete("media/assets/a").await.expect(200);
    caller.delete("media/storage/s2").await.expect(204);
    let refused = caller
        .put(
            "media/storage/s2",
            json!({ "spec": { "type": "Microsoft.Storage", "url": "https://s2.example.com/" } }),
        )
        .await
        .expect(400);
    assert!(
        refused.detail().contains("spec.url"),
        "{}",
        refused.detail()
    );
}

#[tokio::test]
async fn an_asset_is_encoded_published_and_downloaded() {
    let caller = Caller::start().await;
    caller.asset("incoming").await;
    assert_eq!(caller.state("media/assets/incoming").await, "Pending");
    caller.step(2);
    assert_eq!(caller.state("media/assets/incoming").await, "Ready");
    caller
        .put(
            "media/assets/outgoing",
            json!({ "properties": { "storageAccountName": "storage1" } }),
        )
        .await
        .expect(201);
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(201);
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(200);
    caller
        .put("media/transforms/t/jobs/j", job("incoming", "outgoing"))
        .await
        .expect(201);
    caller
        .put("media/transforms/t/jobs/j", job("incoming", "outgoing"))
        .await
        .expect(409);
    assert_eq!(caller.state("media/transforms/t/jobs/j").await, "Queued");
    caller.step(1);
    assert_eq!(caller.state("media/transforms/t/jobs/j").await, "Scheduled");
    caller.step(1);
    caller.step(30);
    let half = caller.get("media/transforms/t/jobs/j").await.expect(200);
    assert_eq!(half.text("/properties/state"), "Processing");
    assert_eq!(half.body["properties"]["outputs"][0]["progress"], 50);
    caller.step(30);
    let done = caller.get("media/transforms/t/jobs/j").await.expect(200);
    assert_eq!(done.text("/properties/outputs/0/state"), "Finished");
    assert_eq!(done.body["properties"]["outputs"][0]["progress"], 100);
    let files = caller
        .get("media/assets/outgoing/storage/")
        .await
        .expect(200);
    assert!(
        files.body["spec"]["files"]
            .to_string()
            .contains("video.ism"),
        "{}",
        files.body
    );
    let locator = json!({ "properties": { "assetName": "outgoing", "streamingPolicyName": "Predefined_DownloadAndClearStreaming" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(2);
    assert_eq!(caller.state("media/streamingLocators/l").await, "Created");
    let endpoint = json!({ "location": "eastus", "properties": { "scaleUnits": 0 } });
    caller
        .put("media/streamingEndpoints/ep", endpoint)
        .await
        .expect(201);
    caller
        .post("media/streamingEndpoints/ep/start", Value::Null)
        .await
        .expect(409);
    caller.step(5);
    caller
        .post("media/streamingEndpoints/ep/start", Value::Null)
        .await
        .expect(200);
    caller.step(20);
    assert_eq!(caller.state("media/streamingEndpoints/ep").await, "Running");
    let paths = caller
        .post("media/streamingLocators/l/listPaths", Value::Null)
        .await
        .expect(200);
    assert!(
        paths
            .text("/streamingPaths/0/paths/0")
            .ends_with(".ism/manifest(format=m3u8-cmaf)"),
        "{}",
        paths.body
    );
    assert!(
        paths.body["downloadPaths"].to_string().contains(".mp4"),
        "{}",
        paths.body
    );
    let listed = caller
        .post("media/assets/outgoing/listStreamingLocators", Value::Null)
        .await
        .expect(200);
    assert_eq!(
        listed.body["streamingLocators"].as_array().map(Vec::len),
        Some(1)
    );

    let access = caller
        .post("media/assets/outgoing/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    let download = |token: String, file: &str| {
        let body = json!({ "storageAccountName": access.body["storageAccountName"], "containerName": access.body["containerName"], "fileName": file });
        let url = format!("{}downloadBlob", access.text("/url"));
        caller.http.post(url).bearer_auth(token).json(&body).send()
    };
    let taken = download(access.text("/jwt"), "video.ism")
        .await
        .expect("a response");
    assert_eq!(taken.status(), 200);
    assert_eq!(taken.bytes().await.expect("a body").len(), 1_024);
    assert_eq!(
        download(access.text("/jwt"), "nothing.mp4")
            .await
            .expect("a response")
            .status(),
        502
    );
    assert_eq!(
        download(caller.token.clone(), "video.ism")
            .await
            .expect("a response")
            .status(),
        401
    );
    let appended = caller
        .http
        .post(format!("{}video.ism", access.text("/url")))
        .send()
        .await
        .expect("a response");
    assert_eq!(
        (
            appended.status().as_u16(),
            appended.text().await.expect("a body")
        ),
        (404, "404 page not found\n".to_owned())
    );
    caller.step(3_600);
    assert_eq!(
        download(access.text("/jwt"), "video.ism")
            .await
            .expect("a response")
            .status(),
        401
    );
}

#[tokio::test]
async fn jobs_queue_by_priority_are_canceled_and_fail() {
    let caller = Caller::start().await;
    for name in ["incoming", "outgoing"] {
        caller.asset(name).await;
    }
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(201);
    for (name, priority) in [
        ("a", "Normal"),
        ("b", "Normal"),
        ("c", "Low"),
        ("d", "Normal"),
        ("e", "High"),
    ] {
        let mut body = job("incoming", "outgoing");
        body["properties"]["priority"] = json!(priority);
        caller
            .put(&format!("media/transforms/t/jobs/{name}"), body)
            .await
            .expect(201);
    }
    caller.step(1);
    let path = |name: &str| format!("media/transforms/t/jobs/{name}");
    let mut states = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        states.push(caller.state(&path(name)).await);
    }
    assert_eq!(
        states,
        ["Scheduled", "Scheduled", "Queued", "Queued", "Queued"]
    );
    caller
        .post(&format!("{}/cancelJob", path("a")), Value::Null)
        .await
        .expect(200);
    caller
        .post(&format!("{}/cancelJob", path("a")), Value::Null)
        .await
        .expect(409);
    caller.step(3);
    assert_eq!(caller.state(&path("a")).await, "Canceled");
    assert_eq!(caller.state(&path("e")).await, "Scheduled");
    assert_eq!(caller.state(&path("d")).await, "Queued");
    caller
        .emulator
        .control()
        .fail_job("demo", "t", "e", &mkio_emulator::JobFailure::default())
        .expect("it runs");
    caller.step(60);
    let failed = caller.get(&path("e")).await.expect(200);
    assert_eq!(failed.text("/properties/state"), "Error");
    assert_eq!(
        failed.text("/properties/outputs/0/error/code"),
        "ServiceTransientError"
    );
    let mut lost = job("incoming", "outgoing");
    lost["properties"]["input"] = json!({ "@odata.type": "#Microsoft.Media.JobInputHttp", "baseUri": "https://nowhere.invalid/", "files": ["a.mp4"] });
    caller.put(&path("f"), lost).await.expect(201);
    caller.step(600);
    assert_eq!(
        caller
            .get(&path("f"))
            .await
            .text("/properties/outputs/0/error/code"),
        "DownloadNotAccessible"
    );
    let refused = caller
        .put(&path("g"), job("nothing", "outgoing"))
        .await
        .expect(400);
    assert!(
        refused.detail().contains("properties.input.assetName")
            && refused.detail().contains("'nothing'"),
        "{}",
        refused.detail()
    );
    let all = caller.get("media/jobs?$filter=transform%20eq%20't'%20and%20properties/state%20eq%20'Finished'&$orderby=name%20desc").await.expect(200);
    let names: Vec<&str> = all.body["value"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|job| job["name"].as_str())
        .collect();
    assert_eq!(names, ["d", "c", "b"]);
}

#[tokio::test]
async fn a_job_fails_when_its_asset_has_other_files_than_it_names() {
    let caller = Caller::start().await;
    caller.asset("incoming").await;
    caller
        .put(
            "media/assets/fresh",
            json!({ "properties": { "storageAccountName": "storage1" } }),
        )
        .await
        .expect(201);
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(201);
    for (name, input, files, state) in [
        (
            "a",
            "incoming",
            json!(["video.mp4", "audio.mp4"]),
            "Finished",
        ),
        ("b", "incoming", json!(["video.mp4", "nosuch.mp4"]), "Error"),
        ("c", "incoming", json!([]), "Finished"),
        ("d", "fresh", json!(["intro.mp4"]), "Finished"),
    ] {
        let mut body = job(input, "incoming");
        body["properties"]["input"]["files"] = files;
        let path = format!("media/transforms/t/jobs/{name}");
        caller.put(&path, body).await.expect(201);
        caller.step(100);
        let ended = caller.get(&path).await.expect(200);
        assert_eq!(ended.text("/properties/state"), state, "{name}");
        if state == "Error" {
            let error = "/properties/outputs/0/error";
            assert_eq!(
                ended.text(&format!("{error}/code")),
                "DownloadNotAccessible"
            );
            let message = ended.text(&format!("{error}/message"));
            assert!(message.contains("'nosuch.mp4'"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_streaming_endpoint_has_a_base_path_while_its_cdn_is_on() {
    let caller = Caller::start().await;
    let path = "media/streamingEndpoints/front";
    let endpoint = json!({ "location": "eastus", "properties": { "scaleUnits": 1 } });
    let made = caller.put(path, endpoint).await.expect(201);
    assert_eq!(made.text("/properties/cdnBasePath"), "");
    let mut seen = Vec::new();
    for on in [true, false, true] {
        caller.step(60);
        let change = json!({ "properties": { "cdnEnabled": on } });
        let changed = caller.patch(path, change).await.expect(200);
        let base = changed.text("/properties/cdnBasePath");
        // Host, base path and path of the locator meet with one slash each.
        assert_eq!(base.starts_with('/') && !base.ends_with('/'), on, "{base}");
        seen.push(base);
    }
    assert_eq!((seen[0].as_str(), seen[1].as_str()), (seen[2].as_str(), ""));
}

#[tokio::test]
async fn a_name_that_is_refused_is_told_in_a_sentence() {
    let caller = Caller::start().await;
    let asset = json!({ "properties": { "storageAccountName": "storage1" } });
    let refused = caller.put("media/assets/a%3Cb", asset).await.expect(400);
    assert!(
        refused
            .detail()
            .contains("the asset is named with 1 to 260"),
        "{}",
        refused.detail()
    );
}
