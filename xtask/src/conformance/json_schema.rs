//! OpenAPI 3.0 schemas as JSON Schema, to check the sampler's values.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::document::{entries, ref_name};

/// Checks values against one schema.
pub struct Checker {
    validator: Validator,
}

impl Checker {
    /// Takes a JSON Schema.
    pub fn new(schema: &Value) -> Result<Self, String> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(schema)
            .map(|validator| Self { validator })
            .map_err(|error| format!("unusable schema: {error}"))
    }

    /// The first few places where a value does not fit.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let errors: Vec<_> = self
            .validator
            .iter_errors(value)
            .take(3)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("; "))
        }
    }
}

/// A schema of a document as a self-contained JSON Schema.
pub fn standalone(root: &Value, schema: &Value) -> Value {
    let components: Map<String, Value> = root
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), of(schema)))
        .collect();
    json!({"allOf": [of(schema)], "components": {"schemas": components}})
}

/// One schema in JSON Schema: null among the types, exclusive limits as numbers, no
/// fields that only the service sets, groups of patterns in the common style.
pub fn of(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else {
        return schema.clone();
    };
    // OpenAPI 3.0 ignores keywords beside a reference.
    if let Some(target) = object.get("$ref") {
        return json!({ "$ref": target });
    }
    let mut out = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "items" | "not" | "additionalProperties" => of(value),
            "oneOf" | "anyOf" => match tagged(object, value) {
                Some(variants) => Value::Array(variants.iter().map(of).collect()),
                None => Value::Array(each(value).map(of).collect()),
            },
            "allOf" => Value::Array(each(value).map(of).collect()),
            "properties" => Value::Object(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), of(schema)))
                    .collect(),
            ),
            "pattern" => value
                .as_str()
                .map_or(Value::Null, |text| plain_groups(text).into()),
            "required" => required(object, value),
            "nullable" | "discriminator" | "example" | "default" | "readOnly" | "writeOnly"
            | "deprecated" | "description" | "title" => continue,
            key if key.starts_with("x-") => continue,
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    exclusive(&mut out, "exclusiveMinimum", "minimum");
    exclusive(&mut out, "exclusiveMaximum", "maximum");
    if object.get("nullable") == Some(&Value::Bool(true)) {
        return json!({"anyOf": [out, {"type": "null"}]});
    }
    Value::Object(out)
}

/// The variants of a union, each with the tags that its discriminator gives it: without them a
/// value often fits several variants, which `oneOf` alone forbids.
pub fn tagged(union: &Map<String, Value>, variants: &Value) -> Option<Vec<Value>> {
    let discriminator = union.get("discriminator")?;
    let property = discriminator.get("propertyName")?.as_str()?;
    let tagged = each(variants).map(|variant| {
        let tags = tags(discriminator, variant);
        if tags.is_empty() {
            return variant.clone();
        }
        json!({"allOf": [variant, {"properties": {property: {"enum": tags}}}]})
    });
    Some(tagged.collect())
}

/// The tags that mean a variant: those mapped to it, its name when none is.
pub fn tags<'a>(discriminator: &'a Value, variant: &'a Value) -> Vec<&'a str> {
    let target = variant.get("$ref").and_then(Value::as_str);
    let name = ref_name(variant);
    let mapped: Vec<_> = entries(discriminator.get("mapping"))
        .filter(|(_, to)| to.as_str().is_some() && (to.as_str() == target || to.as_str() == name))
        .map(|(tag, _)| tag)
        .collect();
    if mapped.is_empty() {
        name.into_iter().collect()
    } else {
        mapped
    }
}

/// `(?P<name>` as other engines write it: `(?<name>`.
pub fn plain_groups(pattern: &str) -> String {
    pattern.replace("(?P<", "(?<")
}

/// Fields that only the service sets are not required in requests.
fn required(object: &Map<String, Value>, names: &Value) -> Value {
    let read_only = |name: &Value| {
        name.as_str()
            .and_then(|name| object.get("properties")?.get(name)?.get("readOnly"))
            == Some(&Value::Bool(true))
    };
    Value::Array(
        each(names)
            .filter(|name| !read_only(name))
            .cloned()
            .collect(),
    )
}

fn exclusive(out: &mut Map<String, Value>, exclusive: &str, limit: &str) {
    match out.get(exclusive) {
        Some(Value::Bool(true)) => {
            out.remove(exclusive);
            if let Some(value) = out.remove(limit) {
                out.insert(exclusive.to_owned(), value);
            }
        }
        Some(Value::Bool(false)) => {
            out.remove(exclusive);
        }
        _ => {}
    }
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openapi_words_become_json_schema() {
        assert_eq!(
            of(&json!({
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string", "readOnly": true},
                    "name": {"type": "string", "nullable": true, "pattern": "^(?P<a>x)$"},
                    "rate": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
                    "other": {"$ref": "#/components/schemas/O", "nullable": true},
                    "many": {"type": "array", "items": {"type": "string", "nullable": true}},
                    "made": {"allOf": [
                        {"type": "number", "maximum": 9, "exclusiveMaximum": false, "x-note": 1},
                    ]},
                },
            })),
            json!({
                "type": "object",
                "required": ["name"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"anyOf": [{"type": "string", "pattern": "^(?<a>x)$"}, {"type": "null"}]},
                    "rate": {"type": "number", "exclusiveMinimum": 0},
                    "other": {"$ref": "#/components/schemas/O"},
                    "many": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                    "made": {"allOf": [{"type": "number", "maximum": 9}]},
                },
            })
        );
    }

    #[test]
    fn the_tag_decides_between_variants() {
        let root = json!({"components": {"schemas": {
            "A": {"type": "object", "properties": {"t": {"type": "string"}, "a": {"type": "integer"}}},
            "B": {"type": "object", "properties": {"t": {"type": "string"}}},
        }}});
        let union = json!({
            "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
            "discriminator": {"propertyName": "t", "mapping": {"a": "#/components/schemas/A", "aa": "A"}},
        });
        let checker = Checker::new(&standalone(&root, &union)).expect("a schema");
        for (value, fits) in [
            (json!({"t": "a", "a": 1}), true),
            (json!({"t": "aa"}), true),
            (json!({"t": "B", "a": "text"}), true),
            (json!({"t": "a", "a": "text"}), false),
            (json!({"t": "b"}), false),
        ] {
            assert_eq!(checker.check(&value).is_ok(), fits, "{value}");
        }
    }

    #[test]
    fn values_are_checked_through_references() {
        let root = json!({"components": {"schemas": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
            "B": {"type": "string", "format": "uuid", "nullable": true},
        }}});
        let checker = Checker::new(&standalone(
            &root,
            &json!({"$ref": "#/components/schemas/A"}),
        ))
        .expect("a schema");
        assert_eq!(checker.check(&json!({"b": null})), Ok(()));
        let error = checker.check(&json!({"b": "x"})).expect_err("not a uuid");
        assert!(error.contains("/b"), "{error}");
    }
}
