//! Comparing and combining the JSON of a resource before and after an edit.

use serde_json::{Map, Value};

use super::Writing;
use crate::json::join;

/// The PATCH that turns `old` into `new`, without members that are as before.
///
/// An error names a member that was removed: leaving it out would keep it.
pub(super) fn difference(
    old: &Value,
    new: &Value,
    tags: &[&str],
    path: &str,
) -> Result<Value, String> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return Ok(new.clone());
    };
    if let Some(gone) = before.keys().find(|name| !after.contains_key(*name)) {
        let place = join(path, gone);
        return Err(format!(
            "`{place}` was removed, which a PATCH cannot express; set it to null or to another \
             value where its type allows that"
        ));
    }
    // The tag decides the type of a union, so it is sent as a whole.
    if tags
        .iter()
        .any(|tag| after.get(*tag).is_some_and(Value::is_string))
    {
        return Ok(new.clone());
    }
    let mut changed = Map::new();
    for (name, value) in after {
        match before.get(name) {
            Some(same) if same == value => {}
            Some(was) => {
                let value = difference(was, value, tags, &join(path, name))?;
                changed.insert(name.clone(), value);
            }
            None => {
                changed.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(Value::Object(changed))
}

/// Puts into `body` the members that the service sent and that no type knows: those that are in
/// `received` and not in `typed`, which is `received` as its type writes it. `old` is `body` before the
/// change.
pub(super) fn keep_unknown(body: &mut Value, old: &Value, received: &Value, typed: &Value) {
    match (body, received) {
        (Value::Object(body), Value::Object(received)) => {
            for (name, value) in received {
                let Some(seen) = typed.get(name) else {
                    // A null that the type leaves out says nothing.
                    if !value.is_null() && !body.contains_key(name) {
                        body.insert(name.clone(), value.clone());
                    }
                    continue;
                };
                if let Some(inner) = body.get_mut(name) {
                    let old = old.get(name).unwrap_or(&Value::Null);
                    keep_unknown(inner, old, value, seen);
                }
            }
        }
        (Value::Array(body), Value::Array(received)) => {
            let old = old.as_array().map_or(&[][..], Vec::as_slice);
            let same_length = body.len() == received.len() && old.len() == received.len();
            for (index, item) in body.iter_mut().enumerate() {
                // An item that was not changed is where it was, or has moved.
                let unchanged = old.iter().position(|old| old == item);
                let place = if old.get(index) == Some(item) {
                    Some(index)
                } else {
                    unchanged.or(same_length.then_some(index))
                };
                let Some(place) = place else { continue };
                if let (Some(received), Some(typed)) = (received.get(place), typed.get(place)) {
                    let was = old.get(place).cloned().unwrap_or_default();
                    keep_unknown(item, &was, received, typed);
                }
            }
        }
        _ => {}
    }
}

/// Takes out the members at some pointers, whose `*` stands for any item or member.
pub(super) fn leave_out(value: &mut Value, pointers: &[&str]) {
    for pointer in pointers {
        take_out(value, &steps(pointer));
    }
}

/// The steps of a JSON pointer; `*` stands for any item or name.
fn steps(pointer: &str) -> Vec<String> {
    let steps = pointer.split('/').skip(1);
    steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

fn take_out(value: &mut Value, steps: &[String]) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match (value, step.as_str()) {
        (Value::Array(items), "*") => items.iter_mut().for_each(|item| take_out(item, rest)),
        (Value::Object(members), "*") => members.values_mut().for_each(|of| take_out(of, rest)),
        (Value::Object(members), name) if rest.is_empty() => {
            members.remove(name);
        }
        (Value::Object(members), name) => {
            if let Some(member) = members.get_mut(name) {
                take_out(member, rest);
            }
        }
        _ => {}
    }
}

/// The first secret that writing `body` would remove: reads did not show it, and it was not set.
pub(super) fn lost_secret(body: &Value, received: &Value, writing: &Writing<'_>) -> Option<String> {
    if let Some(place) = stars(body, received, "") {
        return Some(place);
    }
    if writing.merges {
        return lost_in_list(body, received, writing);
    }
    let masked = writing.masked.iter();
    masked
        .copied()
        .find_map(|pointer| missing(body, &steps(pointer), ""))
}

/// The first secret that a PATCH would remove: it replaces a list as a whole, and what an item of the
/// list lacks is null in reads of items of that kind.
fn lost_in_list(body: &Value, received: &Value, writing: &Writing<'_>) -> Option<String> {
    writing.masked.iter().find_map(|pointer| {
        let steps = steps(pointer);
        let (name, above) = steps.split_last()?;
        let hidden = |of: &Map<String, Value>| of.get(name).is_none_or(Value::is_null);
        let read = holders(received, above);
        let lost = holders(body, above).into_iter().any(|of| {
            let same_kind = |was: &&Map<String, Value>| {
                writing.tags.iter().all(|tag| was.get(*tag) == of.get(*tag))
            };
            let mut read = read.iter().filter(|was| same_kind(was));
            hidden(of) && read.any(|was| was.get(name).is_some_and(Value::is_null))
        });
        let place = steps.iter().map(String::as_str).filter(|step| *step != "*");
        lost.then(|| place.collect::<Vec<_>>().join("."))
    })
}

/// The objects at a pointer that leads through a list.
fn holders<'a>(value: &'a Value, steps: &[String]) -> Vec<&'a Map<String, Value>> {
    fn walk<'a>(
        value: &'a Value,
        steps: &[String],
        in_list: bool,
        found: &mut Vec<&'a Map<String, Value>>,
    ) {
        let next = steps.split_first();
        match (value, next.map(|(step, rest)| (step.as_str(), rest))) {
            (Value::Object(members), None) if in_list => found.push(members),
            (Value::Array(items), Some(("*", rest))) => {
                items.iter().for_each(|item| walk(item, rest, true, found));
            }
            (Value::Object(members), Some(("*", rest))) => {
                members
                    .values()
                    .for_each(|of| walk(of, rest, in_list, found));
            }
            (Value::Object(members), Some((step, rest))) => {
                if let Some(member) = members.get(step) {
                    walk(member, rest, in_list, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, steps, false, &mut found);
    found
}

/// The first text that is as it was read, and nothing but asterisks.
fn stars(body: &Value, received: &Value, path: &str) -> Option<String> {
    match (body, received) {
        (Value::Object(body), Value::Object(received)) => body
            .iter()
            .find_map(|(name, value)| stars(value, received.get(name)?, &join(path, name))),
        (Value::Array(body), Value::Array(received)) => body
            .iter()
            .zip(received)
            .find_map(|(value, received)| stars(value, received, path)),
        (Value::String(text), Value::String(was)) => {
            let masked = text.len() > 2 && text.bytes().all(|byte| byte == b'*');
            (masked && text == was).then(|| path.to_owned())
        }
        _ => None,
    }
}

/// The place below `value` where the last step is missing although what holds it is there.
fn missing(value: &Value, steps: &[String], path: &str) -> Option<String> {
    let (step, rest) = steps.split_first()?;
    let within = |name: &str, found: Option<&Value>| {
        let place = join(path, name);
        match found {
            Some(found) if rest.is_empty() => found.is_null().then_some(place),
            Some(found) => missing(found, rest, &place),
            None => rest.is_empty().then_some(place),
        }
    };
    match (value, step.as_str()) {
        (Value::Array(items), "*") => items.iter().find_map(|item| missing(item, rest, path)),
        (Value::Object(members), "*") => members
            .iter()
            .find_map(|(name, member)| within(name, Some(member))),
        (Value::Object(members), name) => within(name, members.get(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_says_what_changed() {
        let old = json!({"a": 1, "b": {"c": 1, "d": [1, 2]}, "u": {"type": "x", "v": 1}});
        let new =
            json!({"a": 1, "b": {"c": 2, "d": [1, 2]}, "u": {"type": "x", "v": 2}, "n": null});
        assert_eq!(
            difference(&old, &new, &["type"], "").unwrap(),
            json!({"b": {"c": 2}, "u": {"type": "x", "v": 2}, "n": null})
        );
        let gone = difference(&old, &json!({"a": 1, "b": {"c": 1}}), &[], "spec").unwrap_err();
        assert!(gone.contains("`spec.u`"), "{gone}");
    }

    #[test]
    fn members_that_no_type_knows_are_kept_where_they_were() {
        let received = json!({
            "id": 7, "new": 1, "nothing": null, "labels": {"a": "b"},
            "list": [{"n": 1, "extra": "one"}, {"n": 2, "extra": "two"}],
        });
        let typed = json!({"id": 7, "labels": {"a": "b"}, "list": [{"n": 1}, {"n": 2}]});
        let old = json!({"labels": {"a": "b"}, "list": [{"n": 1}, {"n": 2}]});
        let mut body = json!({"labels": {}, "list": [{"n": 2}]});
        keep_unknown(&mut body, &old, &received, &typed);
        assert_eq!(
            body,
            json!({"labels": {}, "list": [{"n": 2, "extra": "two"}], "new": 1})
        );
        let mut body = json!({"list": [{"n": 1}, {"n": 3}]});
        keep_unknown(&mut body, &old, &received, &typed);
        assert_eq!(
            body,
            json!({"list": [{"n": 1, "extra": "one"}, {"n": 3, "extra": "two"}], "new": 1})
        );
        // Nothing shows which one it was.
        let mut body = json!({"list": [{"n": 3}]});
        keep_unknown(&mut body, &old, &received, &typed);
        assert_eq!(body, json!({"list": [{"n": 3}], "new": 1}));
    }

    #[test]
    fn members_that_the_service_alone_sets_are_left_out_wherever_they_are() {
        let mut value = json!({
            "id": 1, "name": "a", "keys": [{"id": 2, "tracks": []}, {"id": 3}], "by": {"x": {"id": 4, "n": 5}},
        });
        leave_out(
            &mut value,
            &["/id", "/keys/*/tracks", "/by/*/id", "/none/*/id"],
        );
        assert_eq!(
            value,
            json!({"name": "a", "keys": [{"id": 2}, {"id": 3}], "by": {"x": {"n": 5}}})
        );
    }

    #[test]
    fn a_patch_of_a_list_must_hold_the_secrets_of_its_items() {
        let writing = Writing {
            within: "",
            merges: true,
            tags: &["type"],
            masked: &["/options/*/key", "/plain/key"],
            read_only: &[],
        };
        let received = json!({
            "options": [{"type": "A", "key": null}, {"type": "B"}, {"type": "C", "key": "shown"}],
            "plain": {"key": null},
        });
        let lost = Some("options.key");
        for (body, expected) in [
            (json!({"plain": {"other": 1}}), None),
            (json!({"options": [{"type": "B"}]}), None),
            (json!({"options": [{"type": "C"}]}), None),
            (json!({"options": [{"type": "A", "key": "new"}]}), None),
            (json!({"options": [{"type": "B"}, {"type": "A"}]}), lost),
            (json!({"options": [{"type": "A", "key": null}]}), lost),
        ] {
            let found = lost_secret(&body, &received, &writing);
            assert_eq!(found.as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn secrets_that_would_be_lost_are_named() {
        let writing = Writing {
            within: "spec",
            merges: false,
            tags: &[],
            masked: &["/spec/list/*/key", "/spec/by/*/key", "/spec/authentication"],
            read_only: &[],
        };
        let body = |spec: Value| json!({ "spec": spec });
        let received = json!({"spec": {
            "password": "*****", "url": "***x", "rate": "**", "keys": [{"own": "***"}],
        }});
        for (spec, lost) in [
            (
                json!({"authentication": {}, "password": "*****"}),
                Some("spec.password"),
            ),
            (json!({"authentication": {}, "url": "***x"}), None),
            // Too short to stand for a secret.
            (json!({"authentication": {}, "rate": "**"}), None),
            (
                json!({"authentication": {}, "keys": [{"own": "***"}]}),
                Some("spec.keys.own"),
            ),
            (json!({"authentication": {}, "keys": [{"own": "k"}]}), None),
            (json!({"url": "u"}), Some("spec.authentication")),
            (json!({"authentication": null}), Some("spec.authentication")),
            (
                json!({"authentication": {}, "list": [{"key": "k"}, {}]}),
                Some("spec.list.key"),
            ),
            (json!({"authentication": {}, "list": []}), None),
            (
                json!({"authentication": {}, "by": {"a": {"key": "k"}, "b": {}}}),
                Some("spec.by.b.key"),
            ),
        ] {
            let found = lost_secret(&body(spec.clone()), &received, &writing);
            assert_eq!(found.as_deref(), lost, "{spec}");
        }
    }

    #[test]
    fn names_with_slashes_and_tildes_are_found() {
        let pointers = ["/a~1b/*/c~0d", "/~01"];
        let mut value = json!({"a/b": [{"c~d": 1, "kept": 2}], "~1": 3, "/": 4});
        leave_out(&mut value, &pointers);
        assert_eq!(value, json!({"a/b": [{"kept": 2}], "/": 4}));
        let writing = |merges| Writing {
            within: "",
            merges,
            tags: &[],
            masked: &pointers[..1],
            read_only: &[],
        };
        let with = |secret: Value| json!({"a/b": [{"c~d": secret}]});
        for merges in [false, true] {
            let lost = |body: &Value| lost_secret(body, &with(Value::Null), &writing(merges));
            let place = Some("a/b.c~d");
            assert_eq!(lost(&with(Value::Null)).as_deref(), place, "{merges}");
            assert_eq!(lost(&with(json!("hunter2"))), None, "{merges}");
        }
    }

    #[test]
    fn a_secret_in_a_map_of_an_item_is_missed_as_well() {
        let writing = Writing {
            within: "",
            merges: true,
            tags: &[],
            masked: &["/list/*/by/*/key"],
            read_only: &[],
        };
        let with = |key: Value| json!({"list": [{"by": {"a": {"n": 1, "key": key}}}]});
        let received = with(Value::Null);
        let lost = |body: Value| lost_secret(&body, &received, &writing);
        assert_eq!(lost(with(Value::Null)).as_deref(), Some("list.by.key"));
        assert_eq!(lost(with(json!("hunter2"))), None);
    }
}
