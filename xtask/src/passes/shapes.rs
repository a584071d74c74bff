//! Problem: documents write one shape in many ways, and progenitor reads OpenAPI 3.0 only. This
//! pass writes each shape in one way, for both versions: lists of types and unions with null become
//! `nullable`, constants and unions of constants enums, unions whose members a property
//! distinguishes get the missing discriminator, and a union without any is any JSON.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, ref_name},
    report::Changes,
    walk,
};

/// Keywords for values that the service refuses; they do not change the type.
const LIMITS: [&str; 16] = [
    "if",
    "then",
    "else",
    "not",
    "dependentSchemas",
    "dependentRequired",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "$comment",
    "$id",
    "$schema",
    "$defs",
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let named: HashMap<String, Value> = document
        .schemas()
        .map(|(name, schema)| (name.to_owned(), schema.clone()))
        .collect();
    let mut shapes = Shapes {
        named: &named,
        losses: Vec::new(),
    };
    let mut touched = 0;
    walk::all_schemas_mut(&mut document, |pointer, schema| {
        let before = schema.clone();
        shapes.one(pointer, schema);
        touched += usize::from(*schema != before);
    });
    for (pointer, found, accepted) in shapes.losses {
        changes.warn(document.problem(pointer, found, accepted));
    }
    let version = document.root.get("openapi").and_then(Value::as_str);
    if version.is_some_and(|version| version.starts_with("3.1")) {
        document.root["openapi"] = Value::String("3.0.3".to_owned());
        if let Some(root) = document.root.as_object_mut() {
            for key in ["jsonSchemaDialect", "webhooks"] {
                root.shift_remove(key);
            }
        }
    }
    changes.note(format!("{touched} schemas said in one way"));
    document
}

struct Shapes<'a> {
    named: &'a HashMap<String, Value>,
    losses: Vec<(String, String, &'static str)>,
}

