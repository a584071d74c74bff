//! Published content plays: manifests, segments, downloads.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::Caller;
use crate::media::{job, transform};
use crate::samples;

/// A GET of a path of the streaming host: status, content type, body.
pub async fn fetch(caller: &Caller, path: &str) -> (u16, String, Vec<u8>) {
    let url = format!("{}{path}", caller.emulator.base_url());
    let response = caller.http.get(url).send().await.expect("a response");
    let kind = response.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().expect("text").to_owned());
    let status = response.status().as_u16();
    let body = response.bytes().await.expect("a body").to_vec();
    (status, kind.unwrap_or_default(), body)
}

pub async fn text(caller: &Caller, path: &str) -> String {
    let (status, kind, body) = fetch(caller, path).await;
    let body = String::from_utf8(body).expect("text");
    assert_eq!(status, 200, "{path}: {kind} {body}");
    body
}

pub async fn status(caller: &Caller, path: &str) -> u16 {
    fetch(caller, path).await.0
}

/// Resolves a path of a playlist against the playlist's own path.
pub fn beside(playlist: &str, path: &str) -> String {
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{path}")
}

/// The lines of a playlist that are paths.
pub fn paths(playlist: &str) -> Vec<&str> {
    let lines = playlist.lines();
    lines
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect()
}

async fn endpoint(caller: &Caller) {
    caller
        .post("media/streamingEndpoints/default/start", Value::Null)
        .await
        .expect(200);
    caller.step(60);
}

/// An asset `out` that a job has written to, and an endpoint that runs.
pub async fn encoded(caller: &Caller) {
    caller.asset("in").await;
    let preset = json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264MultipleBitrate720p" });
    caller
        .put("media/transforms/t", transform(preset))
        .await
        .expect(201);
    caller
        .put("media/transforms/t/jobs/j", job("in", "out"))
        .await
        .expect(201);
    caller.step(600);
    endpoint(caller).await;
}

