//! How much memory resources take, as far as callers decide it.

use std::mem::{size_of, take};

use serde_json::Value;

use crate::base::store::{Address, Resource, Table};

/// The cost of an allocation beside its content.
const ALLOCATION: usize = 32;
/// Hash and links of a field in an object.
const FIELD: usize = 32;
/// Changes that are remembered before they are weighed.
const MOST_TOUCHED: usize = 1_024;

/// Bytes that a value takes in memory, as an estimate.
pub fn of_value(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => ALLOCATION + text.len(),
        Value::Array(items) => ALLOCATION + items.iter().map(of_value).sum::<usize>(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                size_of::<String>() + ALLOCATION + name.len() + FIELD + of_value(value)
            };
            2 * ALLOCATION + fields.iter().map(field).sum::<usize>()
        }
    };
    size_of::<Value>() + inside
}

/// Bytes of memory that the bodies of a resource and its other fields take, as an estimate.
pub fn of(resource: &Resource) -> usize {
    [&resource.body, &resource.server, &resource.private]
        .into_iter()
        .map(of_value)
        .sum()
}

/// Values in a text of JSON, or a few more: those that are not there, between the brackets of empty lists and objects, count too.
/// A text that starts neither a list nor an object is one value, or no JSON.
pub fn values_in(json: &[u8]) -> usize {
    if !matches!(json.trim_ascii_start().first(), Some(b'[' | b'{')) {
        return 1;
    }
    let (mut values, mut in_text, mut escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

/// The weight of all resources together, and the resources that have to be weighed again.
#[derive(Debug, Default)]
pub struct Scales {
    total: usize,
    touched: Vec<Address>,
}

impl Scales {
    /// The weight of everything that was weighed.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Remembers a resource that changes.
    pub fn touch(&mut self, address: &Address) {
        if self.touched.last() != Some(address) {
            self.touched.push(address.clone());
        }
    }

    /// Whether enough resources have changed to weigh them.
    pub fn is_full(&self) -> bool {
        self.touched.len() >= MOST_TOUCHED
    }

    /// The resources that have changed since the last time.
    pub fn take(&mut self) -> Vec<Address> {
        take(&mut self.touched)
    }

    /// Replaces one weight by another.
    pub fn reweigh(&mut self, before: usize, now: usize) {
        self.total = self.total.saturating_sub(before).saturating_add(now);
    }

    /// Takes off the weight of a table.
    pub fn drop_table(&mut self, table: &Table) {
        let weight = table.iter().map(|resource| resource.weight).sum();
        self.reweigh(weight, 0);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (json, values) in [
            ("1,2", 1),
            (" [1]", 2),
            (r#"["a,[{\\\",",1]"#, 3),
            ("[1,2,3]", 4),
            (r#"{"a":[[0],[0]],"b":"x"}"#, 7),
            (r#"["\\",1]"#, 3),
        ] {
            assert_eq!(values_in(json.as_bytes()), values, "{json}");
        }
    }

    #[test]
    fn small_values_weigh_more_than_their_text() {
        let lists = json!(vec![[0]; 1_000]);
        assert!(of_value(&lists) > 100 * 1_000);
        assert!(of_value(&json!("x".repeat(1_000))) < 1_200);
    }
}
