//! JSON Patch as the platform takes it: RFC 6902's add, remove and replace, and two operations of its own. Members of a list of
//! names are removed by name. A crate for RFC 6902 has neither.

use serde_json::{Map, Value, json};

use crate::base::error::ApiError;

/// Applies the entries in order; nothing is kept when one of them fails.
///
/// # Errors
/// 400 that names the entry which does not apply.
pub fn apply(target: &Value, patch: &Value) -> Result<Value, ApiError> {
    let mut out = target.clone();
    for (at, entry) in patch.as_array().into_iter().flatten().enumerate() {
        one(&mut out, entry)
            .map_err(|reason| ApiError::invalid("patch", vec![(format!("/{at}"), reason)]))?;
    }
    Ok(out)
}

fn one(target: &mut Value, entry: &Value) -> Result<(), String> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let path = text("path").unwrap_or_default();
    let value = || {
        entry
            .get("value")
            .cloned()
            .ok_or_else(|| "has no value".to_owned())
    };
    let search = || text("search").ok_or_else(|| "has no search".to_owned());
    match text("op").unwrap_or_default() {
        "add" => add(target, path, value()?),
        "remove" => remove(target, path),
        "replace" => {
            *find(target, path)? = value()?;
            Ok(())
        }
        "stringReplace" => {
            let (search, value) = (search()?, value()?);
            let with = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            each_string(find(target, path)?, &mut |text| {
                Value::String(text.replace(search, &with))
            });
            Ok(())
        }
        "numberReplace" => {
            let (search, value) = (search()?, value()?);
            let number = match &value {
                Value::Number(_) => value.clone(),
                other => other
                    .as_str()
                    .and_then(|text| serde_json::from_str::<Value>(text).ok())
                    .filter(Value::is_number)
                    .ok_or("its value must be a number")?,
            };
            each_string(find(target, path)?, &mut |text| {
                if text == search {
                    number.clone()
                } else {
                    json!(text)
                }
            });
            Ok(())
        }
        other => Err(format!("'{other}' is not an operation")),
    }
}

fn each_string(value: &mut Value, change: &mut dyn FnMut(&str) -> Value) {
    match value {
        Value::String(text) => *value = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| each_string(field, change)),
        _ => {}
    }
}

fn find<'a>(target: &'a mut Value, path: &str) -> Result<&'a mut Value, String> {
    target
        .pointer_mut(path)
        .ok_or_else(|| format!("there is nothing at '{path}'"))
}

fn split(path: &str) -> Result<(&str, String), String> {
    let (parent, name) = path
        .rsplit_once('/')
        .ok_or_else(|| format!("'{path}' is not a path below the root"))?;
    Ok((parent, name.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, name) = split(path)?;
    // An optional section such as `members` may not be there yet.
    if target.pointer(parent).is_none() {
        let holder = if name == "-" {
            Value::Array(Vec::new())
        } else {
            Value::Object(Map::new())
        };
        add(target, parent, holder)?;
    }
    match find(target, parent)? {
        Value::Object(fields) => {
            fields.insert(name, value);
            Ok(())
        }
        Value::Array(items) if name == "-" => {
            if !items.contains(&value) {
                items.push(value);
            }
            Ok(())
        }
        Value::Array(items) => match name.parse::<usize>() {
            Ok(at) if at <= items.len() => {
                items.insert(at, value);
                Ok(())
            }
            _ => Err(format!("'{name}' is not a place in the list at '{parent}'")),
        },
        _ => Err(format!("nothing can be added below '{parent}'")),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<(), String> {
    let (parent, name) = split(path)?;
    let gone = match find(target, parent)? {
        Value::Object(fields) => fields.shift_remove(&name).is_some(),
        Value::Array(items) => {
            let at = items
                .iter()
                .position(|item| item.as_str() == Some(&name))
                .or_else(|| name.parse::<usize>().ok().filter(|at| *at < items.len()));
            at.map(|at| items.remove(at)).is_some()
        }
        _ => false,
    };
    if gone {
        Ok(())
    } else {
        Err(format!("there is nothing at '{path}'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(patch: Value) -> Result<Value, String> {
        let team = json!({ "spec": { "members": { "u1": { "isTeamAdmin": false } }, "scopes": { "Organization": { "roles": ["Owner", "Reader"] } } } });
        apply(&team, &patch).map_err(|error| error.detail)
    }

    #[test]
    fn members_and_roles_by_name() {
        let changed = patched(json!([
            { "op": "add", "path": "/spec/members/u2", "value": { "isTeamAdmin": true } },
            { "op": "replace", "path": "/spec/members/u1/isTeamAdmin", "value": true },
            { "op": "remove", "path": "/spec/scopes/Organization/roles/Owner" },
            { "op": "add", "path": "/spec/scopes/Organization/roles/-", "value": "Contributor" },
        ]));
        let expected = json!({ "spec": {
            "members": { "u1": { "isTeamAdmin": true }, "u2": { "isTeamAdmin": true } },
            "scopes": { "Organization": { "roles": ["Reader", "Contributor"] } },
        } });
        assert_eq!(changed, Ok(expected));
    }

    #[test]
    fn the_platforms_own_operations() {
        let out = apply(
            &json!({ "a": ["x-1", "9"], "b": "keep 9" }),
            &json!([
                { "op": "stringReplace", "path": "", "search": "x", "value": "y" },
                { "op": "numberReplace", "path": "", "search": "9", "value": 4 },
            ]),
        );
        assert_eq!(out.ok(), Some(json!({ "a": ["y-1", 4], "b": "keep 9" })));
    }

    #[test]
    fn what_does_not_apply_names_the_entry() {
        for (patch, at) in [
            (json!([{ "op": "remove", "path": "/spec/members/u9" }]), "0"),
            (
                json!([{ "op": "remove", "path": "/spec/members/u1" }, { "op": "replace", "path": "/nothing", "value": 1 }]),
                "1",
            ),
            (json!([{ "op": "add", "path": "/spec/x" }]), "0"),
            (json!([{ "op": "move", "path": "/spec/x" }]), "0"),
            (json!([{ "op": "remove", "path": "" }]), "0"),
        ] {
            let Err(detail) = patched(patch) else {
                panic!("it does not apply")
            };
            assert!(detail.contains(&format!("valid: {at}: ")), "{detail}");
        }
    }
}
