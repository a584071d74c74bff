//! Problem: a named schema that is only text, a number, a list or a map becomes a wrapper type
//! that has to be unwrapped everywhere. This pass writes its content where it is used. Structures,
//! enums, unions and named secrets keep their types.

use serde_json::{Map, Value};

use crate::{
    document::{Document, ref_name, schema_pointer},
    marks,
    report::Changes,
    walk,
};

/// References to aliases within aliases resolve in as many rounds; more are a cycle.
const ROUNDS: usize = 8;

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    for _ in 0..ROUNDS {
        let aliases: Map<String, Value> = document
            .schemas()
            .filter(|(_, schema)| !is_type(schema))
            .map(|(name, schema)| (name.to_owned(), schema.clone()))
            .collect();
        let aliases = without_itself(aliases);
        let mut replaced = 0;
        walk::all_schemas_mut(&mut document, |_, schema| {
            replaced += usize::from(resolve(schema, &aliases));
        });
        if replaced == 0 {
            for name in aliases.keys() {
                document.schemas_mut().shift_remove(name);
                changes.note(name);
            }
            break;
        }
    }
    endless(&mut document, changes);
    document
}

/// Refuses schemas that still refer to an alias after all rounds: they contain themselves without a structure between.
fn endless(document: &mut Document, changes: &mut Changes) {
    let names: Vec<String> = document
        .schemas()
        .filter(|(_, schema)| !is_type(schema))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in &names {
        let schema = document
            .schemas_mut()
            .shift_remove(name)
            .unwrap_or_default();
        changes.warn(document.problem(
            schema_pointer(name, &schema),
            "a list or map that contains itself, read and written as any JSON",
            "a structure between a list and itself",
        ));
    }
    let any: Map<String, Value> = names
        .into_iter()
        .map(|name| (name, serde_json::json!({})))
        .collect();
    walk::all_schemas_mut(document, |_, schema| {
        resolve(schema, &any);
    });
}

/// Puts an alias's content in the place of a reference to it.
fn resolve(schema: &mut Map<String, Value>, aliases: &Map<String, Value>) -> bool {
    let value = Value::Object(schema.clone());
    // Children are visited first: an alias in a wrapper has already been replaced.
    let content = match ref_name(&value) {
        Some(name) => aliases.get(name).cloned(),
        None => value["allOf"]
            .as_array()
            .and_then(|members| match &members[..] {
                [only] if only.get("$ref").is_none() => Some(only.clone()),
                _ => None,
            }),
    };
    let Some(Value::Object(content)) = content else {
        return false;
    };
    schema.shift_remove("$ref");
    schema.shift_remove("allOf");
    for (key, value) in content {
        if key != marks::ORIGIN {
            schema.entry(key).or_insert(value);
        }
    }
    true
}

/// Leaves out aliases that contain themselves: each round would double them.
fn without_itself(aliases: Map<String, Value>) -> Map<String, Value> {
    let reaches = |start: &str| {
        let (mut next, mut seen) = (vec![start], Vec::new());
        while let Some(name) = next.pop() {
            let mut found = Vec::new();
            walk::references(&aliases[name], &mut found);
            for name in found.into_iter().filter(|name| aliases.contains_key(*name)) {
                if name == start {
                    return true;
                }
                if !seen.contains(&name) {
                    seen.push(name);
                    next.push(name);
                }
            }
        }
        false
    };
    let endless: Vec<String> = aliases
        .keys()
        .filter(|name| reaches(name))
        .cloned()
        .collect();
    aliases
        .into_iter()
        .filter(|(name, _)| !endless.contains(name))
        .collect()
}

fn is_type(schema: &Value) -> bool {
    let has_fields = schema
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|properties| !properties.is_empty());
    has_fields
        || schema.get("enum").is_some()
        || schema.get(marks::UNION).is_some()
        || schema.get(marks::SECRET) == Some(&Value::Bool(true))
        || schema.get(marks::KEEP) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn a_list_of_itself_is_any_json_and_said_so() {
        let mut changes = Changes::default();
        let document = run(
            testing::with_schemas(json!({
                "S": {"properties": {
                    "a": {"$ref": "#/components/schemas/L"},
                    "b": {"$ref": "#/components/schemas/D"},
                }},
                "D": {"type": "array", "items": {"$ref": "#/components/schemas/D"}},
                "L": {"type": "array", "items": {"$ref": "#/components/schemas/M"}},
                "M": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/L"}},
            })),
            &mut changes,
        );
        let fields = &document.schema("S").unwrap()["properties"];
        assert_eq!(*fields, json!({"a": {}, "b": {}}));
        assert_eq!(changes.warnings().len(), 3);
    }

    #[test]
    fn aliases_are_written_where_they_are_used() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "S": {"properties": {"a": {"description": "why", "allOf": [{"$ref": "#/components/schemas/L"}]}}},
                "L": {"type": "array", "items": {"$ref": "#/components/schemas/Any"}, "description": "list"},
                "Any": {},
            })),
        );
        assert_eq!(document.schemas().count(), 1);
        assert_eq!(
            document.schema("S").unwrap()["properties"]["a"],
            json!({"description": "why", "type": "array", "items": {}})
        );
    }
}
