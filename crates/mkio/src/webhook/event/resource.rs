//! The resource that an event carries.

use std::fmt;

use mkio_core::{
    Error, ErrorKind, Result,
    glue::{Misplaced, read_value},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Event, EventType};

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

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Job,
    StreamingLocator,
    LiveEvent,
    Flow,
    ScheduledOperation,
}

impl Kind {
    /// The kind follows from the event's type, where its payload is documented; then from the path
    /// of the resource; then from the members of the resource.
    fn of(event: &Event, resource: &Value) -> Option<Self> {
        let channel = match event.kind {
            EventType::JobStarted | EventType::JobFinished => return Some(Self::Job),
            EventType::StreamingLocatorCreated => return Some(Self::StreamingLocator),
            EventType::ScheduledOperationAccepted
            | EventType::ScheduledOperationOngoing
            | EventType::ScheduledOperationCompleted
            | EventType::ScheduledOperationError => return Some(Self::ScheduledOperation),
            EventType::ChannelInstanceStarted
            | EventType::ChannelInstanceStopped
            | EventType::ChannelInstanceError => true,
            _ => false,
        };
        let path = event.source.split(['?', '#']).next().unwrap_or_default();
        let mut segments = path.rsplit('/').filter(|segment| !segment.is_empty());
        // Behind the name: its collection, and the API.
        match (segments.nth(1), segments.next()) {
            (Some("jobs"), _) => Some(Self::Job),
            (Some("streamingLocators"), _) => Some(Self::StreamingLocator),
            (Some("scheduledOperations"), _) => Some(Self::ScheduledOperation),
            (Some("liveChannels" | "staticMultiviewChannels" | "staticMultiviewEvents"), _)
            | (Some("liveEvents"), Some("live")) => Some(Self::Flow),
            (Some("liveEvents"), Some("media")) => Some(Self::LiveEvent),
            (Some("liveEvents"), _) => Self::channel(resource),
            _ if channel => Self::channel(resource),
            _ => None,
        }
    }

    /// The Media API's resources have `properties`, those of the Live API `spec` and `status`.
    fn channel(resource: &Value) -> Option<Self> {
        let has = |member| resource.get(member).is_some_and(Value::is_object);
        match (has("properties"), has("spec") || has("status")) {
            (true, false) => Some(Self::LiveEvent),
            (false, true) => Some(Self::Flow),
            _ => None,
        }
    }
}

impl Event {
    /// The resource with the type that follows from the event's type, its source, or else its form;
    /// `None` when the event carries none.
    ///
    /// The payload of channel events is not documented; the source names the API that it is from, or
    /// the form of the resource does.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the resource does not decode. It stays in
    /// [`EventData::resource`](super::EventData::resource).
    pub fn resource(&self) -> Result<Option<EventResource>> {
        let Some(resource) = &self.data.resource else {
            return Ok(None);
        };
        let typed = match Kind::of(self, resource) {
            #[cfg(feature = "media")]
            Some(Kind::Job) => EventResource::Job(decode(resource)?),
            #[cfg(feature = "media")]
            Some(Kind::StreamingLocator) => EventResource::StreamingLocator(decode(resource)?),
            #[cfg(feature = "media")]
            Some(Kind::LiveEvent) => EventResource::LiveEvent(decode(resource)?),
            #[cfg(feature = "live")]
            Some(Kind::Flow) => EventResource::Flow(decode(resource)?),
            #[cfg(feature = "live")]
            Some(Kind::ScheduledOperation) => EventResource::ScheduledOperation(decode(resource)?),
            _ => EventResource::Other(resource.clone()),
        };
        Ok(Some(typed))
    }
}

pub(super) fn decode<T: DeserializeOwned>(resource: &Value) -> Result<Box<T>> {
    read_value(resource)
        .map(Box::new)
        .map_err(|Misplaced { path, error }| {
            let path = format!("data.resource.{path}");
            let reason = error.to_string();
            Error::new(
                ErrorKind::Decode,
                "the webhook event's resource does not decode",
            )
            .with_json_path(path, reason)
        })
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
            // Its members are unknown, so any of them may be secret.
            Self::Other(_) => f.write_str("Other(..)"),
        }
    }
}
