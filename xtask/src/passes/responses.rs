//! Problem: progenitor panics when statuses have different bodies, or none next to some. This
//! pass writes one `2XX` (the richest body), `4XX` and `5XX` (the error body) for each operation.
//! A response in a second format (`text/csv` next to JSON) becomes a twin operation
//! (`create_usage_report_csv`) that asks for that format.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, TWIN, append_description, entries, operation_pointer, ref_name},
    marks,
    media::{CSV, JSON, Kind, kind},
    report::Changes,
};

/// A body that a success may have.
struct Body<'a> {
    status: &'a str,
    media_type: &'a str,
    schema: Value,
}

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let sizes = Sizes::of(&document);
    let mut twins = Vec::new();
    let mut warnings = Vec::new();
    document.operations_mut(|path, method, operation| {
        let Some(Value::Object(declared)) = operation.get("responses").cloned() else {
            return;
        };
        let pointer = format!("{}/responses", operation_pointer(path, method));
        let mut merged = errors(&declared);
        let successes = successes(&declared);
        if successes.is_empty() {
            say_not_implemented(operation);
        }
        let bodies = bodies(&successes);
        let is_json = |body: &&Body<'_>| kind(body.media_type) == Ok(Kind::Json);
        let (json_bodies, others): (Vec<&Body<'_>>, Vec<&Body<'_>>) =
            bodies.iter().partition(is_json);
        let best = json_bodies
            .iter()
            .max_by_key(|body| sizes.of_schema(&body.schema));
        if let Some(best) = best {
            differing(&successes, &json_bodies, best, &pointer, &mut warnings);
            for body in others {
                if body.media_type == CSV {
                    let twin = csv_twin(operation, merged.clone());
                    changes.note(format!("{method} {path}: twin {}", twin["operationId"]));
                    twins.push((format!("{path}{TWIN}csv"), method.to_owned(), twin));
                } else {
                    let what = body.media_type;
                    changes.note(format!("{method} {path}: not asked for {what}"));
                }
            }
        }
        let response = match (best, bodies.first()) {
            (Some(body), _) => ok(Some(json!({JSON: {"schema": body.schema}}))),
            (None, Some(body)) => ok(Some(bytes(body.media_type))),
            (None, None) => ok(None),
        };
        merged.insert("2XX".to_owned(), response);
        if declared.len() != merged.len() {
            let (from, to) = (declared.len(), merged.len());
            changes.note(format!("{method} {path}: {from} responses to {to}"));
        }
        let statuses: Vec<_> = declared.keys().collect();
        operation.insert(marks::STATUSES.to_owned(), json!(statuses));
        operation.insert("responses".to_owned(), Value::Object(merged));
    });
    for (pointer, found) in warnings {
        changes.warn(document.problem(
            pointer,
            found,
            "one schema for all successes of an operation; an overlay action that removes or changes the others",
        ));
    }
    for (path, method, twin) in twins {
        document.root["paths"][path][method] = Value::Object(twin);
    }
    document
}

/// A success with this content.
fn ok(content: Option<Value>) -> Value {
    let mut response = json!({"description": "OK"});
    if let Some(content) = content {
        response["content"] = content;
    }
    response
}

/// The content of a response of bytes.
fn bytes(media_type: &str) -> Value {
    json!({media_type: {"schema": {"type": "string", "format": "binary"}}})
}

/// The operation that asks for CSV; `responses` has the errors.
fn csv_twin(
    operation: &Map<String, Value>,
    mut responses: Map<String, Value>,
) -> Map<String, Value> {
    let mut twin = operation.clone();
    let id = twin.get("operationId").and_then(Value::as_str);
    let id = format!("{}_csv", id.unwrap_or_default());
    twin.insert("operationId".to_owned(), json!(id));
    append_description(
        &mut twin,
        "The response is the CSV text as it was received.",
    );
    responses.insert("2XX".to_owned(), ok(Some(bytes(CSV))));
    twin.insert("responses".to_owned(), Value::Object(responses));
    twin
}

