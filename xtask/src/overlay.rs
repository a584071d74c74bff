//! OpenAPI Overlay 1.0: our corrections of a document, each with its reason.
//!
//! An action selects places with JSONPath (RFC 9535) and merges an `update` into them or removes
//! them. Stricter than the standard: every action has a `description`, the reason. An action that
//! matches nothing is an error, so that corrections do not outlive their cause. An action that
//! replaces a value names it under `replaces`, so that a new value of the service is not replaced
//! in silence. One more key: `operation` selects an operation by method and path, without the API's prefix
//! and the names of parameters (`GET storage/{}/credentials`), which then is `$` to the target.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::{
    document::{Document, Problem, escape, operation_pointer},
    passes::operation_names::{significant, unnamed},
    report::Changes,
};

/// An overlay document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    overlay: String,
    #[allow(unused, reason = "required by the standard, for people to read")]
    info: Value,
    actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    target: Option<String>,
    description: String,
    #[serde(default)]
    update: Option<Value>,
    /// The value that the update replaces, with its structure.
    #[serde(default)]
    replaces: Option<Value>,
    #[serde(default)]
    remove: bool,
}

/// The problem of an action: the text that was found, and the one that would be accepted.
type Wrong = (String, String);

impl Overlay {
    /// Reads an overlay from YAML.
    pub fn parse(text: &str) -> Result<Self> {
        let overlay: Self = serde_norway::from_str(text)
            .context("not an OpenAPI Overlay document (overlay, info, actions)")?;
        anyhow::ensure!(
            overlay.overlay.starts_with("1."),
            "overlay version {:?}: only 1.x is understood",
            overlay.overlay
        );
        Ok(overlay)
    }

    /// Applies all actions in order; reports those that cannot be applied.
    pub fn apply(&self, mut document: Document, changes: &mut Changes) -> Document {
        for (index, action) in self.actions.iter().enumerate() {
            let problem = |(found, accepted): Wrong| Problem {
                api: document.api.name.clone(),
                pointer: format!("overlay /actions/{index} ({})", action.description),
                found,
                accepted,
            };
            let mut pointers = match action.places(&document) {
                Ok(pointers) => pointers,
                Err(wrong) => {
                    changes.refuse(problem(wrong));
                    continue;
                }
            };
            let count = pointers.len();
            changes.note(format!("{count} place(s): {}", action.description));
            let mut replaced = Vec::new();
            let mut changed = false;
            // Later places first: removing an array element moves the elements after it.
            pointers.reverse();
            for pointer in &pointers {
                match &action.update {
                    Some(update) => {
                        if let Some(target) = document.root.pointer_mut(pointer) {
                            let mut merge = Merge {
                                replaced: Vec::new(),
                                changed: false,
                            };
                            merge.run(target, update, action.replaces.as_ref(), "");
                            changed |= merge.changed;
                            replaced.extend(
                                merge
                                    .replaced
                                    .into_iter()
                                    .map(|(at, old)| (format!("{pointer}{at}"), old)),
                            );
                        }
                    }
                    None => {
                        changed = true;
                        remove(&mut document.root, pointer);
                    }
                }
            }
            for (at, old) in replaced {
                changes.refuse(problem((
                    format!("{old} at {at}, which `replaces` does not say"),
                    format!("an update of a missing value, or `replaces` with {old}; remove the action if the document was corrected"),
                )));
            }
            if !changed {
                changes.warn(problem((
                    "an update that changes nothing: the document says the same".to_owned(),
                    "no action where the document was corrected".to_owned(),
                )));
            }
        }
        document
    }
}

