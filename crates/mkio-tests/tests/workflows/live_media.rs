//! Live events of the Media API.

use anyhow::Context;
use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, body, quick};

#[tokio::test]
async fn a_live_event_is_recorded_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("archive").await?;
    let event: LiveEventPut = body(json!({ "tags": { "team": "sports" }, "properties": {
        "useStaticHostname": false, "encoding": { "encodingType": "PassthroughBasic" },
        "input": { "streamingProtocol": "RTMP" }, "streamOptions": [],
    } }))?;
    media.create_live_event("match", event).send().await?;
    let running = quick(media.start_live_event_and_wait("match")).await?;
    let running = running.properties.context("properties")?;
    assert_eq!(running.resource_state, Some(LiveEventState::Running));
    let ingest = running.input.and_then(|input| input.endpoints?.pop()?.url);
    assert!(ingest.is_some_and(|url| url.as_str().starts_with("rtmp://")));

    let output = LiveOutputPutProperties::new()
        .asset_name("archive")
        .archive_window_length("PT4H")
        .with_manifest_name("show");
    media
        .create_live_output("match", "record", LiveOutputPut::new(output))
        .send()
        .await?;
    let output = quick(media.wait_for_live_output("match", "record")).await?;
    let state = output.properties.and_then(|found| found.resource_state);
    assert_eq!(state, Some(LiveOutputState::Running));

    let locator = StreamingLocatorPutProperties::new()
        .asset_name("archive")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("watch", StreamingLocatorPut::new(locator))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("watch")).await?;
    let paths = || {
        let query = StreamingLocatorPathsQuery::new();
        let request = media.get_streaming_locator_paths("watch");
        request.body(query).send()
    };
    let live = serde_json::to_string(&paths().await?.into_inner())?;
    assert!(live.contains("/show.ism/manifest"), "{live}");
    // An archive that is being written stays.
    let busy = media.delete_asset("archive").send().await;
    assert!(busy.is_err_and(|error| error.is_conflict()));
    let early = media.delete_live_event("match").send().await;
    assert!(early.is_err_and(|error| error.is_conflict()));

    let running = quick(media.restart_live_event_and_wait("match")).await?;
    let state = running.properties.and_then(|found| found.resource_state);
    assert_eq!(state, Some(LiveEventState::Running));

    let stopped = quick(media.stop_live_event_and_wait("match")).await?;
    let state = stopped.properties.and_then(|found| found.resource_state);
    assert_eq!(state, Some(LiveEventState::Stopped));
    quick(media.delete_live_output_and_wait("match", "record")).await?;
    quick(media.delete_live_event_and_wait("match")).await?;
    let gone = media.get_live_event("match").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    // What was recorded is there to be watched.
    let kept = serde_json::to_string(&paths().await?.into_inner())?;
    assert!(kept.contains("/show.ism/manifest"), "{kept}");
    let again: LiveEventPut = body(json!({ "tags": {}, "properties": {
        "useStaticHostname": false, "encoding": { "encodingType": "PassthroughBasic" },
        "input": { "streamingProtocol": "RTMP" }, "streamOptions": [],
    } }))?;
    let taken = media.create_live_event("match", again).send().await;
    assert!(taken.is_err_and(|error| error.is_conflict()));
    Ok(())
}
