//! OpenAPI schemas (3.0 and 3.1) as JSON Schema, read for one side of the wire.

use serde_json::{Map, Value, json};

use crate::docs::api::Side;

/// The `components/schemas` of a document, converted.
pub(super) fn schemas(document: &Value, side: Side) -> Value {
    let mut converted = Map::new();
    for (name, value) in document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let mut shape = schema(value, side);
        if side == Side::Request {
            relax(name, &mut shape);
        }
        converted.insert(name.clone(), shape);
    }
    json!({ "components": { "schemas": converted } })
}

/// Fields that a schema requires of a caller although the platform fills them in when they are null or left out.
const FILLED_IN: &[(&str, &[&str])] = &[
    (
        "LiveEventInput",
        &[
            "accessControl",
            "accessToken",
            "keyFrameIntervalDuration",
            "timedMetadataEndpoints",
        ],
    ),
    ("LiveEventPutSchema", &["tags"]),
];

/// Fields that the schema of a partial change requires although the change may leave them out.
const LEFT_ALONE: &[(&str, &[&str])] = &[
    ("ContentKeyPolicyProperties", &["options"]),
    ("JobPropertiesPatch", &["input", "outputs"]),
    ("StreamingEndpointProperties", &["scaleUnits"]),
    ("StreamingEndpointSchema", &["location", "properties"]),
];

fn relax(name: &str, shape: &mut Value) {
    let mut forgo = |fields: &[&str]| {
        if let Some(required) = shape.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|field| !fields.iter().any(|spared| field == spared));
        }
    };
    if let Some((_, fields)) = LEFT_ALONE.iter().find(|(schema, _)| *schema == name) {
        forgo(fields);
    }
    let Some((_, fields)) = FILLED_IN.iter().find(|(schema, _)| *schema == name) else {
        return;
    };
    forgo(fields);
    for field in *fields {
        if let Some(property) = shape.pointer_mut(&format!("/properties/{field}")) {
            *property = or_null(property.take());
        }
    }
}

/// One schema, converted.
pub(super) fn schema(source: &Value, side: Side) -> Value {
    let Value::Object(fields) = source else {
        return source.clone();
    };
    if let Some(target) = fields.get("$ref") {
        return nullable(fields, json!({ "$ref": target }));
    }
    let mut out = Map::new();
    for (key, value) in fields {
        match key.as_str() {
            "type" | "enum" | "const" | "minLength" | "maxLength" | "minimum" | "maximum"
            | "exclusiveMinimum" | "exclusiveMaximum" | "minItems" | "maxItems" | "uniqueItems"
            | "minProperties" | "maxProperties" | "format" | "multipleOf" => {
                out.insert(key.clone(), value.clone());
            }
            "pattern" => {
                let text = value.as_str().map(pattern).unwrap_or_default();
                out.insert(key.clone(), Value::String(text));
            }
            "items" | "additionalProperties" | "not" => {
                out.insert(key.clone(), schema(value, side));
            }
            "allOf" | "anyOf" | "prefixItems" => {
                out.insert(key.clone(), each(value, side));
            }
            "oneOf" => match tagged(fields) {
                Some((tag, mapping)) => choose(&mut out, tag, mapping),
                None => {
                    out.insert(key.clone(), each(value, side));
                }
            },
            _ => {}
        }
    }
    if side == Side::Request {
        match fields.get("type").and_then(Value::as_str) {
            Some("integer") => bound(fields, &mut out),
            Some("string") if !fields.contains_key("enum") => {
                if let Some(values) = listed(fields) {
                    out.insert("enum".to_owned(), json!(values));
                }
            }
            _ => {}
        }
    }
    properties(fields, &mut out, side);
    nullable(fields, Value::Object(out))
}

