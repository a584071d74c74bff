//! Every `$ref` leads somewhere, and none leads back to itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Checker, child, plain, target_of};

/// Keys whose values are examples and the like: data, not structure.
const DATA: [&str; 4] = ["default", "enum", "const", "example"];
/// Keys whose children are named by the document's author.
const NAMED: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];

pub(super) fn check(checker: &mut Checker<'_>) {
    let mut found = Vec::new();
    collect(checker.root, "", false, &mut found);
    for (pointer, target) in found {
        let Some(target) = target.as_str() else {
            checker.problem(&pointer, plain(target), "a string such as #/components/…");
            continue;
        };
        if !target.starts_with('#') {
            checker.problem(
                &pointer,
                format!("a reference out of the document, {target:?}"),
                "a reference inside it, #/components/…",
            );
        } else if target_of(checker.root, target).is_none() {
            checker.problem(
                &pointer,
                format!("a reference to nothing, {target:?}"),
                near(checker.root, target),
            );
        }
    }
    cycles(checker);
}

/// Collects the references below a value with the pointers to them.
fn collect<'a>(value: &'a Value, pointer: &str, names: bool, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let pointer = child(pointer, key);
                if names {
                    collect(inner, &pointer, false, found);
                } else if key == "$ref" {
                    found.push((pointer, inner));
                } else if !DATA.contains(&key.as_str()) && !key.starts_with("x-") {
                    // Named examples may be references; their content is data.
                    if key == "examples" {
                        for (name, example) in inner.as_object().into_iter().flatten() {
                            if let Some(target) = example.get("$ref") {
                                found.push((format!("{}/$ref", child(&pointer, name)), target));
                            }
                        }
                    } else {
                        collect(inner, &pointer, NAMED.contains(&key.as_str()), found);
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{index}"), false, found);
            }
        }
        _ => {}
    }
}

/// The known names of that kind, the closest first.
fn near(root: &Value, target: &str) -> String {
    let Some((section, name)) = target.trim_start_matches('#').rsplit_once('/') else {
        return "a reference to a part of the document".to_owned();
    };
    let Some(Value::Object(known)) = root.pointer(section) else {
        return "a reference to something under /components".to_owned();
    };
    let closest = known
        .keys()
        .map(|key| {
            (
                similar::TextDiff::from_chars(key.as_str(), name).ratio(),
                key,
            )
        })
        .filter(|(ratio, _)| *ratio > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match closest {
        Some((_, key)) => format!("a name under {section}, such as {key:?}"),
        None => format!("a name under {section}"),
    }
}

/// A named schema that is made of itself has no finite form.
fn cycles(checker: &mut Checker<'_>) {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, schema) in super::fields(
        checker.root.get("components").unwrap_or(&Value::Null),
        "schemas",
    ) {
        let mut targets = BTreeSet::new();
        parts(schema, &mut targets);
        edges.insert(name, targets);
    }
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        let mut trail = Vec::new();
        if let Some(cycle) = find_cycle(start, &edges, &mut trail, &mut done) {
            let pointer = child("/components/schemas", start);
            checker.problem(
                &pointer,
                format!("a schema made of itself: {}", cycle.join(" -> ")),
                "allOf and $ref that end (put the reference into a property)",
            );
        }
    }
}

/// The named schemas whose fields are this schema's own: by `$ref` or by `allOf`.
fn parts<'a>(schema: &'a Value, targets: &mut BTreeSet<&'a str>) {
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(name) = target.and_then(|target| target.strip_prefix("#/components/schemas/")) {
        targets.insert(name);
    }
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        parts(part, targets);
    }
}

/// Follows the edges with a stack of its own, so that long chains are not a problem.
fn find_cycle<'a>(
    start: &'a str,
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    trail: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let mut stack = vec![(start, 0)];
    while let Some((name, depth)) = stack.pop() {
        done.extend(trail.drain(depth..));
        if let Some(first) = trail.iter().position(|seen| *seen == name) {
            let mut cycle: Vec<_> = trail.iter().skip(first).copied().collect();
            cycle.push(name);
            done.extend(trail.iter().copied());
            return Some(cycle);
        }
        if done.contains(name) {
            continue;
        }
        trail.push(name);
        for next in edges.get(name).into_iter().flatten() {
            stack.push((next, depth + 1));
        }
    }
    done.extend(trail.iter().copied());
    None
}
