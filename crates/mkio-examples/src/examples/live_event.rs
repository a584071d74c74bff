//! A live event of the Media API with an archive: ingest, recording, publishing while it runs, VOD after.
//!
//! Not to be mixed up with the live events of the Live API (`live_channel`): the two know nothing of each
//! other. The vendor's C# sample of this is `SimpleLiveStreaming`.

use anyhow::{Context, Result};
use mkio::{media::types::*, playback::playback_urls};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    let archive = place.asset("archive").await?;

    let event = place.name("live");
    place.undo(&event, media.delete_live_event_and_wait(&event).missing_ok());
    place.undo(&event, media.stop_live_event_and_wait(&event).missing_ok());
    let input = LiveEventInput::new().with_streaming_protocol(LiveEventInputProtocol::Rtmp);
    let encoding = LiveEventEncoding::new(LiveEventEncodingType::PassthroughBasic);
    let properties = LiveEventPutProperties::new(encoding, input);
    media.create_live_event(&event, properties).send().await?;

    let output = "record";
    place.undo(output, media.delete_live_output_and_wait(&event, output).missing_ok());
    let properties = LiveOutputPutProperties::new()
        .asset_name(&archive)
        .archive_window_length("PT4H")
        .with_manifest_name("show");
    let running = place.wait(media.start_live_event_and_wait(&event)).await?;
    media.create_live_output(&event, output, properties).send().await?;
    place.wait(media.wait_for_live_output(&event, output)).await?;

    // Encoders send here; the last part of the path is the stream key, so keep it to yourself.
    let endpoints = running.properties().input().endpoints();
    let ingest = endpoints.iter().find_map(LiveEventEndpoint::url);
    let ingest = ingest.context("a running event has an ingest address")?;
    place.say(format!("send RTMP to {}", ingest.as_str()));

    let locator = place.name("watch");
    place.undo(&locator, media.delete_streaming_locator(&locator).send());
    let published = StreamingLocatorPutProperties::new()
        .asset_name(&archive)
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media.create_or_update_streaming_locator(&locator, published).send().await?;
    place.wait(media.wait_for_streaming_locator(&locator)).await?;
    tell(place, "live", &locator).await?;

    // Until the show is over. On the service, that is Ctrl-C, after which everything is removed.
    place.wait(media.stop_live_event_and_wait(&event)).await?;
    place.wait(media.delete_live_output_and_wait(&event, output)).await?;
    place.say("the event is over; its archive stays and plays as VOD");
    tell(place, "vod", &locator).await
}

async fn tell(place: &Place, when: &str, locator: &str) -> Result<()> {
    let playback = playback_urls(&place.project.media(), locator).await?;
    for warning in playback.warnings {
        place.say(format!("warning: {warning}"));
    }
    for stream in playback.streams {
        place.say(format!("{when}: {} {}", stream.protocol, stream.url));
    }
    Ok(())
}
