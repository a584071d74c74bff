//! Events, as the service posts them.

mod members;
mod resource;

use std::fmt;

use mkio_core::wait::StateEvent;
use mkio_core::{Error, ErrorKind, Result, Timestamp, glue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use resource::EventResource;

mkio_core::open_enum! {
    /// The type of an event. A type that this version does not know is kept as `Unknown`.
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
/// Nothing but the object itself is needed to read one. Members that this version does not know, and
/// those of another type than they should have, are in [`extensions`](Self::extensions), and an
/// event that is written has them as they came.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event; a repeated delivery has the same. Empty when there is none; the JSON
    /// text of one that is not text, such as a number.
    pub id: String,
    /// The type of the event (`type`).
    pub kind: EventType,
    /// Path of the resource that it happened to. That of jobs lacks the API's part (`/media`).
    pub source: String,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Version of the envelope, `1.0`.
    pub specversion: Option<String>,
    /// Media type of the data, `application/json`.
    pub datacontenttype: Option<String>,
    /// What changed.
    pub data: EventData,
    /// Everything else.
    pub extensions: Map<String, Value>,
}

/// What changed.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EventData {
    /// Project of the resource.
    pub project_name: Option<String>,
    /// State before.
    pub previous_state: Option<String>,
    /// State now.
    pub state: Option<String>,
    /// The resource as a GET gives it; see [`Event::resource`] for it with its type.
    pub resource: Option<Value>,
    /// Everything else.
    pub extensions: Map<String, Value>,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the body is not a JSON object.
    pub fn from_json(body: &[u8]) -> Result<Self> {
        glue::decode_json(body, || None).map_err(|error| {
            let message = format!("the webhook event: {}", error.message());
            Error::new(ErrorKind::Decode, message).with_json_path(
                error.json_path().unwrap_or("$"),
                error.expectation().unwrap_or_default(),
            )
        })
    }

    /// The resource as a type of your own; `None` when the event carries none.
    ///
    /// # Errors
    ///
    /// Kind [`Decode`](ErrorKind::Decode) when the resource does not decode.
    pub fn resource_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let decoded = self
            .data
            .resource
            .as_ref()
            .map(resource::decode::<T>)
            .transpose()?;
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

impl From<&Event> for StateEvent {
    fn from(event: &Event) -> Self {
        event.state_event()
    }
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