/// Integers that no 64 bits hold would be kept as floating-point numbers, and come back as something else.
fn bound(fields: &Map<String, Value>, out: &mut Map<String, Value>) {
    let most = match fields.get("format").and_then(Value::as_str) {
        Some("int32") => {
            out.entry("minimum").or_insert(json!(i32::MIN));
            json!(i32::MAX)
        }
        Some("int64") => json!(i64::MAX),
        _ => json!(u64::MAX),
    };
    out.entry("maximum").or_insert(most);
    if !out.contains_key("minimum") {
        // The number below the least one reads as the least one.
        out.entry("exclusiveMinimum").or_insert(json!(i64::MIN));
    }
}

/// The values of a text whose description alone lists them: `…: First, Second or Third.`
fn listed(fields: &Map<String, Value>) -> Option<Vec<&str>> {
    let text = fields.get("description").and_then(Value::as_str)?;
    let (_, list) = text.split_once(": ")?;
    let list = list.split_once('.').map_or(list, |(list, _)| list);
    let (first, last) = list.rsplit_once(" or ")?;
    let values: Vec<&str> = first.split(", ").chain([last]).map(str::trim).collect();
    let name = |value: &&str| {
        value.starts_with(|first: char| first.is_ascii_uppercase())
            && value.chars().all(|part| part.is_ascii_alphanumeric())
    };
    (values.len() > 2 && values.iter().all(name)).then_some(values)
}

/// A pattern without Python's named groups, which ECMA 262 spells differently.
pub(super) fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("(?P<") {
        let (before, group) = rest.split_at(at);
        let Some(end) = group.find('>') else { break };
        out.push_str(before);
        out.push_str("(?:");
        rest = group.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn each(value: &Value, side: Side) -> Value {
    Value::Array(
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| schema(item, side))
            .collect(),
    )
}

fn properties(fields: &Map<String, Value>, out: &mut Map<String, Value>, side: Side) {
    let marker = match side {
        Side::Request => "readOnly",
        Side::Response => "writeOnly",
    };
    let mut ignored = Vec::new();
    if let Some(declared) = fields.get("properties").and_then(Value::as_object) {
        let mut converted = Map::new();
        for (name, property) in declared {
            if property.get(marker).and_then(Value::as_bool) == Some(true) {
                ignored.push(name.as_str());
                converted.insert(name.clone(), Value::Bool(true));
            } else {
                converted.insert(name.clone(), schema(property, side));
            }
        }
        out.insert("properties".to_owned(), Value::Object(converted));
    }
    if let Some(required) = fields.get("required").and_then(Value::as_array) {
        let kept: Vec<Value> = required
            .iter()
            .filter(|name| !ignored.iter().any(|other| name.as_str() == Some(*other)))
            .cloned()
            .collect();
        out.insert("required".to_owned(), Value::Array(kept));
    }
}

/// A discriminated union: its tag and the mapping from tag value to schema.
pub(super) fn tagged(fields: &Map<String, Value>) -> Option<(&str, &Map<String, Value>)> {
    let discriminator = fields.get("discriminator")?;
    Some((
        discriminator.get("propertyName")?.as_str()?,
        discriminator.get("mapping")?.as_object()?,
    ))
}

/// `oneOf` with a discriminator: the tag decides. The plain keyword would refuse values that fit two variants, and blame all
/// variants when one field is wrong.
fn choose(out: &mut Map<String, Value>, tag: &str, mapping: &Map<String, Value>) {
    let tags: Vec<&String> = mapping.keys().collect();
    out.insert("type".to_owned(), json!("object"));
    out.insert("required".to_owned(), json!([tag]));
    out.insert("properties".to_owned(), json!({ tag: { "enum": tags } }));
    let arms: Vec<Value> = mapping
        .iter()
        .map(|(value, target)| json!({ "if": { "type": "object", "properties": { tag: { "const": value } }, "required": [tag] }, "then": { "$ref": target } }))
        .collect();
    out.insert("allOf".to_owned(), Value::Array(arms));
}

