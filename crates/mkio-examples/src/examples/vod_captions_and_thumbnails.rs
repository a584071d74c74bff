//! Transcribes a video, inserts the captions as a track of it, and makes thumbnails.
//!
//! The C# sample of the same flow is `AdvancedEncodingAndPublishing`.

use anyhow::{Context, Result};
use mkio::media::types::*;

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let (video, file) = place.video().await?;
    let captions = place.asset("captions").await?;
    let encoded = place.asset("encoded").await?;

    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    job(place, "encode", TransformOutput::new(preset), (&video, &file), &encoded).await?;

    let language = PipelineArgument::new("language", "en-US".into());
    let pipeline = PipelineArguments::new("Predefined_ACSVodTranscription");
    let pipeline = pipeline.with_arguments([("VodTranscription", vec![language])]);
    let preset = AiPipelinePreset::new(pipeline);
    job(place, "transcribe", TransformOutput::new(preset), (&video, &file), &captions).await?;

    // The captions go into the asset that they belong to.
    let files = place.project.files().list(&captions).await?.files;
    let text = files.into_iter().find(|file| file.name.ends_with(".vtt"));
    let text = text.context("the transcription made no captions")?.name;
    let track = TextTrack::new("english").with_language_code("en-US").with_display_name("English");
    let preset = TrackInserterPreset::new([track]);
    job(place, "insert", TransformOutput::new(preset), (&captions, &text), &encoded).await?;

    let sprite = ThumbnailGeneratorConfiguration::new(ThumbnailFormat::Jpeg)
        .with_start("0%")
        .with_step("10%")
        .with_range("100%")
        .with_width("20%");
    let preset = ThumbnailGeneratorPreset::new([sprite]);
    let thumbnails = place.asset("thumbnails").await?;
    job(place, "thumbnails", TransformOutput::new(preset), (&video, &file), &thumbnails).await?;

    for asset in [&encoded, &thumbnails] {
        for file in place.project.files().list(asset).await?.files {
            place.say(format!("  {asset}: {}", file.name));
        }
    }
    Ok(())
}

/// A transform and a job, until it is through.
async fn job(
    place: &Place,
    what: &str,
    output: TransformOutput,
    (input, file): (&str, &str),
    into: &str,
) -> Result<()> {
    let (media, name) = (place.project.media(), place.name(what));
    place.undo(&name, media.delete_transform(&name).send());
    let properties = TransformPutProperties::new([output]);
    media.create_or_update_transform(&name, properties).send().await?;
    place.undo_job(&name, "job");
    let input = JobInputAsset::new(input).with_files([file]);
    let properties = JobPutProperties::new(input, [JobOutputAsset::new(into)]);
    place.wait(media.run_job(&name, "job", properties)).await?;
    place.say(format!("{what} is through"));
    Ok(())
}
