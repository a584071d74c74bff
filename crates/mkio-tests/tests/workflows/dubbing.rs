//! A dubbed track, inserted into what is encoded already; a job that is canceled.

use mkio::media::types::*;
use serde_json::{Value, json};

use crate::common::{Place, body, quick};

async fn transform(place: &Place, name: &str, preset: Value) -> anyhow::Result<()> {
    let put: TransformPut = body(json!({ "properties": { "outputs": [{ "preset": preset }] } }))?;
    let media = place.project.media();
    media.create_or_update_transform(name, put).send().await?;
    Ok(())
}

fn job(input: &str, file: &str, output: &str) -> JobPut {
    let input = JobInputAsset::new(input).with_files([file]);
    JobPut::new(JobPutProperties::new(input, [JobOutputAsset::new(output)]))
}

#[tokio::test]
async fn a_dubbed_track_is_inserted() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["encoded", "dubbed"] {
        place.asset(asset).await?;
    }
    let dub = json!({
        "@odata.type": "#MediaKind.AIPipelinePreset",
        "pipeline": { "name": "Predefined_ACSVodSpeechToSpeech", "arguments": { "VodSpeechToSpeechTranslation": [
            { "name": "language", "value": "en-US" }, { "name": "targetLanguages", "value": ["es-ES"] },
        ] } },
    });
    transform(&place, "dub", dub).await?;
    let insert = json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "tracks": [{
        "@odata.type": "#MediaKind.AudioTrack", "trackName": "spa", "languageCode": "es-ES",
    }] });
    transform(&place, "insert", insert).await?;
    quick(media.run_job("dub", "job", job("encoded", "intro.mp4", "dubbed"))).await?;
    quick(media.run_job(
        "insert",
        "job",
        job("dubbed", "intro.mp4_es-ES.mp4", "encoded"),
    ))
    .await?;
    let storage = media.get_asset_storage("encoded").send().await?;
    let files = serde_json::to_string(&storage.into_inner())?;
    assert!(files.contains("intro.mp4_es-ES.mp4"), "{files}");
    Ok(())
}

#[tokio::test]
async fn a_job_is_canceled() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["input", "output"] {
        place.asset(asset).await?;
    }
    let preset = json!({
        "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset",
        "presetName": "H264SingleBitrate720p",
    });
    transform(&place, "encode", preset).await?;
    // The job cannot finish before it is canceled.
    place.emulator.control().pause();
    let job = job("input", "intro.mp4", "output");
    media.create_job("encode", "job", job).send().await?;
    media.cancel_job("encode", "job").send().await?;
    place.emulator.control().resume();
    let canceled = quick(media.wait_for_job("encode", "job").goal("canceled")).await?;
    let state = canceled.properties.and_then(|properties| properties.state);
    assert_eq!(state, Some(JobState::Canceled));
    Ok(())
}
