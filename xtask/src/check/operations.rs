//! Paths, operations, parameters, bodies and responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Checker, child, fields, kind, plain};
use crate::document::entries;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
const PATH_ITEM_KEYS: [&str; 5] = ["$ref", "summary", "description", "servers", "parameters"];
const LOCATIONS: [&str; 4] = ["path", "query", "header", "cookie"];

pub(super) fn check(checker: &mut Checker<'_>) {
    let root = checker.root;
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut templates: BTreeMap<String, &str> = BTreeMap::new();
    let mut count = 0_usize;
    for (path, item) in fields(root, "paths").filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = child("/paths", path);
        let names = path_names(checker, &pointer, path);
        if let Some(other) = templates.insert(without_names(path), path) {
            checker.problem(
                &pointer,
                format!("a path that differs from {other:?} in parameter names only"),
                "one entry for each path",
            );
        }
        // The check of references reports one that leads nowhere.
        let Some(item) = resolve_copy(checker, item) else {
            continue;
        };
        let Some(item) = item.as_object() else {
            checker.problem(&pointer, kind(&item), "an object of operations");
            continue;
        };
        for (key, operation) in item {
            let pointer = child(&pointer, key);
            if PATH_ITEM_KEYS.contains(&key.as_str()) || key.starts_with("x-") {
                continue;
            }
            if !METHODS.contains(&key.as_str()) {
                checker.problem(&pointer, format!("{key:?}"), "an HTTP method in lower case");
                continue;
            }
            let Some(operation) = operation.as_object() else {
                checker.problem(&pointer, kind(operation), "an operation object");
                continue;
            };
            count += 1;
            check_id(checker, &pointer, operation, &mut ids);
            check_parameters(checker, &pointer, item, operation, &names);
            if let Some(body) = operation.get("requestBody") {
                check_body(checker, &child(&pointer, "requestBody"), body);
            }
            check_responses(checker, &pointer, operation);
            check_security(checker, &pointer, operation.get("security"));
        }
    }
    check_security(checker, "", root.get("security"));
    if count == 0 {
        checker.problem("/paths", "no operation", "one operation at least");
    }
}

/// An operation's id is text that no other operation has; `ids` has those so far, with their places.
fn check_id(
    checker: &mut Checker<'_>,
    pointer: &str,
    operation: &Map<String, Value>,
    ids: &mut BTreeMap<String, String>,
) {
    let Some(id) = operation.get("operationId") else {
        return;
    };
    let place = child(pointer, "operationId");
    let Some(id) = id.as_str().filter(|id| !id.is_empty()) else {
        return checker.problem(&place, plain(id), "a string that is not empty");
    };
    if let Some(other) = ids.insert(id.to_owned(), pointer.to_owned()) {
        checker.problem(
            &place,
            format!("{id:?}, which {other} has too"),
            "an id that no other operation has",
        );
    }
}

/// The names in braces of a path.
fn path_names<'a>(checker: &mut Checker<'_>, pointer: &str, path: &'a str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    if !path.starts_with('/') {
        checker.problem(
            pointer,
            format!("path {path:?}"),
            "a path that starts with /",
        );
    }
    let mut rest = path;
    while let Some(start) = rest.find(['{', '}']) {
        let after = rest.get(start..).unwrap_or_default();
        let name = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .filter(|(name, _)| !name.is_empty() && !name.contains(['{', '/']));
        let Some((name, tail)) = name else {
            checker.problem(
                pointer,
                format!("path {path:?}"),
                "each parameter as {name}, braces closed within the segment",
            );
            return names;
        };
        if !names.insert(name) {
            checker.problem(
                pointer,
                format!("{{{name}}} twice"),
                "each parameter once in a path",
            );
        }
        rest = tail;
    }
    names
}

fn without_names(path: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for c in path.chars() {
        inside = (inside || c == '{') && c != '}';
        if !inside {
            plain.push(c);
        }
    }
    plain
}

fn check_parameters(
    checker: &mut Checker<'_>,
    pointer: &str,
    item: &Map<String, Value>,
    operation: &Map<String, Value>,
    in_path: &BTreeSet<&str>,
) {
    let mut declared = BTreeSet::new();
    let path_pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    for (own, holder, holder_pointer) in [(true, operation, pointer), (false, item, path_pointer)] {
        let list_pointer = child(holder_pointer, "parameters");
        let list = match holder.get("parameters") {
            None => continue,
            Some(Value::Array(list)) => list,
            Some(other) => {
                checker.problem(&list_pointer, kind(other), "an array of parameters");
                continue;
            }
        };
        let mut here = BTreeSet::new();
        for (index, parameter) in list.iter().enumerate() {
            let pointer = format!("{list_pointer}/{index}");
            // The check of references reports an unresolved `$ref`.
            let Some(parameter) = resolve_copy(checker, parameter) else {
                continue;
            };
            let Some(parameter) = parameter.as_object() else {
                checker.problem(&pointer, kind(&parameter), "a parameter object");
                continue;
            };
            let Some((name, place)) = check_parameter(checker, &pointer, parameter) else {
                continue;
            };
            if !here.insert((name.to_owned(), place.to_owned())) {
                checker.problem(
                    &pointer,
                    format!("{place} parameter {name:?} twice"),
                    "each parameter once",
                );
            }
            if place == "path" {
                if own && !in_path.contains(name) {
                    checker.problem(
                        &pointer,
                        format!("path parameter {name:?}, which the path does not have"),
                        format!("one of the path's: {}", listed(in_path)),
                    );
                }
                declared.insert(name.to_owned());
            }
        }
    }
    for name in in_path.iter().filter(|name| !declared.contains(**name)) {
        checker.problem(
            pointer,
            format!("{{{name}}} in the path without a parameter"),
            format!("a parameter with name {name:?} and in: path"),
        );
    }
}

