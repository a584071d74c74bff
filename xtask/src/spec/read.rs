//! Reading a document from JSON or YAML without losing or changing anything.
//!
//! Two equal keys in one object are refused: a plain parser would keep only the last one.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::document::Problem;

const ACCEPTED: &str = "an OpenAPI 3.0.x or 3.1.x document as JSON or YAML";

/// Reads a document file. `name` is the API in problems.
pub fn file(path: &Path, name: &str) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes_to_value(&bytes, name)?)
}

/// Parses a document: JSON when the text starts like JSON, YAML otherwise.
pub fn bytes_to_value(bytes: &[u8], name: &str) -> Result<Value, Problem> {
    let problem = |found: String| Problem {
        api: name.to_owned(),
        pointer: String::new(),
        found,
        accepted: ACCEPTED.to_owned(),
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| problem(format!("bytes that are not UTF-8 ({error})")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(problem("an empty file".to_owned()));
    }
    let strict = if text.trim_start().starts_with(['{', '[']) {
        serde_json::from_str::<Strict>(text)
            .map_err(|error| problem(format!("text that is not JSON ({error})")))
    } else {
        serde_norway::from_str::<Strict>(text)
            .map_err(|error| problem(format!("text that is not YAML ({error})")))
    };
    strict.map(|Strict(value)| value)
}

/// A JSON value that refuses repeated keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom(format!("{value} is not a number of JSON")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        // Keys are read as text: YAML documents write status codes without quotes.
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} twice")));
            }
            let Strict(value) = access.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_and_json_mean_the_same() {
        let yaml = "openapi: 3.0.2\nresponses:\n  200: {description: OK}\n  '404': &e {description: no}\n  4XX: *e\nwhen: 2024-01-02\n";
        let json = r#"{"openapi": "3.0.2", "responses": {"200": {"description": "OK"},
            "404": {"description": "no"}, "4XX": {"description": "no"}}, "when": "2024-01-02"}"#;
        let yaml = bytes_to_value(yaml.as_bytes(), "media").expect("reads YAML");
        assert_eq!(
            yaml,
            bytes_to_value(json.as_bytes(), "media").expect("reads JSON")
        );
        assert_eq!(yaml["openapi"], json!("3.0.2"));
        for text in [
            "a: [null, -1, 1.5, true]",
            r#"{"a": [null, -1, 1.5, true]}"#,
        ] {
            let read = bytes_to_value(text.as_bytes(), "media").expect(text);
            assert_eq!(read, json!({"a": [null, -1, 1.5, true]}));
        }
    }

    #[test]
    fn unreadable_text_is_named() {
        for (text, found) in [
            ("", "an empty file"),
            ("{\"openapi\": \"3.0.2\", \"paths\": {", "line 1"),
            ("{\"a\": 1, \"a\": 2}", "the key \"a\" twice"),
            ("a: 1\na: 2\n", "the key \"a\" twice"),
            ("a: [1\nb: 2", "not YAML"),
            ("a: !tag 1", "a JSON value"),
        ] {
            let problem = bytes_to_value(text.as_bytes(), "media").expect_err(text);
            assert!(problem.to_string().contains(found), "{text}: {problem}");
            assert!(problem.to_string().contains("OpenAPI 3.0.x"), "{problem}");
        }
        let problem = bytes_to_value(&[b'{', 0xff], "media").expect_err("not UTF-8");
        assert!(problem.found.contains("UTF-8"));
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(bytes_to_value(text.as_bytes(), "media").is_err());
        let text = format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(bytes_to_value(text.as_bytes(), "media").is_err());
    }
}