/// Publishes an asset; answers the paths of HLS and DASH.
pub async fn publish(caller: &Caller, name: &str, more: Value) -> (String, String) {
    let mut body = json!({ "properties": { "assetName": "out", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    for (field, value) in more.as_object().expect("fields") {
        body["properties"][field] = value.clone();
    }
    let path = format!("media/streamingLocators/{name}");
    caller.put(&path, body).await.expect(201);
    caller.step(5);
    let listed = caller
        .post(&format!("{path}/listPaths"), Value::Null)
        .await
        .expect(200);
    let of = |protocol: &str| {
        let paths = listed.body["streamingPaths"].as_array().expect("paths");
        let found = paths
            .iter()
            .find(|path| path["streamingProtocol"] == protocol);
        let path = found.and_then(|found| found["paths"][0].as_str());
        path.unwrap_or_default().to_owned()
    };
    (of("Hls"), of("Dash"))
}

#[tokio::test]
async fn a_finished_output_plays_from_its_manifest_to_its_last_segment() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let (hls, dash) = publish(&caller, "film", json!({})).await;
    let shown = caller
        .get("media/streamingEndpoints/default")
        .await
        .expect(200);
    let host = shown.text("/properties/hostName");
    assert_eq!(format!("http://{host}"), caller.emulator.base_url());
    let (_, kind, _) = fetch(&caller, &hls).await;
    assert_eq!(kind, "application/vnd.apple.mpegurl");
    let main = text(&caller, &hls).await;
    // Six rungs of the preset, the highest first.
    assert_eq!(main.matches("#EXT-X-STREAM-INF").count(), 6, "{main}");
    assert!(main.contains(
        "BANDWIDTH=3528000,RESOLUTION=1280x720,CODECS=\"avc1.42c00d,mp4a.40.2\",AUDIO=\"audio\""
    ));
    let track = beside(&hls, paths(&main)[0]);
    let playlist = text(&caller, &track).await;
    assert!(playlist.ends_with("#EXT-X-ENDLIST\n"), "{playlist}");
    assert_eq!(playlist.matches("#EXTINF:1.920,").count(), 4);
    let map = playlist.split("#EXT-X-MAP:URI=\"").nth(1).expect("a map");
    let map = beside(&track, map.split('"').next().expect("a path"));
    let (status_of_map, kind, start) = fetch(&caller, &map).await;
    assert_eq!((status_of_map, kind.as_str()), (200, "video/mp4"));
    assert_eq!(&start[4..8], b"ftyp");
    for path in paths(&playlist) {
        let (status, _, segment) = fetch(&caller, &beside(&track, path)).await;
        assert_eq!((status, &segment[4..8]), (200, &b"moof"[..]));
    }
    let manifest = text(&caller, &dash).await;
    assert!(manifest.contains("type=\"static\" mediaPresentationDuration=\"PT7.680S\""));
    assert_eq!(manifest.matches("<Representation").count(), 7, "{manifest}");
    let piece = "QualityLevels(128000)/Fragments(audio=276480,format=mpd-time-cmaf)";
    assert_eq!(fetch(&caller, &beside(&dash, piece)).await.1, "audio/mp4");
    let late = "QualityLevels(128000)/Fragments(audio=368640,format=mpd-time-cmaf)";
    assert_eq!(status(&caller, &beside(&dash, late)).await, 404);
}

#[tokio::test]
async fn nothing_plays_before_its_time_after_it_or_without_an_endpoint() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let now = caller.emulator.control().now();
    let at = |minutes: i64| {
        (now + chrono::TimeDelta::minutes(minutes))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let (hls, _) = publish(
        &caller,
        "film",
        json!({ "startTime": at(10), "endTime": at(20) }),
    )
    .await;
    assert_eq!(status(&caller, &hls).await, 404);
    caller.step(11 * 60);
    assert_eq!(status(&caller, &hls).await, 200);
    let change = json!({ "properties": { "assetName": "out", "streamingPolicyName": "Predefined_ClearStreamingOnly", "suppressed": true,
        "startTime": at(10), "endTime": at(20) } });
    caller
        .put("media/streamingLocators/film", change.clone())
        .await
        .expect(200);
    assert_eq!(status(&caller, &hls).await, 404);
    let mut shown = change;
    shown["properties"]["suppressed"] = json!(false);
    caller
        .put("media/streamingLocators/film", shown)
        .await
        .expect(200);
    assert_eq!(status(&caller, &hls).await, 200);
    caller
        .post("media/streamingEndpoints/default/stop", Value::Null)
        .await
        .expect(200);
    assert_eq!(status(&caller, &hls).await, 503);
    caller.step(60);
    endpoint(&caller).await;
    caller.step(20 * 60);
    assert_eq!(status(&caller, &hls).await, 410);
    assert_eq!(
        status(
            &caller,
            "/00000000-0000-4000-8000-000000000000/a.ism/manifest(format=m3u8-cmaf)"
        )
        .await,
        404
    );
}

#[tokio::test]
async fn a_custom_policy_says_what_is_answered_before_the_time() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let policy = json!({ "properties": { "noEncryption": { "enabledProtocols": { "hls": true, "dash": true, "smoothStreaming": false, "download": false } },
        "catalog": { "preAvailabilityStatusCode": 425 } } });
    caller
        .put("media/streamingPolicies/early", policy)
        .await
        .expect(201);
    let (hls, _) = publish(
        &caller,
        "film",
        json!({ "streamingPolicyName": "early", "suppressed": true }),
    )
    .await;
    assert_eq!(status(&caller, &hls).await, 425);
}

#[tokio::test]
async fn an_endpoint_of_its_own_path_serves_while_it_runs() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let (hls, _) = publish(&caller, "film", json!({})).await;
    let cdn =
        json!({ "location": "eastus", "properties": { "scaleUnits": 0, "cdnEnabled": true } });
    let made = caller
        .put("media/streamingEndpoints/cdn", cdn)
        .await
        .expect(201);
    let base = made.text("/properties/cdnBasePath");
    let path = format!("{base}{hls}");
    assert_eq!(status(&caller, &path).await, 503);
    caller.step(10);
    caller
        .post("media/streamingEndpoints/cdn/start", Value::Null)
        .await
        .expect(200);
    caller.step(30);
    assert_eq!(status(&caller, &path).await, 200);
    caller
        .post("media/streamingEndpoints/cdn/restart", Value::Null)
        .await
        .expect(200);
    assert_eq!(status(&caller, &path).await, 200);
}

