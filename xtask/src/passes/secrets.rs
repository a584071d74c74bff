//! Problem: a field that holds a secret shows in `Debug` unless somebody marks it, and a new one
//! comes with every document. This pass warns of texts whose names sound secret and that
//! have no mark in the overlay: `x-mkio-secret: true` hides them, `false` shows them.

use heck::ToSnakeCase;
use serde_json::{Map, Value};

use crate::{
    document::{Document, escape},
    marks,
    report::Changes,
    walk,
};

/// Last words of names that hold secrets.
const WORDS: [&str; 12] = [
    "secret",
    "password",
    "passphrase",
    "passwd",
    "pwd",
    "token",
    "jwt",
    "key",
    "credential",
    "credentials",
    "authorization",
    "pfx",
];
/// Words before `key` that make it no secret.
const OPEN_KEYS: [&str; 8] = [
    "public",
    "sort",
    "partition",
    "primary",
    "foreign",
    "label",
    "group",
    "map",
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut found = Vec::new();
    walk::all_schemas_mut(&mut document, |pointer, schema| {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if sounds_secret(name) && is_text(property) && property.get(marks::SECRET).is_none() {
                found.push((
                    format!("{pointer}/properties/{}", escape(name)),
                    name.clone(),
                ));
            }
        }
    });
    for (pointer, name) in found {
        changes.warn(document.problem(
            pointer,
            format!("the field {name:?}, which sounds secret and is not marked"),
            format!(
                "{}: true in the overlay when it must not show, false when it may",
                marks::SECRET
            ),
        ));
    }
    document
}

/// Whether the name of a field is like those of secrets.
pub fn sounds_secret(name: &str) -> bool {
    let name = name
        .replace("passPhrase", "passphrase")
        .replace("passWord", "password");
    let snake = name.to_snake_case();
    let words: Vec<&str> = snake.split('_').collect();
    match words[..] {
        [.., before, "key"] => !OPEN_KEYS.contains(&before),
        ["key"] => false,
        [
            ..,
            "next" | "page" | "skip" | "continuation" | "sync" | "cursor",
            "token",
        ] => false,
        [.., last] => WORDS.contains(&last),
        [] => false,
    }
}

/// Text, or a list or map of texts; an enum or a time is not a secret.
fn is_text(schema: &Value) -> bool {
    let plain = |schema: &Map<String, Value>| {
        schema.get("enum").is_none()
            && schema
                .get("format")
                .is_none_or(|format| format != "date-time" && format != "uri")
    };
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => schema.as_object().is_some_and(plain),
        Some("array") => is_text(&schema["items"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    #[test]
    fn what_sounds_secret_is_pointed_out_until_it_is_marked() {
        let text = json!({"type": "string"});
        let mut marked = text.clone();
        marked[marks::SECRET] = json!(false);
        let document = with_schemas(json!({"S": {"properties": {
            "clientSecret": text, "db_password": text, "streamKey": text, "token": text, "apiKeys": text,
            "accessToken": {"type": "array", "items": text}, "passPhrase": text,
            "key": text, "publicKey": text, "nextToken": text, "tokenType": text, "monkey": text,
            "secret": {"type": "string", "format": "byte"}, "authorization": {"type": "string", "format": "date-time"},
            "credential": {"type": "string", "format": "uri"},
            "sharedKey": marked, "rotationKey": {"type": "string", "enum": ["a"]}, "maxToken": {"type": "integer"},
        }}}));
        let mut changes = Changes::default();
        run(document, &mut changes);
        let at = "/components/schemas/S/properties/";
        let names: Vec<&str> = changes
            .warnings()
            .iter()
            .map(|w| w.pointer.trim_start_matches(at))
            .collect();
        assert_eq!(
            names,
            [
                "clientSecret",
                "db_password",
                "streamKey",
                "token",
                "accessToken",
                "passPhrase",
                "secret"
            ]
        );
    }
}
