//! Uploads a video, encodes it into several renditions, publishes it and prints where it plays.
//!
//! The vendor's C# sample of the same flow is `SimpleEncodingAndPublishing`.

use anyhow::Result;
use mkio::{media::types::*, playback::playback_urls};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    let (input, file) = place.video().await?;
    let output = place.asset("output").await?;

    // Two renditions and more: the preset makes a ladder of them.
    let transform = place.name("encode");
    place.undo(&transform, media.delete_transform(&transform).send());
    let preset = BuiltInStandardEncoderPreset::new("H264MultipleBitrate720p");
    let outputs = TransformPutProperties::new([preset]);
    media.create_or_update_transform(&transform, outputs).send().await?;

    let job = place.name("job");
    place.undo_job(&transform, &job);
    let source = JobInputAsset::new(&input).with_files([file]);
    let properties = JobPutProperties::new(source, [JobOutputAsset::new(&output)]);
    let bar = place.bar("encode");
    place
        .wait(media.run_job(&transform, &job, properties))
        .on_change(move |change| {
            let percent = change.progress.unwrap_or_default();
            bar.set(u64::from(percent), &change.state.to_string());
        })
        .await?;
    for file in place.project.files().list(&output).await?.files {
        place.say(format!("  {} ({} bytes)", file.name, file.size.unwrap_or_default()));
    }

    let locator = place.name("locator");
    place.undo(&locator, media.delete_streaming_locator(&locator).send());
    let published = StreamingLocatorPutProperties::new()
        .asset_name(&output)
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media.create_or_update_streaming_locator(&locator, published).send().await?;
    place.wait(media.wait_for_streaming_locator(&locator)).await?;

    // An endpoint that runs costs money: this one is removed in the end.
    let endpoint = place.name("endpoint");
    place.undo(&endpoint, media.delete_streaming_endpoint_and_wait(&endpoint).missing_ok());
    place.undo(&endpoint, media.stop_streaming_endpoint_and_wait(&endpoint).missing_ok());
    let location = "eastus";
    let properties = StreamingEndpointPutProperties::new(0);
    let body = StreamingEndpointPut::new(location, properties);
    media.create_streaming_endpoint(&endpoint, body).send().await?;
    place.wait(media.start_streaming_endpoint_and_wait(&endpoint)).await?;

    let playback = playback_urls(&media, &locator).await?;
    for warning in &playback.warnings {
        place.say(format!("warning: {warning}"));
    }
    for stream in playback.streams.iter().filter(|stream| stream.endpoint.running) {
        place.say(format!("{} ({}): {}", stream.protocol, stream.encryption, stream.url));
    }
    Ok(())
}
