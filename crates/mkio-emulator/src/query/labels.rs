//! `$label_key` and `$label`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{base::error::ApiError, query::parameters::Query};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equal,
    Unequal,
    Contains,
}

/// Label conditions of a list request.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    keys: Vec<String>,
    values: BTreeMap<String, Vec<(Test, String)>>,
}

impl Labels {
    /// Reads `$label_key` and `$label`. The spellings without `$` are taken too, since a published example uses one.
    ///
    /// # Errors
    /// 400 when a `$label` has no `=`, `!=` or `~`.
    pub fn parse(query: &Query) -> Result<Self, ApiError> {
        let keys = query
            .all("$label_key")
            .chain(query.all("label_key"))
            .map(str::to_owned)
            .collect();
        let mut values: BTreeMap<String, Vec<(Test, String)>> = BTreeMap::new();
        for condition in query.all("$label").chain(query.all("label")) {
            let at = condition.find(['=', '~', '!']);
            let (key, rest) = condition.split_at(at.unwrap_or(condition.len()));
            let (test, value) = if let Some(value) = rest.strip_prefix("!=") {
                (Test::Unequal, value)
            } else if let Some(value) = rest.strip_prefix('=') {
                (Test::Equal, value)
            } else if let Some(value) = rest.strip_prefix('~') {
                (Test::Contains, value)
            } else {
                return Err(ApiError::bad_request(format!(
                    "$label '{condition}' is not of the form key=value, key!=value or key~part"
                )));
            };
            if key.is_empty() {
                return Err(ApiError::bad_request(format!(
                    "$label '{condition}' names no key"
                )));
            }
            values
                .entry(key.to_owned())
                .or_default()
                .push((test, value.to_owned()));
        }
        Ok(Self { keys, values })
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.values.is_empty()
    }

    /// Whether an item's labels (or live event tags) satisfy every condition: all keys, and for each key one of its values.
    pub fn accept(&self, item: &Value) -> bool {
        let labels = item
            .get("labels")
            .or_else(|| item.pointer("/metadata/labels"))
            .or_else(|| item.get("tags"));
        let label = |key: &str| {
            labels
                .and_then(|labels| labels.get(key))
                .and_then(Value::as_str)
        };
        self.keys.iter().all(|key| label(key).is_some())
            && self.values.iter().all(|(key, tests)| {
                let given = label(key);
                tests.iter().any(|(test, value)| match (test, given) {
                    (Test::Equal, given) => given == Some(value),
                    (Test::Unequal, given) => given != Some(value),
                    (Test::Contains, given) => {
                        given.is_some_and(|given| given.contains(value.as_str()))
                    }
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(query: &str, item: &Value) -> bool {
        match Query::parse(query).and_then(|query| Labels::parse(&query)) {
            Ok(labels) => labels.accept(item),
            Err(error) => panic!("{}", error.detail),
        }
    }

    #[test]
    fn keys_all_and_values_any() {
        let item = json!({ "metadata": { "labels": { "studio": "north", "release-date": "2023-04-01" } } });
        assert!(accepts("$label_key=studio&label_key=release-date", &item));
        assert!(!accepts("$label_key=studio&$label_key=other", &item));
        assert!(accepts("$label=studio=south&$label=studio=north", &item));
        assert!(!accepts(
            "$label=studio=north&$label=release-date=2024",
            &item
        ));
        assert!(accepts("$label=release-date~2023", &item));
        assert!(accepts("$label=studio!=south", &item));
        assert!(accepts(
            "$label=studio=north",
            &json!({ "tags": { "studio": "north" } })
        ));
    }

    #[test]
    fn a_condition_without_a_test_is_refused() {
        for query in ["$label=studio", "$label==x", "$label=studio!x"] {
            assert!(
                Query::parse(query)
                    .and_then(|query| Labels::parse(&query))
                    .is_err(),
                "{query}"
            );
        }
    }
}
