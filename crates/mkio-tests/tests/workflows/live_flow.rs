//! Live events of the Live API, with the template and the contribution that they need.

use std::time::Duration;

use anyhow::Context;
use mkio::Timestamp;
use mkio::live::types::*;
use mkio::media::types::{
    ContentPut, SourcePut, StreamingLocatorPathsQuery, StreamingLocatorPut,
    StreamingLocatorPutProperties,
};
use mkio::templates::types::{ConfigPut, ConfigPutSpec};
use serde_json::json;

use crate::common::{Place, body, quick};

/// The asset, content, source and configuration of a flow, and the flow.
async fn flow(place: &Place) -> anyhow::Result<FlowPut> {
    place.asset("archive").await?;
    let media = place.project.media();
    let shown = json!({ "displayName": "News" });
    media
        .create_content("news", body::<ContentPut>(json!({ "metadata": shown }))?)
        .send()
        .await?;
    let source: SourcePut = body(json!({
        "metadata": shown,
        "spec": { "contentName": "news", "transport": { "type": "SRTListener" } },
    }))?;
    media.create_source("studio", source).send().await?;

    let templates = place.project.templates();
    let preset = templates
        .list_presets_of_type("encodingLive")
        .items()
        .try_next()
        .await?;
    let preset = preset
        .and_then(|preset| preset.metadata?.name)
        .context("a preset")?;
    let config = templates
        .create_or_update_config(
            "encodingLive",
            "hd",
            ConfigPut::new(ConfigPutSpec::new().with_preset_name(preset)),
        )
        .send()
        .await?
        .into_inner();
    let pin = config
        .status
        .and_then(|status| status.input_pins?.pop()?.name);
    let pin = pin.context("an input pin")?;
    let version = config.metadata.and_then(|metadata| metadata.hash);
    body(json!({ "metadata": shown, "spec": {
        "state": "Stopped", "inputs": [{ "contentName": "news", "transformInput": pin }],
        "outputs": [],
        "transform": {
            "type": "LiveEvent", "assetName": "archive", "archiveWindowLength": "P1DT0S",
            "encodingLive": { "configRef": { "name": "hd", "version": version } },
        },
    } }))
}

/// Makes the flow, under the name `show`.
pub(crate) async fn show(place: &Place) -> anyhow::Result<()> {
    let put = flow(place).await?;
    let live = place.project.live();
    live.create_or_update_live_event("show", put).send().await?;
    Ok(())
}

#[tokio::test]
async fn a_flow_runs_and_is_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    show(&place).await?;
    let running = quick(live.start_live_event_and_wait("show")).await?;
    let state = running.status.and_then(|status| status.state);
    assert_eq!(state, Some(FlowState::Running));

    let detailed = live
        .get_live_event("show")
        .detailed_status(true)
        .send()
        .await?;
    let status = detailed.into_inner().status.context("a status")?;
    let source = status
        .inputs
        .and_then(|inputs| inputs.into_iter().next()?.source_name);
    assert_eq!(source.as_deref(), Some("studio"));
    assert!(
        status
            .monitoring
            .is_some_and(|monitoring| !monitoring.is_empty())
    );

    let running = quick(live.restart_live_event_and_wait("show")).await?;
    let state = running.status.and_then(|status| status.state);
    assert_eq!(state, Some(FlowState::Running));
    quick(live.stop_live_event_and_wait("show")).await?;
    quick(live.delete_live_event_and_wait("show")).await?;
    let gone = live.get_live_event("show").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn a_scheduled_operation_starts_and_stops_its_flow() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    show(&place).await?;
    let now = place.emulator.control().now();
    let at = |minutes: u64| Timestamp::from(now + Duration::from_secs(minutes * 60));
    let operation: ScheduledOperationPut = body(json!({ "spec": {
        "type": "MediaKind.ScheduledOperation.StartStop",
        "startTime": at(10), "endTime": at(20), "correlationData": {},
    } }))?;
    live.create_or_update_live_event_scheduled_operation("show", "evening", operation)
        .send()
        .await?;
    quick(live.wait_for_live_event("show").goal("running")).await?;
    let done = quick(live.wait_for_live_event_scheduled_operation("show", "evening")).await?;
    let state = done.status.and_then(|status| status.state);
    assert_eq!(state, Some(ScheduledOperationState::Completed));
    quick(live.wait_for_live_event("show").goal("stopped")).await?;
    Ok(())
}