/// How many fields the named schemas have.
struct Sizes(HashMap<String, usize>);

impl Sizes {
    fn of(document: &Document) -> Self {
        let size = |schema: &Value| schema["properties"].as_object().map_or(0, Map::len);
        let sizes = document
            .schemas()
            .map(|(name, schema)| (name.to_owned(), size(schema)));
        Self(sizes.collect())
    }

    fn of_schema(&self, schema: &Value) -> usize {
        ref_name(schema)
            .and_then(|name| self.0.get(name).copied())
            .or_else(|| schema["properties"].as_object().map(Map::len))
            .unwrap_or(0)
    }
}

/// The responses that are a success: `default` only where there is no other.
fn successes(declared: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let of = |first: &str| -> Vec<(&str, &Value)> {
        let responses = declared
            .iter()
            .filter(|(status, _)| status.starts_with(first));
        responses
            .map(|(status, response)| (status.as_str(), response))
            .collect()
    };
    let twos = of("2");
    let errors = declared.keys().any(|status| status.starts_with(['4', '5']));
    if twos.is_empty() && !errors {
        of("default")
    } else {
        twos
    }
}

fn bodies<'a>(successes: &[(&'a str, &'a Value)]) -> Vec<Body<'a>> {
    let mut bodies = Vec::new();
    for &(status, response) in successes {
        for (media_type, media) in entries(response.get("content")) {
            let schema = media.get("schema").filter(|schema| schema.is_object());
            let schema = schema.cloned().unwrap_or_else(|| json!({}));
            // A range of types is JSON to a client that asks for JSON.
            match kind(media_type) {
                Ok(Kind::Any) => bodies.push(Body {
                    status,
                    media_type: JSON,
                    schema,
                }),
                Ok(_) => bodies.push(Body {
                    status,
                    media_type,
                    schema,
                }),
                Err(_) => {}
            }
        }
    }
    bodies
}

/// The bodies of errors.
fn errors(declared: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = Map::new();
    for (first, range) in [
        ("4", "4XX"),
        ("5", "5XX"),
        ("default", "4XX"),
        ("default", "5XX"),
    ] {
        for (status, response) in declared {
            if status.starts_with(first)
                && let Some(schema) = response.pointer("/content/application~1json/schema")
                && ref_name(schema).is_some()
                && !(first == "default"
                    && successes(declared)
                        .iter()
                        .any(|(status, _)| *status == "default"))
            {
                merged.entry(range).or_insert_with(|| {
                    json!({"description": "The call failed.", "content": {JSON: {"schema": schema}}})
                });
            }
        }
    }
    merged
}

fn say_not_implemented(operation: &mut Map<String, Value>) {
    let text = operation.get("description").and_then(Value::as_str);
    let said = text.is_some_and(|text| text.to_lowercase().contains("not implemented"));
    if !said {
        append_description(
            operation,
            "Not implemented: the document declares no successful response.",
        );
    }
}

