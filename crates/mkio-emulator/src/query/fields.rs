//! Where the fields that lists sort and filter by are found in a resource.

use serde_json::{Map, Value};

/// Fields that lists can sort and filter by.
pub(crate) trait Fields {
    /// The values at a path; none when it leads nowhere, several when it leads through an array.
    fn values(&self, path: &str) -> Vec<Value>;
}

/// A resource as responses show it, with values that lists know and responses do not show (`transform` of a job). An array stands for
/// several values of one field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexed<'a> {
    pub document: &'a Value,
    pub hidden: Option<&'a Map<String, Value>>,
}

impl<'a> Indexed<'a> {
    #[cfg(test)]
    pub(crate) fn new(document: &'a Value) -> Self {
        Self {
            document,
            hidden: None,
        }
    }
}

/// Short names that the documents use for fields which live elsewhere, most specific place first.
const ALIASES: &[(&str, &[&str])] = &[
    ("created", &["systemData/createdAt", "properties/created"]),
    (
        "updated",
        &["systemData/lastModifiedAt", "properties/lastModified"],
    ),
    ("createdBy", &["systemData/createdBy"]),
    ("updatedBy", &["systemData/lastModifiedBy"]),
    ("createdByEmail", &["systemData/createdBy"]),
    ("updatedByEmail", &["systemData/lastModifiedBy"]),
    ("status/transformType", &["spec/transform/type"]),
    ("spec/inputs/content", &["spec/inputs/contentName"]),
    (
        "spec/outputs/destination",
        &["spec/outputs/destinationName"],
    ),
    ("labels", &["tags", "metadata/labels"]),
    ("type", &["spec/type", "spec/transform/type"]),
];

const PLACES: &[&str] = &["", "metadata/", "spec/", "status/", "properties/"];

impl Fields for Indexed<'_> {
    fn values(&self, path: &str) -> Vec<Value> {
        self.hidden
            .and_then(|hidden| indexed(hidden, path))
            .unwrap_or_else(|| shown(self.document, path))
    }
}

/// The values that lists know a field to have beside what responses show.
pub(crate) fn indexed(hidden: &Map<String, Value>, path: &str) -> Option<Vec<Value>> {
    match hidden.get(path)? {
        Value::Array(values) => Some(values.clone()),
        value => Some(vec![value.clone()]),
    }
}

/// The values of a field in a response.
pub(crate) fn shown(document: &Value, path: &str) -> Vec<Value> {
    for place in PLACES {
        let found = follow(document, &format!("{place}{path}"));
        if !found.is_empty() {
            return found;
        }
    }
    let aliases = ALIASES
        .iter()
        .find(|(name, _)| *name == path)
        .map_or(&[][..], |(_, places)| places);
    aliases
        .iter()
        .map(|place| follow(document, place))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn follow(document: &Value, path: &str) -> Vec<Value> {
    let mut current = vec![document];
    for part in path.split('/') {
        current = current
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .filter_map(|value| value.get(part))
            .collect();
    }
    current.into_iter().cloned().collect()
}
