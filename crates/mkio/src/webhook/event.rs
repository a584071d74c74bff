//! What the service posts.

use std::fmt;

use mkio_core::wait::StateEvent;
use mkio_core::{Error, ErrorKind, Result, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mkio_core::open_enum! {
    /// What happened. A type that this version does not know survives as `Unknown`.
    pub enum EventType {
        /// A job runs.
        JobStarted = "MediaKind.JobStarted",
        /// A job has ended: `Finished`, `Canceled` or `Error`.
        JobFinished = "MediaKind.JobFinished",
        /// A streaming locator is ready.
        StreamingLocatorCreated = "MediaKind.StreamingLocatorCreated",
        /// A channel runs.
        ChannelInstanceStarted = "MediaKind.ChannelInstanceStarted",
        /// A channel has stopped.
        ChannelInstanceStopped = "MediaKind.ChannelInstanceStopped",
        /// A channel has failed.
        ChannelInstanceError = "MediaKind.ChannelInstanceError",
        /// A scheduled operation has passed its checks.
        ScheduledOperationAccepted = "MediaKind.ScheduledOperationAccepted",
        /// A scheduled operation has begun.
        ScheduledOperationOngoing = "MediaKind.ScheduledOperationOngoing",
        /// A scheduled operation is done.
        ScheduledOperationCompleted = "MediaKind.ScheduledOperationCompleted",
        /// A scheduled operation has failed.
        ScheduledOperationError = "MediaKind.ScheduledOperationError",
    }
}

/// An event: the CloudEvents envelope.
///
/// Nothing but the object itself is needed to read one; members that this version does not know
/// are in [`extensions`](Self::extensions).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event; a repeated delivery has the same. Empty when there is none.
    #[serde(default)]
    pub id: String,
    /// What happened (`type`).
    #[serde(rename = "type", default = "untyped")]
    pub kind: EventType,
    /// Path of the resource that it happened to. That of jobs lacks the API's part (`/media`).
    #[serde(default)]
    pub source: String,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Version of the envelope, `1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specversion: Option<String>,
    /// Media type of the data, `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// What changed.
    #[serde(default, deserialize_with = "or_default")]
    pub data: EventData,
    /// Everything else.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

/// What changed.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventData {
    /// Project of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// State before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<String>,
    /// State now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The resource as a GET gives it; see [`Event::resource`] for it with its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

/// The resource of an event, with its type.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum EventResource {
    /// A job.
    #[cfg(feature = "media")]
    Job(Box<crate::media::types::Job>),
    /// A streaming locator.
    #[cfg(feature = "media")]
    StreamingLocator(Box<crate::media::types::StreamingLocator>),
    /// A live event of the Media API.
    #[cfg(feature = "media")]
    LiveEvent(Box<crate::media::types::LiveEvent>),
    /// A channel or live event of the Live API.
    #[cfg(feature = "live")]
    Flow(Box<crate::live::types::Flow>),
    /// A scheduled operation.
    #[cfg(feature = "live")]
    ScheduledOperation(Box<crate::live::types::ScheduledOperation>),
    /// A resource of another kind, or of an API whose feature is off.
    Other(Value),
}

fn untyped() -> EventType {
    EventType::from("")
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the body is no JSON object, or a known member has
    /// another type than it should.
    pub fn from_json(body: &[u8]) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let reason = error.into_inner().to_string();
            Error::new(ErrorKind::Decode, "the webhook event does not decode")
                .with_json_path(path, reason)
        })
    }

    /// The resource with the type that the event's type and source imply; nothing when the event
    /// carries none.
    ///
    /// The payload of channel events is not documented; the source tells which API it is from.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the resource does not decode. It stays in
    /// [`EventData::resource`].
    pub fn resource(&self) -> Result<Option<EventResource>> {
        let Some(resource) = &self.data.resource else {
            return Ok(None);
        };
        #[cfg(any(feature = "media", feature = "live"))]
        {
            let collection = self.source.trim_end_matches('/').rsplit('/').nth(1);
            match (&self.kind, collection) {
                #[cfg(feature = "media")]
                (EventType::JobStarted | EventType::JobFinished, _) | (_, Some("jobs")) => {
                    return decode(resource).map(|job| Some(EventResource::Job(job)));
                }
                #[cfg(feature = "media")]
                (EventType::StreamingLocatorCreated, _) | (_, Some("streamingLocators")) => {
                    return decode(resource)
                        .map(|locator| Some(EventResource::StreamingLocator(locator)));
                }
                #[cfg(feature = "live")]
                (_, Some("scheduledOperations")) => {
                    return decode(resource)
                        .map(|operation| Some(EventResource::ScheduledOperation(operation)));
                }
                #[cfg(feature = "media")]
                (_, Some("liveEvents")) if self.source.contains("/media/") => {
                    return decode(resource).map(|event| Some(EventResource::LiveEvent(event)));
                }
                #[cfg(feature = "live")]
                (
                    _,
                    Some(
                        "liveChannels"
                        | "liveEvents"
                        | "staticMultiviewChannels"
                        | "staticMultiviewEvents",
                    ),
                ) if self.source.contains("/live/") => {
                    return decode(resource).map(|flow| Some(EventResource::Flow(flow)));
                }
                _ => {}
            }
        }
        Ok(Some(EventResource::Other(resource.clone())))
    }

    /// The resource as a type of your own; nothing when the event carries none.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the resource does not decode.
    pub fn resource_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let decoded = self.data.resource.as_ref().map(decode::<T>).transpose()?;
        Ok(decoded.map(|value| *value))
    }

    /// The event as [`Waits::notify`](mkio_core::Waits::notify) takes it.
    pub fn state_event(&self) -> StateEvent {
        let mut event = StateEvent::new(self.source.clone());
        event.state.clone_from(&self.data.state);
        event.time.clone_from(&self.time);
        event.resource.clone_from(&self.data.resource);
        event
    }
}

fn decode<T: DeserializeOwned>(resource: &Value) -> Result<Box<T>> {
    serde_path_to_error::deserialize(resource)
        .map(Box::new)
        .map_err(|error| {
            let path = format!("data.resource.{}", error.path());
            let reason = error.into_inner().to_string();
            Error::new(
                ErrorKind::Decode,
                "the webhook event's resource does not decode",
            )
            .with_json_path(path, reason)
        })
}

/// Shows no resource and no extensions: they may hold secrets.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("source", &self.source)
            .field("time", &self.time)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EventData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventData")
            .field("project_name", &self.project_name)
            .field("previous_state", &self.previous_state)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EventResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "media")]
            Self::Job(job) => f.debug_tuple("Job").field(job).finish(),
            #[cfg(feature = "media")]
            Self::StreamingLocator(locator) => {
                f.debug_tuple("StreamingLocator").field(locator).finish()
            }
            #[cfg(feature = "media")]
            Self::LiveEvent(event) => f.debug_tuple("LiveEvent").field(event).finish(),
            #[cfg(feature = "live")]
            Self::Flow(flow) => f.debug_tuple("Flow").field(flow).finish(),
            #[cfg(feature = "live")]
            Self::ScheduledOperation(operation) => f
                .debug_tuple("ScheduledOperation")
                .field(operation)
                .finish(),
            // What it holds is not known, so neither is what of it is secret.
            Self::Other(_) => f.write_str("Other(..)"),
        }
    }
}
