//! Problem: parameters are text on the wire, and documents give them every shape that a body can
//! have. This pass leaves numbers, flags, texts and enums as they are, and turns the others
//! into text: times, lists in one value, items of lists. Objects it refuses.

use serde_json::{Value, json};

use super::{limits::format_in_words, parameters::plain};
use crate::{
    document::{Document, append_description, operation_pointer, ref_name},
    report::Changes,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let named: std::collections::HashMap<String, Value> = document
        .schemas()
        .map(|(name, schema)| (name.to_owned(), schema.clone()))
        .collect();
    let mut refused = Vec::new();
    document.operations_mut(|path, method, operation| {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let schema = parameter.get("schema").cloned().unwrap_or_default();
            let one = resolve(&schema, &named);
            let words = match one.get("type").and_then(Value::as_str) {
                _ if is_object(one) => {
                    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                    refused.push((
                        format!(
                            "{}/parameters/{index}/schema",
                            operation_pointer(path, method)
                        ),
                        format!("the parameter {name:?} that is an object"),
                    ));
                    text(parameter);
                    continue;
                }
                Some("array") => list(parameter, one, &named),
                Some("integer" | "number" | "boolean") => continue,
                Some("string") if one.get("enum").is_some() => continue,
                Some("string") => {
                    let format = one.get("format").and_then(Value::as_str);
                    format.and_then(format_in_words)
                }
                _ => None,
            };
            if one["type"] != "array" && schema != json!({"type": "string"}) {
                text(parameter);
            }
            if let (Some(words), Some(parameter)) = (words, parameter.as_object_mut()) {
                append_description(parameter, &words);
            }
        }
    });
    for (pointer, found) in refused {
        changes.refuse(document.problem(
            pointer,
            found,
            "numbers, flags, texts, enums and lists of them; an overlay action that makes it a text",
        ));
    }
    document
}

fn text(parameter: &mut Value) {
    parameter["schema"] = json!({"type": "string"});
}

/// A list of a query is a repeated key; elsewhere, and where the document says so, it is one text.
fn list(
    parameter: &mut Value,
    schema: &Value,
    named: &std::collections::HashMap<String, Value>,
) -> Option<String> {
    let style = parameter["style"].as_str().unwrap_or("form");
    let exploded = parameter["explode"].as_bool().unwrap_or(style == "form");
    let repeated = parameter["in"] == "query" && exploded;
    let item = resolve(&schema["items"], named);
    let values = item["enum"].as_array().into_iter().flatten();
    let values: Vec<String> = values.map(|value| format!("`{}`", plain(value))).collect();
    let mut words = Vec::new();
    if repeated {
        parameter["schema"] = json!({"type": "array", "items": {"type": "string"}});
    } else {
        words.push(match style {
            "spaceDelimited" => "Values with a space between them.".to_owned(),
            "pipeDelimited" => "Values with `|` between them.".to_owned(),
            _ => "Comma-separated values.".to_owned(),
        });
        text(parameter);
    }
    if !values.is_empty() {
        words.push(format!("One of {}.", values.join(", ")));
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn resolve<'a>(
    schema: &'a Value,
    named: &'a std::collections::HashMap<String, Value>,
) -> &'a Value {
    let name = ref_name(schema).or_else(|| ref_name(&schema["allOf"][0]));
    name.and_then(|name| named.get(name)).unwrap_or(schema)
}

fn is_object(schema: &Value) -> bool {
    let union = schema.get(crate::marks::UNION).is_some();
    union || schema["type"] == "object" || schema.get("properties").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::with_paths;

    fn one(parameter: Value) -> (Value, Vec<String>) {
        let document =
            with_paths(json!({"/a/{p}": {"get": {"responses": {}, "parameters": [parameter]}}}));
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        let parameter = document.root["paths"]["/a/{p}"]["get"]["parameters"][0].clone();
        let problems = changes
            .problems()
            .iter()
            .map(|p| p.pointer.clone())
            .collect();
        (parameter, problems)
    }

    #[test]
    fn lists_are_repeated_only_where_the_document_says_so() {
        let list = json!({"type": "array", "items": {"type": "integer"}});
        let text = json!({"type": "string"});
        let texts = json!({"type": "array", "items": {"type": "string"}});
        for (place, style, explode, schema, words) in [
            ("query", None, None, &texts, ""),
            ("query", Some("form"), Some(false), &text, "Comma"),
            ("query", Some("pipeDelimited"), None, &text, "|"),
            ("query", Some("spaceDelimited"), Some(true), &texts, ""),
            ("query", Some("spaceDelimited"), None, &text, "space"),
            ("path", None, None, &text, "Comma"),
            ("header", Some("simple"), Some(true), &text, "Comma"),
        ] {
            let mut parameter = json!({"name": "p", "in": place, "schema": list});
            if let Some(style) = style {
                parameter["style"] = json!(style);
            }
            if let Some(explode) = explode {
                parameter["explode"] = json!(explode);
            }
            let (found, problems) = one(parameter);
            assert_eq!(found["schema"], *schema, "{found}");
            assert!(
                found["description"]
                    .as_str()
                    .unwrap_or_default()
                    .contains(words),
                "{found}"
            );
            assert!(problems.is_empty());
        }
    }

    #[test]
    fn times_are_text_and_objects_are_refused() {
        let time = json!({"name": "p", "in": "query", "schema": {"type": "string", "format": "date-time"}});
        let (found, _) = one(time);
        assert_eq!(found["schema"], json!({"type": "string"}));
        assert_eq!(
            found["description"],
            "A time, such as `2026-03-01T10:00:00Z`."
        );
        for kept in [
            json!({"type": "string", "enum": ["a"]}),
            json!({"type": "boolean"}),
        ] {
            let (found, _) = one(json!({"name": "p", "in": "query", "schema": kept}));
            assert_eq!(found["schema"], kept);
        }
        let object = json!({"name": "p", "in": "query", "schema": {"type": "object"}});
        assert_eq!(one(object).1, ["/paths/~1a~1{p}/get/parameters/0/schema"]);
    }
}
