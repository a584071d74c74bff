//! Problem: the published operation ids are `[get]_/api/v1/…`, which is not a name. This pass derives
//! one from method and path, as REST reads:
//!
//! - GET on a collection `list_assets`, on an item `get_asset`, on its state `get_asset_state`;
//! - PUT `create_or_update_asset` when it declares 200 and 201, else `create_job`;
//! - PATCH `update_…`, DELETE `delete_…`, POST on a collection `create_…`;
//! - POST on an action `start_live_event`, `cancel_job`.
//!
//! A given id that reads as a name (`listPets`) is taken instead. A name never depends on the
//! other operations of the document. Where it reads badly or is given twice, the overlay decides
//! with `x-mkio-name`.

use std::collections::HashMap;

use heck::ToSnakeCase;
use serde_json::{Map, Value};

use crate::{
    document::{Document, operation_pointer},
    marks,
    names::{RESERVED_TYPES, singular, snake_name, type_name},
    report::Changes,
};

/// Methods that clients have besides those of the operations.
const METHODS: [&str; 8] = [
    "new",
    "transport",
    "with",
    "project",
    "client",
    "project_name",
    "clone",
    "from",
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut places: HashMap<String, String> = HashMap::new();
    let mut problems = Vec::new();
    let prefix = document.api.prefix.clone();
    let overlay = format!("spec/overlays/{}.yaml", document.api.name);
    document.operations_mut(|path, method, operation| {
        let pointer = operation_pointer(path, method);
        let pinned = operation.get(marks::NAME).and_then(Value::as_str);
        let mut name = match pinned {
            Some(pinned) => pinned.to_owned(),
            None => {
                given(operation, method).unwrap_or_else(|| derive(method, path, operation, &prefix))
            }
        };
        if name != snake_name(&name) || name.is_empty() {
            problems.push((
                pointer.clone(),
                format!(
                    "{} {name:?}, which is not a name of a function",
                    marks::NAME
                ),
                "a name in snake_case".to_owned(),
            ));
            name = snake_name(&name);
        }
        // Request builders are types, and clients have methods of their own.
        if METHODS.contains(&name.as_str()) || RESERVED_TYPES.contains(&type_name(&name).as_str()) {
            name.push_str("_operation");
        }
        // `get_a1` and `get_a_1` are two functions with one type for their requests.
        if let Some(first) = places.insert(type_name(&name), pointer.clone()) {
            problems.push((
                pointer,
                format!("the operation name {name:?}, which {first} has, too"),
                format!(
                    "a name of its own, by an action of the overlay {}: `operation: {} {}`, \
                     `update: {{{}: …}}`, `description: …`",
                    overlay,
                    method.to_uppercase(),
                    unnamed(&significant(path, &prefix)),
                    marks::NAME
                ),
            ));
            let mut number = 2;
            while places.contains_key(&type_name(&format!("{name}{number}"))) {
                number += 1;
            }
            name = format!("{name}{number}");
            places.insert(type_name(&name), String::new());
        }
        changes.note(format!("{} {path} -> {name}", method.to_uppercase()));
        operation.insert("operationId".to_owned(), Value::String(name));
    });
    for (pointer, found, accepted) in problems {
        changes.refuse(document.problem(pointer, found, accepted));
    }
    document
}

/// The document's own id, when a person has given it: words, and no path or method in them.
fn given(operation: &Map<String, Value>, method: &str) -> Option<String> {
    let id = operation.get("operationId")?.as_str()?;
    let words = id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c));
    let name = snake_name(id);
    let made = id.contains("__") || name.ends_with(&format!("_{method}"));
    (words && !made && id.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(name)
}

/// The name that the rule gives.
fn derive(method: &str, path: &str, operation: &Map<String, Value>, prefix: &str) -> String {
    let segments = significant(path, prefix);
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

/// The segments that name resources: without the API's prefix.
pub fn significant<'p>(path: &'p str, prefix: &str) -> Vec<&'p str> {
    let mut segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    if segments.first() == Some(&"api") {
        segments.remove(0);
    }
    let version = |segment: &&str| {
        let number = segment.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    if segments.first().is_some_and(version) {
        segments.remove(0);
    }
    let prefix: Vec<&str> = prefix.split('/').filter(|s| !s.is_empty()).collect();
    let same =
        |(own, wanted): (&&str, &&str)| own == wanted || (*wanted == "{}" && own.starts_with('{'));
    if segments.len() > prefix.len() && segments.iter().zip(&prefix).all(same) {
        segments.drain(..prefix.len());
    }
    segments
}

