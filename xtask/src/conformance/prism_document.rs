//! A document as Prism needs it to judge requests.
//!
//! Requests are described as published, except for the notation of patterns. Responses are another
//! matter: Prism answers a refused request with a response that the document declares for its
//! status, which hides the reason, and fails on responses that its generator cannot make.

use serde_json::{Map, Value, json};

use super::json_schema::{plain_groups, tagged};
use crate::document::METHODS;

/// Suffix of the schemas that only responses use.
const RESPONSE: &str = "-in-responses";

/// How often each thing was rewritten.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Patterns with `(?P<name>`, which JavaScript does not know.
    pub patterns: usize,
    /// Unions whose discriminator was written into the variants.
    pub unions: usize,
    /// Bodies with media types that Prism takes for one.
    pub bodies: usize,
    /// Bodies that the published document leaves out and the overlay has.
    pub added: usize,
    /// Operations without a declared success, which got an empty one.
    pub successes: usize,
}

/// Adds the bodies that an overlay has where the published document has none: its prose asks for
/// them, and Prism refuses any body that is not declared. Returns how many.
pub fn add_bodies(root: &mut Value, corrected: &Value) -> usize {
    let mut added = 0;
    let paths = root.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else {
                continue;
            };
            let body = corrected
                .get("paths")
                .and_then(|paths| paths.get(path)?.get(method)?.get("requestBody"));
            if let (false, Some(body)) = (operation.contains_key("requestBody"), body) {
                operation.insert("requestBody".to_owned(), body.clone());
                added += 1;
            }
        }
    }
    added
}

/// Rewrites a document for Prism.
pub fn rewrite(root: &mut Value) -> Rewritten {
    let mut rewritten = Rewritten::default();
    requests(root, &mut rewritten);
    add_response_schemas(root);
    let paths = root.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flatten().map(|(_, item)| item) {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                rewritten.bodies += usize::from(same_media_types(operation));
                rewritten.successes += usize::from(responses(operation));
            }
        }
    }
    rewritten
}

/// Patterns as JavaScript writes them; unions decided by their tag, as OpenAPI means it. Prism
/// reads `oneOf` alone, and published variants often differ in nothing but the tag.
fn requests(value: &mut Value, rewritten: &mut Rewritten) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "pattern" => {
                        let plain = plain_groups(text);
                        rewritten.patterns += usize::from(plain != *text);
                        *text = plain;
                    }
                    value => requests(value, rewritten),
                }
            }
            for key in ["oneOf", "anyOf"] {
                let Some(variants) = object.get(key).and_then(|all| tagged(object, all)) else {
                    continue;
                };
                rewritten.unions += 1;
                object.insert(key.to_owned(), Value::Array(variants));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| requests(item, rewritten)),
        _ => {}
    }
}

/// Prism reads what follows the `+` of a media type only: `application/json-patch+json` is
/// `application/json` for it, and it takes the first of the two schemas. Both get both.
fn same_media_types(operation: &mut Map<String, Value>) -> bool {
    let content = operation
        .get_mut("requestBody")
        .and_then(|body| body.get_mut("content"))
        .and_then(Value::as_object_mut);
    let Some(content) = content else {
        return false;
    };
    let schemas: Vec<(String, Value)> = content
        .iter()
        .filter_map(|(media, value)| Some((for_prism(media), value.get("schema")?.clone())))
        .collect();
    let mut changed = false;
    for (media, value) in content.iter_mut() {
        let mine = for_prism(media);
        let same: Vec<&Value> = schemas
            .iter()
            .filter(|(other, _)| *other == mine)
            .map(|(_, schema)| schema)
            .collect();
        if same.len() > 1
            && let Some(value) = value.as_object_mut()
        {
            value.insert("schema".to_owned(), json!({ "anyOf": same }));
            changed = true;
        }
    }
    changed
}

fn for_prism(media: &str) -> String {
    match (media.split_once('/'), media.rsplit_once('+')) {
        (Some((kind, _)), Some((_, suffix))) => format!("{kind}/{suffix}"),
        _ => media.to_owned(),
    }
}

/// A second set of schemas without patterns and limits of text, for responses.
fn add_response_schemas(root: &mut Value) {
    let Some(schemas) = root
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let copies: Map<String, Value> = schemas
        .iter()
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            for_responses(&mut schema);
            (format!("{name}{RESPONSE}"), schema)
        })
        .collect();
    schemas.extend(copies);
}

