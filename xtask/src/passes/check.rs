//! Problem: progenitor panics on documents it does not understand. This pass looks first and
//! says where, what, and what would be accepted.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    document::{Document, METHODS, Problem, entries, escape, ref_name},
    report::Changes,
};

/// Request and response media types that the generator can handle.
const MEDIA_TYPES: [&str; 8] = [
    "application/json",
    "application/json-patch+json",
    "application/octet-stream",
    "application/gzip",
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/csv",
    "image/jpeg",
];

pub fn run(document: Document, _: &mut Changes) -> Result<Document, Problem> {
    version(&document)?;
    info(&document)?;
    paths(&document)?;
    references(&document, &document.root, "")?;
    cycles(&document)?;
    Ok(document)
}

fn version(document: &Document) -> Result<(), Problem> {
    let accepted = "openapi 3.0.x or 3.1.x";
    match document.root.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0.") || version.starts_with("3.1.") => Ok(()),
        Some(version) => {
            Err(document.problem("/openapi", format!("version {version:?}"), accepted))
        }
        None => {
            let found = match document.root.get("swagger").and_then(Value::as_str) {
                Some(version) => format!("OpenAPI {version} (`swagger`)"),
                None => "no `openapi` version".to_owned(),
            };
            Err(document.problem("", found, accepted))
        }
    }
}

fn info(document: &Document) -> Result<(), Problem> {
    for key in ["title", "version"] {
        let pointer = format!("/info/{key}");
        let text = document.root.pointer(&pointer).and_then(Value::as_str);
        // The version becomes a header value and part of the file banner.
        if !text.is_some_and(|text| !text.is_empty() && text.is_ascii()) {
            return Err(document.problem(
                pointer,
                text.map_or("nothing".to_owned(), |text| format!("{text:?}")),
                "non-empty ASCII text",
            ));
        }
    }
    Ok(())
}

fn paths(document: &Document) -> Result<(), Problem> {
    if !document.root.get("paths").is_some_and(Value::is_object) {
        return Err(document.problem("/paths", "no table of paths", "an object"));
    }
    for (path, item) in entries(document.root.get("paths")) {
        let pointer = format!("/paths/{}", escape(path));
        if item.get("$ref").is_some() {
            return Err(document.problem(
                pointer,
                "a `$ref` to a path item",
                "the path item itself",
            ));
        }
        for (key, operation) in entries(Some(item)) {
            let pointer = format!("{pointer}/{}", escape(key));
            match key {
                "summary" | "description" | "parameters" | "servers" => {}
                key if key.starts_with("x-") => {}
                method if METHODS.contains(&method) => content(document, operation, &pointer)?,
                other => {
                    return Err(document.problem(
                        pointer,
                        format!("method {other:?}"),
                        METHODS.join(", "),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn content(document: &Document, operation: &Value, pointer: &str) -> Result<(), Problem> {
    if !operation.get("responses").is_some_and(Value::is_object) {
        return Err(document.problem(
            format!("{pointer}/responses"),
            "no table of responses",
            "an object with at least one response",
        ));
    }
    let responses = entries(operation.get("responses"))
        .map(|(status, response)| (format!("{pointer}/responses/{status}"), response));
    let body = operation
        .get("requestBody")
        .map(|body| (format!("{pointer}/requestBody"), body));
    for (pointer, holder) in responses.chain(body) {
        for (media_type, _) in entries(holder.get("content")) {
            let plain = media_type.split(';').next().unwrap_or_default().trim();
            if !MEDIA_TYPES.contains(&plain) {
                return Err(document.problem(
                    format!("{pointer}/content/{}", escape(media_type)),
                    format!("media type {media_type:?}"),
                    MEDIA_TYPES.join(", "),
                ));
            }
        }
    }
    Ok(())
}

fn references(document: &Document, value: &Value, pointer: &str) -> Result<(), Problem> {
    match value {
        Value::Object(object) => {
            if let Some(target) = object.get("$ref").and_then(Value::as_str) {
                let known = ref_name(value).is_some_and(|name| document.schema(name).is_some());
                if !known {
                    return Err(document.problem(
                        format!("{pointer}/$ref"),
                        format!("a reference to {target:?}, which does not exist"),
                        "`#/components/schemas/…` of this document",
                    ));
                }
            }
            object.iter().try_for_each(|(key, child)| {
                references(document, child, &format!("{pointer}/{}", escape(key)))
            })
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, child)| {
            references(document, child, &format!("{pointer}/{index}"))
        }),
        _ => Ok(()),
    }
}

/// A schema that contains itself through `allOf` or bare references has no shape.
fn cycles(document: &Document) -> Result<(), Problem> {
    for (name, _) in document.schemas() {
        let mut seen = HashSet::new();
        let mut next = vec![name];
        while let Some(current) = next.pop() {
            let Some(schema) = document.schema(current) else {
                continue;
            };
            for part in parts(schema) {
                if part == name {
                    return Err(document.problem(
                        format!("/components/schemas/{}", escape(name)),
                        "an `allOf` that contains itself",
                        "composition without a cycle",
                    ));
                }
                if seen.insert(part) {
                    next.push(part);
                }
            }
        }
    }
    Ok(())
}

/// The named schemas that a schema is made of.
fn parts(schema: &Value) -> Vec<&str> {
    let all = schema.get("allOf").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .flat_map(parts)
        .chain(ref_name(schema))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::{document, with_paths, with_schemas};

    fn problem(document: Document) -> Problem {
        run(document, &mut Changes::default()).unwrap_err()
    }

    #[test]
    fn openapi_2_is_named() {
        let problem = problem(document(json!({"swagger": "2.0"})));
        assert!(problem.found.contains("2.0"), "{problem}");
        assert!(problem.accepted.contains("3.1"), "{problem}");
    }

    #[test]
    fn an_unknown_reference_is_named_with_its_place() {
        let problem = problem(with_schemas(json!({
            "A": {"properties": {"x/y": {"$ref": "#/components/schemas/Gone"}}}
        })));
        assert_eq!(
            problem.pointer,
            "/components/schemas/A/properties/x~1y/$ref"
        );
        assert!(problem.found.contains("Gone"), "{problem}");
    }

    #[test]
    fn a_cyclic_all_of_is_named() {
        let problem = problem(with_schemas(json!({
            "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
            "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}
        })));
        assert_eq!(problem.pointer, "/components/schemas/A");
    }

    #[test]
    fn a_property_may_refer_to_its_own_type() {
        let document = with_schemas(json!({
            "A": {"properties": {"child": {"$ref": "#/components/schemas/A"}}}
        }));
        assert!(run(document, &mut Changes::default()).is_ok());
    }

    #[test]
    fn an_unsupported_media_type_is_named() {
        let problem = problem(with_paths(json!({"/a": {"put": {
            "requestBody": {"content": {"application/xml": {}}}, "responses": {}
        }}})));
        assert_eq!(
            problem.pointer,
            "/paths/~1a/put/requestBody/content/application~1xml"
        );
    }
}
