//! The shape of every schema: keywords that a reader of schemas relies on.

use serde_json::{Map, Value};

use super::{Checker, child, fields, kind, plain, target_of};

const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

pub(super) fn check(checker: &mut Checker<'_>) {
    let root = checker.root;
    let mut tops = Vec::new();
    find_tops(
        root.get("paths").unwrap_or(&Value::Null),
        "/paths",
        &mut tops,
    );
    let components = root.get("components").unwrap_or(&Value::Null);
    for section in ["parameters", "headers", "requestBodies", "responses"] {
        if let Some(value) = components.get(section) {
            find_tops(value, &child("/components", section), &mut tops);
        }
    }
    for (name, schema) in fields(components, "schemas") {
        tops.push((child("/components/schemas", name), schema));
    }
    for (pointer, schema) in tops {
        schema_at(checker, &pointer, schema);
    }
}

/// The schemas of parameters, headers and media types.
fn find_tops<'a>(value: &'a Value, pointer: &str, tops: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let pointer = child(pointer, key);
                match key.as_str() {
                    "schema" => tops.push((pointer, inner)),
                    "example" | "examples" => {}
                    key if key.starts_with("x-") => {}
                    _ => find_tops(inner, &pointer, tops),
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                find_tops(inner, &format!("{pointer}/{index}"), tops);
            }
        }
        _ => {}
    }
}

fn schema_at(checker: &mut Checker<'_>, pointer: &str, schema: &Value) {
    let object = match schema {
        Value::Object(object) => object,
        Value::Bool(_) if checker.version_3_1 => return,
        other => return checker.problem(pointer, kind(other), "a schema object"),
    };
    if object.contains_key("$ref") && !checker.version_3_1 {
        return;
    }
    check_type(checker, pointer, object);
    check_values(checker, pointer, object);
    check_discriminator(checker, pointer, object);
    for key in ["allOf", "oneOf", "anyOf", "prefixItems"] {
        match object.get(key) {
            None => {}
            Some(Value::Array(parts)) if !parts.is_empty() => {
                for (index, part) in parts.iter().enumerate() {
                    schema_at(checker, &format!("{pointer}/{key}/{index}"), part);
                }
            }
            Some(other) => checker.problem(
                &child(pointer, key),
                plain(other),
                "an array of one schema at least",
            ),
        }
    }
    for key in ["items", "not"] {
        if let Some(inner) = object.get(key) {
            schema_at(checker, &child(pointer, key), inner);
        }
    }
    match object.get("additionalProperties") {
        None | Some(Value::Bool(_)) => {}
        Some(inner) => schema_at(checker, &child(pointer, "additionalProperties"), inner),
    }
    match object.get("properties") {
        None => {}
        Some(Value::Object(properties)) => {
            let pointer = child(pointer, "properties");
            for (name, property) in properties {
                schema_at(checker, &child(&pointer, name), property);
            }
        }
        Some(other) => checker.problem(
            &child(pointer, "properties"),
            kind(other),
            "an object of schemas by property name",
        ),
    }
}

fn check_type(checker: &mut Checker<'_>, pointer: &str, object: &Map<String, Value>) {
    let Some(value) = object.get("type") else {
        return;
    };
    let pointer_to_type = child(pointer, "type");
    let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let accepted = TYPES.join(", ");
    match value {
        Value::Array(types) if checker.version_3_1 => {
            if types.is_empty() || !types.iter().all(known) {
                checker.problem(&pointer_to_type, value.to_string(), accepted);
            }
        }
        Value::Array(_) => checker.problem(
            &pointer_to_type,
            "a list of types",
            "one type in OpenAPI 3.0 (with nullable: true for null), or openapi 3.1.x",
        ),
        value if !known(value) => checker.problem(&pointer_to_type, plain(value), accepted),
        value => {
            if value == "array" && !checker.version_3_1 && !object.contains_key("items") {
                checker.problem(pointer, "an array without items", "a schema as items");
            }
        }
    }
}

fn check_values(checker: &mut Checker<'_>, pointer: &str, object: &Map<String, Value>) {
    match object.get("enum") {
        None => {}
        Some(Value::Array(values)) if !values.is_empty() => {}
        Some(other) => checker.problem(
            &child(pointer, "enum"),
            plain(other),
            "an array of one value at least",
        ),
    }
    match object.get("required") {
        None => {}
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => {}
        Some(other) => checker.problem(
            &child(pointer, "required"),
            plain(other),
            "an array of property names",
        ),
    }
    for key in ["pattern", "format"] {
        if let Some(other) = object.get(key).filter(|value| !value.is_string()) {
            checker.problem(&child(pointer, key), plain(other), "a string");
        }
    }
    for key in [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ] {
        if let Some(other) = object.get(key).filter(|value| value.as_u64().is_none()) {
            checker.problem(&child(pointer, key), plain(other), "a whole number from 0");
        }
    }
    for key in ["minimum", "maximum", "multipleOf"] {
        if let Some(other) = object.get(key).filter(|value| !value.is_number()) {
            checker.problem(&child(pointer, key), plain(other), "a number");
        }
    }
}

fn check_discriminator(checker: &mut Checker<'_>, pointer: &str, object: &Map<String, Value>) {
    let Some(discriminator) = object.get("discriminator") else {
        return;
    };
    let pointer = child(pointer, "discriminator");
    if !discriminator
        .get("propertyName")
        .is_some_and(Value::is_string)
    {
        checker.problem(
            &pointer,
            "no propertyName",
            "the name of the tag's property",
        );
    }
    for (tag, target) in fields(discriminator, "mapping") {
        let known = target.as_str().is_some_and(|target| {
            target_of(checker.root, target).is_some()
                || checker
                    .root
                    .pointer("/components/schemas")
                    .is_some_and(|schemas| schemas.get(target).is_some())
        });
        if !known {
            checker.problem(
                &child(&child(&pointer, "mapping"), tag),
                format!("a reference to nothing, {}", plain(target)),
                "a name under /components/schemas",
            );
        }
    }
}
