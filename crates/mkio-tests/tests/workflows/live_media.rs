//! Live events of the Media API.

use mkio::media::types::*;

use crate::common::{Place, quick};

fn event() -> LiveEventPut {
    let encoding = LiveEventEncoding::new(LiveEventEncodingType::PassthroughBasic);
    let input = LiveEventInput::new().with_streaming_protocol(LiveEventInputProtocol::Rtmp);
    LiveEventPut::new(LiveEventPutProperties::new(encoding, input))
}

#[tokio::test]
async fn a_live_event_is_recorded_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("archive").await?;
    let tagged = event().with_tags([("team", "sports")]);
    media.create_live_event("match", tagged).send().await?;
    let running = quick(media.start_live_event_and_wait("match")).await?;
    assert_eq!(running.state(), LiveEventState::Running);
    assert_eq!(running.tags()["team"], "sports");
    let ingest = running.properties().input().endpoints().last();
    let ingest = ingest.and_then(|endpoint| endpoint.url());
    assert!(ingest.is_some_and(|url| url.as_str().starts_with("rtmp://")));

    let output = LiveOutputPutProperties::new()
        .asset_name("archive")
        .archive_window_length("PT4H")
        .with_manifest_name("show");
    media
        .create_live_output("match", "record", output)
        .send()
        .await?;
    let output = quick(media.wait_for_live_output("match", "record")).await?;
    assert_eq!(output.state(), LiveOutputState::Running);

    let locator = StreamingLocatorPutProperties::new()
        .asset_name("archive")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("watch", locator)
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("watch")).await?;
    let paths = media.get_streaming_locator_paths("watch");
    let plays = |paths: &StreamingLocatorPaths, manifest: &str| {
        let mut urls = paths.streaming_paths().iter().flat_map(|path| path.paths());
        urls.any(|url| url.contains(manifest))
    };
    let live = paths.clone().send().await?;
    assert!(plays(&live, "/index.qfm/manifest"), "{live:?}");
    // An archive that is being written stays.
    let busy = media.delete_asset("archive").send().await;
    assert!(busy.is_err_and(|error| error.is_conflict()));
    let early = media.delete_live_event("match").send().await;
    assert!(early.is_err_and(|error| error.is_conflict()));

    let running = quick(media.restart_live_event_and_wait("match")).await?;
    assert_eq!(running.state(), LiveEventState::Running);

    let stopped = quick(media.stop_live_event_and_wait("match")).await?;
    assert_eq!(stopped.state(), LiveEventState::Stopped);
    quick(media.delete_live_output_and_wait("match", "record")).await?;
    quick(media.delete_live_event_and_wait("match")).await?;
    let gone = media.get_live_event("match").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    // The recording can be watched.
    let kept = paths.send().await?;
    assert!(plays(&kept, "/show.ism/manifest"), "{kept:?}");
    let taken = media.create_live_event("match", event()).send().await;
    assert!(taken.is_err_and(|error| error.is_conflict()));
    Ok(())
}
