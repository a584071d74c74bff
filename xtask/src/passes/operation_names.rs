//! Problem: the published operation ids are `[get]_/api/v1/…`, which is no name. This pass derives
//! one from method and path, as REST reads:
//!
//! - GET on a collection `list_assets`, on an item `get_asset`, on its state `get_asset_state`;
//! - PUT `create_or_update_asset` when it declares 200 and 201, else `create_job`;
//! - PATCH `update_…`, DELETE `delete_…`, POST on a collection `create_…`;
//! - POST on an action `start_live_event`, `cancel_job`.
//!
//! A name never depends on the other operations of the document. Where the rule reads badly or
//! gives a name twice, the overlay decides with `x-mkio-name`.

use std::collections::HashMap;

use heck::ToSnakeCase;
use serde_json::{Map, Value};

use crate::{
    document::{Document, Problem, escape},
    names::{singular, snake_name},
    report::Changes,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let mut places: HashMap<String, String> = HashMap::new();
    let mut twice = None;
    document.operations_mut(|path, method, operation| {
        let pinned = operation.get("x-mkio-name").and_then(Value::as_str);
        let name = pinned.map_or_else(|| derive(method, path, operation), str::to_owned);
        let pointer = format!("/paths/{}/{method}", escape(path));
        if let Some(first) = places.insert(name.clone(), pointer.clone()) {
            twice.get_or_insert((pointer, name.clone(), first));
        }
        changes.note(format!("{} {path} -> {name}", method.to_uppercase()));
        operation.insert("operationId".to_owned(), Value::String(name));
    });
    match twice {
        Some((pointer, name, first)) => Err(document.problem(
            pointer,
            format!("the operation name {name:?}, which {first} has, too"),
            "unique names; give one of the two an `x-mkio-name` in the overlay",
        )),
        None => Ok(document),
    }
}

/// The name that the rule gives.
fn derive(method: &str, path: &str, operation: &Map<String, Value>) -> String {
    let segments = significant(path);
    let is_parameter = |segment: &str| segment.starts_with('{');
    let last = segments.last().copied().unwrap_or("root");
    // The resource that the last segment belongs to: the collection before the last parameter.
    let owner = segments
        .iter()
        .rposition(|segment| is_parameter(segment))
        .and_then(|index| index.checked_sub(1))
        .map(|index| snake_name(&singular(segments[index])));

    if is_parameter(last) {
        let item = owner.unwrap_or_else(|| snake_name(last));
        let verb = match method {
            "get" => "get",
            "put" if declares(operation, "200") && declares(operation, "201") => "create_or_update",
            "put" => "create",
            "patch" => "update",
            "delete" => "delete",
            other => other,
        };
        return format!("{verb}_{item}");
    }
    let plural = last.ends_with('s') && !last.ends_with("ss");
    match (method, owner) {
        ("get", Some(owner)) if !plural => format!("get_{owner}_{}", snake_name(last)),
        ("get", None) if !plural => format!("get_{}", snake_name(last)),
        ("get", _) => format!("list_{}", snake_name(last)),
        ("post", Some(owner)) if !plural || has_verb(last) => action(last, &owner),
        ("post", _) => format!("create_{}", snake_name(&singular(last))),
        ("put", _) => format!("set_{}", snake_name(last)),
        ("patch", _) => format!("update_{}", snake_name(last)),
        (verb, _) => format!("{verb}_{}", snake_name(last)),
    }
}

/// `start` on `live_event` is `start_live_event`, `listPaths` on `streaming_locator`
/// `list_streaming_locator_paths`, `cancelJob` on `job` `cancel_job`.
fn action(action: &str, owner: &str) -> String {
    let action = action.to_snake_case();
    if action.contains(owner) {
        return action;
    }
    match action.split_once('_') {
        Some((verb, rest)) => format!("{verb}_{owner}_{rest}"),
        None => format!("{action}_{owner}"),
    }
}

fn has_verb(action: &str) -> bool {
    ["list", "get", "cancel", "remove"]
        .iter()
        .any(|verb| action.starts_with(verb))
}

fn declares(operation: &Map<String, Value>, status: &str) -> bool {
    operation
        .get("responses")
        .is_some_and(|responses| responses.get(status).is_some())
}

/// The segments that name resources: without the API's prefix and the project.
fn significant(path: &str) -> Vec<&str> {
    let mut segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    for prefix in ["api", "v1"] {
        if segments.first() == Some(&prefix) {
            segments.remove(0);
        }
    }
    if let ["projects", "{project_name}", rest @ ..] = segments.as_slice()
        && let [
            api @ ("media" | "live" | "templating" | "fleet" | "infra"),
            ..,
        ] = rest
    {
        let skip = if api.is_empty() { 0 } else { 3 };
        segments.drain(..skip);
    }
    segments
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn names_read_as_rest_does() {
        let upsert = json!({"responses": {"200": {}, "201": {}}});
        let create = json!({"responses": {"201": {}}});
        let project = "/api/v1/projects/{project_name}/media";
        for (method, path, operation, name) in [
            ("get", "/assets", &create, "list_assets"),
            ("get", "/assets/{asset_name}", &create, "get_asset"),
            (
                "put",
                "/assets/{asset_name}",
                &upsert,
                "create_or_update_asset",
            ),
            ("put", "/transforms/{t}/jobs/{j}", &create, "create_job"),
            (
                "patch",
                "/streamingPolicies/{p}",
                &create,
                "update_streaming_policy",
            ),
            (
                "get",
                "/transforms/{t}/jobs/{j}/state",
                &create,
                "get_job_state",
            ),
            (
                "post",
                "/transforms/{t}/jobs/{j}/cancelJob",
                &create,
                "cancel_job",
            ),
            ("post", "/liveEvents/{e}/start", &create, "start_live_event"),
            (
                "post",
                "/streamingLocators/{l}/listPaths",
                &create,
                "list_streaming_locator_paths",
            ),
            (
                "post",
                "/storage/{s}/credentials",
                &create,
                "create_credential",
            ),
            (
                "get",
                "/assets/{asset_name}/storage/",
                &create,
                "get_asset_storage",
            ),
        ] {
            let operation = operation.as_object().unwrap();
            assert_eq!(derive(method, &format!("{project}{path}"), operation), name);
        }
    }

    #[test]
    fn a_name_given_twice_is_an_error_that_names_both() {
        let document = with_paths(json!({
            "/api/v1/projects/{project_name}/media/jobs": {"get": {"responses": {}}},
            "/api/v1/projects/{project_name}/media/transforms/{t}/jobs": {"get": {"responses": {}}},
        }));
        let problem = run(document, &mut Changes::default()).unwrap_err();
        assert!(problem.pointer.contains("transforms"), "{problem}");
        assert!(problem.found.contains("list_jobs"), "{problem}");
        assert!(problem.accepted.contains("x-mkio-name"), "{problem}");
    }

    #[test]
    fn the_overlay_decides() {
        let document = with_paths(json!({
            "/a": {"get": {"responses": {}, "x-mkio-name": "look"}}
        }));
        let document = run(document, &mut Changes::default()).unwrap();
        assert_eq!(document.root["paths"]["/a"]["get"]["operationId"], "look");
    }
}
