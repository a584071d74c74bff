//! Problem: documents write a parameter, body, response, header or path once and refer to it, and
//! refer to parts of schemas; later steps know references to named schemas only. This pass
//! resolves such references, gives parts of schemas that are referred to a name, and notes the
//! place of each named schema in the document, for messages.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{
    check::target_of,
    document::{Document, METHODS, escape, reference},
    marks,
    names::{take_free, type_name},
    report::Changes,
    walk,
};

const SCHEMAS: &str = "#/components/schemas/";
/// References to references resolve up to this depth; more are a cycle, which the check refuses.
const DEPTH: usize = 64;

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let root = document.root.clone();
    name_plainly(&mut document);
    let count = inline_all(&mut document, &root);
    changes.note(format!("{count} references written out"));
    let mut parts = Parts {
        root: &root,
        names: HashMap::new(),
        new: Vec::new(),
        taken: document
            .schemas()
            .map(|(name, _)| name.to_owned())
            .collect(),
    };
    walk::all_schemas_mut(&mut document, |_, schema| parts.redirect(schema));
    only_what_is_used(&mut document);
    while let Some((name, mut schema)) = parts.new.pop() {
        walk::schema_mut(&mut schema, "", &mut |_, schema| parts.redirect(schema));
        changes.note(format!("{name}: a part of a schema that is referred to"));
        document.schemas_mut().insert(name, schema);
    }
    document
}

/// Removes the other components and the security schemes: references to them are resolved, and
/// generated code has no use for the rest.
fn only_what_is_used(document: &mut Document) {
    if let Some(root) = document.root.as_object_mut() {
        root.shift_remove("security");
    }
    if let Some(components) = document
        .root
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        components.retain(|section, _| section == "schemas");
    }
    document.operations_mut(|_, _, operation| {
        operation.shift_remove("security");
        // OpenAPI 3.1 does not require it.
        operation.entry("responses").or_insert_with(|| json!({}));
    });
}

/// Marks named schemas with their place, and gives names that are not plain ones another key.
fn name_plainly(document: &mut Document) {
    let old = std::mem::take(document.schemas_mut());
    for (name, mut schema) in old {
        if schema.is_boolean() {
            schema = json!({});
        }
        if let Some(schema) = schema.as_object_mut() {
            let pointer = format!("/components/schemas/{}", escape(&name));
            schema.insert(marks::ORIGIN.to_owned(), json!(pointer));
        }
        document.schemas_mut().insert(plain_key(&name), schema);
    }
}

/// The key of a named schema from here on.
fn plain_key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.chars().all(plain) {
        return name.to_owned();
    }
    let word = |c: char| {
        if plain(c) {
            c.to_string()
        } else {
            format!("_{:x}_", u32::from(c))
        }
    };
    name.chars().map(word).collect()
}

/// Resolves all references in the paths that lead to no schema.
fn inline_all(document: &mut Document, root: &Value) -> usize {
    let mut count = 0;
    let paths = document
        .root
        .get_mut("paths")
        .and_then(Value::as_object_mut);
    for (_, item) in paths.into_iter().flatten() {
        count += inline(item, root);
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        count += inline_list(item.get_mut("parameters"), root);
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else {
                continue;
            };
            count += inline_list(operation.get_mut("parameters"), root);
            if let Some(body) = operation.get_mut("requestBody") {
                count += inline(body, root);
            }
            let responses = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut);
            for (_, response) in responses.into_iter().flatten() {
                count += inline(response, root);
                let headers = response.get_mut("headers").and_then(Value::as_object_mut);
                for (_, header) in headers.into_iter().flatten() {
                    count += inline(header, root);
                }
            }
        }
    }
    count
}

fn inline_list(list: Option<&mut Value>, root: &Value) -> usize {
    let items = list.and_then(Value::as_array_mut).into_iter().flatten();
    items.map(|item| inline(item, root)).sum()
}

/// Replaces a reference by its target; a description next to it stays.
fn inline(value: &mut Value, root: &Value) -> usize {
    let mut count = 0;
    for _ in 0..DEPTH {
        let target = value.get("$ref").and_then(Value::as_str);
        let content = target.and_then(|target| target_of(root, target));
        let Some(Value::Object(content)) = content else {
            break;
        };
        let own = value.as_object().cloned().unwrap_or_default();
        let mut content = content.clone();
        for (key, own) in own {
            if key != "$ref" {
                content.insert(key, own);
            }
        }
        *value = Value::Object(content);
        count += 1;
    }
    count
}

/// Parts of the document that schemas refer to and that are not named schemas.
struct Parts<'a> {
    root: &'a Value,
    names: HashMap<String, String>,
    new: Vec<(String, Value)>,
    taken: Vec<String>,
}

