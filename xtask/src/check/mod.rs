//! Checks a document: before it replaces the one in spec/, and with its overlay before code is
//! made of it.
//!
//! All problems are collected, so that one run shows all that has to change. The checks are those
//! that the pipeline and a reader of the document rely on; vendor extensions are not checked.

mod operations;
mod references;
mod schemas;

use serde_json::{Map, Value};

use crate::document::{Problem, entries, escape};

/// Where problems of one document are collected.
struct Checker<'a> {
    name: &'a str,
    root: &'a Value,
    /// 3.1 allows keywords that 3.0 does not.
    version_3_1: bool,
    problems: Vec<Problem>,
}

/// All problems of a document; none when it can be imported.
pub fn check(root: &Value, name: &str) -> Vec<Problem> {
    let mut checker = Checker {
        name,
        root,
        version_3_1: false,
        problems: Vec::new(),
    };
    if checker.head() {
        operations::check(&mut checker);
        schemas::check(&mut checker);
        references::check(&mut checker);
    }
    checker.problems
}

impl<'a> Checker<'a> {
    fn problem(&mut self, pointer: &str, found: impl Into<String>, accepted: impl Into<String>) {
        self.problems.push(Problem {
            api: self.name.to_owned(),
            pointer: pointer.to_owned(),
            found: found.into(),
            accepted: accepted.into(),
        });
    }

    /// Checks the version and the general parts. False when the rest cannot be checked.
    fn head(&mut self) -> bool {
        let root = self.root;
        let Some(object) = root.as_object() else {
            self.problem("", kind(root), "an object with openapi, info and paths");
            return false;
        };
        if let Some(version) = object.get("swagger") {
            self.problem(
                "/swagger",
                format!("OpenAPI {}", plain(version)),
                "OpenAPI 3.0.x or 3.1.x (convert the document first)",
            );
            return false;
        }
        let accepted = "\"3.0.x\" or \"3.1.x\"";
        let version = match object.get("openapi") {
            Some(Value::String(version)) => version,
            Some(other) => {
                self.problem("/openapi", plain(other), accepted);
                return false;
            }
            None => {
                self.problem("", "no openapi field", accepted);
                return false;
            }
        };
        match version.rsplit_once('.') {
            Some(("3.0", patch)) if patch.parse::<u32>().is_ok() => {}
            Some(("3.1", patch)) if patch.parse::<u32>().is_ok() => self.version_3_1 = true,
            _ => {
                self.problem("/openapi", format!("version {version:?}"), accepted);
                return false;
            }
        }
        if let Some(info) = self.object("", object, "info", "an object with title and version") {
            for key in ["title", "version"] {
                self.text("/info", info, key);
            }
        }
        self.object(
            "",
            object,
            "paths",
            "an object of paths and their operations",
        )
        .is_some()
    }

    /// Gets a field that has to be an object.
    fn object(
        &mut self,
        pointer: &str,
        holder: &'a Map<String, Value>,
        key: &str,
        accepted: &str,
    ) -> Option<&'a Map<String, Value>> {
        match holder.get(key) {
            Some(Value::Object(object)) => Some(object),
            Some(other) => {
                self.problem(&child(pointer, key), kind(other), accepted);
                None
            }
            None => {
                self.problem(pointer, format!("no {key} field"), accepted);
                None
            }
        }
    }

    /// Gets a field that has to be text and not empty.
    fn text(
        &mut self,
        pointer: &str,
        holder: &'a Map<String, Value>,
        key: &str,
    ) -> Option<&'a str> {
        match holder.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            Some(other) => {
                self.problem(
                    &child(pointer, key),
                    plain(other),
                    "a string that is not empty",
                );
                None
            }
            None => {
                self.problem(
                    pointer,
                    format!("no {key} field"),
                    "a string that is not empty",
                );
                None
            }
        }
    }

    /// The target of a `$ref` inside this document, through any number of further ones.
    fn resolve(&self, mut value: &'a Value) -> Option<&'a Value> {
        for _ in 0..64 {
            match value.get("$ref") {
                Some(Value::String(target)) => value = target_of(self.root, target)?,
                _ => return Some(value),
            }
        }
        None
    }
}

/// The place inside the document that a `$ref` names.
pub fn target_of<'a>(root: &'a Value, target: &str) -> Option<&'a Value> {
    let pointer = target.strip_prefix('#')?;
    // References are URIs: `{`, space and others may be percent-encoded.
    let pointer = percent_encoding::percent_decode_str(pointer)
        .decode_utf8()
        .ok()?;
    root.pointer(&pointer)
}

/// The pointer of a child.
fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", escape(key))
}

/// The kind of a value, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A short value as the document writes it, or its kind.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        _ => {
            let text = value.to_string();
            match text.char_indices().nth(80) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}

/// The entries of a field that is an object.
fn fields<'a>(
    holder: &'a Value,
    key: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    entries(holder.get(key))
}

#[cfg(test)]
mod tests;
