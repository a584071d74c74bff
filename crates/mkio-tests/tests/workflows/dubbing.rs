//! A dubbed track, inserted into an encoded asset; a job that is canceled.

use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, quick};

async fn transform(
    place: &Place,
    name: &str,
    preset: impl Into<TransformPreset>,
) -> anyhow::Result<()> {
    let outputs = [TransformOutput::new(preset)];
    let media = place.project.media();
    media
        .create_or_update_transform(name, TransformPutProperties::new(outputs))
        .send()
        .await?;
    Ok(())
}

fn job(input: &str, file: &str, output: &str) -> JobPutProperties {
    let input = JobInputAsset::new(input).with_files([file]);
    JobPutProperties::new(input, [JobOutputAsset::new(output)])
}

#[tokio::test]
async fn a_dubbed_track_is_inserted() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["encoded", "dubbed"] {
        place.asset(asset).await?;
    }
    let arguments = [
        PipelineArgument::new("language", json!("en-US")),
        PipelineArgument::new("targetLanguages", json!(["es-ES"])),
    ];
    let pipeline = PipelineArguments::new("Predefined_ACSVodSpeechToSpeech")
        .with_arguments([("VodSpeechToSpeechTranslation", arguments)]);
    transform(&place, "dub", AiPipelinePreset::new(pipeline)).await?;
    let track = AudioTrack::new("spa").with_language_code("es-ES");
    let insert = TrackInserterPreset::new([track]);
    transform(&place, "insert", insert).await?;
    quick(media.run_job("dub", "job", job("encoded", "intro.mp4", "dubbed"))).await?;
    quick(media.run_job(
        "insert",
        "job",
        job("dubbed", "intro.mp4_es-ES.mp4", "encoded"),
    ))
    .await?;
    let storage = media.get_asset_storage("encoded").send().await?;
    let files = storage.spec().files();
    let names: Vec<_> = files.iter().filter_map(|file| file.name()).collect();
    assert!(names.contains(&"intro.mp4_es-ES.mp4"), "{names:?}");
    Ok(())
}

#[tokio::test]
async fn a_job_is_canceled() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["input", "output"] {
        place.asset(asset).await?;
    }
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    transform(&place, "encode", preset).await?;
    // The job cannot finish before it is canceled.
    place.emulator.control().pause();
    let job = job("input", "intro.mp4", "output");
    media.create_job("encode", "job", job).send().await?;
    media.cancel_job("encode", "job").send().await?;
    place.emulator.control().resume();
    let canceled = quick(media.wait_for_job("encode", "job").goal("canceled")).await?;
    assert_eq!(canceled.state(), JobState::Canceled);
    Ok(())
}
