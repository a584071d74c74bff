//! Media workflows over raw HTTP: storage, VOD, dubbing, protection, live, filters, download.

use crate::common::Caller;
use serde_json::{Value, json};

fn transform(preset: Value) -> Value {
    json!({ "properties": { "outputs": [{ "preset": preset }] } })
}

fn encoder() -> Value {
    transform(
        json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p" }),
    )
}

fn job(input: &str, output: &str) -> Value {
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
        .expect("an answer");
    assert_eq!(taken.status(), 200);
    assert_eq!(taken.bytes().await.expect("a body").len(), 1_024);
    assert_eq!(
        download(access.text("/jwt"), "nothing.mp4")
            .await
            .expect("an answer")
            .status(),
        502
    );
    assert_eq!(
        download(caller.token.clone(), "video.ism")
            .await
            .expect("an answer")
            .status(),
        401
    );
    let appended = caller
        .http
        .post(format!("{}video.ism", access.text("/url")))
        .send()
        .await
        .expect("an answer");
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
            .expect("an answer")
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

fn pipeline(name: &str, key: &str, arguments: Value) -> Value {
    transform(json!({
        "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": name, "arguments": { key: arguments } },
    }))
}

/// A job that reads files of an asset.
fn job_of(input: &str, files: &[&str], output: &str) -> Value {
    let mut body = job(input, output);
    body["properties"]["input"]["files"] = json!(files);
    body
}

/// Runs a job to its end.
async fn run(caller: &Caller, path: &str, body: Value) {
    caller.put(path, body).await.expect(201);
    caller.step(120);
    assert_eq!(caller.state(path).await, "Finished", "{path}");
}

/// The storage of an asset as a reply shows it, and the names of its files.
async fn stored(caller: &Caller, asset: &str) -> (Value, Vec<String>) {
    let path = format!("media/assets/{asset}/storage/");
    let spec = caller.get(&path).await.expect(200).body["spec"].clone();
    let names = spec["files"].as_array().into_iter().flatten();
    let names = names
        .filter_map(|file| file["name"].as_str().map(str::to_owned))
        .collect();
    (spec, names)
}

/// An asset with what the VOD guide's transform makes.
async fn encoded(caller: &Caller) {
    caller.asset("source").await;
    let ladder = json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264MultipleBitrate720p" });
    caller
        .put("media/transforms/encode", transform(ladder))
        .await
        .expect(201);
    let body = job_of("source", &["video.mp4"], "encoded");
    run(caller, "media/transforms/encode/jobs/j", body).await;
}

#[tokio::test]
async fn a_video_is_dubbed_to_the_end() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let (spec, files) = stored(&caller, "encoded").await;
    assert!(
        files.contains(&"video_1280x720_3400k.mp4".to_owned()),
        "{files:?}"
    );
    assert_eq!(spec["formatHint"], "mk.mezz.v0");
    let smallest = "video_320x180_400k.mp4";
    let languages = json!([
        { "name": "language", "value": "en-US" }, { "name": "targetLanguages", "value": ["es-ES", "de-DE"] },
        { "name": "speakerCount", "value": 2 },
    ]);
    let dub = pipeline(
        "Predefined_ACSVodSpeechToSpeech",
        "VodSpeechToSpeechTranslation",
        languages,
    );
    caller.put("media/transforms/dub", dub).await.expect(201);
    let body = job_of("encoded", &[smallest], "dubbed");
    run(&caller, "media/transforms/dub/jobs/j", body).await;
    let (_, files) = stored(&caller, "dubbed").await;
    for language in ["es-ES", "de-DE"] {
        let file = format!("{smallest}_{language}.mp4");
        assert!(files.contains(&file), "{files:?}");
        let track = json!({ "@odata.type": "#MediaKind.AudioTrack", "trackName": language, "languageCode": language });
        let insert = transform(
            json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "tracks": [track] }),
        );
        let name = format!("media/transforms/insert-{language}");
        caller.put(&name, insert).await.expect(201);
        let body = job_of("dubbed", &[&file], "encoded");
        run(&caller, &format!("{name}/jobs/j"), body).await;
    }
    let (spec, files) = stored(&caller, "encoded").await;
    assert!(
        files.contains(&format!("{smallest}_es-ES.mp4")),
        "{files:?}"
    );
    let sets = spec["periods"]["0/index/edge"]["adaptation_set"].to_string();
    assert!(sets.contains("es-ES") && sets.contains("de-DE"), "{sets}");
}

