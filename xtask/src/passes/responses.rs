//! Problem: progenitor panics when statuses have different bodies, or none next to some. This
//! pass writes one `2XX` (the richest body), `4XX` and `5XX` (the error body) for each operation.
//! An answer in a second format (`text/csv` next to JSON) becomes a twin operation
//! (`create_usage_report_csv`) that asks for that format.

use serde_json::{Map, Value, json};

use super::TWIN;
use crate::{
    document::{Document, Problem, append_description, ref_name},
    report::Changes,
};

const JSON: &str = "application/json";

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let sizes: std::collections::HashMap<String, usize> = document
        .schemas()
        .map(|(name, schema)| {
            let size = schema["properties"].as_object().map_or(0, Map::len);
            (name.to_owned(), size)
        })
        .collect();
    let richness = |schema: &Value| {
        ref_name(schema)
            .and_then(|name| sizes.get(name).copied())
            .or_else(|| schema["properties"].as_object().map(Map::len))
            .unwrap_or(0)
    };
    let mut twins = Vec::new();
    document.operations_mut(|path, method, operation| {
        let Some(Value::Object(declared)) = operation.get("responses").cloned() else {
            return;
        };
        let mut merged = Map::new();
        let mut bodies: Vec<(&str, &Value)> = Vec::new();
        let mut success = None;
        for (status, response) in &declared {
            if status.starts_with('2') {
                success.get_or_insert(response);
                for (media_type, media) in crate::document::entries(response.get("content")) {
                    bodies.push((media_type, media));
                }
            }
            for (class, range) in [('4', "4XX"), ('5', "5XX")] {
                if status.starts_with(class)
                    && let Some(schema) = response.pointer("/content/application~1json/schema")
                    && ref_name(schema).is_some()
                {
                    merged.entry(range).or_insert_with(|| {
                        json!({"description": "The call failed.", "content": {JSON: {"schema": schema}}})
                    });
                }
            }
        }
        let text = operation.get("description").and_then(Value::as_str);
        let said = text.is_some_and(|text| text.to_lowercase().contains("not implemented"));
        if success.is_none() && !said {
            append_description(operation, "Not implemented: the document declares no successful answer.");
        }
        let json_body = bodies
            .iter()
            .filter(|(media_type, _)| *media_type == JSON)
            .map(|(_, media)| media.get("schema").cloned().unwrap_or_else(|| json!({})))
            .max_by_key(richness);
        let others = bodies.iter().map(|(media_type, _)| *media_type).filter(|m| *m != JSON);
        let mut others: Vec<&str> = others.collect();
        others.dedup();
        let text = |media_type: &str| json!({media_type: {"schema": {"type": "string", "format": "binary"}}});
        let content = match (&json_body, others.first()) {
            (Some(schema), _) => json!({JSON: {"schema": schema}}),
            (None, Some(media_type)) => text(media_type),
            (None, None) => Value::Null,
        };
        if json_body.is_some() && others.contains(&"text/csv") {
            let mut twin = operation.clone();
            let id = twin.get("operationId").and_then(Value::as_str).unwrap_or_default();
            let id = format!("{id}_csv");
            twin.insert("operationId".to_owned(), json!(id));
            append_description(&mut twin, "The answer is the CSV text as it was received.");
            let mut responses = merged.clone();
            responses.insert("2XX".to_owned(), json!({"description": "OK", "content": text("text/csv")}));
            twin.insert("responses".to_owned(), Value::Object(responses));
            changes.note(format!("{method} {path}: twin {id}"));
            twins.push((format!("{path}{TWIN}csv"), method.to_owned(), twin));
        }
        let mut answer = json!({"description": "OK"});
        if !content.is_null() {
            answer["content"] = content;
        }
        merged.insert("2XX".to_owned(), answer);
        if declared.len() != merged.len() {
            changes.note(format!("{method} {path}: {} responses to {}", declared.len(), merged.len()));
        }
        operation.insert("responses".to_owned(), Value::Object(merged));
    });
    for (path, method, twin) in twins {
        document.root["paths"][path][method] = Value::Object(twin);
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn responses(responses: Value) -> (Value, Document) {
        let mut document = testing::with_paths(json!({"/a": {"post": {
            "operationId": "do", "responses": responses,
        }}}));
        document
            .schemas_mut()
            .insert("Big".into(), json!({"properties": {"a": {}, "b": {}}}));
        document
            .schemas_mut()
            .insert("Small".into(), json!({"properties": {"a": {}}}));
        let (document, _) = testing::run(run, document);
        (
            document.root["paths"]["/a"]["post"]["responses"].clone(),
            document,
        )
    }

    fn body(name: &str) -> Value {
        json!({"content": {JSON: {"schema": crate::document::reference(name)}}})
    }

    #[test]
    fn the_richest_body_wins_and_bodiless_twins_go() {
        let (merged, _) = responses(json!({
            "200": body("Small"), "201": body("Big"), "204": {},
            "400": body("Small"), "404": {}, "500": body("Small"),
        }));
        assert_eq!(
            ref_name(&merged["2XX"]["content"][JSON]["schema"]),
            Some("Big")
        );
        assert_eq!(merged.as_object().unwrap().len(), 3);
    }

    #[test]
    fn csv_next_to_json_is_a_twin() {
        let (merged, document) = responses(json!({"200": {"content": {
            JSON: {"schema": {}}, "text/csv": {}, "text/plain": {},
        }}}));
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
        let (merged, document) = responses(json!({"400": body("Small")}));
        assert_eq!(merged["2XX"]["description"], "OK");
        let description = &document.root["paths"]["/a"]["post"]["description"];
        assert!(description.as_str().unwrap().contains("Not implemented"));
    }
}
