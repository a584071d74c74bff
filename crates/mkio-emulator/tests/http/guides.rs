//! The requests of the vendor's public guides, in their order, on a fresh emulator: one table for each guide, played one after the
//! other. Names and bodies are ours; the sequences are the guides'.

use http::Method;
use serde_json::{Value, json};

use crate::common::Caller;
use crate::media::transform;

/// One line of a guide.
enum Line {
    /// A request and the status it is answered with.
    Ask(Method, &'static str, Value, u16),
    /// Seconds that the reader waits.
    Wait(u64),
    /// A field of what a GET answers.
    Shows(&'static str, &'static str, Value),
}

use Line::{Ask, Shows, Wait};

fn put(path: &'static str, body: Value, status: u16) -> Line {
    Ask(Method::PUT, path, body, status)
}

fn post(path: &'static str, body: Value) -> Line {
    Ask(Method::POST, path, body, 200)
}

fn patch(path: &'static str, body: Value) -> Line {
    Ask(Method::PATCH, path, body, 200)
}

fn get(path: &'static str) -> Line {
    Ask(Method::GET, path, Value::Null, 200)
}

fn delete(path: &'static str) -> Line {
    Ask(Method::DELETE, path, Value::Null, 200)
}

fn named(name: &str) -> Value {
    json!({ "displayName": name })
}

fn state(wanted: &str) -> Value {
    json!({ "spec": { "state": wanted } })
}

fn job(input: &str, file: &str, output: &str) -> Value {
    json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": input, "files": [file] },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": output }],
    } })
}

/// VOD pipeline: upload, encode, publish. The endpoint is there.
fn vod() -> Vec<Line> {
    let source =
        json!({ "properties": { "storageAccountName": "storage1", "container": "uploads" } });
    let ladder = json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264MultipleBitrate720p" });
    let locator = json!({ "properties": { "assetName": "film-encoded", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    vec![
        get("media/storage"),
        put("media/assets/film", source, 201),
        Wait(5),
        get("media/assets/film/storage"),
        put("media/transforms/ladder", transform(ladder), 201),
        // The output asset is made by the job.
        put(
            "media/transforms/ladder/jobs/film",
            job("film", "video.mp4", "film-encoded"),
            201,
        ),
        Wait(120),
        Shows(
            "media/transforms/ladder/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
        Shows(
            "media/assets/film-encoded/storage/",
            "/spec/formatHint",
            json!("mk.mezz.v0"),
        ),
        put("media/streamingLocators/film", locator, 201),
        get("media/streamingEndpoints/default"),
        post("media/streamingEndpoints/default/start", Value::Null),
        Wait(30),
        Shows(
            "media/streamingEndpoints/default",
            "/properties/resourceState",
            json!("Running"),
        ),
        post("media/streamingLocators/film/listPaths", Value::Null),
    ]
}

/// AI dubbing: the smallest rendition is dubbed, each language is inserted into the encoded asset.
fn dubbing() -> Vec<Line> {
    let dub = json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": {
        "name": "Predefined_ACSVodSpeechToSpeech",
        "arguments": { "VodSpeechToSpeechTranslation": [
            { "name": "language", "value": "en-US" }, { "name": "targetLanguages", "value": ["es-ES", "fr-FR"] },
            { "name": "speakerCount", "value": 1 }, { "name": "personalVoice", "value": false },
        ] },
    } });
    let insert = |name: &str, language: &str| {
        transform(
            json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "tracks": [{
            "@odata.type": "#MediaKind.AudioTrack", "trackName": name, "displayName": name, "languageCode": language,
        }] }),
        )
    };
    let smallest = "video_320x180_400k.mp4";
    let spanish = "video_320x180_400k.mp4_es-ES.mp4";
    let french = "video_320x180_400k.mp4_fr-FR.mp4";
    vec![
        put("media/transforms/dub", transform(dub), 201),
        put(
            "media/transforms/dub/jobs/film",
            job("film-encoded", smallest, "film-dubbed"),
            201,
        ),
        Wait(120),
        Shows(
            "media/transforms/dub/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
        Shows(
            "media/assets/film-dubbed/storage/",
            "/spec/files/1/name",
            json!(spanish),
        ),
        put("media/transforms/spanish", insert("spanish", "es-ES"), 201),
        put(
            "media/transforms/spanish/jobs/film",
            job("film-dubbed", spanish, "film-encoded"),
            201,
        ),
        put("media/transforms/french", insert("french", "fr-FR"), 201),
        put(
            "media/transforms/french/jobs/film",
            job("film-dubbed", french, "film-encoded"),
            201,
        ),
        Wait(200),
        Shows(
            "media/transforms/spanish/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
        Shows(
            "media/transforms/french/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
    ]
}

/// Caption automation: transcribe, insert the text track.
fn captions() -> Vec<Line> {
    let write = json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": {
        "name": "Predefined_ACSVodTranscription",
        "arguments": { "VodTranscription": [{ "name": "language", "value": "en-US" }] },
    } });
    let insert = json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "baseFilename": "english", "tracks": [{
        "@odata.type": "#MediaKind.TextTrack", "trackName": "english", "displayName": "English", "languageCode": "en-US",
        "playerVisibility": "Visible",
    }] });
    vec![
        put("media/transforms/transcribe", transform(write), 201),
        put(
            "media/transforms/transcribe/jobs/film",
            job("film-encoded", "video_320x180_400k.mp4", "film-captions"),
            201,
        ),
        Wait(120),
        Shows(
            "media/transforms/transcribe/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
        put("media/transforms/insert-text", transform(insert), 201),
        put(
            "media/transforms/insert-text/jobs/film",
            job(
                "film-captions",
                "video_320x180_400k.mp4.vtt",
                "film-encoded",
            ),
            201,
        ),
        Wait(120),
        Shows(
            "media/transforms/insert-text/jobs/film",
            "/properties/state",
            json!("Finished"),
        ),
    ]
}

