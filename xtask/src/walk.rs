//! Visiting every schema of a document.

use serde_json::{Map, Value};

use crate::document::Document;

/// Calls `f` on each schema below `schema`, children before parents, `schema` itself last.
pub fn schema_mut(schema: &mut Value, f: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ["items", "additionalProperties", "not"] {
        if let Some(child) = object.get_mut(key) {
            schema_mut(child, f);
        }
    }
    for key in ["allOf", "oneOf", "anyOf", "prefixItems"] {
        for child in object
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            schema_mut(child, f);
        }
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (_, child) in properties {
            schema_mut(child, f);
        }
    }
    f(object);
}

/// Calls `f` on every schema of the document: components, parameters, bodies, responses.
pub fn all_schemas_mut(document: &mut Document, mut f: impl FnMut(&mut Map<String, Value>)) {
    for (_, schema) in document.schemas_mut() {
        schema_mut(schema, &mut f);
    }
    document.operations_mut(|_, _, operation| {
        operation_schemas_mut(operation, &mut |schema| schema_mut(schema, &mut f));
    });
}

/// Calls `f` on the top schemas of an operation's parameters, body and responses.
pub fn operation_schemas_mut(operation: &mut Map<String, Value>, f: &mut impl FnMut(&mut Value)) {
    for parameter in operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(schema) = parameter.get_mut("schema") {
            f(schema);
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        content_schemas_mut(body, f);
    }
    if let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        for (_, response) in responses {
            content_schemas_mut(response, f);
        }
    }
}

fn content_schemas_mut(holder: &mut Value, f: &mut impl FnMut(&mut Value)) {
    if let Some(content) = holder.get_mut("content").and_then(Value::as_object_mut) {
        for (_, media) in content {
            if let Some(schema) = media.get_mut("schema") {
                f(schema);
            }
        }
    }
}

/// Collects the names of the schemas that `value` refers to, at any depth.
pub fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = crate::document::ref_name(value) {
                found.push(name);
            }
            for child in object.values() {
                references(child, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|child| references(child, found)),
        _ => {}
    }
}