#[tokio::test]
async fn filters_change_what_the_manifest_shows() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let low = json!({ "properties": { "tracks": [
        { "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Video" }, { "property": "Bitrate", "operation": "Equal", "value": "-1000000" }] },
        { "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Audio" }] }] } });
    caller
        .put("media/accountFilters/low", low)
        .await
        .expect(201);
    let short = json!({ "properties": { "presentationTimeRange": { "startTimestamp": 2, "endTimestamp": 4, "timescale": 1 } } });
    caller
        .put("media/assets/out/assetFilters/short", short)
        .await
        .expect(201);
    let (hls, dash) = publish(&caller, "film", json!({ "filters": ["low", "short"] })).await;
    assert!(hls.ends_with("filter=low;short)"), "{hls}");
    let main = text(&caller, &hls).await;
    assert_eq!(main.matches("#EXT-X-STREAM-INF").count(), 3, "{main}");
    let track = beside(&hls, paths(&main)[0]);
    assert_eq!(text(&caller, &track).await.matches("#EXTINF").count(), 2);
    assert!(
        text(&caller, &dash)
            .await
            .contains("mediaPresentationDuration=\"PT3.840S\"")
    );
    // An end beyond all times is no end.
    let endless = json!({ "properties": { "presentationTimeRange": { "endTimestamp": u64::MAX, "timescale": 1 } } });
    caller
        .put("media/accountFilters/endless", endless)
        .await
        .expect(201);
    let asked = hls.replace("low;short", "endless");
    let main = text(&caller, &asked).await;
    let track = beside(&asked, paths(&main)[0]);
    assert_eq!(text(&caller, &track).await.matches("#EXTINF").count(), 4);
    // The locator's own filters count where the URL names none, and the URL's where it names some.
    let bare = hls.replace(",filter=low;short", "");
    assert_eq!(
        text(&caller, &bare)
            .await
            .matches("#EXT-X-STREAM-INF")
            .count(),
        3
    );
    let other = hls.replace("low;short", "short");
    assert_eq!(
        text(&caller, &other)
            .await
            .matches("#EXT-X-STREAM-INF")
            .count(),
        6
    );
    assert_eq!(
        status(&caller, &hls.replace("low;short", "none")).await,
        404
    );
    let nothing = json!({ "properties": { "tracks": [{ "trackSelections": [{ "property": "Name", "operation": "Equal", "value": "x" }] }] } });
    caller
        .put("media/accountFilters/nothing", nothing)
        .await
        .expect(201);
    assert_eq!(
        status(&caller, &hls.replace("low;short", "nothing")).await,
        500
    );
    for (range, count) in [
        ("vbegin=PT3S", 3),
        ("vend=PT3S", 2),
        ("vbegin=PT2S,vend=PT3S", 1),
    ] {
        let asked = bare.replace(
            "format=m3u8-cmaf",
            &format!("format=m3u8-cmaf,filter=low,{range}"),
        );
        let main = text(&caller, &asked).await;
        let track = beside(&asked, paths(&main)[0]);
        assert_eq!(
            text(&caller, &track).await.matches("#EXTINF").count(),
            count,
            "{range}"
        );
    }
    assert_eq!(
        status(&caller, &bare.replace("cmaf", "cmaf,vbegin=PT9S")).await,
        404
    );
}

#[tokio::test]
async fn a_live_event_plays_while_it_runs_and_its_archive_afterwards() {
    let caller = Caller::start().await;
    caller.asset("out").await;
    let event = json!({ "tags": {}, "properties": { "useStaticHostname": true, "encoding": { "encodingType": "Standard" },
        "input": { "streamingProtocol": "RTMP" }, "streamOptions": [] } });
    caller.put("media/liveEvents/ev", event).await.expect(200);
    let output = json!({ "properties": { "assetName": "out", "archiveWindowLength": "PT1H", "manifestName": "live" } });
    caller
        .put("media/liveEvents/ev/liveOutputs/o", output)
        .await
        .expect(201);
    caller
        .post("media/liveEvents/ev/start", Value::Null)
        .await
        .expect(200);
    endpoint(&caller).await;
    let (hls, dash) = publish(&caller, "show", json!({})).await;
    assert!(hls.contains("/index.qfm/"), "{hls}");
    let named = hls.replace("index.qfm", "live.ism");
    assert!(text(&caller, &named).await.contains("#EXT-X-STREAM-INF"));
    let main = text(&caller, &hls).await;
    let track = beside(&hls, paths(&main)[0]);
    let sequence = async || {
        let playlist = text(&caller, &track).await;
        assert!(!playlist.contains("ENDLIST") && playlist.matches("#EXTINF").count() == 6);
        let number = playlist
            .split("#EXT-X-MEDIA-SEQUENCE:")
            .nth(1)
            .expect("a number");
        number
            .lines()
            .next()
            .expect("a line")
            .parse::<u64>()
            .expect("a number")
    };
    let before = sequence().await;
    caller.step(192);
    assert_eq!(sequence().await, before + 100);
    let manifest = text(&caller, &dash).await;
    assert!(manifest.contains("type=\"dynamic\""), "{manifest}");
    let preview = caller
        .get("media/liveEvents/ev")
        .await
        .expect(200)
        .text("/properties/preview/endpoints/0/url");
    let preview = preview
        .strip_prefix(caller.emulator.base_url())
        .expect("it is the emulator's")
        .to_owned();
    assert!(text(&caller, &preview).await.contains("#EXT-X-STREAM-INF"));
    caller
        .post("media/liveEvents/ev/stop", Value::Null)
        .await
        .expect(200);
    caller.step(60);
    let ended = text(&caller, &track).await;
    assert!(ended.ends_with("#EXT-X-ENDLIST\n"), "{ended}");
    assert_eq!(status(&caller, &preview).await, 404);
}