/// These segments as a path without the names of parameters, as overlays select operations.
pub fn unnamed(segments: &[&str]) -> String {
    let bare = |segment: &&str| {
        let around = segment
            .split_once('{')
            .and_then(|(before, rest)| Some((before, rest.rsplit_once('}')?.1)));
        match around {
            Some((before, after)) => format!("{before}{{}}{after}"),
            None => (*segment).to_owned(),
        }
    };
    segments.iter().map(bare).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        overlay::Overlay,
        passes::testing::{api, with_paths},
    };

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
            let prefix = &api().prefix;
            for (old, new) in [("v1", "v1"), ("v1", "v2"), ("{project_name}", "{project}")] {
                let path = format!("{project}{path}").replace(old, new);
                assert_eq!(derive(method, &path, operation, prefix), name);
            }
        }
    }

    #[test]
    fn paths_are_known_without_prefix_and_names() {
        let prefix = &api().prefix;
        for (path, known) in [
            ("/api/v1.2/projects/{p}/media/things/{id}", "things/{}"),
            ("/things/{id}.{format}/", "things/{}"),
            ("/things/a{id}b", "things/a{}b"),
            ("/vx/things", "vx/things"),
            ("/projects/list/media/things", "projects/list/media/things"),
            ("/projects/{p}/media", "projects/{}/media"),
        ] {
            assert_eq!(unnamed(&significant(path, prefix)), known);
        }
    }

    #[test]
    fn a_name_given_twice_is_an_error_that_names_both() {
        let clashing = || {
            with_paths(json!({
                "/api/v1/projects/{project_name}/media/jobs": {"get": {"responses": {}}},
                "/api/v1/projects/{project_name}/media/transforms/{t}/jobs": {"get": {"responses": {}}},
            }))
        };
        let mut changes = Changes::default();
        run(clashing(), &mut changes);
        let problem = &changes.problems()[0];
        assert!(problem.pointer.contains("transforms"), "{problem}");
        assert!(problem.found.contains("list_jobs"), "{problem}");
        // The action that the message names is one that works.
        let operation = "GET transforms/{}/jobs";
        assert!(problem.accepted.contains(operation), "{problem}");
        assert!(problem.accepted.contains("x-mkio-name"), "{problem}");
        let overlay = format!(
            "{{overlay: 1.0.0, info: {{}}, actions: [{{operation: {operation:?}, \
             update: {{x-mkio-name: list_jobs_of_transform}}, description: two lists}}]}}"
        );
        let overlay = Overlay::parse(&overlay).unwrap();
        let mut changes = Changes::default();
        let document = run(overlay.apply(clashing(), &mut changes), &mut changes);
        assert!(changes.problems().is_empty(), "{:?}", changes.problems());
        let ids: Vec<_> = document
            .operations()
            .iter()
            .map(|o| o.value["operationId"].clone())
            .collect();
        assert_eq!(ids, ["list_jobs", "list_jobs_of_transform"]);
    }

    #[test]
    fn given_ids_are_taken_when_they_are_names() {
        for (id, name) in [
            ("listPets", "list_pets"),
            ("get-stations", "get_stations"),
            ("Pets.find", "pets_find"),
            ("with", "with_operation"),
            ("option", "option_operation"),
            ("[get]_/a/things", "list_things"),
            ("read_items_a_items__get", "list_things"),
            ("things_get", "list_things"),
            ("GET /a/things", "list_things"),
        ] {
            let document =
                with_paths(json!({"/a/things": {"get": {"responses": {}, "operationId": id}}}));
            let document = run(document, &mut Changes::default());
            assert_eq!(
                document.root["paths"]["/a/things"]["get"]["operationId"], name,
                "{id}"
            );
        }
    }

    #[test]
    fn names_given_more_often_are_numbered() {
        let get = |name: &str| json!({"get": {"responses": {}, "x-mkio-name": name}});
        let mut changes = Changes::default();
        let paths = json!({"/a": get("look"), "/b": get("look"), "/c": get("look")});
        let document = run(with_paths(paths), &mut changes);
        let ids: Vec<_> = document
            .operations()
            .iter()
            .map(|o| o.value["operationId"].clone())
            .collect();
        assert_eq!(ids, ["look", "look2", "look3"]);
        assert_eq!(changes.problems().len(), 2);
    }

    #[test]
    fn the_overlay_gives_names_of_functions() {
        for name in ["Look", ""] {
            let mut changes = Changes::default();
            let paths = json!({"/a": {"get": {"responses": {}, "x-mkio-name": name}}});
            run(with_paths(paths), &mut changes);
            let problem = &changes.problems()[0];
            assert!(problem.accepted.contains("snake_case"), "{problem}");
        }
    }

    #[test]
    fn the_overlay_decides() {
        let document = with_paths(json!({
            "/a": {"get": {"responses": {}, "x-mkio-name": "look"}}
        }));
        let document = run(document, &mut Changes::default());
        assert_eq!(document.root["paths"]["/a"]["get"]["operationId"], "look");
    }
}
