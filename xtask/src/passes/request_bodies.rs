//! Problem: progenitor panics on an operation with two request media types, and knows no JSON
//! Patch. This pass keeps one media type per operation; a JSON Patch next to a JSON body becomes
//! an operation of its own (`update_live_event_json_patch`) on a twin path, whose mark the
//! generated code drops. The media type to send stays in `x-mkio-content-type`.

use serde_json::{Value, json};

use super::TWIN;
use crate::{
    document::{Document, Problem, append_description},
    report::Changes,
};

const JSON: &str = "application/json";
const JSON_PATCH: &str = "application/json-patch+json";
const BYTES: &str = "application/octet-stream";

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let mut twins = Vec::new();
    let mut refused = None;
    document.operations_mut(|path, method, operation| {
        let Some(body) = operation
            .get_mut("requestBody")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        // progenitor treats every body that is declared as one that is sent; whether it may be left
        // out is for the request's template.
        if let Some(declared) = body.insert("required".to_owned(), Value::Bool(true)) {
            body.insert("x-mkio-required".to_owned(), declared);
        }
        let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) else {
            return;
        };
        let media_types: Vec<String> = content.keys().cloned().collect();
        match media_types.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [JSON] | [] => {}
            [JSON_PATCH] => {
                rename(content, JSON_PATCH, JSON);
                operation.insert("x-mkio-content-type".to_owned(), json!(JSON_PATCH));
                changes.note(format!("{method} {path}: JSON Patch"));
            }
            ["application/gzip"] | [BYTES] => {
                let sent = media_types[0].clone();
                rename(content, &sent, BYTES);
                operation.insert("x-mkio-content-type".to_owned(), json!(sent));
                changes.note(format!("{method} {path}: {sent}"));
            }
            [JSON, JSON_PATCH] | [JSON_PATCH, JSON] => {
                let mut twin = operation.clone();
                if let Some(content) = content_mut(operation) {
                    content.shift_remove(JSON_PATCH);
                }
                if let Some(content) = content_mut(&mut twin) {
                    content.shift_remove(JSON);
                    rename(content, JSON_PATCH, JSON);
                }
                let id = twin
                    .get("operationId")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let id = format!("{id}_json_patch");
                changes.note(format!("{method} {path}: twin {id}"));
                twin.insert("operationId".to_owned(), json!(id));
                twin.insert("x-mkio-content-type".to_owned(), json!(JSON_PATCH));
                append_description(&mut twin, "The body is a JSON Patch: a list of changes.");
                twins.push((format!("{path}{TWIN}json-patch"), method.to_owned(), twin));
            }
            _ => {
                refused.get_or_insert((
                    format!(
                        "/paths/{}/{method}/requestBody/content",
                        crate::document::escape(path)
                    ),
                    media_types.join(" and "),
                ));
            }
        }
    });
    if let Some((pointer, found)) = refused {
        return Err(document.problem(
            pointer,
            found,
            "one media type, or application/json with application/json-patch+json",
        ));
    }
    for (path, method, twin) in twins {
        document.root["paths"][path][method] = Value::Object(twin);
    }
    Ok(document)
}

fn content_mut(
    operation: &mut serde_json::Map<String, Value>,
) -> Option<&mut serde_json::Map<String, Value>> {
    operation
        .get_mut("requestBody")?
        .get_mut("content")?
        .as_object_mut()
}

fn rename(content: &mut serde_json::Map<String, Value>, from: &str, to: &str) {
    if let Some(media) = content.shift_remove(from) {
        content.insert(to.to_owned(), media);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn a_second_media_type_becomes_a_twin() {
        let (document, _) = testing::run(
            run,
            testing::with_paths(json!({"/a": {"patch": {
                "operationId": "update_a", "responses": {},
                "requestBody": {"content": {
                    JSON: {"schema": {"type": "object"}},
                    JSON_PATCH: {"schema": {"type": "array", "items": {}}},
                }},
            }}})),
        );
        let paths = &document.root["paths"];
        let plain = &paths["/a"]["patch"];
        assert_eq!(
            plain["requestBody"]["content"],
            json!({JSON: {"schema": {"type": "object"}}})
        );
        let twin = &paths["/a/x-mkio-twin-json-patch"]["patch"];
        assert_eq!(twin["operationId"], "update_a_json_patch");
        assert_eq!(twin["x-mkio-content-type"], JSON_PATCH);
        assert_eq!(
            twin["requestBody"]["content"][JSON]["schema"]["type"],
            "array"
        );
    }

    #[test]
    fn two_unrelated_media_types_are_refused() {
        let document = testing::with_paths(json!({"/a": {"put": {
            "operationId": "a", "responses": {},
            "requestBody": {"content": {JSON: {}, "text/plain": {}}},
        }}}));
        let problem = run(document, &mut Changes::default()).unwrap_err();
        assert!(problem.found.contains("text/plain"), "{problem}");
    }
}
