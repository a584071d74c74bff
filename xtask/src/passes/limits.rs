//! Problem: generators check `pattern`, lengths and ranges when they READ, turn `minimum: 1` into
//! a non-zero type and send every `default` that nobody asked for. This pass moves limits,
//! formats and defaults into the description: the service enforces them.

use serde_json::{Map, Value};

use super::parameters::plain;
use crate::{
    document::{Document, append_description},
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut touched = 0;
    walk::all_schemas_mut(&mut document, |_, schema| {
        let sentences = strip(schema);
        if !sentences.is_empty() {
            append_description(schema, &sentences.join(" "));
            touched += 1;
        }
    });
    changes.note(format!("{touched} schemas say their limits in words"));
    document
}

fn strip(schema: &mut Map<String, Value>) -> Vec<String> {
    let mut sentences = keywords(schema);
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        // A new field must not make a response unreadable.
        schema.shift_remove("additionalProperties");
    }
    match schema.get("format").and_then(Value::as_str) {
        // These have a type of their own in the generated code.
        None | Some("date-time" | "uint32" | "uint64" | "binary") => {}
        Some(format) => {
            let told = schema.get("description").and_then(Value::as_str);
            let told = told.unwrap_or_default().to_lowercase();
            let words = format_in_words(format);
            // The description may have it already.
            sentences.extend(words.filter(|words| !told.contains(keyword(words))));
            schema.shift_remove("format");
        }
    }
    if schema.get("type").is_some_and(|t| t != "string")
        && let Some(Value::Array(values)) = schema.shift_remove("enum")
    {
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("`{}`", plain(value).replace('`', "'")))
            .collect();
        sentences.push(format!("One of {}.", values.join(", ")));
    }
    sentences
}

/// The rule of a format for a text; none for formats that add nothing to the type.
pub fn format_in_words(format: &str) -> Option<String> {
    let words = match format {
        "int32" | "int64" | "uint32" | "uint64" | "float" | "double" | "string" | "binary"
        | "password" => return None,
        "byte" => "Base64.",
        "date" => "A date, such as `2026-03-01`.",
        "date-time" => "A time, such as `2026-03-01T10:00:00Z`.",
        "duration" => "An ISO 8601 duration, such as `PT30S`.",
        "email" => "An email address.",
        "hostname" => "A host name.",
        "ipv4" => "An IPv4 address.",
        "ipv6" => "An IPv6 address.",
        "uri" | "url" => "A URL.",
        "uuid" => "A UUID.",
        other => return Some(format!("Format: {other}.")),
    };
    Some(words.to_owned())
}

/// The part of a rule by which a description that already has it is found.
fn keyword(words: &str) -> &str {
    match words {
        "Base64." => "base64",
        "A UUID." => "uuid",
        _ => words,
    }
}

/// Takes out the keywords that limit a value or give one.
fn keywords(schema: &mut Map<String, Value>) -> Vec<String> {
    let mut sentences = Vec::new();
    // A property may be called `format` or `pattern`; only keywords with plain values are limits.
    let mut take = |key: &str| {
        let plain = schema.get(key).is_some_and(|v| !v.is_object());
        if plain {
            schema.shift_remove(key)
        } else {
            None
        }
    };
    let range = |min: Option<Value>, max: Option<Value>, what: &str| match (min, max) {
        (Some(min), Some(max)) if min == max => Some(format!("{what}: {min}.")),
        (Some(min), Some(max)) => Some(format!("{what}: {min} to {max}.")),
        (Some(min), None) => Some(format!("{what}: at least {min}.")),
        (None, Some(max)) => Some(format!("{what}: at most {max}.")),
        (None, None) => None,
    };
    sentences.extend(range(
        take("minLength"),
        take("maxLength"),
        "Length in characters",
    ));
    sentences.extend(range(take("minimum"), take("maximum"), "Range"));
    sentences.extend(range(take("minItems"), take("maxItems"), "Number of items"));
    sentences.extend(range(
        take("minProperties"),
        take("maxProperties"),
        "Number of entries",
    ));
    for silent in [
        "exclusiveMinimum",
        "exclusiveMaximum",
        "uniqueItems",
        "example",
        "title",
    ] {
        take(silent);
    }
    if let Some(step) = take("multipleOf") {
        sentences.push(format!("Multiple of {step}."));
    }
    if let Some(pattern) = take("pattern").as_ref().and_then(Value::as_str) {
        sentences.push(format!("Pattern: `{}`.", pattern.replace('`', "'")));
    }
    if let Some(default) = take("default")
        && !default.is_null()
    {
        sentences.push(match plain(&default).as_str() {
            "" => "Default: empty.".to_owned(),
            default => format!("Default: `{}`.", default.replace('`', "'")),
        });
    }
    sentences
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn limits_become_words() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({"S": {"additionalProperties": false, "properties": {
                "a": {"type": "string", "minLength": 1, "maxLength": 260, "pattern": "^(?P<x>a)$", "description": "Name."},
                "b": {"type": "integer", "minimum": 1, "format": "int32", "default": 3, "enum": [1, 3]},
                "c": {"type": "string", "format": "date-time"},
                "d": {"type": "string", "format": "byte", "description": "Key."},
                "e": {"type": "string", "format": "byte", "description": "Key in base64."},
            }}})),
        );
        let schema = document.schema("S").unwrap();
        assert!(schema.get("additionalProperties").is_none());
        assert_eq!(
            schema["properties"],
            json!({
                "a": {"type": "string", "description": "Name.\n\nLength in characters: 1 to 260. Pattern: `^(?P<x>a)$`."},
                "b": {"type": "integer", "description": "Range: at least 1. Default: `3`. One of `1`, `3`."},
                "c": {"type": "string", "format": "date-time"},
                "d": {"type": "string", "description": "Key.\n\nBase64."},
                "e": {"type": "string", "description": "Key in base64."},
            })
        );
    }

    #[test]
    fn limits_that_leave_one_value_name_it() {
        let one = json!({"type": "string", "minLength": 5, "maxLength": 5});
        let most = json!({"type": "integer", "maximum": 9});
        let schemas = json!({"S": {"properties": {"a": one, "b": most}}});
        let mut changes = Changes::default();
        let document = run(testing::with_schemas(schemas), &mut changes);
        assert_eq!(changes.notes(), ["2 schemas say their limits in words"]);
        let properties = &document.schema("S").unwrap()["properties"];
        assert_eq!(properties["a"]["description"], "Length in characters: 5.");
        assert_eq!(properties["b"]["description"], "Range: at most 9.");
    }

    #[test]
    fn properties_named_like_keywords_stay() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(
                json!({"S": {"properties": {"format": {"type": "string"}, "default": {"type": "string"}}}}),
            ),
        );
        assert_eq!(
            document.schema("S").unwrap()["properties"]
                .as_object()
                .unwrap()
                .len(),
            2
        );
    }
}
