//! An OpenAPI document on its way through the pipeline, and the problems of one.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use crate::{apis::Api, marks};

/// A document, kept as JSON so that passes see everything, unknown keys included.
#[derive(Debug, Clone)]
pub struct Document {
    /// The API that it describes.
    pub api: Arc<Api>,
    /// The document.
    pub root: Value,
}

/// Why a document cannot be handled: place, problem, and the accepted form.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// API whose document it is.
    pub api: String,
    /// JSON pointer to the place.
    pub pointer: String,
    /// The text that was found.
    pub found: String,
    /// The text that would be accepted.
    pub accepted: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "(whole document)"
        } else {
            &self.pointer
        };
        write!(
            f,
            "{}: at {pointer}: found {}; accepted: {}",
            self.api, self.found, self.accepted
        )
    }
}

impl std::error::Error for Problem {}

/// All problems of a document; one at least.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    /// A line for each, the first ones when there are very many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 100;
        for problem in self.0.iter().take(MOST) {
            writeln!(f, "{problem}")?;
        }
        if self.0.len() > MOST {
            writeln!(f, "and {} more", self.0.len() - MOST)?;
        }
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} problem{plural}")
    }
}

impl std::error::Error for Problems {}

/// HTTP methods in the order in which operations are listed.
pub const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// One operation of a document, by reference.
pub struct OperationRef<'a> {
    pub path: &'a str,
    pub method: &'a str,
    pub value: &'a Map<String, Value>,
}

impl Document {
    pub fn new(api: Arc<Api>, root: Value) -> Self {
        Self { api, root }
    }

    /// Makes a problem of this document.
    pub fn problem(
        &self,
        pointer: impl Into<String>,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Problem {
        Problem {
            api: self.api.name.clone(),
            pointer: pointer.into(),
            found: found.into(),
            accepted: accepted.into(),
        }
    }

    /// All operations, in the document's order.
    pub fn operations(&self) -> Vec<OperationRef<'_>> {
        let mut operations = Vec::new();
        for (path, item) in entries(self.root.get("paths")) {
            for (method, value) in entries(Some(item)) {
                if let (true, Some(value)) = (METHODS.contains(&method), value.as_object()) {
                    operations.push(OperationRef {
                        path,
                        method,
                        value,
                    });
                }
            }
        }
        operations
    }

    /// Calls `f` with path, method and each operation, to change it.
    pub fn operations_mut(&mut self, mut f: impl FnMut(&str, &str, &mut Map<String, Value>)) {
        let Some(paths) = self.root.get_mut("paths").and_then(Value::as_object_mut) else {
            return;
        };
        for (path, item) in paths {
            let Some(item) = item.as_object_mut() else {
                continue;
            };
            for method in METHODS {
                if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                    f(path, method, operation);
                }
            }
        }
    }

    /// The named schemas.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(self.root.pointer("/components/schemas"))
    }

    /// The named schemas, to change them; an empty table where there is none.
    pub fn schemas_mut(&mut self) -> &mut Map<String, Value> {
        object_at(object_at(&mut self.root, "components"), "schemas")
            .as_object_mut()
            .expect("object_at leaves an object")
    }

    /// A named schema.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.root.pointer("/components/schemas")?.get(name)
    }
}

fn object_at<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let entry = value
        .as_object_mut()
        .expect("just made an object")
        .entry(key.to_owned())
        .or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    entry
}

/// The entries of a JSON object; none for anything else.
pub fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// Marks the path of an operation that shares method and path with another one, which OpenAPI
/// cannot express. Removed again from the generated code.
pub const TWIN: &str = "/x-mkio-twin-";

/// JSON pointer of an operation.
pub fn operation_pointer(path: &str, method: &str) -> String {
    let path = path.split(TWIN).next().unwrap_or_default();
    format!("/paths/{}/{}", escape(path), method.to_lowercase())
}

/// JSON pointer of a named schema in the document as it was imported.
pub fn schema_pointer(name: &str, schema: &Value) -> String {
    let origin = schema.get(marks::ORIGIN).and_then(Value::as_str);
    origin.map_or_else(
        || format!("/components/schemas/{}", escape(name)),
        str::to_owned,
    )
}

/// A key as a JSON pointer writes it.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Name of the schema that a `$ref` points to.
pub fn ref_name(schema: &Value) -> Option<&str> {
    schema
        .get("$ref")?
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// A reference to a named schema.
pub fn reference(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Adds a sentence to a description.
pub fn append_description(object: &mut Map<String, Value>, sentence: &str) {
    let text = match object.get("description").and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => {
            let text = text.trim_end();
            let stop = if text.ends_with(['.', '!', '?', ':', ')', '`']) {
                ""
            } else {
                "."
            };
            format!("{text}{stop}\n\n{sentence}")
        }
        _ => sentence.to_owned(),
    };
    object.insert("description".to_owned(), Value::String(text));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_are_counted_and_very_many_are_cut_short() {
        let text = |count: usize| {
            let problem = |_| Problem {
                api: "media".to_owned(),
                pointer: "/paths".to_owned(),
                found: "nothing".to_owned(),
                accepted: "something".to_owned(),
            };
            Problems((0..count).map(problem).collect()).to_string()
        };
        for (count, lines, end) in [
            (1, 2, "\n1 problem"),
            (2, 3, "\n2 problems"),
            (100, 101, "\n100 problems"),
            (101, 102, "\nand 1 more\n101 problems"),
        ] {
            let text = text(count);
            assert!(text.ends_with(end), "{text}");
            assert_eq!(text.lines().count(), lines, "{text}");
        }
    }

    #[test]
    fn sentences_stand_apart_from_what_was_there() {
        for (before, after) in [
            (json!({}), "More."),
            (json!({"description": " \n"}), "More."),
            (json!({"description": "One"}), "One.\n\nMore."),
            (json!({"description": "One! "}), "One!\n\nMore."),
        ] {
            let mut object = before.as_object().unwrap().clone();
            append_description(&mut object, "More.");
            assert_eq!(object["description"], after);
        }
    }
}
