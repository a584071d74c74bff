//! Problem: a "required" field that the service leaves out makes a whole list unreadable, and an
//! empty list or map cannot be told from an absent one. This pass makes every field of what is
//! read optional and gives optional lists and maps an `Option`. What the document required stays
//! in `x-mkio-required` (constructors ask for it) and what it allowed to be null in
//! `x-mkio-nullable` (such fields have three states when written).

use serde_json::{Value, json};

use crate::{
    document::{Document, schema_pointer},
    marks,
    report::Changes,
};

/// What was loosened.
#[derive(Default)]
struct Counts {
    read_only_requirements: usize,
    collections: usize,
}

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut counts = Counts::default();
    let mut misordered = Vec::new();
    for (name, schema) in document.schemas_mut() {
        let required = required(schema);
        if !orders(schema, &required) {
            misordered.push(schema_pointer(name, schema));
        }
        if schema.get("properties").is_some_and(Value::is_object) {
            loosen(schema, required, &mut counts);
        }
    }
    for pointer in misordered {
        changes.refuse(document.problem(
            pointer,
            format!(
                "an `{}` that does not name the required fields",
                marks::ORDER
            ),
            "each required field once, in the order in which constructors take them",
        ));
    }
    changes.note(format!(
        "{} types that are read demand nothing, {} lists and maps are optional",
        counts.read_only_requirements, counts.collections
    ));
    document
}

/// The fields that a schema requires and that can be written.
fn required(schema: &Value) -> Vec<Value> {
    let names = schema.get("required").and_then(Value::as_array);
    let can_be_written = |name: &&Value| {
        let property = name
            .as_str()
            .and_then(|name| schema.get("properties")?.get(name));
        property.is_some_and(|p| p.get("readOnly") != Some(&Value::Bool(true)))
    };
    names
        .into_iter()
        .flatten()
        .filter(can_be_written)
        .cloned()
        .collect()
}

/// Makes the fields of a type optional: all of one that is read, and its lists and maps.
fn loosen(schema: &mut Value, required: Vec<Value>, counts: &mut Counts) {
    let read = schema.get(marks::READ) == Some(&Value::Bool(true));
    if read && !required.is_empty() {
        counts.read_only_requirements += 1;
    }
    let demanded = if read { Vec::new() } else { required.clone() };
    schema[marks::REQUIRED] = Value::Array(required);
    schema["required"] = Value::Array(demanded.clone());
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let Some(property) = property.as_object_mut() else {
            continue;
        };
        if property.get("nullable") == Some(&Value::Bool(true)) {
            property.insert(marks::NULLABLE.to_owned(), Value::Bool(true));
        }
        let optional = !demanded.contains(&json!(name));
        let collection = property
            .get("type")
            .is_some_and(|t| t == "array" || t == "object");
        if optional && collection {
            property.insert("nullable".to_owned(), Value::Bool(true));
            counts.collections += 1;
        }
    }
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
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "Out": {"properties": fields, "required": required, "x-mkio-read": true},
                "In": {"properties": fields, "required": required, "x-mkio-written": true},
            })),
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
}