/// Publishing: the endpoint by the name that the guide gives it, download, filters.
fn publishing() -> Vec<Line> {
    let locator = |policy: &str| json!({ "properties": { "assetName": "film-encoded", "streamingPolicyName": policy } });
    vec![
        Shows(
            "media/streamingPolicies?$filter=name%20eq%20'mine'",
            "/supplemental/count",
            json!(6),
        ),
        put(
            "media/streamingLocators/download",
            locator("Predefined_DownloadOnly"),
            201,
        ),
        Ask(
            Method::POST,
            "media/streamingLocators/download/listPaths",
            Value::Null,
            200,
        ),
        put(
            "media/accountFilters/mobile",
            json!({ "properties": { "tracks": [{ "trackSelections": [
            { "property": "Type", "operation": "Equal", "value": "Video" },
            { "property": "Bitrate", "operation": "Equal", "value": "0-1500000" },
        ] }] } }),
            201,
        ),
        post(
            "media/assets/film-encoded/listStreamingLocators",
            Value::Null,
        ),
        post("media/assets/film-encoded/getFileAccessInfo", Value::Null),
        post("media/streamingEndpoints/default/stop", Value::Null),
        Wait(30),
    ]
}

/// Live walkthrough: a source on the internet, a configuration from the preset of that name, an event.
fn live() -> Vec<Line> {
    let source = json!({ "metadata": named("Camera"), "spec": {
        "contentName": "news", "networkName": "internet", "transport": { "type": "SRTListener", "port": 5000 },
    } });
    let event = json!({ "metadata": named("Show"), "spec": {
        "state": "Stopped", "inputs": [{ "contentName": "news", "transformInput": "main" }], "outputs": [],
        "transform": { "type": "LiveEvent", "assetName": "show", "archiveWindowLength": "PT4H",
            "encodingLive": { "configRef": { "name": "live-1080p", "version": "latest" } } },
    } });
    vec![
        get("infra/networks/internet"),
        put(
            "media/content/news",
            json!({ "metadata": named("News") }),
            201,
        ),
        put("media/sources/camera", source, 201),
        put(
            "media/assets/show",
            json!({ "properties": { "storageAccountName": "storage1" } }),
            201,
        ),
        get("templating/presets/encodingLive/default_1080p"),
        put(
            "templating/configs/encodingLive/live-1080p",
            json!({ "metadata": { "tags": ["latest"] }, "spec": { "presetName": "default_1080p" } }),
            201,
        ),
        put("live/liveEvents/show", event, 201),
        patch("live/liveEvents/show", state("Running")),
        Wait(60),
        Shows(
            "live/liveEvents/show/state",
            "/status/state",
            json!("Running"),
        ),
        Shows(
            "live/liveEvents/show?$detailedStatus=true",
            "/status/inputs/0/sourceName",
            json!("camera"),
        ),
        Shows(
            "live/liveEvents/show",
            "/status/inputs/0/networkName",
            json!("internet"),
        ),
        Shows("media/sources/camera", "/status/state", json!("Active")),
        Ask(Method::DELETE, "media/sources/camera", Value::Null, 409),
        patch("live/liveEvents/show", state("Stopped")),
        Wait(30),
        delete("live/liveEvents/show"),
        Wait(10),
        delete("media/sources/camera"),
    ]
}

/// Static multiview: four sources on the pins of the preset.
fn multiview() -> Vec<Line> {
    let input = |at: usize| json!({ "sourceName": "side", "transformInput": format!("input{at}") });
    let event = json!({ "metadata": named("Wall"), "spec": {
        "state": "Stopped", "inputs": [input(1), input(2), input(3), input(4)], "outputs": [],
        "transform": { "type": "StaticMultiviewEvent", "assetName": "show",
            "encodingLive": { "configRef": { "name": "wall", "version": "latest" } } },
    } });
    let source = json!({ "metadata": named("Side"), "spec": { "networkName": "internet", "transport": { "type": "SRTListener", "port": 5001 } } });
    vec![
        put("media/sources/side", source, 201),
        put(
            "templating/configs/encodingLive/wall",
            json!({ "metadata": { "tags": ["latest"] }, "spec": { "presetName": "default_1080p_4up" } }),
            201,
        ),
        put("live/staticMultiviewEvents/wall", event, 201),
        patch("live/staticMultiviewEvents/wall", state("Running")),
        Wait(60),
        Shows(
            "live/staticMultiviewEvents/wall/state",
            "/status/state",
            json!("Running"),
        ),
    ]
}

