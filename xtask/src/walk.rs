//! Visiting every schema of a document, with its JSON pointer.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    document::{Document, escape, operation_pointer, schema_pointer},
    marks,
};

/// Keys of a schema that hold one schema, a list of schemas, schemas by name.
const ONE: [&str; 3] = ["items", "additionalProperties", "not"];
const LISTS: [&str; 4] = ["allOf", "oneOf", "anyOf", "prefixItems"];
const NAMED: [&str; 2] = ["properties", "patternProperties"];

/// Calls `f` on each schema below `schema`, children before parents, `schema` itself last.
pub fn schema_mut(
    schema: &mut Value,
    pointer: &str,
    f: &mut impl FnMut(&str, &mut Map<String, Value>),
) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ONE {
        if let Some(child) = object.get_mut(key) {
            schema_mut(child, &format!("{pointer}/{key}"), f);
        }
    }
    for key in LISTS {
        let list = object.get_mut(key).and_then(Value::as_array_mut);
        for (index, child) in list.into_iter().flatten().enumerate() {
            schema_mut(child, &format!("{pointer}/{key}/{index}"), f);
        }
    }
    for key in NAMED {
        let named = object.get_mut(key).and_then(Value::as_object_mut);
        for (name, child) in named.into_iter().flatten() {
            schema_mut(child, &format!("{pointer}/{key}/{}", escape(name)), f);
        }
    }
    f(pointer, object);
}

/// Calls `f` on every schema of the document: components, parameters, bodies, responses.
pub fn all_schemas_mut(document: &mut Document, mut f: impl FnMut(&str, &mut Map<String, Value>)) {
    for (name, schema) in document.schemas_mut() {
        let pointer = schema_pointer(name, schema);
        schema_mut(schema, &pointer, &mut f);
    }
    document.operations_mut(|path, method, operation| {
        let pointer = operation_pointer(path, method);
        operation_schemas_mut(operation, &pointer, &mut |pointer, schema| {
            schema_mut(schema, pointer, &mut f);
        });
    });
}

/// Calls `f` on the top schemas of an operation's parameters, body and responses.
pub fn operation_schemas_mut(
    operation: &mut Map<String, Value>,
    pointer: &str,
    f: &mut impl FnMut(&str, &mut Value),
) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        if let Some(schema) = parameter.get_mut("schema") {
            f(&format!("{pointer}/parameters/{index}/schema"), schema);
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        content_schemas_mut(body, &format!("{pointer}/requestBody"), f);
    }
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        content_schemas_mut(response, &format!("{pointer}/responses/{status}"), f);
    }
}

fn content_schemas_mut(holder: &mut Value, pointer: &str, f: &mut impl FnMut(&str, &mut Value)) {
    let content = holder.get_mut("content").and_then(Value::as_object_mut);
    for (media_type, media) in content.into_iter().flatten() {
        if let Some(schema) = media.get_mut("schema") {
            f(
                &format!("{pointer}/content/{}/schema", escape(media_type)),
                schema,
            );
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
            // A union may have copies of its members, which only its mark names.
            let variants = value.get(marks::UNION).map(|union| &union["variants"]);
            let variants = variants.and_then(Value::as_array).into_iter().flatten();
            found.extend(variants.filter_map(|variant| variant["type"].as_str()));
            for child in object.values() {
                references(child, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|child| references(child, found)),
        _ => {}
    }
}

/// Names from which a marked one is reached. Each name comes with those that it refers to, and
/// whether it is marked itself.
pub fn leading<'a>(mut left: Vec<(&'a str, Vec<&'a str>, bool)>) -> HashSet<&'a str> {
    let mut leading = HashSet::new();
    loop {
        let before = left.len();
        left.retain(|(name, references, marked)| {
            let leads = *marked || references.iter().any(|of| leading.contains(of));
            if leads {
                leading.insert(*name);
            }
            !leads
        });
        if left.len() == before {
            return leading;
        }
    }
}

/// Names of schemas, with those that they refer to directly or through others.
pub fn reached<'a>(document: &'a Document, mut next: Vec<&'a str>) -> HashSet<String> {
    let mut reached = HashSet::new();
    while let Some(name) = next.pop() {
        if reached.insert(name.to_owned())
            && let Some(schema) = document.schema(name)
        {
            references(schema, &mut next);
        }
    }
    reached
}
