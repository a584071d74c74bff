//! Members of an event's JSON.
//!
//! A member of the wrong type is not a reason to lose an event: it stays among the extensions, under its
//! own name, and is written again from there.

use mkio_core::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Event, EventData, EventType};

/// Takes a member out if it is text.
fn text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name)? {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => {
            members.insert(name.to_owned(), other);
            None
        }
    }
}

impl From<Map<String, Value>> for Event {
    fn from(mut members: Map<String, Value>) -> Self {
        let id = text(&mut members, "id");
        let data = match members.remove("data") {
            Some(Value::Object(data)) => EventData::from(data),
            Some(Value::Null) | None => EventData::default(),
            Some(other) => {
                members.insert("data".to_owned(), other);
                EventData::default()
            }
        };
        Self {
            // Whatever it is, the same event has it again.
            id: id
                .or_else(|| Some(members.get("id")?.to_string()))
                .unwrap_or_default(),
            kind: EventType::from(text(&mut members, "type").unwrap_or_default()),
            source: text(&mut members, "source").unwrap_or_default(),
            time: text(&mut members, "time").map(Timestamp::from),
            specversion: text(&mut members, "specversion"),
            datacontenttype: text(&mut members, "datacontenttype"),
            data,
            extensions: members,
        }
    }
}

impl From<Map<String, Value>> for EventData {
    fn from(mut members: Map<String, Value>) -> Self {
        Self {
            project_name: text(&mut members, "projectName"),
            previous_state: text(&mut members, "previousState"),
            state: text(&mut members, "state"),
            resource: members
                .remove("resource")
                .filter(|resource| !resource.is_null()),
            extensions: members,
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

impl<'de> Deserialize<'de> for EventData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

/// Adds a member that is there.
fn put(members: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        members.insert(name.to_owned(), Value::from(text));
    }
}

/// Members among the extensions are written from there: their values in the event were read from
/// them.
impl From<&Event> for Map<String, Value> {
    fn from(event: &Event) -> Self {
        let mut members = Map::new();
        put(&mut members, "specversion", event.specversion.as_deref());
        put(&mut members, "id", Some(&event.id));
        put(&mut members, "type", Some(event.kind.as_str()));
        put(&mut members, "source", Some(&event.source));
        put(
            &mut members,
            "time",
            event.time.as_ref().map(Timestamp::as_str),
        );
        put(
            &mut members,
            "datacontenttype",
            event.datacontenttype.as_deref(),
        );
        if event.data != EventData::default() {
            members.insert("data".to_owned(), Value::Object(Map::from(&event.data)));
        }
        members.extend(event.extensions.clone());
        members
    }
}

impl From<&EventData> for Map<String, Value> {
    fn from(data: &EventData) -> Self {
        let mut members = Map::new();
        put(&mut members, "projectName", data.project_name.as_deref());
        put(
            &mut members,
            "previousState",
            data.previous_state.as_deref(),
        );
        put(&mut members, "state", data.state.as_deref());
        if let Some(resource) = &data.resource {
            members.insert("resource".to_owned(), resource.clone());
        }
        members.extend(data.extensions.clone());
        members
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Map::from(self).serialize(serializer)
    }
}

impl Serialize for EventData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Map::from(self).serialize(serializer)
    }
}