#[tokio::test]
async fn captions_are_made_and_inserted_to_the_end() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let smallest = "video_320x180_400k.mp4";
    let language = json!([{ "name": "language", "value": "en-US" }]);
    let write = pipeline(
        "Predefined_ACSVodTranscription",
        "VodTranscription",
        language,
    );
    caller
        .put("media/transforms/write", write)
        .await
        .expect(201);
    let body = job_of("encoded", &[smallest], "captions");
    run(&caller, "media/transforms/write/jobs/j", body).await;
    let text = format!("{smallest}.vtt");
    let (_, files) = stored(&caller, "captions").await;
    assert!(files.contains(&text), "{files:?}");
    let track = json!({ "@odata.type": "#MediaKind.TextTrack", "trackName": "english", "languageCode": "en-US" });
    let insert = transform(
        json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "baseFilename": "english", "tracks": [track] }),
    );
    caller
        .put("media/transforms/insert", insert)
        .await
        .expect(201);
    let body = job_of("captions", &[&text], "encoded");
    run(&caller, "media/transforms/insert/jobs/j", body).await;
    let (spec, files) = stored(&caller, "encoded").await;
    assert!(files.contains(&"english.cmft".to_owned()), "{files:?}");
    let sets = spec["periods"]["0/index/edge"]["adaptation_set"].to_string();
    assert!(sets.contains("\"text\""), "{sets}");
    // All files at once.
    let body = job_of("encoded", &["*"], "again");
    run(&caller, "media/transforms/encode/jobs/all", body).await;
}

#[tokio::test]
async fn presets_and_outputs_that_are_not_there() {
    let caller = Caller::start().await;
    for (preset, at) in [
        (
            json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "AdaptiveStreaming" }),
            "presetName",
        ),
        (
            json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": "Mine" } }),
            "pipeline.name",
        ),
        (
            json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": "Predefined_ACSVodSpeechToSpeech" } }),
            "pipeline.arguments",
        ),
    ] {
        let refused = caller
            .put("media/transforms/no", transform(preset))
            .await
            .expect(400);
        assert!(refused.detail().contains(at), "{}", refused.detail());
    }
    // A job makes its output asset, unless the emulator is told otherwise.
    let caller =
        Caller::with(|builder| builder.settings(|settings| settings.strict_outputs = true)).await;
    caller.asset("incoming").await;
    caller
        .put("media/transforms/t", encoder())
        .await
        .expect(201);
    let refused = caller
        .put("media/transforms/t/jobs/j", job("incoming", "nowhere"))
        .await
        .expect(400);
    assert!(
        refused
            .detail()
            .contains("properties.outputs.0.assetName: there is no asset named 'nowhere'"),
        "{}",
        refused.detail()
    );
}

fn key_policy(secret: &str) -> Value {
    json!({ "properties": { "options": [{
        "configuration": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        "restriction": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction", "issuer": "i", "audience": "a", "restrictionTokenType": "Jwt",
            "primaryVerificationKey": { "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": secret },
        },
    }] } })
}

#[tokio::test]
async fn content_is_protected() {
    let caller = Caller::start().await;
    caller.asset("film").await;
    let made = caller
        .put("media/contentKeyPolicies/p", key_policy("c2VjcmV0"))
        .await
        .expect(201);
    assert!(!made.body.to_string().contains("c2VjcmV0"), "{}", made.body);
    caller
        .put("media/contentKeyPolicies/p", key_policy("c2VjcmV0"))
        .await
        .expect(409);
    let secrets = caller
        .post(
            "media/contentKeyPolicies/p/getPolicyPropertiesWithSecrets",
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(
        secrets.text("/options/0/restriction/primaryVerificationKey/keyValue"),
        "c2VjcmV0"
    );
    // What a reader got is sent back with another description: the secret stays.
    let mut shown = caller
        .get("media/contentKeyPolicies/p")
        .await
        .expect(200)
        .body;
    shown["properties"]["description"] = json!("changed");
    caller
        .patch("media/contentKeyPolicies/p", shown)
        .await
        .expect(200);
    let secrets = caller
        .post(
            "media/contentKeyPolicies/p/getPolicyPropertiesWithSecrets",
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(
        (
            secrets.text("/description"),
            secrets.text("/options/0/restriction/primaryVerificationKey/keyValue")
        ),
        ("changed".to_owned(), "c2VjcmV0".to_owned())
    );
    let locator = |policy: &str| json!({ "properties": { "assetName": "film", "streamingPolicyName": policy, "defaultContentKeyPolicyName": "p" } });
    let refused = caller
        .put(
            "media/streamingLocators/l",
            locator("Predefined_MultiDrmCencStreaming"),
        )
        .await
        .expect(400);
    assert!(
        refused.detail().contains("playReady, widevine"),
        "{}",
        refused.detail()
    );
    caller
        .put("media/streamingLocators/l", locator("Predefined_ClearKey"))
        .await
        .expect(201);
    let paths = caller
        .post("media/streamingLocators/l/listPaths", Value::Null)
        .await
        .expect(200);
    assert!(
        paths
            .text("/drm/clearKey/licenseAcquisitionUrl")
            .starts_with("https://"),
        "{}",
        paths.body
    );
    assert!(
        paths
            .text("/streamingPaths/0/paths/0")
            .contains("encryption=cbc"),
        "{}",
        paths.body
    );
    let keys = caller
        .post("media/streamingLocators/l/listContentKeys", Value::Null)
        .await
        .expect(200);
    assert!(!keys.text("/contentKeys/0/value").is_empty());
    let shown = caller.get("media/streamingLocators/l").await.expect(200);
    assert_eq!(
        shown.body["properties"]["contentKeys"][0].get("value"),
        None
    );
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(409);
    caller.delete("media/streamingLocators/l").await.expect(200);
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(200);
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(204);
}

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
    caller
        .put("media/liveEvents/event1/liveOutputs/o", output("PT30S"))
        .await
        .expect(400);
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
    let url = format!(
        "{}/api/v1/projects/demo/media/liveEvents/event1",
        caller.emulator.base_url()
    );
    let request = caller
        .http
        .patch(&url)
        .bearer_auth(&caller.token)
        .header("content-type", "application/json-patch+json")
        .body(patch.to_string());
    let patched = crate::common::checked(
        &reqwest::Method::PATCH,
        request.send().await.expect("an answer"),
    )
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

#[tokio::test]
async fn filters_are_attached_to_locators() {
    let caller = Caller::start().await;
    caller.asset("film").await;
    let filter = json!({ "properties": { "firstQuality": { "bitrate": 128_000 }, "tracks": [{ "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Audio" }] }] } });
    caller
        .put("media/assets/film/assetFilters/f1", filter.clone())
        .await
        .expect(201);
    caller
        .put("media/assets/film/assetFilters/f1", filter.clone())
        .await
        .expect(200);
    caller
        .put("media/accountFilters/f2", filter)
        .await
        .expect(201);
    let locator = |filters: Value| json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly", "filters": filters } });
    caller
        .put("media/streamingLocators/l", locator(json!(["nothing"])))
        .await
        .expect(400);
    caller
        .put("media/streamingLocators/l", locator(json!(["f1", "f2"])))
        .await
        .expect(201);
    let paths = caller
        .post(
            "media/streamingLocators/l/listPaths",
            json!({ "urlStyle": "AMS" }),
        )
        .await
        .expect(200);
    assert!(
        paths
            .text("/streamingPaths/0/paths/0")
            .contains("filter=f1;f2"),
        "{}",
        paths.body
    );
    caller.delete("media/accountFilters/f2").await.expect(400);
    caller.delete("media/streamingLocators/l").await.expect(200);
    caller.delete("media/accountFilters/f2").await.expect(200);
    caller.delete("media/accountFilters/f2").await.expect(204);
}

