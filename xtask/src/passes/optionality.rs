//! Problem: a "required" field that the service leaves out makes a whole list unreadable, and an
//! empty list or map looks like an absent one. This pass makes every field of responses
//! optional and gives optional lists and maps an `Option`. What the document required stays in
//! `x-mkio-required` (constructors ask for it; a list, map or flag that the overlay lets start
//! empty or false is not in it) and what it allowed to be null in `x-mkio-nullable` (such fields
//! have three states when written).

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, schema_pointer},
    marks,
    report::Changes,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut read_only_requirements = 0;
    let mut collections = 0;
    let mut misordered = Vec::new();
    let mut not_empty = Vec::new();
    for (name, schema) in document.schemas_mut() {
        let read = schema.get(marks::READ) == Some(&Value::Bool(true));
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            continue;
        };
        let required = written(schema, properties);
        let (empty, asked): (Vec<Value>, Vec<Value>) = required
            .iter()
            .cloned()
            .partition(|name| can_start_empty(&properties[name.as_str().unwrap_or_default()]));
        let marked = properties.values().filter(|property| has_mark(property));
        if marked.count() > empty.len() {
            not_empty.push(schema_pointer(name, schema));
        }
        if !orders(schema, &asked) {
            misordered.push(schema_pointer(name, schema));
        }
        if read && !required.is_empty() {
            read_only_requirements += 1;
        }
        let demanded = if read { Vec::new() } else { required };
        schema[marks::REQUIRED] = Value::Array(asked);
        schema["required"] = Value::Array(demanded.clone());
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            collections += loosen(properties, &demanded);
        }
    }
    for (pointers, found, fits) in [
        (
            misordered,
            format!(
                "an `{}` that does not name the required fields",
                marks::ORDER
            ),
            "each field that constructors take once, in the order in which they take them",
        ),
        (
            not_empty,
            format!("`{}` on a field that cannot start empty", marks::EMPTY),
            "the mark at required lists, maps and flags only",
        ),
    ] {
        for pointer in pointers {
            changes.refuse(document.problem(pointer, found.clone(), fits));
        }
    }
    changes.note(format!(
        "{read_only_requirements} types that are read demand nothing, {collections} lists and maps are optional"
    ));
    document
}

/// The required properties that a caller can send.
fn written(schema: &Value, properties: &Map<String, Value>) -> Vec<Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter(|name| {
        let property = name.as_str().and_then(|name| properties.get(name));
        property.is_some_and(|p| p.get("readOnly") != Some(&Value::Bool(true)))
    });
    names.cloned().collect()
}

fn has_mark(property: &Value) -> bool {
    property.get(marks::EMPTY) == Some(&Value::Bool(true))
}

fn can_start_empty(property: &Value) -> bool {
    has_mark(property) && (is_collection(property) || property["type"] == "boolean")
}

fn is_collection(property: &Value) -> bool {
    matches!(property["type"].as_str(), Some("array" | "object"))
}

/// Marks fields that may be null, and gives optional lists and maps an `Option`; returns the number of
/// the latter.
fn loosen(properties: &mut Map<String, Value>, demanded: &[Value]) -> usize {
    let mut collections = 0;
    for (name, property) in properties {
        let optional = !demanded.contains(&json!(name));
        let collection = is_collection(property);
        let Some(property) = property.as_object_mut() else {
            continue;
        };
        if property.get("nullable") == Some(&Value::Bool(true)) {
            property.insert(marks::NULLABLE.to_owned(), Value::Bool(true));
        }
        if optional && collection {
            property.insert("nullable".to_owned(), Value::Bool(true));
            collections += 1;
        }
    }
    collections
}

/// An order, where there is one, names the required fields and nothing else.
fn orders(schema: &Value, required: &[Value]) -> bool {
    let Some(order) = schema.get(marks::ORDER).and_then(Value::as_array) else {
        return true;
    };
    order.len() == required.len() && required.iter().all(|name| order.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn reading_demands_nothing_and_writing_what_the_document_says() {
        let fields = json!({
            "id": {"type": "string", "readOnly": true},
            "list": {"type": "array", "items": {}},
            "text": {"type": "string", "nullable": true},
        });
        let required = json!(["id", "text", "list"]);
        let mut changes = Changes::default();
        let document = run(
            testing::with_schemas(json!({
                "Out": {"properties": fields, "required": required, "x-mkio-read": true},
                "More": {"properties": fields, "required": required, "x-mkio-read": true},
                "Free": {"properties": fields, "x-mkio-read": true},
                "In": {"properties": fields, "required": required, "x-mkio-written": true},
            })),
            &mut changes,
        );
        assert_eq!(
            changes.notes(),
            ["2 types that are read demand nothing, 3 lists and maps are optional"]
        );
        let read = document.schema("Out").unwrap();
        assert_eq!(read["required"], json!([]));
        assert_eq!(read["x-mkio-required"], json!(["text", "list"]));
        assert_eq!(read["properties"]["list"]["nullable"], true);
        let written = document.schema("In").unwrap();
        assert_eq!(written["required"], json!(["text", "list"]));
        assert!(written["properties"]["list"].get("nullable").is_none());
        assert_eq!(written["properties"]["text"]["x-mkio-nullable"], true);
    }

    #[test]
    fn an_order_names_the_required_fields() {
        let schema = |order: Value| {
            json!({"S": {
                "properties": {"a": {}, "b": {}}, "required": ["a", "b"], "x-mkio-order": order,
            }})
        };
        testing::run(run, testing::with_schemas(schema(json!(["b", "a"]))));
        for order in [json!(["a"]), json!(["a", "b", "c"]), json!(["a", "a"])] {
            let mut changes = Changes::default();
            run(testing::with_schemas(schema(order)), &mut changes);
            assert_eq!(changes.problems()[0].pointer, "/components/schemas/S");
        }
    }

    #[test]
    fn what_may_start_empty_is_demanded_and_not_asked_for() {
        let schema = |mark: Value| {
            json!({"S": {
                "properties": {"a": mark, "b": {"type": "string"}}, "required": ["a", "b"],
            }})
        };
        let list = json!({"type": "array", "items": {}, "x-mkio-empty": true});
        let flag = json!({"type": "boolean", "x-mkio-empty": true});
        for mark in [list, flag] {
            let (document, _) = testing::run(run, testing::with_schemas(schema(mark)));
            let found = document.schema("S").unwrap();
            assert_eq!(found["required"], json!(["a", "b"]));
            assert_eq!(found["x-mkio-required"], json!(["b"]));
        }

        let text = json!({"type": "string", "x-mkio-empty": true});
        let mut changes = Changes::default();
        run(testing::with_schemas(schema(text)), &mut changes);
        assert_eq!(changes.problems()[0].pointer, "/components/schemas/S");
    }
}
