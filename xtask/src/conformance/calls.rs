//! The calls that a program makes to try every operation of a document.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::sample::{self, Round, Sampler};
use crate::document::entries;

/// An operation of a document, one for each media type of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Lower-case HTTP method.
    pub method: &'a str,
    /// Path as the document has it.
    pub path: &'a str,
    /// Media type of the body, where there is one.
    pub media_type: Option<&'a str>,
}

/// One call, as the calling program reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    /// Name of the operation in Rust.
    pub operation: String,
    /// Parameters by the document's names; the body under `body`.
    pub arguments: Map<String, Value>,
}

/// An operation with the calls that try it.
#[derive(Debug)]
pub struct Plan<'a> {
    pub target: Target<'a>,
    /// Name of the operation in Rust; none when the generator does not know it.
    pub operation: Option<String>,
    pub calls: Vec<Call>,
    /// Why there is no call.
    pub problem: Option<String>,
}

/// Plans calls for every operation of a document.
pub fn plan<'a>(root: &'a Value, rust_id: &dyn Fn(Target<'_>) -> Option<String>) -> Vec<Plan<'a>> {
    let mut plans = Vec::new();
    for (path, item) in entries(root.get("paths")) {
        for (method, operation) in entries(Some(item)) {
            if !crate::document::METHODS.contains(&method) {
                continue;
            }
            let content = operation.pointer("/requestBody/content");
            let mut bodies: Vec<_> = entries(content).map(Some).collect();
            if bodies.is_empty() {
                bodies.push(None);
            }
            for body in bodies {
                let target = Target {
                    method,
                    path,
                    media_type: body.map(|(media_type, _)| media_type),
                };
                let schema = body.and_then(|(_, media)| media.get("schema"));
                let operation_id = rust_id(target);
                let made = arguments(root, item, operation, body.is_some(), schema);
                let (calls, problem) = match (made, &operation_id) {
                    (Ok(all), Some(name)) => {
                        let calls = all.into_iter().map(|arguments| Call {
                            operation: name.clone(),
                            arguments,
                        });
                        (calls.collect(), None)
                    }
                    (Err(error), _) => (Vec::new(), Some(format!("no valid value: {error}"))),
                    (_, None) => (Vec::new(), Some("no operation in Rust".to_owned())),
                };
                plans.push(Plan {
                    target,
                    operation: operation_id,
                    calls,
                    problem,
                });
            }
        }
    }
    plans
}

/// Sets of arguments: required ones alone, then all, one for each body.
fn arguments(
    root: &Value,
    item: &Value,
    operation: &Value,
    has_body: bool,
    schema: Option<&Value>,
) -> Result<Vec<Map<String, Value>>, String> {
    let mut bodies = match (has_body, schema) {
        (true, Some(schema)) => sample::samples(root, schema)?,
        (true, None) => vec![Value::String("text".to_owned())],
        (false, _) => vec![Value::Null, Value::Null],
    };
    // Optional parameters are tried with and without, also when there is one body only.
    if let [only] = bodies.as_slice() {
        bodies.push(only.clone());
    }
    let mut all = Vec::new();
    for (index, body) in bodies.into_iter().enumerate() {
        let round = Round {
            optional: index > 0,
            choice: index.saturating_sub(1),
        };
        let mut arguments = parameters(root, item, operation, round)?;
        if has_body {
            arguments.insert("body".to_owned(), body);
        }
        if !all.contains(&arguments) {
            all.push(arguments);
        }
    }
    Ok(all)
}

fn parameters(
    root: &Value,
    item: &Value,
    operation: &Value,
    round: Round,
) -> Result<Map<String, Value>, String> {
    let mut arguments = Map::new();
    let mut seen = BTreeSet::new();
    for holder in [operation, item] {
        for parameter in holder
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let parameter = match parameter.get("$ref").and_then(Value::as_str) {
                Some(target) => root
                    .pointer(target.trim_start_matches('#'))
                    .ok_or_else(|| format!("no parameter {target}"))?,
                None => parameter,
            };
            let text = |key: &str| {
                parameter
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let (name, place) = (text("name"), text("in"));
            let required = parameter.get("required") == Some(&Value::Bool(true));
            if !seen.insert((name, place)) || !(required || round.optional) {
                continue;
            }
            let empty = Value::Object(Map::new());
            let schema = parameter.get("schema").unwrap_or(&empty);
            let sampler = Sampler::new(root, round);
            // Free text of a query gets a plain word: its name can hold a `$`.
            let hint = name.trim_start_matches('$');
            let value = sampler
                .value(schema, hint, &mut Vec::new())
                .map_err(|error| format!("{place} parameter {name}: {error}"))?;
            arguments.insert(name.to_owned(), value);
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "paths": {"/things/{name}": {
                "parameters": [{"$ref": "#/components/parameters/name"}],
                "get": {
                    "parameters": [{"name": "$top", "in": "query", "schema": {"type": "integer"}}],
                    "responses": {"400": {}},
                },
                "patch": {
                    "requestBody": {"content": {
                        "application/json": {"schema": {"type": "object", "properties": {
                            "a": {"type": "string"}}}},
                        "application/json-patch+json": {"schema": {"type": "array", "items": {
                            "type": "object"}}},
                    }},
                    "responses": {"200": {}},
                },
            }},
            "components": {"parameters": {"name": {
                "name": "name", "in": "path", "required": true, "schema": {"type": "string"}}}},
        })
    }

    fn calls(plan: &Plan<'_>) -> Value {
        serde_json::to_value(&plan.calls).expect("JSON")
    }

    #[test]
    fn every_operation_and_media_type_has_its_calls() {
        let root = document();
        let plans = plan(&root, &|target| {
            let json_patch = target
                .media_type
                .is_some_and(|media| media.contains("patch"));
            Some(format!("{}_{}", target.method, json_patch))
        });
        let [get, patch, json_patch] = plans.as_slice() else {
            panic!("{plans:?}");
        };
        assert_eq!(
            calls(get),
            json!([
                {"operation": "get_false", "arguments": {"name": "name"}},
                {"operation": "get_false", "arguments": {"$top": 1, "name": "name"}},
            ])
        );
        assert_eq!(
            calls(patch),
            json!([
                {"operation": "patch_false", "arguments": {"name": "name", "body": {}}},
                {"operation": "patch_false", "arguments": {"name": "name", "body": {"a": "a"}}},
            ])
        );
        assert_eq!(json_patch.operation.as_deref(), Some("patch_true"));
        assert_eq!(
            json_patch.target.media_type,
            Some("application/json-patch+json")
        );
    }

    #[test]
    fn an_operation_that_cannot_be_called_says_why() {
        let mut root = document();
        root["components"]["parameters"]["name"]["schema"] =
            json!({"type": "string", "pattern": "^a$", "minLength": 2});
        let plans = plan(&root, &|_| Some("x".to_owned()));
        let problem = plans.first().and_then(|plan| plan.problem.clone());
        assert!(
            problem.is_some_and(|text| text.contains("path parameter name: no string")),
            "{plans:?}"
        );
        let root = document();
        let plans = plan(&root, &|_| None);
        assert!(
            plans
                .iter()
                .all(|plan| plan.calls.is_empty() && plan.problem.is_some())
        );
    }

    #[test]
    fn every_operation_of_the_cloud_documents_can_be_tried() {
        let workspace = crate::apis::Workspace::open(None).expect("the workspace");
        for api in super::super::selected(&workspace, &[]).expect("cloud APIs") {
            let name = &api.name;
            let text = std::fs::read_to_string(workspace.document(api)).expect("document");
            let root: Value = serde_json::from_str(&text).expect("JSON");
            let count = crate::document::Document::new(api.clone(), root.clone())
                .operations()
                .len();
            let plans = plan(&root, &|target| Some(format!("{target:?}")));
            let problems: Vec<_> = plans
                .iter()
                .filter_map(|plan| plan.problem.clone())
                .collect();
            assert_eq!(problems, Vec::<String>::new(), "{name}");
            assert!(
                plans.len() >= count,
                "{name} has {} operations",
                plans.len()
            );
        }
    }
}
