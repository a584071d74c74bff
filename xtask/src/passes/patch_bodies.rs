//! Problem: a PATCH holds only changes, but some documents describe its body with the schema that
//! GET returns, whose required fields would have to be sent and would overwrite the resource's
//! values. This pass gives each merge PATCH a body of its own in which nothing is required.
//! Structures inside are merged as well, so they follow where they require something; lists are
//! replaced whole, so their items stay as they are.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::{
    document::{Document, ref_name, reference},
    marks,
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let bodies: Vec<(String, String, String)> = document
        .operations()
        .iter()
        .filter(|operation| operation.method.eq_ignore_ascii_case("patch"))
        .filter_map(|operation| {
            let body = operation.value.get("requestBody")?.pointer(CONTENT)?;
            let body = ref_name(body)?;
            Some((
                operation.path.to_owned(),
                operation.method.to_owned(),
                body.to_owned(),
            ))
        })
        .collect();
    let mut patches = Patches {
        elsewhere: elsewhere(&document),
        names: HashMap::new(),
    };
    for (path, method, body) in bodies {
        let own = patches.own(&mut document, &body, true);
        if own != body {
            changes.note(format!("{own}: {body} as the body of a PATCH"));
        }
        if let Some(schema) =
            document.root["paths"][&path][&method]["requestBody"].pointer_mut(CONTENT)
        {
            *schema = reference(&own);
        }
    }
    document
}

/// The schema of a JSON body, below the body.
const CONTENT: &str = "/content/application~1json/schema";

/// Names of the schemas that occur outside of bodies of PATCH.
fn elsewhere(document: &Document) -> HashSet<String> {
    let mut next = Vec::new();
    for operation in document.operations() {
        let patches = operation.method.eq_ignore_ascii_case("patch");
        for part in ["responses", "parameters", "requestBody"] {
            if !(patches && part == "requestBody")
                && let Some(part) = operation.value.get(part)
            {
                walk::references(part, &mut next);
            }
        }
    }
    walk::reached(document, next)
}

struct Patches {
    elsewhere: HashSet<String>,
    /// The new name of each schema.
    names: HashMap<String, String>,
}

impl Patches {
    /// The name of a schema's form in which nothing is required. `always` makes one also of a
    /// schema that requires nothing but is used elsewhere.
    fn own(&mut self, document: &mut Document, name: &str, always: bool) -> String {
        if let Some(own) = self.names.get(name) {
            return own.clone();
        }
        let shared = self.elsewhere.contains(name);
        let is_structure = document.schema(name).is_some_and(|schema| {
            schema.get("properties").is_some() && schema.get(marks::UNION).is_none()
        });
        if !is_structure || (shared && !always && !requires(document, name, &mut HashSet::new())) {
            return name.to_owned();
        }
        let own = if shared {
            free(document, name)
        } else {
            name.to_owned()
        };
        self.names.insert(name.to_owned(), own.clone());
        let Some(mut schema) = document.schema(name).cloned() else {
            return own;
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove("required");
            schema.shift_remove(marks::ORDER);
            schema.insert(marks::PATCH.to_owned(), json!(true));
        }
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            // The service fills them in; a change never sets them.
            properties
                .retain(|_, property| !shared || property.get("readOnly") != Some(&json!(true)));
            for property in properties.values_mut() {
                if let Some(held) = held(property).map(str::to_owned) {
                    let own = self.own(document, &held, false);
                    refer(property, &own);
                }
            }
        }
        document.schemas_mut().insert(own.clone(), schema);
        own
    }
}

/// The structure that a property holds, with or without a description of its own.
fn held(property: &Value) -> Option<&str> {
    ref_name(property).or_else(|| ref_name(&property["allOf"][0]))
}

fn refer(property: &mut Value, name: &str) {
    if property.get("$ref").is_some() {
        *property = reference(name);
    } else {
        property["allOf"] = json!([reference(name)]);
    }
}