/// Successes whose body differs from the one that is read, or that have none.
fn differing(
    successes: &[(&str, &Value)],
    bodies: &[&Body<'_>],
    best: &Body<'_>,
    pointer: &str,
    warnings: &mut Vec<(String, String)>,
) {
    for (status, _) in successes {
        let mut own = bodies
            .iter()
            .filter(|body| body.status == *status)
            .peekable();
        let found = if own.peek().is_none() {
            format!(
                "no JSON body, next to one of {}, which this response fails to decode as",
                best.status
            )
        } else if own.all(|body| body.schema != best.schema) {
            format!(
                "another body than that of {}, which this response is decoded as",
                best.status
            )
        } else {
            continue;
        };
        warnings.push((format!("{pointer}/{status}"), found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn responses(responses: Value) -> (Value, Document, Changes) {
        let mut document = testing::with_paths(json!({"/a": {"post": {
            "operationId": "do", "responses": responses,
        }}}));
        document
            .schemas_mut()
            .insert("Big".into(), json!({"properties": {"a": {}, "b": {}}}));
        document
            .schemas_mut()
            .insert("Small".into(), json!({"properties": {"a": {}}}));
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        (
            document.root["paths"]["/a"]["post"]["responses"].clone(),
            document,
            changes,
        )
    }

    fn body(name: &str) -> Value {
        json!({"content": {JSON: {"schema": crate::document::reference(name)}}})
    }

    fn schema_of(responses: &Value, range: &str) -> Option<String> {
        ref_name(&responses[range]["content"][JSON]["schema"]).map(str::to_owned)
    }

    #[test]
    fn the_richest_body_wins_and_what_it_does_not_fit_is_said() {
        let (merged, _, changes) = responses(json!({
            "200": body("Small"), "201": body("Big"), "202": body("Big"), "204": {},
            "400": body("Small"), "404": {}, "500": body("Small"),
        }));
        assert_eq!(schema_of(&merged, "2XX").as_deref(), Some("Big"));
        assert_eq!(merged.as_object().unwrap().len(), 3);
        assert_eq!(changes.notes(), ["post /a: 7 responses to 3"]);
        let warned: Vec<&str> = changes
            .warnings()
            .iter()
            .map(|w| w.pointer.as_str())
            .collect();
        let at = "/paths/~1a/post/responses";
        assert_eq!(warned, [format!("{at}/200"), format!("{at}/204")]);
        let (merged, ..) = responses(json!({"200": body("Big"), "201": body("Small")}));
        assert_eq!(schema_of(&merged, "2XX").as_deref(), Some("Big"));
    }

    #[test]
    fn default_is_the_error_next_to_a_success_and_the_response_alone() {
        let (merged, ..) = responses(json!({"200": body("Big"), "default": body("Small")}));
        assert_eq!(schema_of(&merged, "2XX").as_deref(), Some("Big"));
        assert_eq!(schema_of(&merged, "4XX").as_deref(), Some("Small"));
        assert_eq!(schema_of(&merged, "5XX").as_deref(), Some("Small"));
        let (merged, ..) = responses(json!({"default": body("Small")}));
        assert_eq!(schema_of(&merged, "2XX").as_deref(), Some("Small"));
        assert_eq!(schema_of(&merged, "4XX"), None);
    }

    #[test]
    fn other_names_for_json_are_json() {
        for name in [
            "application/json; charset=utf-8",
            "application/hal+json",
            "*/*",
        ] {
            let (merged, ..) = responses(
                json!({"200": {"content": {name: {"schema": crate::document::reference("Big")}}}}),
            );
            assert_eq!(schema_of(&merged, "2XX").as_deref(), Some("Big"), "{name}");
        }
    }

    #[test]
    fn csv_next_to_json_is_a_twin() {
        let (merged, document, changes) = responses(json!({"200": {"content": {
            JSON: {"schema": {}}, "text/csv": {}, "text/plain": {},
        }}}));
        assert_eq!(
            changes.notes(),
            [
                "post /a: twin \"do_csv\"",
                "post /a: not asked for text/plain"
            ]
        );
        assert!(merged["2XX"]["content"].get(JSON).is_some());
        let twin = &document.root["paths"]["/a/x-mkio-twin-csv"]["post"];
        assert_eq!(twin["operationId"], "do_csv");
        assert!(
            twin["responses"]["2XX"]["content"]
                .get("text/csv")
                .is_some()
        );
    }

    #[test]
    fn no_success_declared_is_said() {
        let (merged, document, _) = responses(json!({"400": body("Small")}));
        assert_eq!(merged["2XX"]["description"], "OK");
        let description = &document.root["paths"]["/a"]["post"]["description"];
        assert!(description.as_str().unwrap().contains("Not implemented"));
    }
}
