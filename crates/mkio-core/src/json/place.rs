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
    /// The fault there.
    pub error: serde_json::Error,
}

/// Reads a type from a JSON value.
///
/// # Errors
///
/// When the value does not fit the type.
pub fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Misplaced> {
    read_text(&value.to_string())
}

/// Reads a type from JSON text.
pub(super) fn read_text<T: DeserializeOwned>(text: &str) -> Result<T, Misplaced> {
    serde_json::from_str(text).map_err(|error| Misplaced {
        path: place::<T>(text, &error),
        error,
    })
}

/// Reads a value and notes where that ends.
pub(super) fn noted<'a>(
    reader: &mut serde_json::Deserializer<impl serde_json::de::Read<'a>>,
) -> Result<Value, Misplaced> {
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        Misplaced {
            // The whole is a dot.
            path: if path == "." { String::new() } else { path },
            error: error.into_inner(),
        }
    })
}

/// A path and a step or path below it: `value` and `[3].name`, or `properties` and `name`.
pub(crate) fn join(path: &str, below: &str) -> String {
    match (path, below) {
        ("", path) | (path, "") => path.to_owned(),
        _ if below.starts_with('[') => format!("{path}{below}"),
        _ => format!("{path}.{below}"),
    }
}

/// The place of the first part of `text` that does not fit `T`, the cause of `error`; empty for the
/// whole.
#[cold]
pub(crate) fn place<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> String {
    smallest(text, error, &|text| serde_json::from_str::<T>(text).err())
}

/// How the reading of a text fails, if it does.
type Failure<'a> = &'a dyn Fn(&str) -> Option<serde_json::Error>;

