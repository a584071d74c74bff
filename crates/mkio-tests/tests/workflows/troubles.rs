//! Incidents of the platform, as the client reports them.

use std::time::Duration;

use anyhow::Context;
use mkio::channels::types::{
    ChannelMetadata, ChannelPut, ChannelSpec, ChannelType, DesiredState, Severity,
};
use mkio::fleets::types::{DevicePatch, DevicePatchSpec, DevicePut, DeviceSpec};
use mkio::live::types::ScheduledOperationStartStopSpec;
use mkio::media::types::*;
use mkio::wait::{Reason, StateName};
use mkio::{Nullable, Timestamp, Wait, WaitFailure};
use mkio_emulator::{ChannelAlarm, Incident, SyncFailure};

use crate::common::{Place, quick};
use crate::live_flow::show;

impl Place {
    fn cause(&self, path: &str, incident: Incident) -> anyhow::Result<()> {
        let done = self.emulator.control().cause("demo", path, &incident);
        done.map_err(anyhow::Error::msg)
    }
}

/// Lets a wait see this state first. The clock stands still meanwhile.
async fn sees<T, S>(wait: &mut Wait<T, S>, state: &str) -> anyhow::Result<()>
where
    T: Send + 'static,
    S: StateName,
{
    let change = wait.try_next().await?.context("a first state")?;
    anyhow::ensure!(change.state.as_name() == state, "{change:?}");
    Ok(())
}

/// Why a wait did not reach its goal.
fn failure<T>(waited: mkio::Result<T>) -> anyhow::Result<(Reason, String, Vec<String>)> {
    let error = waited.err().context("the wait has to fail")?;
    let failure = WaitFailure::of(&error).context("a failure of the wait")?;
    let told = failure.errors.iter();
    let told = told.filter_map(|error| error.message.clone()).collect();
    Ok((
        failure.reason,
        failure.state.clone().unwrap_or_default(),
        told,
    ))
}

#[tokio::test]
async fn a_locator_that_is_not_provisioned_is_repaired() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let put = || {
        let properties = StreamingLocatorPutProperties::new()
            .asset_name("film")
            .streaming_policy_name("Predefined_ClearStreamingOnly");
        media
            .create_or_update_streaming_locator("play", properties)
            .send()
    };
    place.emulator.control().pause();
    put().await?;
    let mut wait = quick(media.wait_for_streaming_locator("play"));
    sees(&mut wait, "Creating").await?;
    place.cause("media/streamingLocators/play", Incident::ProvisioningFails)?;
    place.emulator.control().resume();
    let (reason, state, _) = failure(wait.await)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "Error"));
    put().await?;
    quick(media.wait_for_streaming_locator("play")).await?;
    Ok(())
}

#[tokio::test]
async fn a_live_event_that_falls_back_is_told_apart_from_one_that_stops() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let encoding = LiveEventEncoding::new(LiveEventEncodingType::PassthroughBasic);
    let input = LiveEventInput::new().with_streaming_protocol(LiveEventInputProtocol::Rtmp);
    let event = LiveEventPutProperties::new(encoding, input);
    media.create_live_event("match", event).send().await?;
    place.emulator.control().pause();
    place.cause(
        "media/liveEvents/match",
        Incident::StartFails(String::new()),
    )?;
    let mut wait = quick(media.start_live_event_and_wait("match"));
    sees(&mut wait, "Starting").await?;
    place.emulator.control().resume();
    let (reason, state, _) = failure(wait.await)?;
    assert_eq!((reason, state.as_str()), (Reason::FellBack, "Stopped"));
    quick(media.start_live_event_and_wait("match")).await?;
    Ok(())
}

#[tokio::test]
async fn a_flow_cannot_start_or_hangs() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    show(&place).await?;
    let told = "no encoder is free";
    place.cause(
        "live/liveEvents/show",
        Incident::StartFails(told.to_owned()),
    )?;
    place.emulator.control().pause();
    let mut wait = quick(live.start_live_event_and_wait("show"));
    sees(&mut wait, "Pending").await?;
    place.emulator.control().resume();
    let (reason, state, errors) = failure(wait.await)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "UnableToStart"));
    assert_eq!(errors, [told]);
    quick(live.stop_live_event_and_wait("show")).await?;

    place.cause("live/liveEvents/show", Incident::StaysStarting)?;
    let wait = quick(live.start_live_event_and_wait("show"));
    let failed = wait.timeout(Duration::from_secs(2)).await;
    let (reason, state, _) = failure(failed)?;
    assert_eq!((reason, state.as_str()), (Reason::Timeout, "Starting"));
    place.cause("live/liveEvents/show", Incident::Recovers)?;
    quick(live.wait_for_live_event("show").goal("running")).await?;
    Ok(())
}

