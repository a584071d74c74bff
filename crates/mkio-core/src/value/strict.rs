//! JSON that has to fit its type exactly.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::union::{Misfit, strictly};
use crate::{Error, ErrorKind, Result, error::expectation, json};

/// Reads JSON text that must fit `T` exactly, see [`strict_json`].
///
/// # Errors
///
/// As for [`strict_json`], and for text that is not JSON.
pub fn strict_text<T: DeserializeOwned + Serialize>(text: &str) -> Result<T> {
    let value = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = format!("not JSON: {} ({place})", expectation(&error));
        Error::new(ErrorKind::InvalidRequest, message)
    })?;
    strict_json(value)
}

/// Reads JSON that must fit `T` exactly: everything in it is sent again when `T` is written.
///
/// Reading a response drops unknown fields. In a body that a person wrote, an unknown field is a
/// misspelt one.
///
/// # Errors
///
/// Kind [`InvalidRequest`](ErrorKind::InvalidRequest), with the path of the first field that is
/// unknown or does not fit.
pub fn strict_json<T: DeserializeOwned + Serialize>(value: Value) -> Result<T> {
    let typed: T = strictly(&value).map_err(refusal)?;
    let said = json::value_of(&typed).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            "the value cannot be written as JSON",
        )
        .with_source(error)
    })?;
    match lost(&value, &said) {
        Some(misfit) => Err(refusal(misfit)),
        None => Ok(typed),
    }
}

fn refusal(Misfit { path, why }: Misfit) -> Error {
    let path = if path.is_empty() {
        "$".to_owned()
    } else {
        path
    };
    Error::new(ErrorKind::InvalidRequest, format!("{path}: {why}")).with_place(path, why)
}

/// The first part of `given` that `said` lacks.
fn lost(given: &Value, said: &Value) -> Option<Misfit> {
    let below = |step: String, misfit: Misfit| Misfit {
        path: json::join(&step, &misfit.path),
        ..misfit
    };
    let here = |why: &str| {
        Some(Misfit {
            path: String::new(),
            why: why.to_owned(),
        })
    };
    match (given, said) {
        (Value::Object(given), Value::Object(said)) => given.iter().find_map(|(name, value)| {
            let misfit = match said.get(name) {
                Some(said) => lost(value, said),
                None if value.is_null() => here("unknown field, or one that cannot be null"),
                None => here("unknown field"),
            };
            misfit.map(|misfit| below(name.clone(), misfit))
        }),
        (Value::Array(given), Value::Array(said)) if given.len() == said.len() => given
            .iter()
            .zip(said)
            .enumerate()
            .find_map(|(n, (given, said))| {
                lost(given, said).map(|misfit| below(format!("[{n}]"), misfit))
            }),
        (Value::Number(given), Value::Number(said)) if given.as_f64() == said.as_f64() => None,
        _ if given == said => None,
        _ => here("does not fit the type of this field"),
    }
}