/// OpenAPI 3.0's `nullable`.
fn nullable(fields: &Map<String, Value>, mut converted: Value) -> Value {
    if fields.get("nullable").and_then(Value::as_bool) != Some(true) {
        return converted;
    }
    let simple = !["$ref", "oneOf", "anyOf", "allOf"]
        .iter()
        .any(|key| converted.get(key).is_some());
    match converted.as_object_mut() {
        Some(out) if simple => {
            if let Some(kind) = out.get_mut("type") {
                *kind = json!([kind.take(), "null"]);
            }
            if let Some(Value::Array(values)) = out.get_mut("enum") {
                values.push(Value::Null);
            }
            converted
        }
        _ => or_null(converted),
    }
}

/// A schema, or null. A condition names the field that is wrong; `anyOf` would name the whole.
fn or_null(schema: Value) -> Value {
    json!({ "if": { "type": "null" }, "else": schema })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_groups_become_plain_groups() {
        assert_eq!(
            pattern(r"^P(?:(?P<years>\d+)Y)?T(?P<s>x)$"),
            r"^P(?:(?:\d+)Y)?T(?:x)$"
        );
        assert_eq!(pattern("^(?P<open"), "^(?P<open");
    }

    #[test]
    fn read_only_fields_are_not_demanded_of_a_caller() {
        let source = json!({ "type": "object", "required": ["a", "b"], "properties": { "a": { "type": "string", "readOnly": true }, "b": { "type": "string" } } });
        assert_eq!(
            schema(&source, Side::Request).get("required"),
            Some(&json!(["b"]))
        );
        assert_eq!(
            schema(&source, Side::Response).get("required"),
            Some(&json!(["a", "b"]))
        );
    }

    #[test]
    fn integers_stay_integers() {
        let check = |source: Value, text: &str| {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let validator = jsonschema::options().build(&schema(&source, Side::Request));
            validator.is_ok_and(|validator| validator.is_valid(&value))
        };
        let wide = json!({ "type": "integer", "format": "int64" });
        assert!(check(wide.clone(), "9007199254740993"));
        assert!(check(wide.clone(), "9223372036854775807"));
        assert!(!check(wide.clone(), "9223372036854775808"));
        assert!(check(json!({ "type": "integer" }), "9223372036854775807"));
        assert!(!check(wide.clone(), "-9223372036854775809"));
        assert!(!check(wide, "99999999999999999999"));
        assert!(!check(
            json!({ "type": "integer", "format": "int32" }),
            "3000000000"
        ));
        assert!(!check(json!({ "type": "integer", "minimum": 0 }), "-1"));
    }

    #[test]
    fn values_that_only_the_description_lists_are_the_only_ones() {
        let check = |description: &str, value: &str| {
            let source = json!({ "type": "string", "description": description });
            let validator = jsonschema::options().build(&schema(&source, Side::Request));
            validator.is_ok_and(|validator| validator.is_valid(&json!(value)))
        };
        let list = "Built-in preset: OneSD, Two720p or Three. Others cannot be used.";
        assert!(check(list, "Two720p") && check(list, "Three"));
        assert!(!check(list, "AdaptiveStreaming"));
        for free in [
            "Transport URL: needed by A, B and C.",
            "Range: a duration, a percentage or '1'.",
            "Format: csv, json or xml",
        ] {
            assert!(check(free, "anything"), "{free}");
        }
    }

    #[test]
    fn null_is_allowed_beside_types_enums_and_references() {
        let check = |source: Value, value: Value| {
            jsonschema::options()
                .build(&schema(&source, Side::Response))
                .is_ok_and(|validator| validator.is_valid(&value))
        };
        assert!(check(
            json!({ "type": "string", "nullable": true }),
            Value::Null
        ));
        assert!(check(
            json!({ "type": "string", "enum": ["a"], "nullable": true }),
            Value::Null
        ));
        assert!(!check(
            json!({ "type": "string", "enum": ["a"] }),
            Value::Null
        ));
        assert!(check(
            json!({ "oneOf": [{ "type": "string" }], "nullable": true }),
            Value::Null
        ));
    }
}
