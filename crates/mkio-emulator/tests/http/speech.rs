//! Dubbing and captions, to their end.

use serde_json::{Value, json};

use crate::common::Caller;
use crate::media::{encoder, job, transform};

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

/// The storage of an asset as a response shows it, and the names of its files.
async fn stored(caller: &Caller, asset: &str) -> (Value, Vec<String>) {
    let path = format!("media/assets/{asset}/storage/");
    let spec = caller.get(&path).await.expect(200).body["spec"].clone();
    let names = spec["files"].as_array().into_iter().flatten();
    let names = names
        .filter_map(|file| file["name"].as_str().map(str::to_owned))
        .collect();
    (spec, names)
}

/// An asset with the output of the VOD guide's transform.
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
    // A job makes its output asset, unless the settings are strict.
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
