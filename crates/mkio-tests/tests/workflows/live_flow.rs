//! Live events of the Live API, with the template and the contribution that they need.

use std::time::Duration;

use anyhow::Context;
use mkio::Timestamp;
use mkio::live::types::*;
use mkio::media::types::{
    SourcePut, SourceSpec, StreamingLocatorPutProperties, TransportSpec, TransportType,
};
use mkio::templates::types::ConfigPutSpec;

use crate::common::{Place, quick};

/// The asset, content, source and configuration of a flow, and what it reads. How a kind of flow is
/// made into one is told by `transform`, from the asset and the configuration.
async fn flow<T: Into<FlowTransform>>(
    place: &Place,
    transform: impl FnOnce(&str, Config) -> T,
) -> anyhow::Result<FlowPut> {
    place.asset("archive").await?;
    let media = place.project.media();
    let shown = DefaultMetadata::new("News");
    media.create_content("news", shown.clone()).send().await?;
    let spec = SourceSpec::new(TransportSpec::new(TransportType::SrtListener));
    let source = SourcePut::new(shown.clone(), spec.with_content_name("news"));
    media.create_source("studio", source).send().await?;

    let templates = place.project.templates();
    let preset = templates
        .list_presets_of_type("encodingLive")
        .items()
        .try_next()
        .await?;
    let preset = preset.context("a preset")?;
    let spec = ConfigPutSpec::new().with_preset_name(preset.metadata().name().context("a name")?);
    let config = templates
        .create_or_update_config("encodingLive", "hd", spec)
        .send()
        .await?;
    let pin = config
        .status()
        .input_pins()
        .last()
        .context("an input pin")?;
    let input = FlowInput::new()
        .with_content_name("news")
        .with_transform_input(pin.name().context("its name")?);
    let version = config.metadata().hash().context("a hash")?;
    let encoding = Config::new(ConfigRef::new().name("hd").version(version));
    let spec = FlowSpec::new(
        transform("archive", encoding),
        [input],
        FlowDesiredState::Stopped,
    );
    Ok(FlowPut::new(shown, spec))
}

/// Makes the flow, under the name `show`.
pub(crate) async fn show(place: &Place) -> anyhow::Result<()> {
    let event = |asset: &str, encoding: Config| {
        LiveEventFlow::new(asset, encoding).with_archive_window_length("P1DT0S")
    };
    let put = flow(place, event).await?;
    let live = place.project.live();
    live.create_or_update_live_event("show", put).send().await?;
    Ok(())
}

/// From ten minutes on, for ten minutes.
fn soon(place: &Place) -> ScheduledOperationSpec {
    let now = place.emulator.control().now();
    let at = |minutes: u64| Timestamp::from(now + Duration::from_secs(minutes * 60));
    ScheduledOperationStartStopSpec::new(at(10), at(20)).into()
}

#[tokio::test]
async fn a_flow_runs_and_is_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    show(&place).await?;
    let running = quick(live.start_live_event_and_wait("show")).await?;
    assert_eq!(running.state(), FlowState::Running);

    let detailed = live
        .get_live_event("show")
        .detailed_status(true)
        .send()
        .await?;
    let status = detailed.status();
    let source = status
        .inputs()
        .first()
        .and_then(FlowInputStatus::source_name);
    assert_eq!(source, Some("studio"));
    assert!(!status.monitoring().is_empty());

    let running = quick(live.restart_live_event_and_wait("show")).await?;
    assert_eq!(running.state(), FlowState::Running);
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
    live.create_or_update_live_event_scheduled_operation("show", "evening", soon(&place))
        .send()
        .await?;
    quick(live.wait_for_live_event("show").goal("running")).await?;
    let done = quick(live.wait_for_live_event_scheduled_operation("show", "evening")).await?;
    assert_eq!(done.state(), ScheduledOperationState::Completed);
    quick(live.wait_for_live_event("show").goal("stopped")).await?;
    Ok(())
}

/// The same for each of the other kinds: only the names of the calls differ.
macro_rules! lives {
    ($test:ident, $kind:ident, $create:ident, $start:ident, $restart:ident, $stop:ident,
     $delete:ident, $schedule:ident, $scheduled:ident, $unschedule:ident) => {
        #[tokio::test]
        async fn $test() -> anyhow::Result<()> {
            let place = Place::start().await?;
            let live = place.project.live();
            let put = flow(&place, |asset, encoding| $kind::new(asset, encoding)).await?;
            live.$create("show", put).send().await?;
            for running in [live.$start("show"), live.$restart("show")] {
                assert_eq!(quick(running).await?.state(), FlowState::Running);
            }
            quick(live.$stop("show")).await?;

            live.$schedule("show", "evening", soon(&place))
                .send()
                .await?;
            let done = quick(live.$scheduled("show", "evening")).await?;
            assert_eq!(done.state(), ScheduledOperationState::Completed);
            quick(live.$unschedule("show", "evening")).await?;
            quick(live.$delete("show")).await?;
            Ok(())
        }
    };
}

lives!(
    a_channel_runs_and_is_removed,
    LiveChannelFlow,
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
    StaticMultiviewChannelFlow,
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
    StaticMultiviewEventFlow,
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
            ConfigPutSpec::new().with_preset_name("2up"),
        )
        .send()
        .await?;
    let config = |name: &str| Config::new(ConfigRef::new().name(name).version("latest"));
    let transform = StaticMultiviewEventFlow::new("both", config("hd"))
        .with_multiview_composing(config("pair"));
    let inputs = [
        FlowInput::new().with_flow_name("show"),
        FlowInput::new().with_source_name("studio"),
    ];
    let inputs = inputs.into_iter().zip(["tile1", "tile2"]);
    let inputs = inputs.map(|(input, tile)| input.with_transform_input(tile));
    let spec = FlowSpec::new(transform, inputs, FlowDesiredState::Running);
    let multiview = FlowPut::new(DefaultMetadata::new("Both"), spec);
    live.create_or_update_static_multiview_event("both", multiview)
        .send()
        .await?;
    let running = quick(live.wait_for_static_multiview_event("both").goal("running")).await?;
    let input = running.status().inputs().first().context("an input")?;
    assert_eq!(input.upstream_flow_name(), Some("show"));
    // A flow that another one reads stays; the search knows all kinds.
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
        .create_or_update_streaming_locator("watch", locator)
        .send()
        .await?;
    quick(media.wait_for_streaming_locator("watch")).await?;
    let paths = media.get_streaming_locator_paths("watch").send().await?;
    assert!(!paths.streaming_paths().is_empty());
    quick(live.stop_static_multiview_event_and_wait("both")).await?;
    quick(live.delete_static_multiview_event_and_wait("both")).await?;
    quick(live.delete_live_event_and_wait("show")).await?;
    Ok(())
}
