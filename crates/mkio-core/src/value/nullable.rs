//! A field with three states.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field that may be absent, `null`, or hold a value.
///
/// MK.IO tells the three apart: leaving a field out keeps what the service has, `null` removes it,
/// and a value (an empty one, too) replaces it. Generated models use this type where the document
/// allows `null` in something that is sent.
///
/// ```
/// use mkio_core::Nullable;
///
/// let mut description: Nullable<String> = Nullable::Absent;
/// assert!(description.is_absent());
/// description = "new text".to_owned().into();
/// assert_eq!(description.as_ref().value().map(String::as_str), Some("new text"));
/// description = Nullable::Null;
/// assert!(description.is_null());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Nullable<T> {
    /// The field is not part of the JSON object.
    #[default]
    Absent,
    /// The field is there and `null`.
    Null,
    /// The field is there with a value.
    Value(T),
}

impl<T> Nullable<T> {
    /// True when the field is not part of the JSON object.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// True when the field is there and `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The same three states, by reference.
    pub fn as_ref(&self) -> Nullable<&T> {
        match self {
            Self::Absent => Nullable::Absent,
            Self::Null => Nullable::Null,
            Self::Value(value) => Nullable::Value(value),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Nullable<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

/// `None` becomes `null`: who passes an option has decided that the field travels.
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

/// Absent fields are left out by the structure that holds them; on its own it writes `null`.
impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().value().serialize(serializer)
    }
}

/// Absent fields never get here: the structure's `#[serde(default)]` makes them `Absent`.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Patch {
        #[serde(default, skip_serializing_if = "Nullable::is_absent")]
        text: Nullable<String>,
    }

    #[test]
    fn three_states_survive_a_round_trip() {
        for (json, text) in [
            ("{}", Nullable::Absent),
            (r#"{"text":null}"#, Nullable::Null),
            (r#"{"text":""}"#, Nullable::Value(String::new())),
        ] {
            let patch: Patch = serde_json::from_str(json).unwrap();
            assert_eq!(patch, Patch { text });
            assert_eq!(serde_json::to_string(&patch).unwrap(), json);
        }
    }
}
