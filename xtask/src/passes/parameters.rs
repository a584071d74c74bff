//! Problem: the documents give query parameters the wrong type (`$top` is a string, flags are
//! strings), repeat keys that they declare once, and share parameters between operations.
//! This pass moves shared parameters into their operations and gives the common query parameters
//! the type and the meaning that they have on every MK.IO API.

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, append_description},
    report::Changes,
};

/// Name, schema and meaning of the query parameters that all lists share.
const COMMON: [(&str, &str, &str); 10] = [
    ("$top", "count", "At most this many items on a page."),
    (
        "$skiptoken",
        "offset",
        "Where the page starts; taken from the link of the page before.",
    ),
    (
        "$orderby",
        "text",
        "Comma-separated fields, each with an optional ` asc` or ` desc`.",
    ),
    (
        "$filter",
        "text",
        "OData filter expression, for example `name eq 'intro'`.",
    ),
    (
        "$label",
        "texts",
        "Label filter: `key=value` (exact) or `key~part` (contains).",
    ),
    (
        "$label_key",
        "texts",
        "Only items that have a label with this key, and with all other keys given.",
    ),
    ("$select", "text", "Comma-separated fields to return."),
    (
        "$detailedStatus",
        "flag",
        "Adds the detailed status to each item.",
    ),
    (
        "$force",
        "flag",
        "Removes what depends on the resource first.",
    ),
    ("show_hidden", "flag", "Lists hidden items, too."),
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    share(&mut document);
    document.operations_mut(|path, method, operation| {
        for parameter in list_mut(operation) {
            let Some(name) = parameter.get("name").and_then(Value::as_str) else {
                continue;
            };
            let common = COMMON.iter().find(|(known, ..)| *known == name);
            if parameter.get("in").and_then(Value::as_str) != Some("query") {
                continue;
            }
            let name = name.to_owned();
            let Some(parameter) = parameter.as_object_mut() else {
                continue;
            };
            if let Some(default) = parameter
                .get_mut("schema")
                .and_then(Value::as_object_mut)
                .and_then(|schema| {
                    schema.shift_remove("nullable");
                    schema.shift_remove("default")
                })
            {
                append_description(parameter, &format!("Default: `{}`.", plain(&default)));
            }
            if let Some((_, kind, meaning)) = common {
                let schema = schema(kind);
                if parameter.get("schema") != Some(&schema) {
                    changes.note(format!("{method} {path}: {name} is {kind}"));
                    parameter.insert("schema".to_owned(), schema);
                }
                if !parameter.contains_key("description") {
                    append_description(parameter, meaning);
                }
            }
        }
    });
    document
}

fn schema(kind: &str) -> Value {
    match kind {
        "count" => json!({"type": "integer", "format": "uint32"}),
        "offset" => json!({"type": "integer", "format": "uint64"}),
        "flag" => json!({"type": "boolean"}),
        "texts" => json!({"type": "array", "items": {"type": "string"}}),
        _ => json!({"type": "string"}),
    }
}

/// A default in plain text.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn list_mut(operation: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// Parameters of a path item belong to each of its operations.
fn share(document: &mut Document) {
    let Some(paths) = document
        .root
        .get_mut("paths")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (_, item) in paths {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        let Some(Value::Array(shared)) = item.shift_remove("parameters") else {
            continue;
        };
        for method in crate::document::METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else {
                continue;
            };
            let own = operation.entry("parameters").or_insert_with(|| json!([]));
            let Some(own) = own.as_array_mut() else {
                continue;
            };
            for parameter in &shared {
                let same = |p: &Value| p["name"] == parameter["name"] && p["in"] == parameter["in"];
                if !own.iter().any(same) {
                    own.push(parameter.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn parameters(item: Value) -> Value {
        let (document, _) = testing::run(run, testing::with_paths(json!({ "/a": item })));
        document.root["paths"]["/a"]["get"]["parameters"].clone()
    }

    #[test]
    fn common_parameters_get_their_type() {
        let list = parameters(json!({"get": {"responses": {}, "parameters": [
            {"name": "$top", "in": "query", "schema": {"type": "string"}},
            {"name": "$label_key", "in": "query", "schema": {"type": "string"}},
            {"name": "step", "in": "query", "schema": {"type": "string", "default": "60s"}},
        ]}}));
        assert_eq!(list[0]["schema"]["format"], "uint32");
        assert_eq!(list[1]["schema"]["type"], "array");
        assert_eq!(list[2]["description"], "Default: `60s`.");
        assert_eq!(list[2]["schema"], json!({"type": "string"}));
    }

    #[test]
    fn shared_parameters_move_into_operations() {
        let list = parameters(json!({
            "parameters": [{"name": "id", "in": "path"}, {"name": "x", "in": "query"}],
            "get": {"responses": {}, "parameters": [
                {"name": "x", "in": "query", "own": true}, {"name": "id", "in": "query"},
            ]}
        }));
        let places = list.as_array().unwrap().iter();
        let places: Vec<_> = places.map(|p| (&p["name"], &p["in"])).collect();
        let place = |name, place| (json!(name), json!(place));
        let expected = [
            place("x", "query"),
            place("id", "query"),
            place("id", "path"),
        ];
        assert!(
            places
                .into_iter()
                .eq(expected.iter().map(|(name, place)| (name, place))),
            "{list}"
        );
        assert_eq!(list[0]["own"], true);
    }
}