#[tokio::test]
async fn a_scheduled_operation_tells_why_it_failed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let live = place.project.live();
    show(&place).await?;
    let now = place.emulator.control().now();
    let at = |minutes: u64| Timestamp::from(now + Duration::from_secs(minutes * 60));
    let operation = ScheduledOperationStartStopSpec::new(at(600), at(660));
    live.create_or_update_live_event_scheduled_operation("show", "evening", operation)
        .send()
        .await?;
    let told = "the flow is locked";
    place.cause(
        "live/liveEvents/show/scheduledOperations/evening",
        Incident::OperationFails(told.to_owned()),
    )?;
    let failed = quick(live.wait_for_live_event_scheduled_operation("show", "evening")).await;
    let (reason, state, errors) = failure(failed)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "Errored"));
    assert_eq!(errors, [told]);
    Ok(())
}

#[tokio::test]
async fn the_software_of_a_device_fails_and_a_device_that_is_gone_is_forced_out()
-> anyhow::Result<()> {
    let place = Place::start().await?;
    let fleets = place.project.fleets();
    let spec = DeviceSpec::new().with_short_code("abcd1234");
    let device = DevicePut::new(DefaultMetadata::new("Beam"), spec);
    fleets.create_device("beam", device).send().await?;
    let newest = "1.13.0.2";
    let change = |spec: DevicePatchSpec| {
        let patch = DevicePatch::new().with_spec(spec);
        fleets.update_device("beam", patch).send()
    };
    let preload = || change(DevicePatchSpec::new().with_preload_software_version(newest));
    preload().await?;
    place.cause(
        "fleet/devices/beam",
        Incident::PreloadFails("the disk is full".to_owned()),
    )?;
    let failed = quick(fleets.wait_for_device_preload("beam", newest)).await;
    let (reason, state, _) = failure(failed)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "PreloadFailed"));
    preload().await?;
    quick(fleets.wait_for_device_preload("beam", newest)).await?;

    place.cause("fleet/devices/beam", Incident::SwitchFails)?;
    change(DevicePatchSpec::new().with_desired_software_version(newest)).await?;
    let failed = quick(fleets.wait_for_device_software("beam", newest)).await;
    let (reason, state, _) = failure(failed)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "SwitchFailed"));

    place.cause("fleet/devices/beam", Incident::GoesOffline)?;
    let refused = fleets.delete_device("beam").send().await;
    assert!(refused.is_err_and(|error| error.is_conflict()));
    fleets
        .delete_device("beam")
        .force(true)
        .reason("Failed")
        .send()
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_channel_tells_why_it_is_not_configured_and_what_alarms_it_has() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let channels = place.client.channels();
    let put = ChannelPut::new(
        ChannelMetadata::new().name("one").display_name("One"),
        ChannelSpec::new(ChannelType::EncodingDistribution).with_state(DesiredState::Stopped),
    );
    let create = || {
        channels
            .create_or_replace_channel("one", put.clone())
            .send()
    };
    place.emulator.control().pause();
    create().await?;
    let mut wait = quick(channels.wait_for_channel("one"));
    sees(&mut wait, "Configuring").await?;
    place.cause(
        "/api/channels/one/",
        Incident::ConfigurationFails {
            state: SyncFailure::ConfigFailed,
            code: "CH-17".to_owned(),
            detail: "the card is in use".to_owned(),
        },
    )?;
    place.emulator.control().resume();
    let (reason, state, errors) = failure(wait.await)?;
    assert_eq!((reason, state.as_str()), (Reason::State, "ConfigFailed"));
    assert!(
        errors.iter().any(|error| error == "the card is in use"),
        "{errors:?}"
    );
    create().await?;
    quick(channels.wait_for_channel("one")).await?;

    let alarm = ChannelAlarm {
        name: "no signal".to_owned(),
        severity: "Major".to_owned(),
        info: None,
    };
    place.cause("/api/channels/one/", Incident::AlarmRaised(alarm))?;
    let alarms = channels.list_active_alarms("one").send().await?;
    let [alarm] = alarms.value() else {
        anyhow::bail!("one alarm, not {alarms:?}");
    };
    assert_eq!(alarm.metadata().name(), Some("no signal"));
    assert_eq!(alarm.status().severity(), Some(&Severity::Major));
    Ok(())
}

#[tokio::test]
async fn a_private_link_waits_for_its_approval() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let put = |link: Nullable<PrivateLinkServiceConnection>| {
        let storage = AzureStorageSpecPut::new("https://own.example.com")
            .with_credential(AzureCredentialPost::new("?sv=1&sig=x"))
            .with_private_link_service_connection(link);
        media.create_or_update_storage("own", storage).send()
    };
    let link = PrivateLinkServiceConnection::new()
        .request_message("please")
        .subscription_id("00000000-0000-4000-8000-000000000001")
        .resource_group_name("group")
        .storage_account_name("account");
    put(link.into()).await?;
    place.cause("media/storage/own", Incident::PrivateLinkIgnored)?;
    let asset = AssetPutProperties::new("own");
    media.create_or_update_asset("film", asset).send().await?;
    let access = || media.get_asset_file_access_info("film").send();
    let refused = access().await.err().context("a storage out of reach")?;
    assert!(refused.to_string().contains("Pending"), "{refused}");
    place.cause("media/storage/own", Incident::PrivateLinkApproved)?;
    access().await?;
    // Without the link the storage is reached the open way again.
    let open = put(Nullable::Null).await?;
    let status = open.status().private_link_service_connection_status();
    assert_eq!(status, None);
    access().await?;
    Ok(())
}