/// True when a structure or one that is merged with it requires a field or cannot be written whole.
fn requires(document: &Document, name: &str, seen: &mut HashSet<String>) -> bool {
    let Some(schema) = document
        .schema(name)
        .filter(|_| seen.insert(name.to_owned()))
    else {
        return false;
    };
    let list = schema.get("required").and_then(Value::as_array);
    if list.is_some_and(|required| !required.is_empty()) && schema.get("properties").is_some() {
        return true;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().any(|(_, property)| {
        property.get("readOnly") == Some(&json!(true))
            || held(property).is_some_and(|held| requires(document, held, seen))
    })
}

/// `ThingPatch`, or the next name that is free.
fn free(document: &Document, name: &str) -> String {
    let wanted = format!("{name}Patch");
    let mut numbers = 2..;
    let mut free = wanted.clone();
    while document.schema(&free).is_some() {
        free = format!("{wanted}{}", numbers.next().unwrap_or_default());
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn a_patch_requires_nothing_and_reading_stays() {
        let content =
            |name: &str| json!({"content": {"application/json": {"schema": reference(name)}}});
        let mut document = testing::with_paths(json!({"/a": {
            "get": {"responses": {"2XX": content("Endpoint")}},
            "patch": {"requestBody": content("Endpoint"), "responses": {"2XX": content("Endpoint")}},
        }, "/b": {
            "patch": {"requestBody": content("OnlyPatch"), "responses": {}},
        }, "/c": {
            "put": {"requestBody": content("Both"), "responses": {}},
            "patch": {"requestBody": content("Both"), "responses": {}},
        }, "/d": {
            "patch": {"requestBody": content("List"), "responses": {}},
        }}));
        let list = json!({"type": "array", "items": reference("Item")});
        document.root["components"]["schemas"] = json!({
            "Endpoint": {"required": ["spec"], "properties": {
                "name": {"type": "string", "readOnly": true},
                "spec": {"allOf": [reference("Spec")], "description": "What."},
                "plain": reference("Plain"),
            }},
            "Spec": {"required": ["units"], "properties": {"units": {"type": "integer"}, "items": list}},
            "Plain": {"properties": {"x": {"type": "string"}}},
            "Item": {"required": ["x"], "properties": {"x": {"type": "string"}}},
            "OnlyPatch": {"required": ["spec"], "properties": {"spec": reference("Spec")}},
            "Both": {"required": ["x"], "properties": {"x": {"type": "string"}}},
            "List": {"type": "array", "items": {"type": "string"}},
        });
        let before = document.root.clone();
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        assert_eq!(
            changes.notes(),
            [
                "EndpointPatch: Endpoint as the body of a PATCH",
                "BothPatch: Both as the body of a PATCH"
            ]
        );
        let body = |path: &str| {
            document.root["paths"][path]["patch"]["requestBody"]
                .pointer(CONTENT)
                .and_then(ref_name)
        };
        assert_eq!(
            (body("/a"), body("/b")),
            (Some("EndpointPatch"), Some("OnlyPatch"))
        );
        assert_eq!((body("/c"), body("/d")), (Some("BothPatch"), Some("List")));
        let schema = |name: &str| document.schema(name).unwrap();
        for read in ["Endpoint", "Spec", "Item", "Plain", "List"] {
            assert_eq!(schema(read), &before["components"]["schemas"][read]);
        }
        assert_eq!(
            schema("EndpointPatch"),
            &json!({"properties": {
                "spec": {"allOf": [reference("SpecPatch")], "description": "What."},
                "plain": reference("Plain"),
            }, "x-mkio-patch": true})
        );
        // Items of a list are complete: the list is replaced whole.
        assert_eq!(
            schema("SpecPatch"),
            &json!({"properties": {"units": {"type": "integer"}, "items": list}, "x-mkio-patch": true})
        );
        assert_eq!(
            schema("OnlyPatch")["properties"]["spec"],
            reference("SpecPatch")
        );
        assert!(schema("OnlyPatch").get("required").is_none());
    }
}
