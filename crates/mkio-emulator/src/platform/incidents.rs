//! Incidents: changes of resources on demand that no user caused.

use serde::{Deserialize, Serialize};

/// How a job fails. The fields are those of `outputs[].error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct JobFailure {
    /// `category`: `Account`, `Configuration`, `Content`, `Download`, `Service` or `Upload`.
    pub category: String,
    /// `code`, such as `ContentMalformed`.
    pub code: String,
    /// `message`.
    pub message: String,
    /// Whether `retry` is `MayRetry`.
    pub may_retry: bool,
}

impl Default for JobFailure {
    /// `Service`, `ServiceTransientError`, may be tried again.
    fn default() -> Self {
        Self {
            category: "Service".to_owned(),
            code: "ServiceTransientError".to_owned(),
            message: "a failure made on demand".to_owned(),
            may_retry: true,
        }
    }
}

/// Why a Beam channel is not as its specification wants it: `status.syncState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncFailure {
    /// `ConfigFailed`: the configuration was not taken.
    ConfigFailed,
    /// `SyncFailed`: the running configuration differs from the wanted one.
    SyncFailed,
    /// `Failed`.
    Failed,
}

/// An active alarm of a Beam channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelAlarm {
    /// `metadata.name`; a channel has one alarm of a name at a time.
    pub name: String,
    /// `status.severity`: `Critical`, `Major`, `Minor`, `Notice` or `Ignore`.
    pub severity: String,
    /// `status.additionalInfo`.
    pub info: Option<String>,
}

/// Something that happens to a resource without its user doing anything.
///
/// Each names the resources that it can happen to; [`Incident::Recovers`] ends lasting ones. As JSON it is `{"type": "StartFails",
/// "detail": "no encoder is free"}`, without `detail` where there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "detail")]
#[non_exhaustive]
pub enum Incident {
    /// A job that has not ended fails half way through its processing, and its recording with it.
    JobFails(JobFailure),
    /// A streaming locator enters `Error`; a live event, live output or streaming endpoint stays where it is with the
    /// `provisioningState` `Failed`.
    ProvisioningFails,
    /// The start of a live event of the Media API or of a streaming endpoint ends in `Stopped`, that of a flow in
    /// `UnableToStart` with this text as `status.info`: the one that is going on, or else the next.
    StartFails(String),
    /// A flow stays in `Starting`: in the start that is going on, or else in the next.
    StaysStarting,
    /// A scheduled operation that has not ended becomes `Errored` with this text; its flow is left alone.
    OperationFails(String),
    /// A device is offline: it starts nothing, can be deleted only by force, and its running work stands still.
    GoesOffline,
    /// A device is online again.
    ComesOnline,
    /// A switch of a device's software ends in `SwitchFailed`: the one that is going on, or else the next.
    SwitchFails,
    /// The software that a device stages ends in `PreloadFailed` with this text as `progressDetails`.
    PreloadFails(String),
    /// The software that a device stages ends in `PreloadCancelled`.
    PreloadCancelled,
    /// A device reports this `alarmSeverity`, from 0 (clear) to 4 (critical).
    AlarmSeverity(u8),
    /// A device reports this interface as `NotPresent`.
    InterfaceVanishes(String),
    /// The last usage report of a device shows running services, or none: with services, only a forced deletion is taken.
    ServicesRun(bool),
    /// The owner of a storage account approves its private link: it is `Ready`.
    PrivateLinkApproved,
    /// Nobody approves the private link of a storage account: it stays `Pending`, and the storage cannot be reached.
    PrivateLinkIgnored,
    /// The configuration of a Beam channel is not applied, until the next PUT or PATCH.
    ConfigurationFails {
        /// The value of `syncState`.
        state: SyncFailure,
        /// `code` in `status.errors[]`.
        code: String,
        /// `detail` in `status.errors[]`, at most 512 characters, and the text in `status.syncError[]`.
        detail: String,
    },
    /// A Beam channel has an alarm; the worst one decides its `health`.
    AlarmRaised(ChannelAlarm),
    /// The alarm of this name is over.
    AlarmCleared(String),
    /// Ends every lasting incident: a locator in `Error` is provisioned again, a flow goes on starting, a device is online, without alarms
    /// and with all interfaces, a channel is configured again and has no alarms.
    Recovers,
}