/// `from_json` and `from_json_value` of a type that is sent. For generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! json_body {
    ($name:ident) => {
        impl $name {
            /// Reads JSON text, and refuses everything that the type would lose: unknown fields, at
            /// every depth, and content that does not fit its tag.
            ///
            /// # Errors
            ///
            /// Kind [`InvalidRequest`](::mkio_core::ErrorKind::InvalidRequest), with the path:
            /// `properties.descripton: unknown field`.
            #[inline]
            pub fn from_json(text: &str) -> ::mkio_core::Result<Self> {
                ::mkio_core::glue::strict_text(text)
            }

            /// Takes a JSON value, and refuses everything that the type would lose; see
            /// [`from_json`](Self::from_json).
            ///
            /// # Errors
            ///
            /// As for [`from_json`](Self::from_json).
            #[inline]
            pub fn from_json_value(value: ::serde_json::Value) -> ::mkio_core::Result<Self> {
                ::mkio_core::glue::strict_json(value)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer};
    use serde_json::json;

    use super::*;
    use crate::{Nullable, Secret, value::union::union};

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    struct Body {
        #[serde(skip_serializing_if = "Option::is_none")]
        properties: Option<Properties>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tags: Option<BTreeMap<String, String>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Properties {
        #[serde(default, skip_serializing_if = "Nullable::is_absent")]
        description: Nullable<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Secret<i64>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inputs: Vec<Input>,
    }

    #[derive(Debug, PartialEq, Serialize)]
    #[serde(tag = "type")]
    enum Input {
        Asset(Asset),
        Nested(Box<Nested>),
        #[serde(untagged)]
        Unknown(Value),
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Asset {
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Nested {
        parts: Vec<Input>,
    }

    impl<'de> Deserialize<'de> for Input {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            union(
                deserializer,
                "type",
                |tag, content| {
                    Some(match tag {
                        "Asset" => content.read().map(Self::Asset),
                        "Nested" => content.read().map(Self::Nested),
                        _ => return None,
                    })
                },
                Self::Unknown,
            )
        }
    }

    fn refused(value: Value) -> String {
        let error = strict_json::<Body>(value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.json_path().is_some());
        error.message().to_owned()
    }

    fn inputs(input: Value) -> Value {
        json!({"properties": {"inputs": [{"type": "Asset", "name": "a"}, input]}})
    }

    #[test]
    fn what_fits_is_taken_whole() {
        for value in [
            json!({}),
            json!({"properties": {"description": null, "size": 2, "key": 5}, "tags": {"any": "thing"}}),
            inputs(json!({"type": "Nested", "parts": [{"name": "b", "type": "Asset"}]})),
            inputs(json!({"type": "Tomorrow", "whatever": [1]})),
        ] {
            let body: Body = strict_json(value.clone()).unwrap();
            let said = serde_json::to_value(&body).unwrap();
            assert_eq!(lost(&value, &said).map(|lost| lost.path), None, "{value}");
        }
    }

    #[test]
    fn unknown_fields_are_refused_with_their_path() {
        let unknown = "unknown field";
        for (value, path) in [
            (json!({"propertys": {}}), "propertys"),
            (
                json!({"properties": {"descripton": "x"}}),
                "properties.descripton",
            ),
            (
                inputs(json!({"type": "Asset", "name": "a", "nme": 1})),
                "properties.inputs[1].nme",
            ),
            (
                inputs(
                    json!({"type": "Nested", "parts": [{"type": "Asset", "name": "b", "x": {}}]}),
                ),
                "properties.inputs[1].parts[0].x",
            ),
        ] {
            assert_eq!(refused(value), format!("{path}: {unknown}"));
        }
        assert_eq!(
            refused(json!({"properties": {"size": null}})),
            "properties.size: unknown field, or one that cannot be null"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_path_and_without_its_value() {
        for (value, message) in [
            (
                json!([]),
                "$: invalid length 0, expected struct Body with 2 elements",
            ),
            (
                json!({"properties": {"key": "hunter2"}}),
                "properties.key: expected i64, found string",
            ),
            (
                json!({"tags": {"a": 1}}),
                "tags.a: expected a string, found integer",
            ),
            (
                inputs(json!({"type": "Asset", "name": 7})),
                "properties.inputs[1].name: expected a string, found integer",
            ),
            (
                inputs(json!({"type": "Asset"})),
                "properties.inputs[1]: missing field `name`",
            ),
            (
                inputs(json!({"type": "Nested", "parts": [{"type": "Asset", "name": []}]})),
                "properties.inputs[1].parts[0].name: expected a string, found sequence",
            ),
            (
                inputs(json!({"typ": "Asset"})),
                "properties.inputs[1]: the text `type`, which selects the type, is missing",
            ),
        ] {
            assert_eq!(refused(value), message);
        }
        let error = strict_text::<Body>("{\"tags\": }").unwrap_err();
        assert_eq!(
            error.message(),
            "not JSON: expected value (line 1, column 10)"
        );
    }

    /// A type that reads leniently may leave out items, or make a number of a text.
    #[test]
    fn what_a_type_would_change_is_named() {
        for (given, said, path) in [
            (json!({"a": [1, null]}), json!({"a": [1]}), Some("a")),
            (json!({"a": ["7"]}), json!({"a": [7]}), Some("a[0]")),
            (json!({"a": 7.5}), json!({"a": 7}), Some("a")),
            (json!({"a": "x"}), json!({"a": "y"}), Some("a")),
            (json!({"a": [2, "x"]}), json!({"a": [2.0, "x"]}), None),
        ] {
            let found = lost(&given, &said).map(|lost| lost.path);
            assert_eq!(found.as_deref(), path, "{given}");
        }
    }

    /// Responses are read tolerantly, also after a strict reading failed.
    #[test]
    fn responses_keep_what_does_not_fit() {
        let odd = inputs(json!({"type": "Asset", "name": 7}));
        refused(odd.clone());
        let body: Body = serde_json::from_value(odd.clone()).unwrap();
        assert_eq!(serde_json::to_value(body).unwrap(), odd);
    }
}
