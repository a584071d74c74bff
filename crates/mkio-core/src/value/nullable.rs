//! A field with three states.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field that may be absent, `null`, or hold a value.
///
/// In a PATCH, a field that is left out keeps its value, `null` removes it, and a value replaces it, also
/// when it is empty. A map is merged: members that it does not name stay. Generated types use `Nullable`
/// where the document allows `null` in something that is sent.
///
/// | Rust | JSON |
/// |---|---|
/// | [`Absent`](Self::Absent), or the setter is not called | the field is left out |
/// | [`Null`](Self::Null) | `null` |
/// | [`Value`](Self::Value), or a value given to the setter | the value |
///
/// An `Option` converts as well: `None` leaves the field out. To send `null`, say so:
/// [`Nullable::Null`](Self::Null), or [`or_null`](Self::or_null) for an `Option` whose `None` means
/// that the value goes.
///
/// ```
/// use mkio_core::Nullable;
///
/// let description: Nullable<String> = "new text".into();
/// assert_eq!(description.as_deref(), Some("new text"));
/// assert!(Nullable::<String>::from(None).is_absent());
/// assert!(Nullable::<String>::or_null(None).is_null());
/// assert_eq!(Nullable::Null.unwrap_or(3), 3);
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

    /// `null` for `None`: the field is sent in any case.
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }

    /// The value, or `default` when the field is absent or `null`.
    pub fn unwrap_or(self, default: T) -> T {
        self.value().unwrap_or(default)
    }

    /// The value, or what `default` gives when the field is absent or `null`.
    pub fn unwrap_or_else(self, default: impl FnOnce() -> T) -> T {
        self.value().unwrap_or_else(default)
    }

    /// The value, or the default of its type when the field is absent or `null`.
    pub fn unwrap_or_default(self) -> T
    where
        T: Default,
    {
        self.value().unwrap_or_default()
    }

    /// Applies a function to the value; absent and `null` stay.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Nullable<U> {
        match self {
            Self::Absent => Nullable::Absent,
            Self::Null => Nullable::Null,
            Self::Value(value) => Nullable::Value(f(value)),
        }
    }

    /// The dereferenced value, if there is one: `Option<&str>` of a `Nullable<String>`.
    pub fn as_deref(&self) -> Option<&T::Target>
    where
        T: Deref,
    {
        self.as_ref().value().map(Deref::deref)
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

/// `None` leaves the field out, so that nothing is removed by accident; see
/// [`or_null`](Nullable::or_null).
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
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
        Option::deserialize(deserializer).map(Self::or_null)
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

    #[test]
    fn only_an_explicit_null_removes() {
        for none in [Nullable::from(None::<String>), None.into()] {
            assert_eq!(serde_json::to_string(&Patch { text: none }).unwrap(), "{}");
        }
        for null in [Nullable::Null, Nullable::or_null(None)] {
            let json = serde_json::to_string(&Patch { text: null }).unwrap();
            assert_eq!(json, r#"{"text":null}"#);
        }
        assert_eq!(Nullable::from(Some(1)), Nullable::Value(1));
        assert_eq!(Nullable::from(1), Nullable::Value(1));
    }

    #[test]
    fn each_state_says_which_one_it_is() {
        for (state, absent, null) in [
            (Nullable::Absent, true, false),
            (Nullable::Null, false, true),
            (Nullable::Value(0), false, false),
        ] {
            assert_eq!((state.is_absent(), state.is_null()), (absent, null));
        }
    }

    #[test]
    fn values_are_taken_out_and_changed() {
        let text: Nullable<String> = "a".into();
        assert_eq!(text.as_deref(), Some("a"));
        assert_eq!(text.as_ref(), Nullable::Value(&"a".to_owned()));
        assert_eq!(text.map(|text| text.len()), Nullable::Value(1));
        let some = Nullable::or_null(Some(3_u8));
        assert_eq!(some.value(), Some(3));
        assert_eq!(some.unwrap_or(7), 3);
        assert_eq!(some.unwrap_or_else(|| 8), 3);
        assert_eq!(some.unwrap_or_default(), 3);
        for nothing in [Nullable::<u8>::Absent, Nullable::Null] {
            assert_eq!(nothing.map(|n| n + 1), nothing);
            assert_eq!(nothing.as_ref().value(), None);
            assert_eq!(nothing.unwrap_or(7), 7);
            assert_eq!(nothing.unwrap_or_else(|| 8), 8);
            assert_eq!(nothing.unwrap_or_default(), 0);
        }
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn its_schema_is_that_of_an_option() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = generator.subschema_for::<Nullable<u32>>();
        assert_eq!(schema, generator.subschema_for::<Option<u32>>());
        let kinds = &schema.as_value()["type"];
        assert_eq!(*kinds, serde_json::json!(["integer", "null"]));
    }
}
