//! Merge-style changes, and fields that may not change.

use serde_json::{Map, Value};

/// Fields of `change` replace those of `target`, objects are merged. Null is kept: the documents allow it only where responses may
/// show it, and some demand it there.
pub fn merge(target: &mut Value, change: Value) {
    let Value::Object(change) = change else {
        *target = change;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else {
        return;
    };
    for (name, value) in change {
        merge(fields.entry(name).or_insert(Value::Null), value);
    }
}

/// Adds fields of `extra` to `target` where both are objects; other values of `extra` win.
pub fn overlay(target: &mut Value, extra: &Value) {
    match (target, extra) {
        (Value::Object(fields), Value::Object(extra)) => {
            for (name, value) in extra {
                overlay(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, extra) => *target = extra.clone(),
    }
}

/// Puts a value at a JSON pointer, making objects on the way. Does nothing where a non-object is in the way.
pub fn put(target: &mut Value, pointer: &str, value: Value) {
    let mut current = target;
    let mut parts = pointer.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        if current.is_null() {
            *current = Value::Object(Map::new());
        }
        let Some(fields) = current.as_object_mut() else {
            return;
        };
        if parts.peek().is_none() {
            fields.insert(part.to_owned(), value);
            return;
        }
        current = fields
            .entry(part.to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Takes the value at a JSON pointer away.
pub fn take(target: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/')?;
    target.pointer_mut(parent)?.as_object_mut()?.remove(name)
}

/// Pointers of the values that `change` would alter in `current`. Objects are compared field by field, everything else whole;
/// null and absence are the same.
pub fn differences(current: &Value, change: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(Some(current), change, String::new(), &mut found);
    found
}

fn collect(current: Option<&Value>, change: &Value, at: String, found: &mut Vec<String>) {
    match change {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(
                    current.and_then(|current| current.get(name)),
                    value,
                    format!("{at}/{name}"),
                    found,
                );
            }
        }
        Value::Null if current.is_none_or(Value::is_null) => {}
        value if current != Some(value) => found.push(at),
        _ => {}
    }
}

/// Whether a pointer is one of `places` or lies below one.
pub fn within(pointer: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        pointer
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merging_keeps_what_is_not_named_and_null_too() {
        let mut value = json!({ "metadata": { "displayName": "a", "labels": { "x": "1" } }, "spec": { "contentName": "c" } });
        merge(
            &mut value,
            json!({ "metadata": { "displayName": "b" }, "spec": { "contentName": null } }),
        );
        assert_eq!(
            value,
            json!({ "metadata": { "displayName": "b", "labels": { "x": "1" } }, "spec": { "contentName": null } })
        );
    }

    #[test]
    fn only_what_differs_is_named() {
        let current = json!({ "a": { "b": 1, "c": [1, 2] } });
        assert!(
            differences(
                &current,
                &json!({ "a": { "b": 1, "c": [1, 2], "d": null } })
            )
            .is_empty()
        );
        assert_eq!(
            differences(
                &current,
                &json!({ "a": { "b": 2, "c": [1] }, "e": { "f": 0 } })
            ),
            ["/a/b", "/a/c", "/e/f"]
        );
    }

    #[test]
    fn pointers_match_whole_names() {
        assert!(
            within("/spec/state", &["/spec/state"])
                && within("/spec/transform/type", &["/spec/transform"])
        );
        assert!(!within("/spec/states", &["/spec/state"]));
    }

    #[test]
    fn putting_makes_the_way_but_breaks_nothing() {
        let mut value = json!({ "a": 1 });
        put(&mut value, "/b/c", json!(2));
        put(&mut value, "/a/c", json!(2));
        assert_eq!(value, json!({ "a": 1, "b": { "c": 2 } }));
        assert_eq!(take(&mut value, "/b/c"), Some(json!(2)));
    }
}