fn smallest(text: &str, error: &serde_json::Error, failure: Failure<'_>) -> String {
    let value = match noted(&mut serde_json::Deserializer::from_str(text)) {
        Ok(value) => value,
        // No JSON from there on.
        Err(broken) => return broken.path,
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
    /// The field that is missing, when that is the failure. Objects that are cut get a null in its
    /// place: then they fail in another way, and what fails in them comes first.
    missing: Option<&'a str>,
}

impl Search<'_> {
    fn descend(&self, value: Value) -> String {
        let mut part = value;
        let mut around: Vec<Container> = Vec::new();
        let mut path = String::new();
        while !self.is_here(&around, &part) {
            let enough = self.enough(&around, &part);
            let Some((container, step, last)) = split(first(&part, enough)) else {
                break;
            };
            path = join(&path, &step);
            part = last;
            around.push(container);
            self.leave_out_before(&mut around, &part);
        }
        path
    }

    /// Whether the part fails, and nothing in it.
    fn is_here(&self, around: &[Container], part: &Value) -> bool {
        match (self.missing, part) {
            (Some(_), Value::Object(_)) => !self.fails(around, part.clone()),
            (Some(_), _) => false,
            (None, _) => self.fails(around, first(part, 0)),
        }
    }

    /// Whether the whole fails with this part in it.
    fn fails(&self, around: &[Container], part: Value) -> bool {
        let around = around.iter().rev();
        let whole = around.fold(self.filled(part), |part, container| {
            self.filled(container.with(part))
        });
        (self.fails)(&whole)
    }

    fn filled(&self, mut part: Value) -> Value {
        if let (Some(name), Value::Object(members)) = (self.missing, &mut part) {
            members.entry(name).or_insert(Value::Null);
        }
        part
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

    /// The parts before it are left out where it fails without them, too.
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

/// The text around a part, without the parts after it.
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

/// The last part, the step to it, and the text around it.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection, option, prelude::*};
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// Fields that must be there, and fields of every form.
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read and dropped")]
    struct Node {
        size: u8,
        name: Option<String>,
        below: Option<Box<Node>>,
        list: Option<Vec<Node>>,
        map: Option<BTreeMap<String, Node>>,
        state: Option<State>,
    }

    #[derive(Debug, Deserialize)]
    enum State {
        On,
        Off,
    }

    fn found<T: DeserializeOwned>(text: &str) -> Option<String> {
        let error = serde_json::from_str::<T>(text).err()?;
        Some(place::<T>(text, &error))
    }

    /// The place by a reader that tracks where it is.
    fn as_noted<T: DeserializeOwned>(text: &str) -> Option<String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
        let path = error.path().to_string();
        Some(if path == "." { String::new() } else { path })
    }

    #[test]
    fn faults_are_found_where_they_are() {
        for (value, place) in [
            (json!(7), ""),
            (json!({}), ""),
            (json!({"size": "x"}), "size"),
            (json!({"size": 1, "state": "Broken"}), "state"),
            (
                json!({"size": 1, "list": [{"size": 1}, {"size": 300}, {"size": -1}]}),
                "list[1].size",
            ),
            (
                json!({"size": 1, "map": {"a": {"size": 1}, "b": {"list": []}}}),
                "map.b",
            ),
            // The field that is missing here exists below, and the other way round.
            (json!({"below": {"size": 1}}), ""),
            (json!({"size": 1, "below": {}}), "below"),
            (json!({"below": {"below": {"size": 1}}}), "below"),
            (json!({"list": {"size": 1}, "size": 1}), "list"),
            (
                json!({"size": 1, "below": {"size": 1, "map": {"x": {"size": 1, "list": [null]}}}}),
                "below.map.x.list[0]",
            ),
        ] {
            let text = value.to_string();
            assert_eq!(found::<Node>(&text).as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn what_comes_before_a_fault_may_say_how_it_is_read() {
        type Pair = (u8, Node);
        let text = r#"[1, {"size": "x", "name": "n", "below": null}]"#;
        assert_eq!(found::<Pair>(text).as_deref(), Some("[1].size"));
        assert_eq!(found::<Pair>(text), as_noted::<Pair>(text));
    }

    #[test]
    fn text_that_is_cut_is_found_where_it_ends() {
        let text = r#"{"size":1,"list":[{"size":2,"name":"x"},{"size":3}],"map":{"a":{"size":4}}}"#;
        for length in 0..text.len() {
            let cut = &text[..length];
            assert_eq!(found::<Node>(cut), as_noted::<Node>(cut), "{cut}");
        }
    }

    #[test]
    fn one_fault_in_a_long_list_takes_few_readings() {
        let count = std::cell::Cell::new(0);
        let items: Vec<_> = (0..1000)
            .map(|n| json!({"size": if n == 700 { 999 } else { 1 }}))
            .collect();
        let text = json!(items).to_string();
        let length = std::cell::Cell::new(0);
        let read = |text: &str| {
            count.set(count.get() + 1);
            length.set(length.get() + text.len());
            serde_json::from_str::<Vec<Node>>(text).err()
        };
        let error = read(&text).unwrap();
        assert_eq!(smallest(&text, &error, &read), "[700].size");
        assert!(count.get() < 25, "{}", count.get());
        // What comes before the fault is left out once it is found.
        assert!(length.get() < 10 * text.len(), "{}", length.get());
    }

    fn node() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            4 => (0..3_u16).prop_map(|n| json!(n * 150)),
            1 => Just(json!("x")),
            1 => Just(json!("On")),
            1 => Just(Value::Null),
        ];
        let leaf =
            (option::weighted(0.9, scalar.clone()), option::of(scalar)).prop_map(|(size, name)| {
                let mut node = json!({});
                for (key, value) in [("size", size), ("name", name)] {
                    if let Some(value) = value {
                        node[key] = value;
                    }
                }
                node
            });
        leaf.prop_recursive(3, 24, 4, |inner| {
            let parts = (
                inner.clone(),
                option::of(inner.clone()),
                option::of(collection::vec(inner.clone(), 0..4)),
                option::of(collection::btree_map("[a-c]", inner, 0..3)),
                any::<bool>(),
            );
            parts.prop_map(|(mut node, below, list, map, last)| {
                let size = node.as_object_mut().and_then(|of| of.remove("size"));
                for (key, value) in [
                    ("below", below.map(|of| json!(of))),
                    ("list", list.map(|of| json!(of))),
                    ("map", map.map(|of| json!(of))),
                ] {
                    if let Some(value) = value {
                        node[key] = value;
                    }
                }
                if let Some(size) = size {
                    if last {
                        node["size"] = size;
                    } else {
                        let rest = std::mem::replace(&mut node, json!({"size": size}));
                        node.as_object_mut()
                            .unwrap()
                            .extend(rest.as_object().unwrap().clone());
                    }
                }
                node
            })
        })
    }

    proptest! {
        #[test]
        fn the_place_is_that_which_a_reader_notes(value in node()) {
            let text = value.to_string();
            prop_assert_eq!(found::<Node>(&text), as_noted::<Node>(&text), "{}", text);
        }
    }
}
