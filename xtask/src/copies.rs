//! The emulator's copies of a document. A published crate cannot read files outside of its folder.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use crate::{
    document::{Document, OperationRef, TWIN, entries, ref_name},
    marks,
    output::Files,
    passes::operation_names::unnamed,
    pipeline::Sources,
    walk,
};

/// Adds the document unchanged, and a file with facts of its overlay. `document` has the Rust names of operations; `overlaid` is changed
/// by the overlay alone.
pub fn add(document: &Document, overlaid: &Document, sources: &Sources, files: &mut Files) {
    let (folder, api) = ("crates/mkio-emulator/data/spec", &document.api.name);
    let copy = sources.document.replace("\r\n", "\n");
    files.add(format!("{folder}/{api}.json"), copy);
    files.add(
        format!("{folder}/{api}.names.txt"),
        names(document, overlaid),
    );
}

/// A line for each operation: method, path without the names of its parameters, and its name in Rust. Lines that begin with a blank
/// are pointers of fields of its body that cannot change once the resource exists.
fn names(document: &Document, overlaid: &Document) -> String {
    let all = document.operations();
    let fixed = Fixed::new(overlaid);
    // A twin shares method and path with the operation that the emulator knows.
    let known = all.iter().filter(|of| !of.path.contains(TWIN));
    let block = |of: &OperationRef<'_>| {
        let path = unnamed(&of.path.split('/').collect::<Vec<_>>());
        let name = of.value.get("operationId")?.as_str()?;
        let mut lines = format!("{} {path} {name}\n", of.method.to_uppercase());
        if matches!(of.method, "put" | "patch") {
            for field in fixed.fields(of) {
                lines += &format!(" {field}\n");
            }
        }
        Some(lines)
    };
    known.filter_map(block).collect()
}

/// Finds the fields of bodies that cannot change once the resource exists.
struct Fixed<'a> {
    document: &'a Document,
    /// Schemas from which such a field is reached. Only these are searched: where many schemas
    /// refer to each other, there are too many ways through all of them.
    marked: HashSet<&'a str>,
}

impl<'a> Fixed<'a> {
    fn new(document: &'a Document) -> Self {
        let schemas = document.schemas().map(|(name, schema)| {
            let mut references = Vec::new();
            walk::references(schema, &mut references);
            (name, references, has_mark(schema))
        });
        let marked = walk::leading(schemas.collect());
        Self { document, marked }
    }

    /// Pointers of the fields in the body of an operation.
    fn fields(&self, operation: &OperationRef<'_>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let item = self
            .document
            .root
            .get("paths")
            .and_then(|all| all.get(operation.path));
        let content =
            item.and_then(|item| item.get(operation.method)?.pointer("/requestBody/content"));
        for (_, media) in entries(content) {
            if let Some(schema) = media.get("schema") {
                self.collect(schema, "", &mut found, &[]);
            }
        }
        found
    }

    /// `within` names the schemas around this one: one that holds itself is searched once.
    fn collect(&self, schema: &Value, at: &str, found: &mut BTreeSet<String>, within: &[&str]) {
        let name = ref_name(schema);
        if name.is_some_and(|name| within.contains(&name) || !self.marked.contains(name)) {
            return;
        }
        let named = name.and_then(|name| self.document.schema(name));
        let schema = named.unwrap_or(schema);
        let within: Vec<&str> = within.iter().copied().chain(name).collect();
        for (name, property) in entries(schema.get("properties")) {
            let at = format!("{at}/{name}");
            if is_marked(property) {
                found.insert(at);
            } else {
                self.collect(property, &at, found, &within);
            }
        }
        for arms in ["oneOf", "anyOf", "allOf"] {
            let arms = schema.get(arms).and_then(Value::as_array);
            for arm in arms.into_iter().flatten() {
                self.collect(arm, at, found, &within);
            }
        }
    }
}

fn is_marked(schema: &Value) -> bool {
    schema.get(marks::IMMUTABLE) == Some(&Value::Bool(true))
}

/// A field of the schema has the mark, at any depth, references apart.
fn has_mark(schema: &Value) -> bool {
    let inner = match schema {
        Value::Object(members) => members.values().any(has_mark),
        Value::Array(items) => items.iter().any(has_mark),
        _ => false,
    };
    inner || is_marked(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{document::reference, passes::testing};

    #[test]
    fn fields_that_are_marked_stand_below_the_operation() {
        let mark = json!({"type": "string", marks::IMMUTABLE: true});
        let body = |name: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            json!({"operationId": format!("write_{name}"), "requestBody": {"content": {"application/json": {"schema": schema}}}})
        };
        let document = testing::document(json!({
            "paths": {
                "/api/v1/things/{name}": {"get": body("thing"), "put": body("thing"), "patch": body("change")},
            },
            "components": {"schemas": {
                "thing": {"properties": {
                    "properties": {"$ref": "#/components/schemas/inner"},
                    "label": {"type": "string"},
                    "color": mark,
                }},
                "inner": {"oneOf": [
                    {"properties": {"size": mark, "again": {"$ref": "#/components/schemas/inner"}}},
                    {"properties": {"width": mark}},
                ]},
                "change": {"properties": {"color": mark}},
            }},
        }));
        let text = names(&document, &document);
        let lines: Vec<&str> = text.lines().collect();
        let all = |lines: &[&str], wanted: &[&str]| wanted.iter().all(|line| lines.contains(line));
        assert_eq!(lines[0], "GET /api/v1/things/{} write_thing");
        assert_eq!(lines[1], "PUT /api/v1/things/{} write_thing");
        assert!(
            all(
                &lines,
                &[" /color", " /properties/size", " /properties/width"]
            ),
            "{text}"
        );
        assert!(!text.contains("again"), "{text}");
        assert_eq!(
            lines[lines.len() - 2],
            "PATCH /api/v1/things/{} write_change"
        );
        assert_eq!(lines[lines.len() - 1], " /color");
    }

    #[test]
    fn schemas_that_refer_to_each_other_are_searched_quickly() {
        let mut schemas = testing::tangled(&json!({"type": "string"}));
        let fixed = json!({"type": "string", marks::IMMUTABLE: true});
        schemas.insert("end".to_owned(), json!({"properties": {"fixed": fixed}}));
        let body = json!({"properties": {"many": reference("T0"), "one": reference("end")}});
        let document = testing::document(json!({
            "paths": {"/api/v1/things/{name}": {"put": {
                "operationId": "put_thing",
                "requestBody": {"content": {"application/json": {"schema": body}}},
            }}},
            "components": {"schemas": schemas},
        }));
        let text = super::names(&document, &document);
        assert_eq!(text, "PUT /api/v1/things/{} put_thing\n /one/fixed\n");
    }
}
