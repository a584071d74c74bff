//! Problem: progenitor panics on an operation with two request media types, and knows no JSON
//! Patch. This pass keeps one media type per operation; a JSON Patch or merge patch next to a JSON
//! body becomes an operation of its own (`update_live_event_json_patch`) on a twin path, whose mark
//! the generated code drops. The media type to send stays in `x-mkio-content-type`.

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, TWIN, append_description, escape, operation_pointer},
    marks,
    media::{BYTES, JSON, JSON_PATCH, Kind, MERGE_PATCH, essence, kind},
    report::Changes,
};

/// Bodies that get an operation of their own next to plain JSON: the end of its name, and a
/// description.
const TWINS: [(&str, &str, &str); 2] = [
    (
        JSON_PATCH,
        "json_patch",
        "The body is a JSON Patch: a list of changes.",
    ),
    (
        MERGE_PATCH,
        "merge_patch",
        "The body is a JSON Merge Patch: the fields to change, null to remove one.",
    ),
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut twins = Vec::new();
    let mut ignored = Vec::new();
    document.operations_mut(|path, method, operation| {
        let Some(body) = operation
            .get_mut("requestBody")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        // progenitor treats every declared body as required; the request's template decides whether it
        // may be left out.
        if let Some(declared) = body.get("required").cloned() {
            body.insert(marks::REQUIRED.to_owned(), declared);
        }
        let content = match body.get("content") {
            Some(Value::Object(content)) if !content.is_empty() => content.clone(),
            _ => {
                operation.shift_remove("requestBody");
                return;
            }
        };
        let pointer = format!("{}/requestBody/content", operation_pointer(path, method));
        let kept = keep(&content);
        for name in content.keys().filter(|name| !kept.contains(name)) {
            ignored.push(format!("{pointer}/{}", escape(name)));
        }
        for (index, name) in kept.iter().enumerate() {
            let mut operation_of_one = operation.clone();
            set_content(&mut operation_of_one, name, &content[*name]);
            if index == 0 {
                if essence(name) != JSON {
                    changes.note(format!("{method} {path}: {name}"));
                }
                continue;
            }
            let Some((_, end, what)) = TWINS.iter().find(|(known, ..)| *known == essence(name))
            else {
                continue;
            };
            let id = operation.get("operationId").and_then(Value::as_str);
            let id = format!("{}_{end}", id.unwrap_or_default());
            changes.note(format!("{method} {path}: twin {id}"));
            operation_of_one.insert("operationId".to_owned(), json!(id));
            append_description(&mut operation_of_one, what);
            let path = format!("{path}{TWIN}{}", end.replace('_', "-"));
            twins.push((path, method.to_owned(), operation_of_one));
        }
        let first = kept.first().map_or("", |name| name.as_str()).to_owned();
        if let Some(media) = content.get(&first) {
            set_content(operation, &first, media);
        }
    });
    warn(&document, ignored, changes);
    for (path, method, twin) in twins {
        document.root["paths"][path][method] = Value::Object(twin);
    }
    document
}

fn warn(document: &Document, ignored: Vec<String>, changes: &mut Changes) {
    for pointer in ignored {
        changes.warn(document.problem(
            pointer,
            "a second media type of the body, which is not sent",
            "one media type, or application/json with JSON Patch or merge patch; an overlay action that removes it",
        ));
    }
}

/// The media types that get code: plain JSON first, and patches; else the first that can be sent.
fn keep(content: &Map<String, Value>) -> Vec<&String> {
    let is = |wanted: &'static str| content.keys().find(move |name| essence(name) == wanted);
    let mut kept: Vec<&String> = is(JSON).into_iter().collect();
    kept.extend(TWINS.iter().filter_map(|(name, ..)| is(name)));
    if kept.is_empty() {
        let of = |wanted: Kind| content.keys().find(move |name| kind(name) == Ok(wanted));
        kept.extend(
            of(Kind::Json)
                .or_else(|| of(Kind::Form))
                .or_else(|| of(Kind::Bytes)),
        );
    }
    kept
}

