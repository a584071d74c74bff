//! Problem: a named schema that is only text, a number, a list or a map becomes a wrapper type
//! that has to be unwrapped everywhere. This pass writes its content where it is used. Structures,
//! enums, unions and named secrets keep their types.

use serde_json::{Map, Value};

use crate::{
    document::{Document, Problem, ref_name},
    report::Changes,
    walk,
};

/// References to aliases within aliases resolve in as many rounds; more are a cycle.
const ROUNDS: usize = 8;

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    for _ in 0..ROUNDS {
        let aliases: Map<String, Value> = document
            .schemas()
            .filter(|(_, schema)| !is_type(schema))
            .map(|(name, schema)| (name.to_owned(), schema.clone()))
            .collect();
        let mut replaced = 0;
        walk::all_schemas_mut(&mut document, |schema| {
            replaced += usize::from(resolve(schema, &aliases));
        });
        if replaced == 0 {
            for name in aliases.keys() {
                document.schemas_mut().shift_remove(name);
                changes.note(name);
            }
            return Ok(document);
        }
    }
    Err(document.problem(
        "/components/schemas",
        "lists or maps that contain themselves",
        "a structure between a list and itself",
    ))
}

/// Puts an alias's content in the place of a reference to it.
fn resolve(schema: &mut Map<String, Value>, aliases: &Map<String, Value>) -> bool {
    let value = Value::Object(schema.clone());
    // Members come first: an alias in a wrapper has already been replaced by its content.
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
        schema.entry(key).or_insert(value);
    }
    true
}

fn is_type(schema: &Value) -> bool {
    let has_fields = schema
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|properties| !properties.is_empty());
    has_fields
        || schema.get("enum").is_some()
        || schema.get("x-mkio-union").is_some()
        || schema.get("x-mkio-secret") == Some(&Value::Bool(true))
        || schema.get("x-mkio-keep") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

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
