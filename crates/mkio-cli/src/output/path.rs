//! Paths into JSON: `properties/state`, with `*` for any item.

use serde_json::{Map, Value};

/// All values at a path.
pub fn find<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let steps = path.split('/').filter(|step| !step.is_empty());
    steps.fold(vec![value], |at, step| {
        at.into_iter()
            .flat_map(|value| below(value, step))
            .collect()
    })
}

fn below<'v>(value: &'v Value, step: &str) -> Vec<&'v Value> {
    match (value, step) {
        (Value::Array(items), "*") => items.iter().collect(),
        (Value::Object(members), "*") => members.values().collect(),
        (Value::Array(items), step) => {
            let place = step.parse::<usize>().ok();
            place.and_then(|n| items.get(n)).into_iter().collect()
        }
        (Value::Object(members), step) => members.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The value at a path, in one line.
pub fn text(value: &Value, path: &str) -> String {
    let found = find(value, path);
    found.into_iter().map(plain).collect::<Vec<_>>().join(",")
}

/// A value without quotes; `null` is empty.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Paths of a resource's name.
pub const NAMES: [&str; 6] = ["name", "metadata/name", "id", "metadata/id", "kid", "email"];

/// Name of a resource: its name, or its id.
pub fn name_of(value: &Value) -> Option<String> {
    if let Value::String(text) = value {
        return Some(text.clone());
    }
    NAMES
        .iter()
        .map(|place| text(value, place))
        .find(|text| !text.is_empty())
}

/// All leaves of a value with their paths.
pub fn leaves(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

fn collect(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    let join = |step: &str| {
        if place.is_empty() {
            step.to_owned()
        } else {
            format!("{place}/{step}")
        }
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                collect(member, &join(name), found);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (n, item) in items.iter().enumerate() {
                collect(item, &join(&n.to_string()), found);
            }
        }
        Value::Null => {}
        leaf => found.push((place.to_owned(), plain(leaf))),
    }
}

/// The steps of a path that a person has written: at `/` where it has one, else at `.`.
///
/// So `properties/input/@odata.type` names a field with a dot.
pub fn steps(path: &str) -> impl Iterator<Item = &str> {
    let separator = if path.contains('/') { '/' } else { '.' };
    path.split(separator).filter(|step| !step.is_empty())
}

/// Removes the value at a path, if there is one.
pub fn remove(target: &mut Value, path: &str) {
    let steps: Vec<&str> = steps(path).collect();
    let Some((last, above)) = steps.split_last() else {
        return;
    };
    let above = above.iter().try_fold(target, |at, step| match at {
        Value::Object(members) => members.get_mut(*step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    });
    match above {
        Some(Value::Object(members)) => drop(members.remove(*last)),
        Some(Value::Array(items)) => {
            let place = last.parse::<usize>().ok();
            if let Some(place) = place.filter(|place| *place < items.len()) {
                items.remove(place);
            }
        }
        _ => {}
    }
}

/// Puts a value at a path, making the objects on the way; `n` or `+` is a place in a list.
pub fn put(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    put_as(target, path, value, |_| None)
}

/// The same with types: by the steps above, a new place is in a list or an object.
pub fn put_as(
    target: &mut Value,
    path: &str,
    value: Value,
    is_list: impl Fn(&[&str]) -> Option<bool>,
) -> Result<(), String> {
    let mut at = target;
    let all: Vec<&str> = steps(path).collect();
    for (n, step) in all.iter().copied().enumerate() {
        let place = step.parse::<usize>().ok();
        let looks_so = || step == "+" || place.is_some();
        let appends = at.is_null() && is_list(&all[..n]).unwrap_or_else(looks_so);
        if appends {
            *at = Value::Array(Vec::new());
        } else if at.is_null() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(members) => members.entry(step).or_insert(Value::Null),
            Value::Array(items) => {
                let place = place.unwrap_or(items.len());
                if place > items.len() {
                    return Err(format!("`{path}`: the list has {} items", items.len()));
                }
                if place == items.len() {
                    items.push(Value::Null);
                }
                &mut items[place]
            }
            _ => return Err(format!("`{path}`: there is a value above `{step}` already")),
        };
    }
    *at = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_and_put() {
        let value = json!({"a": {"b": [{"c": 1}, {"c": "x"}]}});
        assert_eq!(text(&value, "a/b/*/c"), "1,x");
        assert_eq!(text(&value, "a/b/1/c"), "x");
        assert_eq!(text(&value, "a/none"), "");
        let mut made = Value::Null;
        put(&mut made, "properties.list.0.name", json!("n")).unwrap();
        put(&mut made, "properties/list/+", json!(2)).unwrap();
        assert_eq!(made, json!({"properties": {"list": [{"name": "n"}, 2]}}));
        put(&mut made, "properties/input/@odata.type", json!("#x")).unwrap();
        assert_eq!(made["properties"]["input"], json!({"@odata.type": "#x"}));
        assert!(put(&mut made, "properties/list/7", json!(2)).is_err());
        assert!(put(&mut made, "properties/list/1/x", json!(2)).is_err());
    }

    #[test]
    fn leaves_have_their_paths() {
        let value = json!({"a": {"b": 1, "none": null}, "l": [1, 2], "o": [{"x": true}]});
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            leaves(&value),
            [pair("a/b", "1"), pair("l", "[1,2]"), pair("o/0/x", "true")]
        );
    }
}