/// Gives an operation this body alone, under a media type that progenitor knows.
fn set_content(operation: &mut Map<String, Value>, name: &str, media: &Value) {
    let json_body = matches!(kind(name), Ok(Kind::Json | Kind::Form));
    let mut media = media.clone();
    if !json_body || media.get("schema").is_none_or(|schema| !schema.is_object()) {
        let schema = if json_body {
            json!({})
        } else {
            json!({"type": "string", "format": "binary"})
        };
        media = json!({ "schema": schema });
    }
    let known = if json_body { JSON } else { BYTES };
    if name != known {
        operation.insert(marks::CONTENT_TYPE.to_owned(), json!(name));
    }
    if let Some(body) = operation.get_mut("requestBody") {
        body["content"] = json!({ known: media });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn patched(content: Value) -> (Document, Changes) {
        let document = testing::with_paths(json!({"/a": {"patch": {
            "operationId": "update_a", "responses": {}, "requestBody": {"content": content},
        }}}));
        let mut changes = Changes::default();
        (run(document, &mut changes), changes)
    }

    #[test]
    fn a_second_media_type_becomes_a_twin() {
        let (document, changes) = patched(json!({
            JSON_PATCH: {"schema": {"type": "array", "items": {}}},
            JSON: {"schema": {"type": "object"}},
            MERGE_PATCH: {"schema": {"type": "object"}},
        }));
        assert!(changes.warnings().is_empty());
        let paths = &document.root["paths"];
        let plain = &paths["/a"]["patch"];
        assert_eq!(
            plain["requestBody"]["content"],
            json!({JSON: {"schema": {"type": "object"}}})
        );
        assert!(plain.get(marks::CONTENT_TYPE).is_none());
        let twin = &paths["/a/x-mkio-twin-json-patch"]["patch"];
        assert_eq!(twin["operationId"], "update_a_json_patch");
        assert_eq!(twin[marks::CONTENT_TYPE], JSON_PATCH);
        assert_eq!(
            twin["requestBody"]["content"][JSON]["schema"]["type"],
            "array"
        );
        let twin = &paths["/a/x-mkio-twin-merge-patch"]["patch"];
        assert_eq!(twin[marks::CONTENT_TYPE], MERGE_PATCH);
    }

    #[test]
    fn a_media_type_of_its_own_is_sent() {
        for (name, known) in [
            (MERGE_PATCH, JSON),
            ("application/vnd.acme+json", JSON),
            ("application/gzip", BYTES),
            ("text/plain", BYTES),
            ("application/x-www-form-urlencoded", JSON),
        ] {
            let (document, changes) = patched(json!({name: {"schema": {"type": "string"}}}));
            let operation = &document.root["paths"]["/a"]["patch"];
            assert_eq!(operation[marks::CONTENT_TYPE], name);
            let mut schema = json!({"type": "string"});
            if known == BYTES {
                schema["format"] = json!("binary");
            }
            let content = json!({known: {"schema": schema}});
            assert_eq!(operation["requestBody"]["content"], content, "{name}");
            assert_eq!(changes.notes(), [format!("patch /a: {name}")]);
        }
    }

    #[test]
    fn a_body_is_what_can_be_written_best() {
        for (names, best) in [
            (["text/plain", "application/vnd.acme+json"], 1),
            (["text/plain", "application/x-www-form-urlencoded"], 1),
            (["text/plain", "application/gzip"], 0),
        ] {
            let (document, _) = patched(json!({names[0]: {}, names[1]: {}}));
            let operation = &document.root["paths"]["/a"]["patch"];
            assert_eq!(operation[marks::CONTENT_TYPE], names[best]);
        }
        let (document, changes) = patched(json!({}));
        assert!(
            document.root["paths"]["/a"]["patch"]
                .get("requestBody")
                .is_none()
        );
        assert_eq!(changes.len(), 0);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let (document, changes) = patched(json!({JSON: {}, "text/plain": {}}));
        let body = &document.root["paths"]["/a"]["patch"]["requestBody"];
        assert_eq!(body["content"], json!({JSON: {"schema": {}}}));
        assert_eq!(changes.len(), 0);
        let warning = &changes.warnings()[0];
        assert_eq!(
            warning.pointer,
            "/paths/~1a/patch/requestBody/content/text~1plain"
        );
    }
}