#[tokio::test]
async fn an_asset_that_nothing_was_written_to_does_not_play() {
    let caller = Caller::start().await;
    caller.asset("out").await;
    endpoint(&caller).await;
    let (hls, _) = publish(&caller, "film", json!({})).await;
    assert_eq!(status(&caller, &hls).await, 404);
    for (path, wanted) in [
        (hls.replace("(format=m3u8-cmaf)", "(format=flv)"), 400),
        (hls.replace("(format=m3u8-cmaf)", "(speed=2)"), 400),
        (hls.replace("manifest.ism", "other.ism"), 404),
    ] {
        assert_eq!(status(&caller, &path).await, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_track_that_was_inserted_is_in_the_manifest() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    for (name, kind, language) in [
        ("german", "AudioTrack", "de-DE"),
        ("captions", "TextTrack", "en-US"),
    ] {
        let track = json!({ "@odata.type": format!("#MediaKind.{kind}"), "trackName": name, "languageCode": language });
        let preset = json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "tracks": [track] });
        let path = format!("media/transforms/{name}");
        caller.put(&path, transform(preset)).await.expect(201);
        caller
            .put(&format!("{path}/jobs/j"), job("in", "out"))
            .await
            .expect(201);
    }
    caller.step(600);
    let (hls, dash) = publish(&caller, "film", json!({})).await;
    let main = text(&caller, &hls).await;
    assert!(
        main.contains("NAME=\"german\",LANGUAGE=\"de-DE\""),
        "{main}"
    );
    let captions = main
        .lines()
        .find(|line| line.contains("TYPE=SUBTITLES"))
        .expect("captions");
    let track = captions
        .split("URI=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a path");
    let track = beside(&hls, track);
    let playlist = text(&caller, &track).await;
    // All captions are one segment, and none is longer than the target duration.
    assert!(playlist.contains("#EXT-X-TARGETDURATION:8\n"), "{playlist}");
    assert!(
        text(&caller, &beside(&track, paths(&playlist)[0]))
            .await
            .starts_with("WEBVTT")
    );
    assert!(text(&caller, &dash).await.contains("lang=\"de-DE\""));
}

#[tokio::test]
async fn files_are_downloaded_where_the_policy_lets_them() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    caller
        .put("media/streamingLocators/files", json!({ "properties": { "assetName": "out", "streamingPolicyName": "Predefined_DownloadOnly" } }))
        .await
        .expect(201);
    caller.step(5);
    let listed = caller
        .post("media/streamingLocators/files/listPaths", Value::Null)
        .await
        .expect(200);
    assert_eq!(listed.body["streamingPaths"], json!([]));
    let stored = caller.get("media/assets/out/storage/").await.expect(200);
    let files = stored.body["spec"]["files"]
        .as_array()
        .expect("files")
        .clone();
    let paths = listed.body["downloadPaths"]
        .as_array()
        .expect("paths")
        .clone();
    assert_eq!(files.len(), paths.len());
    for (file, path) in files.iter().zip(&paths) {
        let (status, _, body) = fetch(&caller, path.as_str().expect("a path")).await;
        assert_eq!(
            (status, Some(body.len() as u64)),
            (200, file["size"].as_u64()),
            "{path}"
        );
    }
    // Who has a file gets it once.
    let base = caller.emulator.base_url();
    let url = format!("{base}{}", paths[0].as_str().expect("a path"));
    let first = caller.http.get(&url).send().await.expect("a response");
    for (condition, told) in [
        ("if-none-match", "etag"),
        ("if-modified-since", "last-modified"),
    ] {
        let known = caller
            .http
            .get(&url)
            .header(condition, &first.headers()[told]);
        let known = known.send().await.expect("a response");
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED, "{condition}");
        assert_eq!(known.headers()[told], first.headers()[told]);
    }
    let other = caller.http.get(&url).header("if-none-match", "\"x\"");
    let other = other.send().await.expect("a response");
    assert_eq!(other.status(), StatusCode::OK);
    let (hls, _) = publish(&caller, "film", json!({})).await;
    let id = hls.split('/').nth(1).expect("an id");
    let name = files[0]["name"].as_str().expect("a name");
    assert_eq!(status(&caller, &format!("/{id}/{name}")).await, 404);
}

