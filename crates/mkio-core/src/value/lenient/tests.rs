use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{lenient, or_none};
use crate::{Nullable, Secret};

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
struct Read {
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    size: Option<i64>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Nullable::is_absent"
    )]
    most: Nullable<i64>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    rate: Option<f64>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    on: Option<bool>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    parts: Option<Vec<Part>>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    labels: Option<BTreeMap<String, String>>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    secrets: Option<Secret<Vec<i64>>>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    anything: Option<Vec<Value>>,
    #[serde(
        default,
        deserialize_with = "or_none",
        skip_serializing_if = "Option::is_none"
    )]
    extra: Option<Part>,
}

#[test]
fn what_is_meant_is_read_and_what_is_not_is_left_out() {
    for (json, written) in [
        (
            json!({"size": "7", "most": " 7 ", "rate": "1.5", "on": "True"}),
            json!({"size": 7, "most": 7, "rate": 1.5, "on": true}),
        ),
        (
            json!({"size": 7, "most": 7, "rate": 1.5, "on": true}),
            json!({"size": 7, "most": 7, "rate": 1.5, "on": true}),
        ),
        (
            json!({"size": -7, "most": "-7", "rate": -2, "on": -1}),
            json!({"size": -7, "most": -7, "rate": -2.0}),
        ),
        (json!({"rate": true, "on": 0}), json!({"on": false})),
        (json!({"rate": false, "on": 1.0}), json!({"on": true})),
        (
            json!({"rate": "-2", "on": "1"}),
            json!({"rate": -2.0, "on": true}),
        ),
        (
            json!({"size": 2.0, "most": "2.0", "rate": 2, "on": 1}),
            json!({"size": 2, "most": 2, "rate": 2.0, "on": true}),
        ),
        (
            json!({"size": 2.5, "most": 1e30, "rate": "fast", "on": "maybe"}),
            json!({}),
        ),
        (
            json!({"size": u64::MAX, "most": [1], "rate": {"a": [1]}, "on": 7}),
            json!({}),
        ),
        (
            json!({"size": true, "most": null, "rate": "inf", "on": null}),
            json!({"most": null}),
        ),
        (
            json!({"parts": [null, {"name": "a"}, "text", 7, {}, null]}),
            json!({"parts": [{"name": "a"}, {}]}),
        ),
        (
            json!({"labels": {"a": "b", "n": null, "c": 7, "d": 1.5, "e": true, "f": "null"}}),
            json!({"labels": {"a": "b", "c": "7", "d": "1.5", "e": "true", "f": "null"}}),
        ),
        (
            json!({"secrets": [1, "2", 3.0, null, "x", 0.5, -4]}),
            json!({"secrets": [1, 2, 3, -4]}),
        ),
        (
            json!({"anything": [null, 1, 1.5, "a", true, [null], {"a": null}]}),
            json!({"anything": [null, 1, 1.5, "a", true, [null], {"a": null}]}),
        ),
        (
            json!({"parts": [], "labels": {}}),
            json!({"parts": [], "labels": {}}),
        ),
        (
            json!({"parts": null, "labels": null, "extra": null}),
            json!({}),
        ),
        (json!({"extra": "odd"}), json!({})),
        (json!({"extra": {"name": 7}}), json!({})),
        (
            json!({"extra": {"name": "a"}}),
            json!({"extra": {"name": "a"}}),
        ),
    ] {
        for read in [
            serde_json::from_str::<Read>(&json.to_string()),
            serde_json::from_value(json.clone()),
        ] {
            assert_eq!(
                serde_json::to_value(read.unwrap()).unwrap(),
                written,
                "{json}"
            );
        }
    }
}

#[test]
fn what_is_wrong_in_an_object_is_told_with_its_place() {
    for (json, path, expected) in [
        (
            json!({"parts": [{"name": "a"}, {"name": [1]}]}),
            "parts[1].name",
            "expected a string",
        ),
        (json!({"parts": "text"}), "parts", "expected a list"),
        (json!({"labels": [1]}), "labels", "expected a map"),
    ] {
        let mut reader = serde_json::Deserializer::from_str(Box::leak(json.to_string().into()));
        let error = serde_path_to_error::deserialize::<_, Read>(&mut reader).unwrap_err();
        assert_eq!(error.path().to_string(), path);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_demanded_number_is_demanded() {
    #[derive(Debug, Deserialize)]
    struct Demanding {
        #[serde(deserialize_with = "lenient")]
        size: i64,
    }
    let read = |json: Value| serde_json::from_value::<Demanding>(json).map(|read| read.size);
    assert_eq!(read(json!({"size": "7"})).unwrap(), 7);
    for json in [json!({}), json!({"size": null}), json!({"size": "x"})] {
        read(json).unwrap_err();
    }
}

#[test]
fn nulls_in_inner_lists_are_left_out_unless_they_have_a_place() {
    let read = |text: &str| {
        let mut reader = serde_json::Deserializer::from_str(text);
        lenient::<BTreeMap<String, Vec<Part>>, _>(&mut reader)
    };
    let parts = read(r#"{"a": [{"name": "x"}, null, {}], "b": [null]}"#).unwrap();
    let named = |name: Option<&str>| Part {
        name: name.map(str::to_owned),
    };
    assert_eq!(parts["a"], [named(Some("x")), named(None)]);
    assert_eq!(parts["b"], []);
    let mut reader = serde_json::Deserializer::from_str("[[null, 1], [null]]");
    let any: Vec<Vec<Value>> = lenient(&mut reader).unwrap();
    assert_eq!(json!(any), json!([[null, 1], [null]]));
}
