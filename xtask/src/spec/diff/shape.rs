//! A schema as a user meets it: references followed, `allOf` merged, both ways to write null,
//! constants and unions read alike in OpenAPI 3.0 and 3.1.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::document::{entries, ref_name};
use crate::spec::check::target_of;

/// Limits that can become tighter or looser.
pub const LIMITS: [&str; 12] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "pattern",
];

/// What can stand at one place.
#[derive(Debug, Default)]
pub struct Shape<'a> {
    /// JSON types, without null.
    pub types: BTreeSet<&'a str>,
    pub nullable: bool,
    pub format: Option<&'a str>,
    /// Allowed values as JSON text.
    pub values: Option<BTreeSet<String>>,
    pub properties: BTreeMap<&'a str, &'a Value>,
    pub required: BTreeSet<&'a str>,
    pub items: Option<&'a Value>,
    /// `additionalProperties`, which may be a boolean.
    pub additional: Option<&'a Value>,
    /// Variants of a union by tag, type name or type.
    pub variants: BTreeMap<String, &'a Value>,
    pub limits: BTreeMap<&'static str, &'a Value>,
    pub default: Option<&'a Value>,
    pub deprecated: bool,
    pub read_only: bool,
    pub write_only: bool,
}

impl<'a> Shape<'a> {
    /// Reads a schema.
    pub fn of(root: &'a Value, schema: &'a Value) -> Self {
        let mut shape = Self::default();
        shape.merge(root, schema, 0);
        shape.infer_type();
        shape
    }

    fn merge(&mut self, root: &'a Value, schema: &'a Value, depth: usize) {
        let Some(object) = schema.as_object().filter(|_| depth < 64) else {
            return;
        };
        if let Some(target) = object.get("$ref").and_then(Value::as_str)
            && let Some(schema) = target_of(root, target)
        {
            self.merge(root, schema, depth + 1);
        }
        for part in array(object, "allOf") {
            self.merge(root, part, depth + 1);
        }
        self.merge_union(root, object, depth);
        self.merge_types(object);
        self.merge_values(object);
        self.properties.extend(entries(object.get("properties")));
        self.required
            .extend(array(object, "required").filter_map(Value::as_str));
        self.items = object.get("items").or(self.items);
        self.additional = object.get("additionalProperties").or(self.additional);
        self.format = object.get("format").and_then(Value::as_str).or(self.format);
        self.default = object.get("default").or(self.default);
        for key in LIMITS {
            if let Some(value) = object.get(key) {
                self.limits.insert(key, value);
            }
        }
        let yes = |key: &str| object.get(key) == Some(&Value::Bool(true));
        self.nullable |= yes("nullable");
        self.deprecated |= yes("deprecated");
        self.read_only |= yes("readOnly");
        self.write_only |= yes("writeOnly");
    }

    fn merge_types(&mut self, object: &'a Map<String, Value>) {
        let types: Vec<&str> = match object.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        self.nullable |= types.contains(&"null");
        self.types
            .extend(types.into_iter().filter(|name| *name != "null"));
    }

    fn merge_values(&mut self, object: &Map<String, Value>) {
        let mut values: Vec<&Value> = array(object, "enum").collect();
        values.extend(object.get("const"));
        if values.is_empty() {
            return;
        }
        self.nullable |= values.iter().any(|value| value.is_null());
        let values: BTreeSet<String> = values
            .into_iter()
            .filter(|value| !value.is_null())
            .map(Value::to_string)
            .collect();
        // Two lists of values in an allOf: what is in both.
        self.values = Some(match self.values.take() {
            Some(before) => before.intersection(&values).cloned().collect(),
            None => values,
        });
    }

    fn merge_union(&mut self, root: &'a Value, object: &'a Map<String, Value>, depth: usize) {
        let mut parts: Vec<&Value> = array(object, "oneOf")
            .chain(array(object, "anyOf"))
            .collect();
        if parts.is_empty() {
            return;
        }
        let count = parts.len();
        parts.retain(|part| part.get("type").and_then(Value::as_str) != Some("null"));
        self.nullable |= parts.len() < count;
        if let [only] = parts.as_slice() {
            return self.merge(root, only, depth + 1);
        }
        let discriminator = object.get("discriminator");
        for (index, part) in parts.into_iter().enumerate() {
            let tag = tag_of(root, discriminator, part).unwrap_or_else(|| format!("#{index}"));
            self.variants.insert(tag, part);
        }
    }

    /// Documents leave `type` out where other keywords tell it.
    fn infer_type(&mut self) {
        if !self.types.is_empty() {
            return;
        }
        if !self.properties.is_empty() {
            self.types.insert("object");
        } else if self.items.is_some() {
            self.types.insert("array");
        } else if let Some(values) = &self.values
            && values.iter().all(|value| value.starts_with('"'))
        {
            self.types.insert("string");
        }
    }
}

/// The name of the one named schema that a schema stands for, through a wrapper that only adds
/// null or a description.
pub fn named(schema: &Value) -> Option<&str> {
    if let Some(name) = ref_name(schema) {
        return Some(name);
    }
    let object = schema.as_object()?;
    if object.contains_key("properties") {
        return None;
    }
    let parts: Vec<&Value> = ["allOf", "oneOf", "anyOf"]
        .into_iter()
        .flat_map(|key| array(object, key))
        .filter(|part| part.get("type").and_then(Value::as_str) != Some("null"))
        .collect();
    match parts.as_slice() {
        [only] => ref_name(only),
        _ => None,
    }
}

/// What a wrapper around a named schema says itself.
pub fn wrapper(schema: &Value) -> Shape<'_> {
    let mut shape = Shape::default();
    // Without a document, references lead nowhere: only the wrapper's own words are read.
    shape.merge(&Value::Null, schema, 0);
    shape
}

fn tag_of(root: &Value, discriminator: Option<&Value>, part: &Value) -> Option<String> {
    let target = part.get("$ref").and_then(Value::as_str);
    if let Some(discriminator) = discriminator {
        for (tag, mapped) in entries(discriminator.get("mapping")) {
            if mapped.as_str() == target
                || (mapped.as_str().is_some() && mapped.as_str() == ref_name(part))
            {
                return Some(tag.to_owned());
            }
        }
        let property = discriminator.get("propertyName").and_then(Value::as_str)?;
        if let Some(tag) = own_tag(root, part, property, 0) {
            return Some(tag.to_owned());
        }
    }
    let name = ref_name(part).or_else(|| part.get("title").and_then(Value::as_str));
    name.or_else(|| part.get("type").and_then(Value::as_str))
        .map(str::to_owned)
}

/// The one value that a variant's tag property can have.
fn own_tag<'a>(root: &'a Value, part: &'a Value, property: &str, depth: usize) -> Option<&'a str> {
    if depth > 16 {
        return None;
    }
    if let Some(target) = part.get("$ref").and_then(Value::as_str) {
        return own_tag(root, target_of(root, target)?, property, depth + 1);
    }
    let tag = part.get("properties").and_then(|all| all.get(property));
    if let Some(tag) = tag.and_then(|tag| tag.get("const").or_else(|| tag.pointer("/enum/0"))) {
        return tag.as_str();
    }
    array(part.as_object()?, "allOf").find_map(|part| own_tag(root, part, property, depth + 1))
}

fn array<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    object
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