impl Action {
    /// Pointers to the places that it changes; one at least.
    fn places(&self, document: &Document) -> Result<Vec<String>, Wrong> {
        if self.update.is_some() == self.remove {
            return Err((
                "an action with both or neither of update and remove".to_owned(),
                "exactly one of the two".to_owned(),
            ));
        }
        let target = match (&self.operation, &self.target) {
            (None, None) => {
                return Err((
                    "an action with neither operation nor target".to_owned(),
                    "one of the two".to_owned(),
                ));
            }
            (_, target) => target.as_deref().unwrap_or("$"),
        };
        let path = JsonPath::parse(target).map_err(|error| {
            (
                format!("target {target:?}: {error}"),
                "a JSONPath expression (RFC 9535)".to_owned(),
            )
        })?;
        let base = match &self.operation {
            Some(operation) => find(document, operation)?,
            None => String::new(),
        };
        let root = document.root.pointer(&base).unwrap_or(&Value::Null);
        let mut pointers: Vec<String> = path
            .query_located(root)
            .locations()
            .map(|location| format!("{base}{}", location.to_json_pointer()))
            .collect();
        // Each place once, in the order of arrays, whatever the path says.
        pointers.sort_by_cached_key(|pointer| order(pointer));
        pointers.dedup();
        if pointers.is_empty() {
            let operation = self.operation.as_ref();
            let of = operation
                .map(|operation| format!(" of {operation:?}"))
                .unwrap_or_default();
            return Err((
                format!("target {target:?}{of}, which matches nothing"),
                "a target that exists in the document; remove the action if the document was corrected".to_owned(),
            ));
        }
        Ok(pointers)
    }
}

/// Pointer to the operation that a method and a path without prefix and parameter names mean.
fn find(document: &Document, text: &str) -> Result<String, Wrong> {
    let form = "GET, PUT, POST, PATCH or DELETE and a path, for example \"GET things/{}\"";
    let Some((method, wanted)) = text.split_once(' ') else {
        return Err((format!("operation {text:?}"), form.to_owned()));
    };
    let method = method.to_lowercase();
    let wanted: Vec<&str> = wanted.split('/').filter(|part| !part.is_empty()).collect();
    let wanted = unnamed(&wanted);
    let operations = document.operations();
    let found: Vec<_> = operations
        .iter()
        .filter(|operation| operation.method == method)
        .filter(|operation| unnamed(&significant(operation.path, &document.api.prefix)) == wanted)
        .collect();
    match found[..] {
        [one] => Ok(operation_pointer(one.path, one.method)),
        [] => Err((
            format!("operation {text:?}, which the document does not have"),
            format!("{form}, without the API's prefix; remove the action if the operation is gone"),
        )),
        [..] => Err((
            format!(
                "operation {text:?}, which the document has {} times",
                found.len()
            ),
            "a `target` with the whole path".to_owned(),
        )),
    }
}

/// Objects merge key by key, arrays grow, everything else is replaced.
struct Merge {
    /// Values that were replaced and are not in `replaces`, with their places.
    replaced: Vec<(String, Value)>,
    changed: bool,
}

impl Merge {
    fn run(&mut self, target: &mut Value, update: &Value, replaces: Option<&Value>, at: &str) {
        match (target, update) {
            (Value::Object(target), Value::Object(update)) => {
                for (key, value) in update {
                    let said = replaces.and_then(|replaces| replaces.get(key));
                    match target.get_mut(key) {
                        Some(existing) => {
                            self.run(existing, value, said, &format!("{at}/{}", escape(key)))
                        }
                        None => {
                            self.changed = true;
                            target.insert(key.clone(), value.clone());
                        }
                    }
                }
            }
            (Value::Array(target), Value::Array(update)) => {
                let new: Vec<Value> = update
                    .iter()
                    .filter(|value| !target.contains(value))
                    .cloned()
                    .collect();
                self.changed |= !new.is_empty();
                target.extend(new);
            }
            (Value::Array(target), update) => {
                if !target.contains(update) {
                    self.changed = true;
                    target.push(update.clone());
                }
            }
            (target, update) => {
                if target == update {
                    return;
                }
                if replaces != Some(&*target) {
                    self.replaced.push((at.to_owned(), target.clone()));
                }
                self.changed = true;
                *target = update.clone();
            }
        }
    }
}

/// The parts of a pointer, with their place in an array.
fn order(pointer: &str) -> Vec<(Option<usize>, String)> {
    let parts = pointer.split('/');
    parts
        .map(|part| (part.parse().ok(), part.to_owned()))
        .collect()
}