impl Shapes<'_> {
    fn one(&mut self, pointer: &str, schema: &mut Map<String, Value>) {
        booleans(schema);
        type_list(schema);
        self.union(pointer, schema);
        constant(schema);
        self.values(pointer, schema);
        prefix_items(schema);
        exclusive_bounds(schema);
        examples(schema);
        self.patterns(pointer, schema);
        for key in LIMITS {
            // A property may be called so; only keywords are limits.
            schema.shift_remove(key);
        }
    }

    fn lose(&mut self, pointer: &str, found: impl Into<String>, accepted: &'static str) {
        self.losses
            .push((pointer.to_owned(), found.into(), accepted));
    }

    /// A union without a discriminator: null becomes `nullable`, and the other members become one
    /// shape, or any JSON.
    fn union(&mut self, pointer: &str, schema: &mut Map<String, Value>) {
        for key in ["anyOf", "oneOf"] {
            if schema.contains_key("discriminator") {
                continue;
            }
            let Some(members) = schema.get(key).and_then(Value::as_array).cloned() else {
                continue;
            };
            if schema.contains_key("properties")
                || (members.iter().all(only_limits) && schema.contains_key("type"))
            {
                schema.shift_remove(key);
                if !members.iter().all(only_limits) {
                    self.lose(
                        &format!("{pointer}/{key}"),
                        format!("fields next to a union (`{key}`), whose members are left out"),
                        "an overlay action that removes the union or writes the fields into its members",
                    );
                }
                continue;
            }
            let (null, mut real): (Vec<_>, Vec<_>) = members.into_iter().partition(is_null);
            let mut seen = Vec::new();
            real.retain(|member| {
                let new = !seen.contains(member);
                seen.push(member.clone());
                new
            });
            schema.shift_remove(key);
            if !null.is_empty() {
                schema.insert("nullable".to_owned(), Value::Bool(true));
            }
            let Some(shape) = self.shape(key, &real) else {
                if !real.is_empty() {
                    self.lose(
                        &format!("{pointer}/{key}"),
                        "a union whose members nothing tells apart, read and written as any JSON",
                        "a discriminator; members that are objects with a one-value enum; an overlay action that removes the union",
                    );
                }
                schema.shift_remove("type");
                continue;
            };
            for (key, value) in shape {
                if key == "nullable" || !schema.contains_key(&key) {
                    schema.insert(key, value);
                }
            }
        }
    }

    /// The one shape of a union's members.
    fn shape(&self, key: &str, members: &[Value]) -> Option<Map<String, Value>> {
        if let [one] = members {
            return one.as_object().cloned();
        }
        if let Some(values) = constants(members) {
            return object(json!({"type": "string", "enum": values}));
        }
        // A string next to a string enum means that the enum is open, as ours are.
        let (references, others): (Vec<_>, Vec<_>) =
            members.iter().partition(|m| m.get("$ref").is_some());
        let plain_string =
            |member: &&Value| member["type"] == "string" && member.get("enum").is_none();
        if let [one] = references[..]
            && others.iter().all(plain_string)
            && self.is_text(one)
        {
            return one.as_object().cloned();
        }
        let enums: Vec<&Value> = others
            .iter()
            .filter(|m| m.get("enum").is_some() && m["type"] == "string")
            .copied()
            .collect();
        if references.is_empty()
            && enums.len() == 1
            && others
                .iter()
                .filter(|m| m.get("enum").is_none())
                .all(plain_string)
        {
            return enums[0].as_object().cloned();
        }
        let first = &members.first()?["type"];
        let simple = ["string", "integer", "number", "boolean"]
            .iter()
            .any(|kind| first == kind);
        let same = |m: &Value| m["type"] == *first && m.get("enum").is_none();
        if simple && members.iter().all(same) {
            return object(json!({ "type": first }));
        }
        let numbers = |member: &Value| member["type"] == "integer" || member["type"] == "number";
        if members.iter().all(numbers) {
            return object(json!({"type": "number"}));
        }
        let tag = self.tag(members)?;
        object(json!({key: members, "discriminator": {"propertyName": tag}}))
    }

    fn resolve<'s>(&'s self, mut schema: &'s Value) -> Option<&'s Value> {
        for _ in 0..16 {
            let name = ref_name(schema).or_else(|| ref_name(schema.pointer("/allOf/0")?));
            match name {
                Some(name) => schema = self.named.get(name)?,
                None => return Some(schema),
            }
        }
        None
    }

    fn is_text(&self, schema: &Value) -> bool {
        self.resolve(schema)
            .is_some_and(|schema| schema["type"] == "string")
    }

    /// The property that has another value in each member.
    fn tag(&self, members: &[Value]) -> Option<String> {
        let members: Vec<&Value> = members
            .iter()
            .map(|m| self.resolve(m))
            .collect::<Option<_>>()?;
        let candidates = members.first()?.get("properties")?.as_object()?;
        let value = |member: &Value, name: &str| {
            let property = self.resolve(member.get("properties")?.get(name)?)?;
            let only = match property.get("enum").and_then(Value::as_array) {
                Some(values) => match &values[..] {
                    [one] => one,
                    _ => return None,
                },
                None => property.get("const")?,
            };
            only.as_str().map(str::to_owned)
        };
        let mut names = candidates.keys();
        let tag = names.find(|name| {
            let values: Option<Vec<_>> = members.iter().map(|member| value(member, name)).collect();
            values.is_some_and(|mut values| {
                values.sort();
                values.dedup();
                values.len() == members.len()
            })
        })?;
        Some(tag.clone())
    }

    /// Values of one type each: strings make an enum, other values go into the description.
    fn values(&mut self, pointer: &str, schema: &mut Map<String, Value>) {
        let Some(values) = schema.get("enum").and_then(Value::as_array).cloned() else {
            return;
        };
        let (null, mut real): (Vec<_>, Vec<_>) = values.into_iter().partition(Value::is_null);
        if !null.is_empty() {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
        let kind = schema
            .get("type")
            .and_then(Value::as_str)
            .map(str::to_owned);
        match kind.as_deref() {
            Some("string") if !real.iter().all(Value::is_string) => {
                // YAML reads `1` and `no` without quotes as something else.
                for value in &mut real {
                    if !value.is_string() {
                        *value = Value::String(value.to_string());
                    }
                }
                self.lose(
                    &format!("{pointer}/enum"),
                    "values that are not strings in an enum of strings, taken as their text",
                    "strings (in YAML, quoted)",
                );
            }
            Some(_) => {}
            None if real.is_empty() => {
                schema.shift_remove("enum");
                return;
            }
            None => {
                let Some(found) = type_of_all(&real) else {
                    schema.shift_remove("enum");
                    self.lose(
                        &format!("{pointer}/enum"),
                        "an enum of values of several types, read and written as any JSON",
                        "values of one type; an overlay action that removes the enum",
                    );
                    return;
                };
                schema.insert("type".to_owned(), json!(found));
            }
        }
        if real.is_empty() {
            schema.shift_remove("enum");
        } else {
            let mut unique: Vec<Value> = Vec::new();
            for value in real {
                if !unique.contains(&value) {
                    unique.push(value);
                }
            }
            schema.insert("enum".to_owned(), Value::Array(unique));
        }
    }

    /// Properties by pattern are a map.
    fn patterns(&mut self, pointer: &str, schema: &mut Map<String, Value>) {
        let Some(Value::Object(patterns)) = schema.shift_remove("patternProperties") else {
            return;
        };
        let mut values = patterns.into_iter().map(|(_, value)| value);
        let value = match (values.next(), values.next()) {
            (Some(one), None) => one,
            _ => json!({}),
        };
        if schema
            .get("additionalProperties")
            .is_none_or(Value::is_boolean)
        {
            if schema.contains_key("properties") {
                self.lose(
                    &format!("{pointer}/patternProperties"),
                    "properties by pattern next to named ones, kept as any JSON",
                    "named properties, or properties by pattern alone",
                );
                schema.insert("additionalProperties".to_owned(), json!({}));
            } else {
                schema.insert("additionalProperties".to_owned(), value);
            }
        }
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The values of a union of strings: constants, or enums in place.
fn constants(members: &[Value]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for member in members {
        let texts = match (
            member.get("const"),
            member.get("enum").and_then(Value::as_array),
        ) {
            (Some(value), _) => vec![value.clone()],
            (None, Some(values)) => values.clone(),
            (None, None) => return None,
        };
        for text in texts {
            if !text.is_string() {
                return None;
            }
            if !values.contains(&text) {
                values.push(text);
            }
        }
    }
    (!values.is_empty()).then_some(values)
}

/// `true` is any JSON, and so is `false` to a reader that refuses nothing.
fn booleans(schema: &mut Map<String, Value>) {
    if schema.get("items").is_some_and(Value::is_boolean) {
        schema.insert("items".to_owned(), json!({}));
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        if property.is_boolean() {
            *property = json!({});
        }
    }
    for key in ["allOf", "oneOf", "anyOf", "prefixItems"] {
        let list = schema.get_mut(key).and_then(Value::as_array_mut);
        for member in list.into_iter().flatten() {
            if member.is_boolean() {
                *member = json!({});
            }
        }
    }
}

/// `type: [string, "null"]` is a nullable string; several other types are any of them.
fn type_list(schema: &mut Map<String, Value>) {
    if schema.get("type").is_some_and(|kind| kind == "null") {
        schema.shift_remove("type");
        schema.insert("nullable".to_owned(), Value::Bool(true));
        return;
    }
    let Some(types) = schema.get("type").and_then(Value::as_array).cloned() else {
        return;
    };
    let (null, real): (Vec<_>, Vec<_>) = types.into_iter().partition(|t| t == "null");
    if !null.is_empty() {
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
    schema.shift_remove("type");
    match real.as_slice() {
        [] => {}
        [one] => {
            schema.insert("type".to_owned(), one.clone());
        }
        several => {
            // Its own keywords belong to the members, and any JSON has none.
            for key in [
                "items",
                "properties",
                "required",
                "enum",
                "additionalProperties",
            ] {
                schema.shift_remove(key);
            }
            let any = several.iter().map(|t| json!({ "type": t })).collect();
            schema.insert("anyOf".to_owned(), Value::Array(any));
        }
    }
}
fn constant(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.shift_remove("const") {
        if value.is_null() {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
        if !(value.is_string() || value.is_number() || value.is_boolean()) {
            return;
        }
        schema.entry("type").or_insert_with(|| match &value {
            Value::Bool(_) => json!("boolean"),
            Value::Number(_) => json!("number"),
            _ => json!("string"),
        });
        schema.insert("enum".to_owned(), json!([value]));
    }
}

fn prefix_items(schema: &mut Map<String, Value>) {
    if let Some(members) = schema.shift_remove("prefixItems") {
        let same = members
            .as_array()
            .and_then(|members| {
                let first = members.first()?;
                members
                    .iter()
                    .all(|m| m["type"] == first["type"])
                    .then(|| first.clone())
            })
            .unwrap_or_else(|| json!({}));
        let item = match same.get("type") {
            Some(kind) => json!({ "type": kind }),
            None => json!({}),
        };
        schema.insert("items".to_owned(), item);
    }
}

fn exclusive_bounds(schema: &mut Map<String, Value>) {
    for (exclusive, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if schema.get(exclusive).is_some_and(Value::is_number)
            && let Some(number) = schema.shift_remove(exclusive)
        {
            schema.insert(bound.to_owned(), number);
            schema.insert(exclusive.to_owned(), Value::Bool(true));
        }
    }
}

fn examples(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = schema.shift_remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        schema.entry("example").or_insert(first);
    }
}

/// A member with limits alone: which properties have to be there together.
fn only_limits(member: &Value) -> bool {
    member.as_object().is_some_and(|member| {
        let mut keys = member.keys();
        keys.all(|key| ["required", "title", "description"].contains(&key.as_str()))
    })
}

/// A member that is null. Children come first, so it has become one that may be null.
fn is_null(member: &Value) -> bool {
    let mut keys = member.as_object().into_iter().flat_map(Map::keys);
    member["nullable"] == true
        && keys.all(|key| ["nullable", "title", "description"].contains(&key.as_str()))
}

/// The one type that all of these values have.
fn type_of_all(values: &[Value]) -> Option<&'static str> {
    let all = |is: fn(&Value) -> bool| values.iter().all(is);
    if all(Value::is_string) {
        Some("string")
    } else if all(|value| value.is_i64() || value.is_u64()) {
        Some("integer")
    } else if all(Value::is_number) {
        Some("number")
    } else if all(Value::is_boolean) {
        Some("boolean")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
