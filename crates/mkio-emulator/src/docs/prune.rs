//! Dropping fields that a schema does not declare, and filling in its defaults.

use serde_json::{Map, Value};

use crate::docs::view::tagged;

/// The effects of pruning beside dropping undeclared fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// A stored request: read-only fields go, absent fields get the schema's `default`.
    Stored,
    /// A partial change: read-only fields go, nothing is filled in.
    Change,
    /// A response: write-only fields go.
    Response,
}

// Documents nest references a dozen levels deep; a cycle in a future one must not hang the emulator.
const MAX_DEPTH: usize = 64;

pub(super) fn prune(document: &Value, schema: &Value, value: Value, keep: Keep) -> Value {
    walk(document, schema, value, keep, 0)
}

/// The schema that references lead to.
pub(super) fn resolve<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..MAX_DEPTH {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
            return schema;
        };
        match target
            .strip_prefix('#')
            .and_then(|pointer| document.pointer(pointer))
        {
            Some(found) => schema = found,
            None => return schema,
        }
    }
    schema
}

fn walk(document: &Value, schema: &Value, value: Value, keep: Keep, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return value;
    }
    let schema = resolve(document, schema);
    let Value::Object(fields) = schema else {
        return value;
    };
    if let Some(variant) = variant(document, fields, &value) {
        return walk(document, variant, value, keep, depth + 1);
    }
    match value {
        Value::Object(given) => Value::Object(object(document, fields, given, keep, depth)),
        Value::Array(items) => match fields.get("items") {
            Some(item) => Value::Array(
                items
                    .into_iter()
                    .map(|value| walk(document, item, value, keep, depth + 1))
                    .collect(),
            ),
            None => Value::Array(items),
        },
        other => other,
    }
}

/// The arm of a union that a value belongs to.
fn variant<'a>(
    document: &'a Value,
    fields: &'a Map<String, Value>,
    value: &Value,
) -> Option<&'a Value> {
    if let Some((tag, mapping)) = tagged(fields) {
        let target = mapping.get(value.get(tag)?.as_str()?)?.as_str()?;
        return document.pointer(target.strip_prefix('#')?);
    }
    let arms = fields
        .get("oneOf")
        .or_else(|| fields.get("anyOf"))?
        .as_array()?;
    let given = value.as_object()?;
    arms.iter().find(|arm| {
        let arm = resolve(document, arm);
        let required = arm
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        arm.get("type").and_then(Value::as_str) == Some("object")
            && required.into_iter().all(|name| given.contains_key(name))
    })
}

fn object(
    document: &Value,
    fields: &Map<String, Value>,
    given: Map<String, Value>,
    keep: Keep,
    depth: usize,
) -> Map<String, Value> {
    let Some(declared) = fields.get("properties").and_then(Value::as_object) else {
        let Some(item @ Value::Object(_)) = fields.get("additionalProperties") else {
            return given;
        };
        return given
            .into_iter()
            .map(|(name, value)| (name, walk(document, item, value, keep, depth + 1)))
            .collect();
    };
    let open = fields
        .get("additionalProperties")
        .is_some_and(|extra| *extra != Value::Bool(false));
    let hidden = if keep == Keep::Response {
        "writeOnly"
    } else {
        "readOnly"
    };
    let mut out = Map::new();
    for (name, value) in given {
        match declared.get(&name) {
            Some(property) if property.get(hidden).and_then(Value::as_bool) == Some(true) => {}
            Some(property) => {
                out.insert(name, walk(document, property, value, keep, depth + 1));
            }
            None if open => {
                out.insert(name, value);
            }
            None => {}
        }
    }
    if keep == Keep::Stored {
        for (name, property) in declared {
            let read_only = property.get("readOnly").and_then(Value::as_bool) == Some(true);
            let preset = property
                .get("default")
                .or_else(|| resolve(document, property).get("default"));
            if let (false, false, Some(preset)) = (out.contains_key(name), read_only, preset) {
                out.insert(name.clone(), preset.clone());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::docs::{api::Api, schemas::Schemas};

    fn media() -> Api {
        Api::all()
            .find(|api| api.name() == "media")
            .expect("an API")
    }

    fn stored(schema: &str, value: Value) -> Value {
        Schemas::get().prune(
            media(),
            &json!({ "$ref": format!("#/components/schemas/{schema}") }),
            value,
            Keep::Stored,
        )
    }

    #[test]
    fn unknown_and_read_only_fields_go_and_presets_come() {
        let job = stored(
            "JobPutSchema",
            json!({ "color": 1, "properties": { "state": "Finished", "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "o", "progress": 3 }] } }),
        );
        assert_eq!(
            job,
            json!({ "properties": { "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "o" }], "priority": "Normal" } })
        );
    }

    #[test]
    fn maps_and_free_objects_are_kept_whole() {
        let kept = stored(
            "AssetPutSchema",
            json!({ "labels": { "any key": "v" }, "properties": { "storageAccountName": "s" } }),
        );
        assert_eq!(kept.pointer("/labels/any key"), Some(&json!("v")));
        let kept = stored(
            "JobPutSchema",
            json!({ "properties": { "correlationData": { "deep": { "er": [1] } } } }),
        );
        assert_eq!(
            kept.pointer("/properties/correlationData/deep/er/0"),
            Some(&json!(1))
        );
    }

    #[test]
    fn a_partial_change_gets_no_presets() {
        let changed = Schemas::get().prune(
            media(),
            &json!({ "$ref": "#/components/schemas/ContentSourcePatchBody" }),
            json!({ "spec": { "transport": {} } }),
            Keep::Change,
        );
        assert_eq!(changed, json!({ "spec": { "transport": {} } }));
    }
}