fn remove(root: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match root.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.shift_remove(&key);
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = key.parse() {
                items.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::{document, with_paths};

    fn overlay(actions: &str) -> Overlay {
        let text = format!("overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n{actions}");
        Overlay::parse(&text).unwrap()
    }

    fn apply(actions: &str, document: Document) -> (Value, Changes) {
        let mut changes = Changes::default();
        let document = overlay(actions).apply(document, &mut changes);
        (document.root, changes)
    }

    #[test]
    fn updates_merge_and_removals_remove() {
        let (root, changes) = apply(
            "  - target: $.a\n    description: why\n    update: {b: {d: 2}, e: [3]}\n  - target: $.f[?@ > 1]\n    description: why\n    remove: true",
            document(json!({"a": {"b": {"c": 1}, "e": [1]}, "f": [1, 2, 3]})),
        );
        assert_eq!((changes.problems(), changes.warnings()), (&[][..], &[][..]));
        assert_eq!(
            root,
            json!({"a": {"b": {"c": 1, "d": 2}, "e": [1, 3]}, "f": [1]})
        );
    }

    #[test]
    fn places_are_removed_once_in_whatever_order_they_are_named() {
        let action = "  - target: $.f[2,0,10,2]\n    description: why\n    remove: true";
        let (root, _) = apply(action, document(json!({"f": (0..12).collect::<Vec<_>>()})));
        assert_eq!(root, json!({"f": [1, 3, 4, 5, 6, 7, 8, 9, 11]}));
    }

    #[test]
    fn arrays_grow_by_what_they_do_not_have() {
        for (update, made, warnings) in [
            ("[2, 3]", json!([1, 2, 3]), 0),
            ("[2]", json!([1, 2]), 1),
            ("3", json!([1, 2, 3]), 0),
            ("2", json!([1, 2]), 1),
        ] {
            let action = format!("  - target: $.e\n    description: why\n    update: {update}");
            let (root, changes) = apply(&action, document(json!({"e": [1, 2]})));
            assert_eq!(root, json!({"e": made}), "{update}");
            assert_eq!(changes.warnings().len(), warnings, "{update}");
        }
        // What one place has by now may be new at another.
        let action = "  - target: $[*]\n    description: why\n    update: {x: 1}";
        let (_, changes) = apply(action, document(json!({"a": {}, "b": {"x": 1}})));
        assert_eq!(changes.warnings(), []);
    }

    #[test]
    fn all_actions_that_cannot_be_applied_are_named() {
        let (_, changes) = apply(
            "  - target: $.gone\n    description: fix the thing\n    remove: true\n  - target: '$['\n    description: bad\n    remove: true\n  - description: nothing\n    remove: true\n  - operation: GET things\n    description: no operation\n    remove: true",
            document(json!({"a": 1})),
        );
        let problems = changes.problems();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(
            problems[0].found.contains("matches nothing"),
            "{problems:?}"
        );
        assert!(
            problems[0].pointer.contains("fix the thing"),
            "{problems:?}"
        );
    }

    /// A new value of the service may be better than the overlay's.
    #[test]
    fn a_value_that_is_replaced_has_to_be_said() {
        let action = |more: &str| {
            format!("  - target: $.a\n    description: why\n    update: {{b: {{c: 2}}}}\n{more}")
        };
        let of = |value: i32| document(json!({"a": {"b": {"c": value}}}));
        let (_, changes) = apply(&action(""), of(1));
        let problem = &changes.problems()[0];
        assert!(problem.found.contains("1 at /a/b/c"), "{problem}");
        let said = action("    replaces: {b: {c: 1}}");
        let (root, changes) = apply(&said, of(1));
        assert_eq!(
            (changes.problems(), &root["a"]["b"]["c"]),
            (&[][..], &json!(2))
        );
        let (_, changes) = apply(&said, of(3));
        assert!(changes.problems()[0].found.contains("3 at /a/b/c"));
        // The document has been corrected.
        let (_, changes) = apply(&said, of(2));
        assert_eq!(changes.problems(), []);
        assert!(changes.warnings()[0].found.contains("changes nothing"));
    }

    #[test]
    fn operations_are_found_whatever_prefix_and_parameters_are_called() {
        let action = "  - operation: PUT things/{}/parts\n    target: $.responses\n    description: why\n    update: {'200': {}}";
        for path in [
            "/api/v1/projects/{project_name}/media/things/{thing_name}/parts",
            "/api/v2/projects/{project}/media/things/{id}/parts/",
            "/things/{x}/parts",
        ] {
            let (root, changes) = apply(
                action,
                with_paths(json!({path: {"put": {"responses": {}}, "get": {}}})),
            );
            assert_eq!(changes.problems(), [], "{path}");
            assert!(root["paths"][path]["put"]["responses"].get("200").is_some());
        }
    }

    #[test]
    fn an_action_needs_a_reason() {
        let overlay = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n  - target: $.a\n    remove: true";
        assert!(Overlay::parse(overlay).is_err());
    }
}
