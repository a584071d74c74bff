//! Problem: a generator treats types of responses and of requests alike. This pass finds out which
//! schemas occur in responses (`x-mkio-read`) and which in requests (`x-mkio-written`), so that
//! reading can be tolerant and writing exact. Types in neither are removed.

use std::collections::HashSet;

use serde_json::Value;

use crate::{document::Document, marks, report::Changes, walk};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    for (mark, part) in [(marks::READ, "responses"), (marks::WRITTEN, "requestBody")] {
        let reached = reached(&document, part);
        changes.note(format!("{} types in {part}", reached.len()));
        for (name, schema) in document.schemas_mut() {
            if reached.contains(name)
                && let Some(schema) = schema.as_object_mut()
            {
                schema.insert(mark.to_owned(), Value::Bool(true));
            }
        }
    }
    let in_parameters = reached(&document, "parameters");
    let unused: Vec<String> = document
        .schemas()
        .filter(|(name, schema)| {
            let marked = [marks::READ, marks::WRITTEN]
                .iter()
                .any(|m| schema.get(m).is_some());
            !marked && !in_parameters.contains(*name)
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in unused {
        document.schemas_mut().shift_remove(&name);
        changes.note(format!("{name}: nothing uses it"));
    }
    document
}

/// Names of the schemas that a part of the operations refers to, directly or through others.
fn reached(document: &Document, part: &str) -> HashSet<String> {
    let mut next = Vec::new();
    for operation in document.operations() {
        if let Some(part) = operation.value.get(part) {
            walk::references(part, &mut next);
        }
    }
    walk::reached(document, next)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{document::reference, passes::testing};

    /// A member with several tags, or one that is used alone, has a copy in the union.
    #[test]
    fn copies_of_members_are_used_by_their_union() {
        let mut document = testing::with_paths(json!({"/a": {"put": {
            "requestBody": {"content": {"application/json": {"schema": reference("U")}}},
        }}}));
        let union = json!({
            "oneOf": [reference("Member")],
            "x-mkio-union": {"tag": "kind", "variants": [{"value": "m", "type": "UMember"}]},
        });
        for (name, schema) in [("U", union), ("Member", json!({})), ("UMember", json!({}))] {
            document.schemas_mut().insert(name.to_owned(), schema);
        }
        let (document, _) = testing::run(run, document);
        assert_eq!(document.schema("UMember").unwrap()["x-mkio-written"], true);
    }

    #[test]
    fn follows_references_in_both_directions() {
        let mut document = testing::with_paths(json!({"/a": {"put": {
            "requestBody": {"content": {"application/json": {"schema": reference("In")}}},
            "responses": {"200": {"content": {"application/json": {"schema": reference("Out")}}}},
        }}}));
        let parent = json!({"properties": {"x": reference("Shared")}});
        for (name, schema) in [
            ("In", &parent),
            ("Out", &parent),
            ("Shared", &json!({})),
            ("Unused", &json!({})),
        ] {
            document
                .schemas_mut()
                .insert(name.to_owned(), schema.clone());
        }
        let (document, _) = testing::run(run, document);
        assert!(document.schema("Unused").is_none());
        let marks = |name: &str| {
            let schema = document.schema(name).unwrap();
            (
                schema["x-mkio-read"] == true,
                schema["x-mkio-written"] == true,
            )
        };
        assert_eq!(marks("In"), (false, true));
        assert_eq!(marks("Out"), (true, false));
        assert_eq!(marks("Shared"), (true, true));
    }
}