#[tokio::test]
async fn files_of_an_asset_with_a_path_are_named_with_it() {
    let caller = Caller::start().await;
    let disk = |token: &str| json!({ "spec": { "type": "Microsoft.Storage", "url": "https://d.example.com", "credential": { "sasToken": token } } });
    let lapses = (caller.emulator.control().now() + chrono::TimeDelta::hours(1))
        .format("%Y-%m-%dT%H:%M:%SZ");
    caller
        .put(
            "media/storage/disk",
            disk(&format!("?sv=1&se={lapses}&sig=x")),
        )
        .await
        .expect(201);
    let asset = json!({ "properties": { "storageAccountName": "disk", "container": "films", "subPath": "2024/intro" } });
    caller.put("media/assets/film", asset).await.expect(201);
    let listed = caller.get("media/assets/film/storage/").await.expect(200);
    let name = listed.text("/spec/files/0/name");
    let access = caller
        .post("media/assets/film/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    assert_eq!(access.text("/subPath"), "2024/intro");
    let download = async |file: &str| {
        let body =
            json!({ "storageAccountName": "disk", "containerName": "films", "fileName": file });
        let request = caller
            .http
            .post(format!("{}downloadBlob", access.text("/url")));
        let answer = request
            .bearer_auth(access.text("/jwt"))
            .json(&body)
            .send()
            .await
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.bytes().await.expect("a body").len() as u64,
        )
    };
    let size = listed.body["spec"]["files"][0]["size"]
        .as_u64()
        .expect("a size");
    assert_eq!(download(&format!("2024/intro/{name}")).await, (200, size));
    assert_eq!(download(&name).await.0, 502);
    // The storage's own credential lapses: there is no access any more, and nothing to list.
    caller.step(3_600);
    let refused = caller
        .post("media/assets/film/getFileAccessInfo", Value::Null)
        .await
        .expect(400);
    assert!(refused.detail().contains("'disk'"), "{}", refused.detail());
    caller.get("media/assets/film/storage/").await.expect(400);
    assert_eq!(
        caller.get("media/storage/disk").await.body["status"]["activeCredentialId"],
        Value::Null
    );
}

#[tokio::test]
async fn a_download_has_as_long_however_fast_platform_time_is() {
    let caller = Caller::with(|builder| builder.seed(1).time_scale(1_000_000.0)).await;
    let access = caller
        .post("media/assets/asset-1/getFileAccessInfo", Value::Null)
        .await
        .expect(200);
    let control = caller.emulator.control();
    let asked = control.now();
    control.resume();
    while control.now() < asked + chrono::TimeDelta::hours(1) {
        tokio::task::yield_now().await;
    }
    let body = json!({ "storageAccountName": "storage1", "containerName": access.body["containerName"], "fileName": "video.mp4" });
    let taken = caller
        .http
        .post(format!("{}downloadBlob", access.text("/url")))
        .bearer_auth(access.text("/jwt"))
        .json(&body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(taken.status(), 200);
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