/// The same for each of the other kinds: only the names of the calls differ.
macro_rules! lives {
    ($test:ident, $kind:literal, $create:ident, $start:ident, $restart:ident, $stop:ident,
     $delete:ident, $schedule:ident, $scheduled:ident, $unschedule:ident) => {
        #[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            let place = Place::start().await?;
            let live = place.project.live();
            let mut put = serde_json::to_value(flow(&place).await?)?;
            put["spec"]["transform"]["type"] = $kind.into();
            live.$create("show", body::<FlowPut>(put)?).send().await?;
            for running in [live.$start("show"), live.$restart("show")] {
                let status = quick(running).await?.status;
                let state = status.and_then(|status| status.state);
                assert_eq!(state, Some(FlowState::Running));
            }
            quick(live.$stop("show")).await?;

            let now = place.emulator.control().now();
            let at = |minutes: u64| Timestamp::from(now + Duration::from_secs(minutes * 60));
            let operation: ScheduledOperationPut = body(json!({ "spec": {
                "type": "MediaKind.ScheduledOperation.StartStop",
                "startTime": at(10), "endTime": at(20), "correlationData": {},
            } }))?;
            live.$schedule("show", "evening", operation).send().await?;
            let done = quick(live.$scheduled("show", "evening")).await?;
            let state = done.status.and_then(|status| status.state);
            assert_eq!(state, Some(ScheduledOperationState::Completed));
            quick(live.$unschedule("show", "evening")).await?;
            quick(live.$delete("show")).await?;
            Ok(())
        }
    };
}

lives!(
    a_channel_runs_and_is_removed,
    "LiveChannel",
    create_or_update_live_channel,
    start_live_channel_and_wait,
    restart_live_channel_and_wait,
    stop_live_channel_and_wait,
    delete_live_channel_and_wait,
    create_or_update_live_channel_scheduled_operation,
    wait_for_live_channel_scheduled_operation,
    delete_live_channel_scheduled_operation_and_wait
);
lives!(
    a_multiview_channel_runs_and_is_removed,
    "StaticMultiviewChannel",
    create_or_update_static_multiview_channel,
    start_static_multiview_channel_and_wait,
    restart_static_multiview_channel_and_wait,
    stop_static_multiview_channel_and_wait,
    delete_static_multiview_channel_and_wait,
    create_or_update_static_multiview_channel_scheduled_operation,
    wait_for_static_multiview_channel_scheduled_operation,
    delete_static_multiview_channel_scheduled_operation_and_wait
);
lives!(
    a_multiview_event_runs_and_is_removed,
    "StaticMultiviewEvent",
    create_or_update_static_multiview_event,
    start_static_multiview_event_and_wait,
    restart_static_multiview_event_and_wait,
    stop_static_multiview_event_and_wait,
    delete_static_multiview_event_and_wait,
    create_or_update_static_multiview_event_scheduled_operation,
    wait_for_static_multiview_event_scheduled_operation,
    delete_static_multiview_event_scheduled_operation_and_wait
);

#[tokio::test]
async fn a_multiview_composes_two_flows_and_is_published() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    let media = place.project.media();
    show(&place).await?;
    place.asset("both").await?;
    let templates = place.project.templates();
    templates
        .create_or_update_config(
            "multiviewComposing",
            "pair",
            ConfigPut::new(ConfigPutSpec::new().with_preset_name("2up")),
        )
        .send()
        .await?;
    let multiview: FlowPut = body(json!({ "metadata": { "displayName": "Both" }, "spec": {
        "state": "Running", "outputs": [], "inputs": [
            { "flowName": "show", "transformInput": "tile1" },
            { "sourceName": "studio", "transformInput": "tile2" },
        ],
        "transform": {
            "type": "StaticMultiviewEvent", "assetName": "both",
            "encodingLive": { "configRef": { "name": "hd", "version": "latest" } },
            "multiviewComposing": { "configRef": { "name": "pair", "version": "latest" } },
        },
    } }))?;
    live.create_or_update_static_multiview_event("both", multiview)
        .send()
        .await?;
    let running = quick(live.wait_for_static_multiview_event("both").goal("running")).await?;
    let inputs = running.status.and_then(|status| status.inputs);
    let upstream = inputs.and_then(|inputs| inputs.into_iter().next()?.upstream_flow_name);
    assert_eq!(upstream.as_deref(), Some("show"));
    // What another flow reads stays; the search knows all kinds.
    let used = live.delete_live_event("show").send().await;
    assert!(used.is_err_and(|error| error.is_conflict()));
    let found: Vec<_> = live
        .list_flows()
        .filter("status/state eq 'Running'")
        .items()
        .try_collect()
        .await?;
    assert_eq!(found.len(), 1);

    let locator = StreamingLocatorPutProperties::new()
        .asset_name("both")
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media
        .create_or_update_streaming_locator("watch", StreamingLocatorPut::new(locator))
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("watch")).await?;
    let paths = media
        .get_streaming_locator_paths("watch")
        .body(StreamingLocatorPathsQuery::new())
        .send()
        .await?;
    assert!(
        paths
            .streaming_paths
            .as_ref()
            .is_some_and(|paths| !paths.is_empty())
    );
    quick(live.stop_static_multiview_event_and_wait("both")).await?;
    quick(live.delete_static_multiview_event_and_wait("both")).await?;
    quick(live.delete_live_event_and_wait("show")).await?;
    Ok(())
}
