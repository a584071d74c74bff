//! `$orderby`.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{base::error::ApiError, query::fields::Fields};

/// The values an item is sorted by, and its place of creation for ties.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// One value per key of the `$orderby`.
    pub values: Vec<Value>,
    /// Creation sequence.
    pub sequence: u64,
}

/// A parsed `$orderby`; without keys, the order of creation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderBy {
    keys: Vec<(String, bool)>,
}

impl OrderBy {
    /// Parses a comma list of `field [asc|desc]`.
    ///
    /// # Errors
    /// 400 for a field that cannot be sorted by, or a direction that is neither.
    pub fn parse(source: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, ApiError> {
        let mut keys = Vec::new();
        for part in source.split(',') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let (field, descending) = match words.as_slice() {
                [field] => (*field, false),
                [field, direction] if direction.eq_ignore_ascii_case("asc") => (*field, false),
                [field, direction] if direction.eq_ignore_ascii_case("desc") => (*field, true),
                _ => {
                    return Err(ApiError::bad_request(format!(
                        "$orderby: '{}' is not 'field', 'field asc' or 'field desc'",
                        part.trim()
                    )));
                }
            };
            if !known(field) {
                return Err(ApiError::bad_request(format!(
                    "$orderby: '{field}' is not a field that can be sorted by here"
                )));
            }
            keys.push((field.to_owned(), descending));
        }
        Ok(Self { keys })
    }

    /// Whether items stay in order of creation.
    pub fn is_default(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of an item.
    pub(crate) fn key(&self, item: &dyn Fields, sequence: u64) -> SortKey {
        let values = self
            .keys
            .iter()
            .map(|(field, _)| item.values(field).into_iter().next().unwrap_or(Value::Null))
            .collect();
        SortKey { values, sequence }
    }

    /// The order of two items; never equal for two different ones.
    pub fn compare(&self, left: &SortKey, right: &SortKey) -> Ordering {
        for ((_, descending), (left, right)) in
            self.keys.iter().zip(left.values.iter().zip(&right.values))
        {
            let order = compare(left, right);
            if order != Ordering::Equal {
                return if *descending { order.reverse() } else { order };
            }
        }
        left.sequence.cmp(&right.sequence)
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}

fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left
            .as_f64()
            .partial_cmp(&right.as_f64())
            .unwrap_or(Ordering::Equal),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => {
            left.to_string().cmp(&right.to_string())
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::query::fields::Indexed;

    #[test]
    fn several_keys_and_ties_by_creation() {
        let Ok(order) = OrderBy::parse("a desc, b", &|field| field != "c") else {
            panic!("it parses")
        };
        let items = [
            json!({ "a": 1, "b": "y" }),
            json!({ "a": 2, "b": "x" }),
            json!({ "a": 1, "b": "x" }),
            json!({ "a": 1, "b": "x" }),
            json!({}),
        ];
        let mut keys: Vec<SortKey> = items
            .iter()
            .enumerate()
            .map(|(at, item)| order.key(&Indexed::new(item), at as u64))
            .collect();
        keys.reverse();
        keys.sort_by(|left, right| order.compare(left, right));
        assert_eq!(
            keys.iter().map(|key| key.sequence).collect::<Vec<_>>(),
            [1, 2, 3, 0, 4]
        );
    }

    #[test]
    fn what_cannot_be_sorted_is_refused() {
        for source in ["c", "a up", "a desc b", "", "a,,b"] {
            assert!(
                OrderBy::parse(source, &|field| field != "c").is_err(),
                "{source}"
            );
        }
    }
}