#[tokio::test]
async fn a_player_of_another_page_of_this_machine_may_play() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let (hls, _) = publish(&caller, "film", json!({})).await;
    let url = format!("{}{hls}", caller.emulator.base_url());
    let head = caller
        .http
        .request(Method::HEAD, &url)
        .header("origin", "http://localhost:3000");
    let head = head.send().await.expect("a response");
    assert_eq!(head.status(), 200);
    assert_eq!(
        head.headers()["access-control-allow-origin"],
        "http://localhost:3000"
    );
    let asked = caller
        .http
        .request(Method::OPTIONS, &url)
        .send()
        .await
        .expect("a response");
    assert_eq!(asked.headers()["allow"], "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn each_kind_of_flow_plays_while_it_runs_and_its_asset_afterwards() {
    for path in [
        "live/liveChannels/flow1",
        "live/liveEvents/flow2",
        "live/staticMultiviewChannels/flow3",
        "live/staticMultiviewEvents/flow4",
    ] {
        let caller = Caller::start().await;
        samples::make(&caller).await;
        endpoint(&caller).await;
        let mut flow = caller.get(path).await.expect(200).body;
        caller.asset("out").await;
        flow["spec"]["transform"]["assetName"] = json!("out");
        let body = json!({ "metadata": { "displayName": "Flow" }, "spec": flow["spec"] });
        caller.put(path, body).await.expect(200);
        let wants = |state: &str| json!({ "spec": { "state": state } });
        caller.patch(path, wants("Running")).await.expect(200);
        caller.step(60);
        assert_eq!(caller.state(path).await, "Running");
        let (hls, _) = publish(&caller, "show", json!({})).await;
        assert!(hls.contains("/index.qfm/"), "{path}: {hls}");
        let main = text(&caller, &hls).await;
        let track = beside(&hls, paths(&main)[0]);
        let live = text(&caller, &track).await;
        assert!(!live.contains("ENDLIST"), "{path}: {live}");
        caller.patch(path, wants("Stopped")).await.expect(200);
        caller.step(60);
        assert_eq!(caller.state(path).await, "Stopped");
        let ended = text(&caller, &track).await;
        assert!(ended.ends_with("#EXT-X-ENDLIST\n"), "{path}: {ended}");
        let listed = caller
            .post("media/streamingLocators/show/listPaths", Value::Null)
            .await
            .expect(200);
        for paths in listed.body["streamingPaths"].as_array().expect("paths") {
            let path = paths["paths"][0].as_str().expect("a path");
            assert_eq!(status(&caller, path).await, 200, "{path}");
        }
        let stored = caller.get("media/assets/out/storage/").await.expect(200);
        let names = stored.body["spec"]["files"].to_string();
        assert!(names.contains("index.qfm"), "{path}: {names}");
    }
}

#[tokio::test]
async fn media_in_a_container_outlives_its_asset() {
    let caller = Caller::start().await;
    encoded(&caller).await;
    let asset = caller.get("media/assets/out").await.expect(200).body;
    let files = async || {
        let stored = caller.get("media/assets/out/storage/").await.expect(200);
        stored.body["spec"]["files"].clone()
    };
    let before = files().await;
    caller.delete("media/assets/out").await.expect(200);
    caller.step(5);
    let properties = &asset["properties"];
    let body = json!({ "properties": {
        "storageAccountName": properties["storageAccountName"], "container": properties["container"],
    } });
    caller
        .put("media/assets/out", body.clone())
        .await
        .expect(201);
    assert_eq!(files().await, before);
    let (hls, _) = publish(&caller, "again", json!({})).await;
    assert_eq!(status(&caller, &hls).await, 200);
    // Where the container goes with its asset, its files do.
    let mut policy = body.clone();
    policy["properties"]["containerDeletionPolicy"] = json!("Delete");
    caller.put("media/assets/out", policy).await.expect(200);
    caller
        .delete("media/streamingLocators/again")
        .await
        .expect(200);
    caller.step(5);
    caller.delete("media/assets/out").await.expect(200);
    caller.step(5);
    caller.put("media/assets/out", body).await.expect(201);
    assert!(!files().await.to_string().contains(".ism"));
}