/// Channels of a Beam device: an encoder for contribution, a receiver.
fn channels() -> Vec<Line> {
    let contribution = json!({ "kind": "BeamChannel", "metadata": { "name": "news-contribution", "displayName": "News" }, "spec": {
        "type": "EncodingContribution", "state": "Stopped",
        "inputs": [{ "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/slot_1_port_1" } }],
        "transform": { "encoding": {
            "video": { "codec": "HEVCMain10bit422", "videoFormat": "1920x1080i", "bitrate": 15_000_000 },
            "audios": [{ "inputName": "input_1", "codec": "AC3", "mode": "Stereo", "bitrate": 192_000 }],
        } },
        "outputs": [{ "type": "SRTListener", "transport": {
            "interface": "eth1", "port": 5000, "encryptionStandard": "AES256", "passPhrase": "a-long-secret",
        } }],
    } });
    let receiver = json!({ "kind": "BeamChannel", "metadata": { "name": "udp-to-sdi", "displayName": "Receiver" }, "spec": {
        "type": "ReceptionDecoding", "state": "Running",
        "inputs": [{ "type": "UDP", "name": "input_1", "transport": { "url": "udp://239.1.1.1:5000", "interface": "eth0" } }],
        "outputs": [{ "type": "SDI", "transport": { "url": "sdi://localhost/slot_1_port_2" } }],
    } });
    let mut open = contribution.clone();
    open["spec"]["outputs"][0]["transport"]["passPhrase"] = json!("short");
    let mut other = contribution.clone();
    other["spec"]["transform"]["encoding"]["video"]["codec"] = json!("HEVCMain");
    vec![
        get("/api/channel-system/"),
        Shows(
            "/api/channel-deployment/eligibility/",
            "/canRun",
            json!(true),
        ),
        get("/api/interfaces/"),
        put("/api/channels/news-contribution/", open, 422),
        put("/api/channels/news-contribution/", other, 422),
        put("/api/channels/news-contribution/", contribution, 200),
        put("/api/channels/udp-to-sdi/", receiver, 200),
        Wait(10),
        patch("/api/channels/news-contribution/", state("Running")),
        Wait(10),
        Shows(
            "/api/channels/news-contribution/",
            "/status/syncState",
            json!("Ok"),
        ),
        Shows(
            "/api/channels/news-contribution/",
            "/status/inputs/0/transport/receiving",
            json!(true),
        ),
        Shows(
            "/api/channels/news-contribution/",
            "/status/inputs/0/thumbnailUrl",
            json!("/api/channels/news-contribution/thumbnails/sdi-0/thumbnail.jpg"),
        ),
        Shows(
            "/api/channels/news-contribution/",
            "/status/outputs/0/payload/video/codec",
            json!("HEVCMain10bit422"),
        ),
        Shows(
            "/api/channels/udp-to-sdi/",
            "/status/outputs/0/transport/url",
            json!("sdi://localhost/slot_1_port_2"),
        ),
        // The device keeps the specification as it was sent, without defaults.
        Shows(
            "/api/channels/udp-to-sdi/",
            "/spec/inputs/0",
            json!({
                "type": "UDP", "name": "input_1", "transport": { "url": "udp://239.1.1.1:5000", "interface": "eth0" },
            }),
        ),
        get("/api/channel-channelalarms/active/?channelName=news-contribution"),
        post("/api/channel-export/", json!({})),
    ]
}

#[tokio::test]
async fn the_guides_run_one_after_the_other() {
    let caller = Caller::start().await;
    for (guide, lines) in [
        ("VOD", vod()),
        ("dubbing", dubbing()),
        ("captions", captions()),
        ("publishing", publishing()),
        ("live", live()),
        ("multiview", multiview()),
        ("channels", channels()),
    ] {
        for line in lines {
            match line {
                Wait(seconds) => caller.step(seconds),
                Ask(method, path, body, status) => {
                    let body = (!body.is_null()).then_some(body);
                    let response = caller.call(method.clone(), path, body).await;
                    assert_eq!(
                        response.status, status,
                        "{guide}: {method} {path}: {}",
                        response.body
                    );
                }
                Shows(path, at, wanted) => {
                    let response = caller.get(path).await;
                    let shown = response.body.pointer(at);
                    assert_eq!(shown, Some(&wanted), "{guide}: {path}: {}", response.body);
                }
            }
        }
    }
}

#[tokio::test]
async fn the_endpoint_of_the_guides_is_made_by_those_that_make_it() {
    let caller = Caller::start().await;
    let body = json!({ "location": "eastus", "properties": { "scaleUnits": 0 } });
    let path = "media/streamingEndpoints/default";
    caller.put(path, body.clone()).await.expect(201);
    caller.step(10);
    caller.put(path, body).await.expect(409);
}
