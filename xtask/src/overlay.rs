//! OpenAPI Overlay 1.0: our corrections of a document, each with its reason.
//!
//! An action selects places with JSONPath (RFC 9535) and merges an `update` into them or removes
//! them. Stricter than the standard in two points: every action has a `description`, the reason,
//! and an action that matches nothing is an error, so that corrections do not outlive their cause.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::{
    document::{Document, Problem},
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
    target: String,
    description: String,
    #[serde(default)]
    update: Option<Value>,
    #[serde(default)]
    remove: bool,
}

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

    /// Applies all actions in order.
    pub fn apply(
        &self,
        mut document: Document,
        changes: &mut Changes,
    ) -> Result<Document, Problem> {
        for (index, action) in self.actions.iter().enumerate() {
            let problem = |found: String, accepted: &str| Problem {
                api: document.api.name.clone(),
                pointer: format!("overlay /actions/{index} ({})", action.description),
                found,
                accepted: accepted.to_owned(),
            };
            let path = JsonPath::parse(&action.target).map_err(|error| {
                problem(
                    format!("target {:?}: {error}", action.target),
                    "a JSONPath expression (RFC 9535)",
                )
            })?;
            if action.update.is_some() == action.remove {
                return Err(problem(
                    "an action with both or neither of update and remove".to_owned(),
                    "exactly one of the two",
                ));
            }
            let mut pointers: Vec<String> = path
                .query_located(&document.root)
                .locations()
                .map(|location| location.to_json_pointer())
                .collect();
            if pointers.is_empty() {
                return Err(problem(
                    format!("target {:?}, which matches nothing", action.target),
                    "a target that exists in the document; remove the action if the document was corrected",
                ));
            }
            changes.note(format!(
                "{} place(s): {}",
                pointers.len(),
                action.description
            ));
            // Later places first: removing an array element moves those behind it.
            pointers.reverse();
            for pointer in pointers {
                match &action.update {
                    Some(update) => {
                        if let Some(target) = document.root.pointer_mut(&pointer) {
                            merge(target, update);
                        }
                    }
                    None => remove(&mut document.root, &pointer),
                }
            }
        }
        Ok(document)
    }
}

/// Objects merge key by key, arrays grow, everything else is replaced.
fn merge(target: &mut Value, update: &Value) {
    match (target, update) {
        (Value::Object(target), Value::Object(update)) => {
            for (key, value) in update {
                match target.get_mut(key) {
                    Some(existing) => merge(existing, value),
                    None => {
                        target.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(update)) => target.extend(update.iter().cloned()),
        (Value::Array(target), update) => target.push(update.clone()),
        (target, update) => *target = update.clone(),
    }
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
            if let Ok(index) = key.parse::<usize>()
                && index < items.len()
            {
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
    use crate::passes::testing::document;

    fn apply(actions: &str, root: Value) -> Result<Value, Problem> {
        let overlay =
            format!("overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n{actions}");
        Overlay::parse(&overlay)
            .unwrap()
            .apply(document(root), &mut Changes::default())
            .map(|document| document.root)
    }

    #[test]
    fn updates_merge_and_removals_remove() {
        let root = apply(
            "  - target: $.a\n    description: why\n    update: {b: {d: 2}, e: [3]}\n  - target: $.f[?@ > 1]\n    description: why\n    remove: true",
            json!({"a": {"b": {"c": 1}, "e": [1]}, "f": [1, 2, 3]}),
        )
        .unwrap();
        assert_eq!(
            root,
            json!({"a": {"b": {"c": 1, "d": 2}, "e": [1, 3]}, "f": [1]})
        );
    }

    #[test]
    fn a_target_without_match_is_an_error() {
        let problem = apply(
            "  - target: $.gone\n    description: fix the thing\n    remove: true",
            json!({"a": 1}),
        )
        .unwrap_err();
        assert!(problem.found.contains("matches nothing"), "{problem}");
        assert!(problem.pointer.contains("fix the thing"), "{problem}");
    }

    #[test]
    fn an_action_needs_a_reason() {
        let overlay = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n  - target: $.a\n    remove: true";
        assert!(Overlay::parse(overlay).is_err());
    }
}
