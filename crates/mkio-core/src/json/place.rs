//! Where a value stops fitting its type.
//!
//! Types are read from text, in one way. When that fails, parts of the value are left out, to find
//! the smallest that fails in the same way. A reader that notes where it is would be a second way:
//! a third more code in every generated crate.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::without_position;

/// A JSON error, which may quote a secret, and where it happened.
#[allow(
    missing_debug_implementations,
    reason = "it would show what the error quotes"
)]
pub struct Misplaced {
    /// `value[3].name`; empty when it is the value as a whole.
    pub path: String,
    /// What is wrong there.
    pub error: serde_json::Error,
}

/// Reads a type from a JSON value.
///
/// # Errors
///
/// When the value does not fit the type.
pub fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Misplaced> {
    let text = value.to_string();
    serde_json::from_str(&text).map_err(|error| Misplaced {
        path: place::<T>(&text, &error),
        error,
    })
}

/// The place of the first part of `text` that does not fit `T`, as `error` tells; empty for the
/// whole.
#[cold]
pub(crate) fn place<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> String {
    smallest(text, error, &|text| serde_json::from_str::<T>(text).err())
}

/// How the reading of a text fails, if it does.
type Failure<'a> = &'a dyn Fn(&str) -> Option<serde_json::Error>;

fn smallest(text: &str, error: &serde_json::Error, failure: Failure<'_>) -> String {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value: Value = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => value,
        // No JSON from there on.
        Err(error) => {
            let path = error.path().to_string();
            return if path == "." { String::new() } else { path };
        }
    };
    let told = error.to_string();
    let told = without_position(&told);
    let fails = |value: &Value| {
        let failure = failure(&value.to_string());
        failure.is_some_and(|failure| without_position(&failure.to_string()) == told)
    };
    let missing = told.strip_prefix("missing field `");
    let search = Search {
        fails: &fails,
        missing: missing.and_then(|name| name.strip_suffix('`')),
    };
    if fails(&value) {
        search.descend(value)
    } else {
        String::new()
    }
}

struct Search<'a> {
    fails: &'a dyn Fn(&Value) -> bool,
    /// The field that is missing, when that is the failure.
    missing: Option<&'a str>,
}

impl Search<'_> {
    fn descend(&self, value: Value) -> String {
        let mut part = value;
        let mut around: Vec<Container> = Vec::new();
        let mut path = String::new();
        while !self.lacks_a_field(&around, &part) && !self.fails(&around, first(&part, 0)) {
            let enough = self.enough(&around, &part);
            let Some((container, step, last)) = split(first(&part, enough)) else {
                break;
            };
            push(&mut path, &step);
            part = last;
            around.push(container);
            self.leave_out_before(&mut around, &part);
        }
        path
    }

    /// Whether the whole fails with this part in it.
    fn fails(&self, around: &[Container], part: Value) -> bool {
        let whole = around.iter().rev();
        let whole = whole.fold(part, |part, container| container.with(part));
        (self.fails)(&whole)
    }

    /// The object is the one that lacks the field: with it, the failure is another or none.
    fn lacks_a_field(&self, around: &[Container], part: &Value) -> bool {
        let (Some(name), Value::Object(members)) = (self.missing, part) else {
            return false;
        };
        let mut members = members.clone();
        members.insert(name.to_owned(), Value::Null);
        !self.fails(around, Value::Object(members))
    }

    /// How many of its first parts it takes to fail.
    fn enough(&self, around: &[Container], of: &Value) -> usize {
        let (mut few, mut enough) = (0, len(of));
        while enough - few > 1 {
            let middle = few.midpoint(enough);
            if self.fails(around, first(of, middle)) {
                enough = middle;
            } else {
                few = middle;
            }
        }
        enough
    }

    /// What comes before the part is left out where it fails without, too.
    fn leave_out_before(&self, around: &mut [Container], part: &Value) {
        let Some(container) = around.last_mut() else {
            return;
        };
        let before = std::mem::take(&mut container.before);
        if !self.fails(around, part.clone())
            && let Some(container) = around.last_mut()
        {
            container.before = before;
        }
    }
}

/// What is around a part, without what comes after it.
struct Container {
    /// Names are empty in a list.
    before: Vec<(String, Value)>,
    /// Name of the part; none in a list.
    name: Option<String>,
}

impl Container {
    fn with(&self, part: Value) -> Value {
        let before = self.before.iter().cloned();
        match &self.name {
            Some(name) => Value::Object(before.chain([(name.clone(), part)]).collect()),
            None => Value::Array(before.map(|(_, item)| item).chain([part]).collect()),
        }
    }
}

fn len(of: &Value) -> usize {
    match of {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn first(of: &Value, parts: usize) -> Value {
    match of {
        Value::Array(items) => Value::Array(items[..parts].to_vec()),
        Value::Object(members) => {
            let members = members.iter().take(parts);
            Value::Object(
                members
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        scalar => scalar.clone(),
    }
}

/// The last part, the step to it, and what is around it.
fn split(of: Value) -> Option<(Container, String, Value)> {
    match of {
        Value::Array(mut items) => {
            let last = items.pop()?;
            let step = format!("[{}]", items.len());
            let before = items
                .into_iter()
                .map(|item| (String::new(), item))
                .collect();
            Some((Container { before, name: None }, step, last))
        }
        Value::Object(members) => {
            let mut before: Vec<_> = members.into_iter().collect();
            let (name, last) = before.pop()?;
            let container = Container {
                before,
                name: Some(name.clone()),
            };
            Some((container, name, last))
        }
        _ => None,
    }
}

fn push(path: &mut String, step: &str) {
    if !path.is_empty() && !step.starts_with('[') {
        path.push('.');
    }
    path.push_str(step);
}
