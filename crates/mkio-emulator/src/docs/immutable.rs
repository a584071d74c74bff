//! Fields that a document marks as fixed once a resource exists.

use serde_json::Value;

use crate::docs::prune::resolve;

/// Schemas that are looked through below each other.
const MAX_DEPTH: usize = 12;

/// Pointers of the fields of a schema that carry `x-mkio-immutable`.
pub(super) fn immutable(document: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, schema, "", &mut found, 0);
    found.sort();
    found.dedup();
    found
}

fn collect(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let schema = resolve(document, schema);
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let at = format!("{at}/{name}");
        if property.get("x-mkio-immutable").and_then(Value::as_bool) == Some(true) {
            found.push(at);
        } else {
            collect(document, property, &at, found, depth + 1);
        }
    }
    for arms in ["oneOf", "anyOf", "allOf"] {
        for arm in schema
            .get(arms)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            collect(document, arm, at, found, depth + 1);
        }
    }
}