fn for_responses(value: &mut Value) {
    match value {
        Value::Object(object) => {
            // Only keywords: a property may be called `pattern`.
            for key in ["pattern", "minLength", "maxLength"] {
                if object.get(key).is_some_and(|value| !value.is_object()) {
                    object.shift_remove(key);
                }
            }
            for (key, value) in object {
                match value {
                    Value::String(target)
                        if key == "$ref" && target.starts_with("#/components/schemas/") =>
                    {
                        target.push_str(RESPONSE);
                    }
                    // The tags are in the variants by now.
                    Value::Object(discriminator) if key == "discriminator" => {
                        discriminator.shift_remove("mapping");
                    }
                    value => for_responses(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(for_responses),
        _ => {}
    }
}

/// Keeps the responses of success; true when one had to be added.
fn responses(operation: &mut Map<String, Value>) -> bool {
    let Some(all) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return false;
    };
    all.retain(|status, _| status.starts_with('2'));
    for (_, response) in all.iter_mut() {
        for_responses(response);
    }
    if !all.is_empty() {
        return false;
    }
    all.insert("200".to_owned(), json!({"description": "accepted"}));
    true
}

/// The rewritten parts, in words; empty when there are none.
pub fn describe(rewritten: &Rewritten) -> Option<String> {
    let parts: Vec<String> = [
        (rewritten.patterns, "patterns with (?P<name>…)"),
        (rewritten.unions, "unions by discriminator"),
        (rewritten.bodies, "bodies with two kinds of JSON"),
        (rewritten.added, "bodies from the overlay"),
        (rewritten.successes, "operations without a success response"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::escape;

    fn document() -> Value {
        json!({
            "paths": {"/a~/{b}": {
                "put": {
                    "requestBody": {"content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/A"}}}},
                    "responses": {
                        "200": {"headers": {"X": {"$ref": "#/components/headers/X"}},
                            "content": {"application/json": {
                            "schema": {"$ref": "#/components/schemas/A"}}}},
                        "400": {"description": "refused"},
                    },
                },
                "get": {"responses": {"400": {"description": "not implemented"}}},
            }},
            "components": {"schemas": {
                "A": {"oneOf": [{"$ref": "#/components/schemas/B"}], "discriminator": {
                    "propertyName": "t", "mapping": {"b": "#/components/schemas/B"}}},
                "B": {"properties": {
                    "pattern": {"type": "string", "pattern": "^(?P<x>a)$", "maxLength": 3}}},
                "C": {"allOf": [{"pattern": "^(?P<y>b)$", "description": "(?P<y>"}]},
            }},
        })
    }

    #[test]
    fn requests_mean_the_same_and_replies_are_simple() {
        let mut root = document();
        let rewritten = rewrite(&mut root);
        assert_eq!(
            rewritten,
            Rewritten {
                patterns: 2,
                unions: 1,
                bodies: 0,
                added: 0,
                successes: 1
            }
        );
        assert_eq!(
            describe(&rewritten).as_deref(),
            Some(
                "2 patterns with (?P<name>…), 1 unions by discriminator, 1 operations without a success response"
            )
        );
        let place = |pointer: &str| root.pointer(pointer).cloned().unwrap_or_default();
        let put = format!("/paths/{}/put", escape("/a~/{b}"));
        assert_eq!(
            place(&format!(
                "{put}/requestBody/content/application~1json/schema/$ref"
            )),
            "#/components/schemas/A"
        );
        assert_eq!(
            place(&format!(
                "{put}/responses/200/content/application~1json/schema/$ref"
            )),
            "#/components/schemas/A-in-responses"
        );
        assert_eq!(
            place(&format!("{put}/responses/200/headers/X/$ref")),
            "#/components/headers/X"
        );
        assert_eq!(place(&format!("{put}/responses/400")), Value::Null);
        assert_eq!(
            place("/components/schemas/C/allOf/0"),
            json!({"pattern": "^(?<y>b)$", "description": "(?P<y>"})
        );
        assert_eq!(
            place("/components/schemas/B/properties/pattern"),
            json!({"type": "string", "pattern": "^(?<x>a)$", "maxLength": 3})
        );
        assert_eq!(
            place("/components/schemas/B-in-responses/properties/pattern"),
            json!({"type": "string"})
        );
        assert_eq!(
            place("/components/schemas/A/oneOf/0"),
            json!({"allOf": [{"$ref": "#/components/schemas/B"}, {"properties": {"t": {"enum": ["b"]}}}]})
        );
        // The tags are in the variants.
        assert_eq!(
            place("/components/schemas/A-in-responses/discriminator"),
            json!({"propertyName": "t"})
        );
        assert_eq!(
            place("/components/schemas/A-in-responses/oneOf/0/allOf/0/$ref"),
            "#/components/schemas/B-in-responses"
        );
        assert_eq!(
            place(&format!("/paths/{}/get/responses", escape("/a~/{b}"))),
            json!({"200": {"description": "accepted"}})
        );
    }

    #[test]
    fn two_kinds_of_json_are_one_for_prism() {
        let content = json!({
            "application/json": {"schema": {"type": "object"}},
            "application/json-patch+json": {"schema": {"type": "array"}},
            "text/csv": {"schema": {"type": "string"}},
        });
        let mut root = json!({"paths": {"/a": {"patch": {
            "requestBody": {"content": content}, "responses": {"200": {}}}}}});
        assert_eq!(rewrite(&mut root).bodies, 1);
        let both = json!({"anyOf": [{"type": "object"}, {"type": "array"}]});
        assert_eq!(
            root["paths"]["/a"]["patch"]["requestBody"]["content"],
            json!({
                "application/json": {"schema": both},
                "application/json-patch+json": {"schema": both},
                "text/csv": {"schema": {"type": "string"}},
            })
        );
    }

    #[test]
    fn only_forgotten_bodies_come_from_the_overlay() {
        let mut root = document();
        let mut corrected = document();
        let item = &mut corrected["paths"]["/a~/{b}"];
        item["put"]["requestBody"] = json!({"content": {}});
        item["get"]["requestBody"] = json!({"content": {"text/plain": {}}});
        assert_eq!(add_bodies(&mut root, &corrected), 1);
        let item = &root["paths"]["/a~/{b}"];
        assert_eq!(
            item["get"]["requestBody"],
            json!({"content": {"text/plain": {}}})
        );
        assert_eq!(item["put"], document()["paths"]["/a~/{b}"]["put"]);
    }
}
