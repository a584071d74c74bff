//! Channels of one Beam device.

use anyhow::Context;
use mkio::channels::types::*;
use serde_json::json;

use crate::common::{Place, body, quick};

#[tokio::test]
async fn a_beam_channel_is_started_copied_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let channels = place.client.channels();
    let eligibility = channels.get_eligibility().send().await?;
    assert_eq!(eligibility.can_run, Some(true));
    let system = channels.get_system_info().send().await?.into_inner();
    let version = system.data.and_then(|data| data.software_version);
    assert!(version.is_some_and(|version| version.split('.').count() == 4));
    let interfaces = channels.get_interfaces().send().await?.into_inner();
    assert!(interfaces.sdi.is_some_and(|cards| !cards.is_empty()));
    let put: ChannelPut = body(json!({
        "kind": "BeamChannel", "metadata": { "name": "one", "displayName": "One" },
        "spec": { "type": "EncodingDistribution", "state": "Stopped", "outputs": [], "inputs": [
            { "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/1/0" } },
        ] },
    }))?;
    channels
        .create_or_replace_channel("one", put)
        .send()
        .await?;
    quick(channels.wait_for_channel("one")).await?;
    let running = quick(channels.start_channel_and_wait("one")).await?;
    let alarms = channels.list_active_alarms("one").send().await?;
    assert_eq!(alarms.value.as_ref().map(Vec::len), Some(0));
    let inputs = running
        .status
        .and_then(|status| status.inputs)
        .context("inputs")?;
    let Some(ChannelInputStatus::Sdi(input)) = inputs.first() else {
        anyhow::bail!("the input is not SDI: {inputs:?}");
    };
    let input = input.name.as_deref().context("a name")?;
    let picture = channels.get_channel_thumbnail("one", input);
    let picture = picture.send().await?.into_inner().bytes().await?;
    assert!(picture.starts_with(&[0xff, 0xd8]));

    let exported = channels
        .export_channels(body::<ExportRequest>(json!({}))?)
        .send()
        .await?;
    let import = |mode: &str, payload: &serde_json::Value| {
        body::<ImportRequest>(json!({ "mode": mode, "payload": payload }))
    };
    let mut payload = serde_json::to_value(exported.into_inner())?;
    let merged = channels
        .import_channels(import("merge", &payload)?)
        .send()
        .await?;
    let status = merged
        .imported
        .as_ref()
        .and_then(|all| all.first()?.status.clone());
    assert_eq!(status, Some(ImportedChannelResultStatus::Skipped));
    quick(channels.stop_channel_and_wait("one")).await?;
    // Replacing everything with nothing removes it.
    payload["channels"] = json!([]);
    let replaced = channels
        .import_channels(import("replace", &payload)?)
        .send()
        .await?;
    assert_eq!(replaced.deleted.as_deref(), Some(&["one".to_owned()][..]));
    let gone = channels.get_channel("one").send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
