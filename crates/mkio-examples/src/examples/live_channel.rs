//! A channel of the Live API: content and source, a configuration from a preset, the channel, and a
//! schedule that starts and stops it.

use std::time::Duration;

use anyhow::{Context, Result};
use mkio::{
    Timestamp,
    chrono::Utc,
    live::types::*,
    media::types::{ContentPut, SourcePut, SourceSpec, TransportSpec, TransportType},
    templates::types::{ConfigPut, ConfigPutSpec},
};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let live = place.project.live();
    let channel = place.name("channel");
    let archive = place.asset("archive").await?;
    let content = contribution(place).await?;
    let (config, pin) = configuration(place).await?;

    place.undo(&channel, live.delete_live_channel_and_wait(&channel).missing_ok());
    place.undo(&channel, live.stop_live_channel_and_wait(&channel).missing_ok());
    let input = FlowInput::new().with_content_name(content).with_transform_input(pin);
    let encoding = Config::new(config);
    let flow = LiveChannelFlow::new(&archive, encoding).with_archive_window_length("P1DT0S");
    let spec = FlowSpec::new(flow, [input], FlowDesiredState::Stopped);
    let body = FlowPut::new(DefaultMetadata::new("News"), spec);
    live.create_or_update_live_channel(&channel, body).send().await?;

    // A channel costs its monthly fee once it starts; an example on the service ends here.
    let Some(emulator) = &place.emulator else {
        place.say(format!("{channel} is there; start it with start_live_channel_and_wait"));
        return Ok(());
    };
    let now = emulator.control().now().with_timezone(&Utc);
    let at = |minutes: u64| Timestamp::from(now + Duration::from_secs(minutes * 60));
    let operation = ScheduledOperationStartStopSpec::new(at(1), at(3));
    let body = ScheduledOperationPut::new(operation);
    live.create_or_update_live_channel_scheduled_operation(&channel, "evening", body)
        .send()
        .await?;
    let running = place.wait(live.wait_for_live_channel(&channel).goal("running")).await?;
    place.say(format!("{channel} is {}", running.state()));
    let operation = live.wait_for_live_channel_scheduled_operation(&channel, "evening");
    let operation = place.wait(operation).await?;
    place.say(format!("the schedule is {}", operation.state()));
    let stopped = place.wait(live.wait_for_live_channel(&channel).goal("stopped")).await?;
    place.say(format!("{channel} is {}", stopped.state()));
    Ok(())
}

/// A content that a source carries: the source can be exchanged without changing the channel.
async fn contribution(place: &Place) -> Result<String> {
    use mkio::media::types::DefaultMetadata;
    let (media, name) = (place.project.media(), place.name("news"));
    place.undo(&name, media.delete_content(&name).send());
    let body = ContentPut::new(DefaultMetadata::new("News"));
    media.create_content(&name, body).send().await?;
    place.undo(&name, media.delete_source(&name).send());
    let transport = TransportSpec::new(TransportType::SrtListener);
    let spec = SourceSpec::new(transport).with_content_name(name.as_str());
    let body = SourcePut::new(DefaultMetadata::new("Studio"), spec);
    media.create_source(&name, body).send().await?;
    let source = media.get_source(&name).send().await?;
    for url in source.status().transport().urls() {
        place.say(format!("send SRT to {}", url.as_str()));
    }
    Ok(name)
}

/// A configuration made from a preset, pinned to its version, and the name of its first input.
async fn configuration(place: &Place) -> Result<(ConfigRef, String)> {
    let (templates, name) = (place.project.templates(), place.name("hd"));
    let mut presets = templates.list_presets_of_type("encodingLive").items();
    let preset = presets.try_next().await?.context("a preset")?;
    let preset = preset.metadata().name().context("the preset's name")?.to_owned();
    place.undo(&name, templates.delete_config("encodingLive", &name).send());
    let body = ConfigPut::new(ConfigPutSpec::new().with_preset_name(&preset));
    let made = templates.create_or_update_config("encodingLive", &name, body).send().await?;
    let version = made.metadata().hash().context("the version")?;
    let pins = made.status().input_pins().iter();
    let pin = pins.filter_map(|pin| pin.name()).next().context("an input")?;
    place.say(format!("{name} is made from {preset}; its input is {pin}"));
    Ok((ConfigRef::new().name(&name).version(version), pin.to_owned()))
}
