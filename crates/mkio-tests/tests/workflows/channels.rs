//! Channels of one Beam device.

use anyhow::Context;
use mkio::channels::types::*;

use crate::common::{Place, quick};

#[tokio::test]
async fn a_beam_channel_is_started_copied_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let channels = place.client.channels();
    let eligibility = channels.get_eligibility().send().await?;
    assert_eq!(eligibility.can_run(), Some(true));
    let system = channels.get_system_info().send().await?;
    let version = system.data().software_version();
    assert!(version.is_some_and(|version| version.split('.').count() == 4));
    let interfaces = channels.get_interfaces().send().await?;
    assert!(!interfaces.sdi().is_empty());
    let input = SdiInput::new("input_1", SdiInputTransport::new("sdi://localhost/1/0"));
    let put = ChannelPut::new(
        ChannelMetadata::new().name("one").display_name("One"),
        ChannelSpec::new(ChannelType::EncodingDistribution)
            .with_state(DesiredState::Stopped)
            .with_inputs([input]),
    );
    channels
        .create_or_replace_channel("one", put)
        .send()
        .await?;
    quick(channels.wait_for_channel("one")).await?;
    let running = quick(channels.start_channel_and_wait("one")).await?;
    let alarms = channels.list_active_alarms("one").send().await?;
    assert!(alarms.value().is_empty());
    let inputs = running.status().inputs();
    let input = inputs.first().and_then(ChannelInputStatus::as_sdi);
    let input = input.context("an SDI input")?.name().context("a name")?;
    let picture = channels.get_channel_thumbnail("one", input);
    let picture = picture.send().await?.into_inner().bytes().await?;
    assert!(picture.starts_with(&[0xff, 0xd8]));

    let exported = channels
        .export_channels(ExportRequest::new())
        .send()
        .await?;
    let mut payload = exported.into_inner();
    let merge = ImportRequest::new(payload.clone()).with_mode(ImportMode::Merge);
    let merged = channels.import_channels(merge).send().await?;
    let [merged] = merged.imported() else {
        anyhow::bail!("one channel, not {merged:?}");
    };
    assert_eq!(merged.status(), Some(&ImportedChannelResultStatus::Skipped));
    quick(channels.stop_channel_and_wait("one")).await?;
    // Replacing everything with nothing removes it.
    payload.channels = Some(Vec::new());
    let replace = ImportRequest::new(payload).with_mode(ImportMode::Replace);
    let replaced = channels.import_channels(replace).send().await?;
    assert_eq!(replaced.deleted(), ["one"]);
    let gone = channels.get_channel("one").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
