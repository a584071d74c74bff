//! Values for the schemas of requests, the same ones on every run.

use serde_json::{Map, Value, json};

use super::json_schema::{self, Checker};
use super::{number, text};
use crate::document::{entries, ref_name};

/// Choices for the content of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Optional fields as well.
    pub optional: bool,
    /// Which variant of each union and which value of each enum, counted modulo their number.
    pub choice: usize,
}

/// Deeper values are left out where they are optional, and an error where they are not.
const DEEPEST: usize = 24;

/// Makes values for schemas of one document.
pub struct Sampler<'a> {
    root: &'a Value,
    round: Round,
}

/// Different values for a schema, all checked: first only what is required, then everything, one
/// for each variant of its largest union. An error when no round gives a value.
pub fn samples(root: &Value, schema: &Value) -> Result<Vec<Value>, String> {
    let checker = Checker::new(&json_schema::standalone(root, schema))?;
    let variants = largest_union(root, schema, &mut Vec::new()).max(2);
    let rounds = std::iter::once(Round {
        optional: false,
        choice: 0,
    })
    .chain((0..variants).map(|choice| Round {
        optional: true,
        choice,
    }));
    let mut found: Vec<Value> = Vec::new();
    let mut errors = Vec::new();
    for round in rounds {
        let sampler = Sampler { root, round };
        let value = sampler
            .value(schema, "value", &mut Vec::new())
            .and_then(|value| checker.check(&value).map(|()| value));
        match value {
            Ok(value) if !found.contains(&value) => found.push(value),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    match errors.into_iter().next() {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

impl<'a> Sampler<'a> {
    /// A sampler for one round.
    pub fn new(root: &'a Value, round: Round) -> Self {
        Self { root, round }
    }

    /// A value for a schema. `hint` is the name of the field that it is for, `trail` the
    /// references on the way to it.
    pub fn value(
        &self,
        schema: &'a Value,
        hint: &str,
        trail: &mut Vec<&'a str>,
    ) -> Result<Value, String> {
        if let Some(name) = ref_name(schema) {
            if trail.len() >= DEEPEST {
                return Err(format!("{name} needs itself without end"));
            }
            let target = self
                .root
                .pointer("/components/schemas")
                .and_then(|all| all.get(name))
                .ok_or_else(|| format!("no schema {name}"))?;
            trail.push(name);
            let value = self.value(target, hint, trail);
            trail.pop();
            return value;
        }
        let merged = self.merged(schema);
        if self.round.optional
            && self.round.choice % 3 == 1
            && !trail.is_empty()
            && merged.get("nullable") == Some(&Value::Bool(true))
            && !hint.is_empty()
        {
            return Ok(Value::Null);
        }
        if let Some(value) = merged.get("const") {
            return Ok(value.clone());
        }
        if let Some(values) = merged.get("enum").and_then(Value::as_array) {
            let values: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            let index = self.round.choice % values.len().max(1);
            return values
                .get(index)
                .map(|value| (*value).clone())
                .ok_or_else(|| format!("{hint}: an enum without values"));
        }
        if let Some(value) = self.variant(schema, &merged, hint, trail)? {
            return Ok(value);
        }
        match kind(&merged) {
            "string" => text::sample(&merged, hint).map(Value::String),
            "integer" => number::integer(&merged).map(Value::from),
            "number" => number::any(&merged),
            "boolean" => Ok(Value::Bool(self.round.choice.is_multiple_of(2))),
            "array" => self.array(schema, hint, trail),
            "object" => self.object(schema, trail),
            other => Err(format!("{hint}: no value for type {other:?}")),
        }
    }

    /// One variant of a union, with its tag and the fields that stand beside the union.
    fn variant(
        &self,
        schema: &'a Value,
        merged: &Map<String, Value>,
        hint: &str,
        trail: &mut Vec<&'a str>,
    ) -> Result<Option<Value>, String> {
        let Some((holder, variants)) = self.union(schema) else {
            return Ok(None);
        };
        let variants: Vec<&Value> = variants
            .iter()
            .filter(|variant| variant.get("type").and_then(Value::as_str) != Some("null"))
            .collect();
        // A variant that contains the union itself may have no end: the others are tried then.
        let mut error = format!("{hint}: a union without variants");
        for step in 0..variants.len() {
            let Some(variant) = variants.get((self.round.choice + step) % variants.len()) else {
                break;
            };
            match self.value(variant, hint, trail) {
                Err(reason) => error = reason,
                Ok(mut value) => {
                    if let Some(fields) = value.as_object_mut() {
                        if merged.contains_key("properties")
                            && let Value::Object(beside) = self.object(schema, trail)?
                        {
                            for (name, field) in beside {
                                fields.entry(name).or_insert(field);
                            }
                        }
                        set_tag(holder, variant, fields);
                    }
                    return Ok(Some(value));
                }
            }
        }
        Err(error)
    }

    /// The union of a schema, its own or that of a part.
    fn union(&self, schema: &'a Value) -> Option<(&'a Value, &'a Vec<Value>)> {
        self.parts(schema).into_iter().rev().find_map(|part| {
            let union = part.get("oneOf").or_else(|| part.get("anyOf"));
            Some((part, union?.as_array()?))
        })
    }

    fn object(&self, schema: &'a Value, trail: &mut Vec<&'a str>) -> Result<Value, String> {
        let mut fields = Map::new();
        let (properties, required) = self.fields(schema);
        for (name, property) in properties {
            let shape = self.merged(property);
            if shape.get("readOnly") == Some(&Value::Bool(true)) {
                continue;
            }
            let needed = required.contains(&name);
            let again = ref_name(property).is_some_and(|target| trail.contains(&target));
            if !needed && (!self.round.optional || again) {
                continue;
            }
            match self.value(property, name, trail) {
                Ok(value) => {
                    fields.insert(name.to_owned(), value);
                }
                Err(error) if needed => return Err(format!("{name}: {error}")),
                // An optional field without a possible value stays out.
                Err(_) => {}
            }
        }
        let merged = self.merged(schema);
        let count = |key: &str| merged.get(key).and_then(Value::as_u64);
        let least = count("minProperties").unwrap_or(0);
        let most = count("maxProperties").unwrap_or(u64::MAX);
        let wanted = if self.round.optional {
            least.max(1)
        } else {
            least
        };
        if let Some(extra) = self.additional(schema) {
            for index in 1..=wanted.min(most) {
                if fields.len() as u64 >= wanted.min(most) {
                    break;
                }
                let key = format!("key{index}");
                match self.value(extra, "entry", trail) {
                    Ok(value) => {
                        fields.insert(key, value);
                    }
                    Err(error) if least > 0 => return Err(error),
                    Err(_) => break,
                }
            }
        }
        Ok(Value::Object(fields))
    }

    /// The properties of an object and of the parts that it is made of, and the required names.
    fn fields(&self, schema: &'a Value) -> (Vec<(&'a str, &'a Value)>, Vec<&'a str>) {
        let (mut properties, mut required) = (Vec::new(), Vec::new());
        for part in self.parts(schema) {
            for (name, property) in entries(part.get("properties")) {
                properties.retain(|(known, _)| *known != name);
                properties.push((name, property));
            }
            required.extend(list(part, "required").filter_map(Value::as_str));
        }
        (properties, required)
    }

    /// The schema of further entries of an object.
    fn additional(&self, schema: &'a Value) -> Option<&'a Value> {
        let mut parts = self.parts(schema).into_iter().rev();
        parts.find_map(|part| {
            part.get("additionalProperties")
                .filter(|value| value.is_object())
        })
    }

    fn array(
        &self,
        schema: &'a Value,
        hint: &str,
        trail: &mut Vec<&'a str>,
    ) -> Result<Value, String> {
        let merged = self.merged(schema);
        let count = |key: &str| merged.get(key).and_then(Value::as_u64);
        let least = count("minItems").unwrap_or(0);
        let most = count("maxItems").unwrap_or(u64::MAX);
        let wanted = if self.round.optional {
            least.max(1)
        } else {
            least
        };
        let Some(item) = self.target(schema).get("items") else {
            return Ok(json!([]));
        };
        let distinct = merged.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items = Vec::new();
        for index in 0..wanted.min(most) {
            let step = usize::try_from(index).unwrap_or(0);
            let sampler = Sampler {
                root: self.root,
                round: Round {
                    choice: self.round.choice + if distinct { step } else { 0 },
                    ..self.round
                },
            };
            // The singular reads better as free text: names -> name.
            let hint = hint.strip_suffix('s').unwrap_or(hint);
            match sampler.value(item, hint, trail) {
                Ok(value) => items.push(value),
                Err(error) if least > 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(Value::Array(items))
    }

    /// The keywords of a schema and of the parts that it is made of, as one.
    fn merged(&self, schema: &'a Value) -> Map<String, Value> {
        let parts = self.parts(schema).into_iter();
        let keywords = parts.filter_map(Value::as_object).flatten();
        keywords
            .filter(|(key, _)| *key != "allOf")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The schemas that a schema is made of, itself at the end: later ones win.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        let (mut seen, mut found) = (Vec::new(), Vec::new());
        self.collect_parts(schema, &mut seen, &mut found);
        found
    }

    /// `seen` has the schemas whose parts are already found, for schemas that contain themselves.
    fn collect_parts(
        &self,
        schema: &'a Value,
        seen: &mut Vec<&'a Value>,
        found: &mut Vec<&'a Value>,
    ) {
        let schema = self.target(schema);
        if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
            return;
        }
        seen.push(schema);
        for part in list(schema, "allOf") {
            self.collect_parts(part, seen, found);
        }
        found.push(schema);
    }

    /// The schema behind a reference.
    fn target(&self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..DEEPEST {
            let Some(name) = ref_name(schema) else { break };
            let all = self.root.pointer("/components/schemas");
            match all.and_then(|all| all.get(name)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The type of a schema; without `type`, by its other keywords.
fn kind(merged: &Map<String, Value>) -> &str {
    match merged.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ if merged.contains_key("items") => "array",
        _ if merged.contains_key("pattern") || merged.contains_key("maxLength") => "string",
        _ => "object",
    }
}

/// Writes the tag that the union's discriminator gives this variant.
fn set_tag(union: &Value, variant: &Value, fields: &mut Map<String, Value>) {
    let Some(discriminator) = union.get("discriminator") else {
        return;
    };
    let Some(property) = discriminator.get("propertyName").and_then(Value::as_str) else {
        return;
    };
    let tags = json_schema::tags(discriminator, variant);
    // A tag that the variant fixes itself stays when it is one of them.
    let own = fields.get(property).and_then(Value::as_str);
    if own.is_some_and(|own| tags.contains(&own)) {
        return;
    }
    if let Some(tag) = tags.first() {
        fields.insert(property.to_owned(), Value::from(*tag));
    }
}

/// The most variants that a union has, in a schema and in all that it refers to.
fn largest_union<'a>(root: &'a Value, schema: &'a Value, seen: &mut Vec<&'a str>) -> usize {
    if let Some(name) = ref_name(schema) {
        if seen.contains(&name) {
            return 0;
        }
        seen.push(name);
        let target = root
            .pointer("/components/schemas")
            .and_then(|all| all.get(name));
        return target.map_or(0, |target| largest_union(root, target, seen));
    }
    match schema {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let own = match (key.as_str(), value) {
                    ("oneOf" | "anyOf", Value::Array(variants)) => variants.len(),
                    _ => 0,
                };
                own.max(largest_union(root, value, seen))
            })
            .max()
            .unwrap_or(0),
        Value::Array(items) => items
            .iter()
            .map(|item| largest_union(root, item, seen))
            .max()
            .unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
