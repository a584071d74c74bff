//! What the emulator's package has of a document. A published crate cannot reach out of its folder.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    document::{Document, OperationRef, TWIN, entries, ref_name},
    marks,
    output::Files,
    passes::operation_names::unnamed,
    pipeline::Sources,
};

/// The document as it is, and beside it what comes of the overlay. `document` has the names that operations have in Rust; `overlaid`
/// is the one that the overlay alone changed.
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
    // A twin shares method and path with the operation that the emulator knows.
    let known = all.iter().filter(|of| !of.path.contains(TWIN));
    let block = |of: &OperationRef<'_>| {
        let path = unnamed(&of.path.split('/').collect::<Vec<_>>());
        let name = of.value.get("operationId")?.as_str()?;
        let mut lines = format!("{} {path} {name}\n", of.method.to_uppercase());
        if matches!(of.method, "put" | "patch") {
            for field in immutable(overlaid, of) {
                lines += &format!(" {field}\n");
            }
        }
        Some(lines)
    };
    known.filter_map(block).collect()
}

/// Pointers of the fields of an operation's body that cannot change once the resource exists.
fn immutable(overlaid: &Document, operation: &OperationRef<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let item = overlaid
        .root
        .get("paths")
        .and_then(|all| all.get(operation.path));
    let content = item.and_then(|item| item.get(operation.method)?.pointer("/requestBody/content"));
    for (_, media) in entries(content) {
        if let Some(schema) = media.get("schema") {
            collect(overlaid, schema, "", &mut found, &[]);
        }
    }
    found
}

/// `within` names the schemas around this one: one that holds itself is looked through once.
fn collect(
    document: &Document,
    schema: &Value,
    at: &str,
    found: &mut BTreeSet<String>,
    within: &[&str],
) {
    let name = ref_name(schema);
    if name.is_some_and(|name| within.contains(&name)) {
        return;
    }
    let named = name.and_then(|name| document.schema(name));
    let schema = named.unwrap_or(schema);
    let within: Vec<&str> = within.iter().copied().chain(name).collect();
    for (name, property) in entries(schema.get("properties")) {
        let at = format!("{at}/{name}");
        if property.get(marks::IMMUTABLE) == Some(&Value::Bool(true)) {
            found.insert(at);
        } else {
            collect(document, property, &at, found, &within);
        }
    }
    for arms in ["oneOf", "anyOf", "allOf"] {
        for arm in schema
            .get(arms)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            collect(document, arm, at, found, &within);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

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
}
