//! Channels on one Beam device, called on the device itself: may it run channels, a channel from SDI,
//! its alarms, an export of all and its import.
//!
//! On a device: `MKIO_TOKEN` may hold anything, and the profile's `[api.channels]` the address.

use anyhow::{Context, Result, bail};
use mkio::channels::types::*;

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let channels = place.client.channels();
    let system = channels.get_system_info().send().await?;
    let version = system.data().software_version().unwrap_or("?");
    let eligibility = channels.get_eligibility().send().await?;
    if eligibility.can_run() != Some(true) {
        bail!("the device with software {version} runs no channels");
    }
    let interfaces = channels.get_interfaces().send().await?;
    place.say(format!("software {version}, {} SDI cards", interfaces.sdi().len()));

    // The id is the name: free text, up to 64 characters.
    let id = place.name("one");
    place.undo(&id, channels.delete_channel(&id).send());
    let input = SdiInput::new("input_1", SdiInputTransport::new("sdi://localhost/1/0"));
    let spec = ChannelSpec::new(ChannelType::EncodingDistribution)
        .with_state(DesiredState::Stopped)
        .with_inputs([input])
        .with_outputs(Vec::<ChannelOutput>::new());
    let body = ChannelPut::new(ChannelMetadata::new().name(&id).display_name("One"), spec);
    channels.create_or_replace_channel(&id, body).send().await?;
    place.wait(channels.wait_for_channel(&id)).await?;
    let running = place.wait(channels.start_channel_and_wait(&id)).await?;
    let state = running.status().state().map_or("?", |state| state.as_str());
    place.say(format!("{id} is {state}"));
    let alarms = channels.list_active_alarms(&id).send().await?;
    place.say(format!("{} alarms", alarms.value().len()));

    let exported = channels.export_channels(ExportRequest::new()).send().await?;
    // Merging keeps existing channels. `Replace` removes channels that the payload lacks: an empty
    // one removes all.
    let import = ImportRequest::new(exported.into_inner()).with_mode(ImportMode::Merge);
    let imported = channels.import_channels(import).send().await?;
    for channel in imported.imported() {
        let status = channel.status().context("a status")?;
        place.say(format!("import of {}: {status}", channel.name().unwrap_or("?")));
    }
    place.wait(channels.stop_channel_and_wait(&id)).await?;
    Ok(())
}
