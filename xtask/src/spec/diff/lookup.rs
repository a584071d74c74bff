//! Finding the parts of a document that are compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::entries;
use crate::spec::check::target_of;

const METHODS: [&str; 8] = [
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// An operation with what its path adds.
pub struct Operation<'a> {
    pub path: &'a str,
    pub item: &'a Map<String, Value>,
    pub value: &'a Map<String, Value>,
}

/// All operations by path (parameter names left out) and method.
pub fn operations(root: &Value) -> BTreeMap<(String, String), Operation<'_>> {
    let mut found = BTreeMap::new();
    for (path, item) in entries(root.get("paths")) {
        let Some(item) = item.as_object() else {
            continue;
        };
        let (template, _) = split_path(path);
        for method in METHODS {
            if let Some(value) = item.get(method).and_then(Value::as_object) {
                found.insert(
                    (template.clone(), method.to_uppercase()),
                    Operation { path, item, value },
                );
            }
        }
    }
    found
}

/// `/a/{b}` becomes `/a/{}` and its parameter names.
fn split_path(path: &str) -> (String, Vec<&str>) {
    let mut template = String::new();
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((head, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
        template.push_str(head);
        template.push_str("{}");
        names.push(name);
        rest = tail;
    }
    template.push_str(rest);
    (template, names)
}

/// Parameters by place and name, those of the path by position: their name can change.
pub fn parameters<'a>(
    root: &'a Value,
    operation: &Operation<'a>,
) -> BTreeMap<(String, String), &'a Value> {
    let (_, names) = split_path(operation.path);
    let mut found = BTreeMap::new();
    for holder in [operation.item, operation.value] {
        let list = holder.get("parameters").and_then(Value::as_array);
        for parameter in list.into_iter().flatten() {
            let Some(parameter) = resolve(root, parameter) else {
                continue;
            };
            let (place, mut name) = (text(parameter, "in"), text(parameter, "name").to_owned());
            if place == "path"
                && let Some(index) = names.iter().position(|known| *known == name)
            {
                name = format!("{index:03}");
            }
            found.insert((place.to_owned(), name), parameter);
        }
    }
    found
}

/// Follows references.
pub fn resolve<'a>(root: &'a Value, mut value: &'a Value) -> Option<&'a Value> {
    for _ in 0..64 {
        match value.get("$ref").and_then(Value::as_str) {
            Some(target) => value = target_of(root, target)?,
            None => return Some(value),
        }
    }
    None
}

/// A field that is text, empty when it is not there.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a parameter or body has to be sent.
pub fn required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

/// The schema of a parameter, which may stand under a media type.
pub fn schema_of(parameter: &Value) -> Option<&Value> {
    parameter.get("schema").or_else(|| {
        let (_, media) = entries(parameter.get("content")).next()?;
        media.get("schema")
    })
}

/// What stands under each media type.
pub fn media_types(holder: &Value) -> BTreeMap<String, &Value> {
    entries(holder.get("content"))
        .map(|(media, value)| (media.to_lowercase(), value))
        .collect()
}