impl Parts<'_> {
    /// Points all references of a schema to named schemas.
    fn redirect(&mut self, schema: &mut Map<String, Value>) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.schema_key(target);
            schema.insert("$ref".to_owned(), reference(&target)["$ref"].clone());
        }
        let mapping = schema
            .get_mut("discriminator")
            .and_then(|discriminator| discriminator.get_mut("mapping"))
            .and_then(Value::as_object_mut);
        for (_, target) in mapping.into_iter().flatten() {
            // A bare name is the name of a schema, too.
            if let Some(text) = target.as_str() {
                let name = if text.starts_with('#') {
                    self.schema_key(text)
                } else {
                    plain_key(text)
                };
                *target = json!(format!("{SCHEMAS}{name}"));
            }
        }
    }

    /// Key of the named schema that a reference leads to.
    fn schema_key(&mut self, target: &str) -> String {
        let text = percent_decode_str(target).decode_utf8_lossy().into_owned();
        if let Some(name) = text.strip_prefix(SCHEMAS)
            && !name.contains('/')
        {
            return plain_key(&name.replace("~1", "/").replace("~0", "~"));
        }
        if let Some(name) = self.names.get(&text) {
            return name.clone();
        }
        let name = self.free(&text);
        self.names.insert(text.clone(), name.clone());
        let mut schema = target_of(self.root, target).cloned().unwrap_or_default();
        if !schema.is_object() {
            schema = json!({});
        }
        schema[marks::ORIGIN] = json!(text.trim_start_matches('#'));
        self.new.push((name.clone(), schema));
        name
    }

    /// A name from the last words of the place: `AssetProperties` for `…/Asset/properties`.
    fn free(&mut self, pointer: &str) -> String {
        let structure = [
            "properties",
            "items",
            "schema",
            "content",
            "components",
            "schemas",
            "paths",
            "#",
            "$defs",
            "allOf",
            "oneOf",
            "anyOf",
        ];
        let words: Vec<&str> = pointer
            .split('/')
            .filter(|part| !structure.contains(part))
            .collect();
        let last = words.len().saturating_sub(2);
        take_free(&mut self.taken, type_name(&words[last..].join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn everything_that_components_hold_is_written_out() {
        let mut document =
            testing::with_paths(json!({"/b": {"$ref": "#/paths/~1a~1{id}"}, "/a/{id}": {
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "put": {
                    "parameters": [{"$ref": "#/components/parameters/Top"}],
                    "requestBody": {"$ref": "#/components/requestBodies/Body"},
                    "responses": {"200": {"$ref": "#/components/responses/Alias"}},
                },
                "delete": {"security": []},
            }}));
        document.root["security"] = json!([]);
        document.root["components"] = json!({
            "schemas": {"A": {"type": "object"}},
            "parameters": {
                "Id": {"name": "id", "in": "path"},
                "Top": {"name": "$top", "in": "query", "description": "old"},
            },
            "requestBodies": {"Body": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            "responses": {
                "Alias": {"$ref": "#/components/responses/Ok", "description": "new"},
                "Ok": {"description": "old", "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}},
            },
            "headers": {"ETag": {"schema": {"type": "string"}}},
        });
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        // Both paths have six, and one of them is a reference itself.
        assert_eq!(changes.notes(), ["13 references written out"]);
        let [item, same] = ["/a/{id}", "/b"].map(|path| &document.root["paths"][path]);
        assert_eq!(item, same);
        assert_eq!(item["parameters"][0]["name"], "id");
        assert_eq!(item["put"]["parameters"][0]["name"], "$top");
        let body = &item["put"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body["$ref"], "#/components/schemas/A");
        let response = &item["put"]["responses"]["200"];
        assert_eq!(response["description"], "new");
        assert_eq!(response["headers"]["ETag"]["schema"]["type"], "string");
        // What code is not made of is gone.
        assert_eq!(item["delete"], json!({"responses": {}}));
        assert!(document.root.get("security").is_none());
        let components = document.root["components"].as_object().unwrap();
        assert_eq!(components.keys().collect::<Vec<_>>(), ["schemas"]);
    }

    #[test]
    fn parts_of_schemas_get_a_name_and_odd_names_a_key() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "A": {"properties": {"b": {"properties": {"up": {"$ref": "#/components/schemas/A/properties/b"}}}}},
                "C": {"properties": {
                    "b": {"$ref": "#/components/schemas/A/properties/b"},
                    "d": {"$ref": "#/components/schemas/D%20d"},
                }},
                "D d": {"type": "string"},
            })),
        );
        let b = &document.schema("C").unwrap()["properties"]["b"]["$ref"];
        assert_eq!(b, "#/components/schemas/AB");
        let part = document.schema("AB").unwrap();
        assert_eq!(part["properties"]["up"]["$ref"], *b);
        assert_eq!(part[marks::ORIGIN], "/components/schemas/A/properties/b");
        let d = &document.schema("C").unwrap()["properties"]["d"]["$ref"];
        assert_eq!(d, "#/components/schemas/D_20_d");
        let d = document.schema("D_20_d").unwrap();
        assert_eq!(d[marks::ORIGIN], "/components/schemas/D d");
    }
}