/// One parameter by itself; its name and place, where it has both.
fn check_parameter<'a>(
    checker: &mut Checker<'_>,
    pointer: &str,
    parameter: &'a Map<String, Value>,
) -> Option<(&'a str, &'a str)> {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str);
    let name = text("name").filter(|name| !name.is_empty());
    let Some((name, place)) = name.zip(text("in")) else {
        checker.problem(
            pointer,
            "a parameter without name or in",
            "name and in, both strings",
        );
        return None;
    };
    if !LOCATIONS.contains(&place) {
        checker.problem(
            &child(pointer, "in"),
            format!("{place:?}"),
            "path, query, header or cookie",
        );
    }
    let is_object = |key: &str| parameter.get(key).is_some_and(Value::is_object);
    if !is_object("schema") && !is_object("content") {
        checker.problem(pointer, "a parameter without schema", "a schema object");
    }
    if place == "path" && parameter.get("required") != Some(&Value::Bool(true)) {
        checker.problem(
            pointer,
            format!("path parameter {name:?} that is not required"),
            "required: true",
        );
    }
    Some((name, place))
}

/// The value behind a reference, as an owned copy so that problems can be added meanwhile.
fn resolve_copy(checker: &Checker<'_>, value: &Value) -> Option<Value> {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => checker
            .resolve(super::target_of(checker.root, target)?)
            .cloned(),
        None => Some(value.clone()),
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "none here".to_owned();
    }
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

fn check_body(checker: &mut Checker<'_>, pointer: &str, body: &Value) {
    let Some(body) = resolve_copy(checker, body) else {
        return;
    };
    match body.get("content") {
        Some(Value::Object(content)) if !content.is_empty() => {
            check_content(checker, &child(pointer, "content"), content);
        }
        Some(other) => checker.problem(
            &child(pointer, "content"),
            plain(other),
            "an object with one media type at least",
        ),
        None => checker.problem(pointer, "a body without content", "content by media type"),
    }
}

fn check_content(checker: &mut Checker<'_>, pointer: &str, content: &Map<String, Value>) {
    for (media, value) in content {
        let pointer = child(pointer, media);
        let essence = media.split(';').next().unwrap_or_default();
        let parts: Vec<_> = essence.trim().split('/').collect();
        if !matches!(parts.as_slice(), [one, two] if !one.is_empty() && !two.is_empty()) {
            checker.problem(
                &pointer,
                format!("media type {media:?}"),
                "type/subtype, such as application/json",
            );
        }
        if !value.is_object() {
            checker.problem(&pointer, kind(value), "an object with a schema");
        }
    }
}

fn check_responses(checker: &mut Checker<'_>, pointer: &str, operation: &Map<String, Value>) {
    let pointer = child(pointer, "responses");
    let accepted = "an object of responses by status";
    let responses = match operation.get("responses") {
        Some(Value::Object(responses)) if !responses.is_empty() => responses,
        Some(other) => return checker.problem(&pointer, plain(other), accepted),
        // OpenAPI 3.1 does not require it.
        None if checker.version_3_1 => return,
        None => return checker.problem(&pointer, "nothing", accepted),
    };
    for (status, response) in responses.iter().filter(|(key, _)| !key.starts_with("x-")) {
        let pointer = child(&pointer, status);
        if !is_status(status) {
            checker.problem(
                &pointer,
                format!("status {status:?}"),
                "100 to 599, 1XX to 5XX, or default",
            );
        }
        let Some(response) = resolve_copy(checker, response) else {
            continue;
        };
        if !response.is_object() {
            checker.problem(&pointer, kind(&response), "a response object");
            continue;
        }
        if !response.get("description").is_some_and(Value::is_string) {
            checker.problem(&pointer, "no description", "a string (it may be empty)");
        }
        match response.get("content") {
            None => {}
            Some(Value::Object(content)) => {
                check_content(checker, &child(&pointer, "content"), content);
            }
            Some(other) => {
                checker.problem(&child(&pointer, "content"), kind(other), "an object");
            }
        }
    }
}

fn is_status(status: &str) -> bool {
    if status == "default" {
        return true;
    }
    let mut chars = status.chars();
    let first = chars.next().is_some_and(|c| ('1'..='5').contains(&c));
    let rest: String = chars.collect();
    first && (rest == "XX" || (rest.len() == 2 && rest.chars().all(|c| c.is_ascii_digit())))
}

fn check_security(checker: &mut Checker<'_>, pointer: &str, security: Option<&Value>) {
    let Some(security) = security else { return };
    let pointer = child(pointer, "security");
    let Some(alternatives) = security.as_array() else {
        return checker.problem(&pointer, kind(security), "an array of requirements");
    };
    let schemes = checker.root.pointer("/components/securitySchemes");
    for (index, alternative) in alternatives.iter().enumerate() {
        for (name, _) in entries(Some(alternative)) {
            if schemes.and_then(|schemes| schemes.get(name)).is_none() {
                checker.problem(
                    &format!("{pointer}/{index}"),
                    format!("unknown security scheme {name:?}"),
                    "a name under /components/securitySchemes",
                );
            }
        }
    }
}
