//! Values from schemas.

use serde_json::{Map, Value, json};

/// How complete a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Required members alone.
    Minimal,
    /// Everything.
    Maximal,
    /// A random choice.
    Random,
}

/// Numbers that are the same in every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap_or(0)
    }
}

/// Objects within objects; schemas may be endless.
const DEEPEST: usize = 12;

/// Makes values of the schemas of a document.
pub struct Maker<'a> {
    document: &'a Value,
    size: Size,
    chance: Chance,
}

impl<'a> Maker<'a> {
    pub fn new(document: &'a Value, size: Size, seed: u64) -> Self {
        Self {
            document,
            size,
            chance: Chance::new(seed),
        }
    }

    pub fn value(&mut self, schema: &'a Value) -> Value {
        self.at(schema, 0)
    }

    fn at(&mut self, schema: &'a Value, depth: usize) -> Value {
        if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.document.pointer(path.trim_start_matches('#'));
            return self.at(target.unwrap_or(&Value::Null), depth + 1);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let values: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            return values[self.pick(values.len())].clone();
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(variants) = schema.get(name).and_then(Value::as_array) {
                return self.one_of(schema, variants, depth);
            }
        }
        let mut value = self.plain(schema, depth);
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            match (&mut value, self.at(part, depth + 1)) {
                (Value::Object(all), Value::Object(more)) => all.extend(more),
                (value, part) => *value = part,
            }
        }
        value
    }

    fn pick(&mut self, count: usize) -> usize {
        if self.size == Size::Random {
            self.chance.below(count)
        } else {
            0
        }
    }

    fn one_of(&mut self, schema: &'a Value, variants: &'a [Value], depth: usize) -> Value {
        let variants: Vec<_> = variants
            .iter()
            .filter(|one| one["type"] != "null")
            .collect();
        let one = variants[self.pick(variants.len())];
        let mut value = self.at(one, depth + 1);
        let tag = schema["discriminator"]["propertyName"].as_str();
        let mapping = schema["discriminator"]["mapping"].as_object();
        if let (Some(tag), Some(mapping), Value::Object(members)) = (tag, mapping, &mut value) {
            let name = mapping.iter().find(|(_, target)| **target == one["$ref"]);
            if let Some((name, _)) = name {
                members.insert(tag.to_owned(), json!(name));
            }
        }
        value
    }

    fn plain(&mut self, schema: &'a Value, depth: usize) -> Value {
        let of = match &schema["type"] {
            Value::String(of) => of.as_str(),
            Value::Array(all) => all
                .iter()
                .filter_map(Value::as_str)
                .find(|of| *of != "null")
                .unwrap_or(""),
            _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object",
            _ => "",
        };
        match of {
            "object" => self.object(schema, depth),
            "array" => {
                let count = match self.size {
                    Size::Minimal => 0,
                    Size::Maximal => 2,
                    Size::Random => self.chance.below(3),
                };
                let count = if depth > DEEPEST { 0 } else { count };
                (0..count)
                    .map(|_| self.at(&schema["items"], depth + 1))
                    .collect()
            }
            "integer" => json!(7),
            "number" => json!(1.5),
            "boolean" => json!(true),
            "string" => json!(match schema["format"].as_str().unwrap_or_default() {
                "date-time" => "2026-01-02T03:04:05.678901Z",
                "date" => "2026-01-02",
                "uuid" => "6f2a1c52-8f8e-4c1e-9a52-0d8f2f5b7a11",
                _ => "text",
            }),
            "null" => Value::Null,
            _ => json!({"anything": [null, 1, "a"]}),
        }
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let required: Vec<_> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let mut members = Map::new();
        let properties = schema["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            let wanted = match self.size {
                _ if property["writeOnly"] == true => false,
                _ if required.iter().any(|known| *known == name) => true,
                _ if depth > DEEPEST => false,
                Size::Minimal => false,
                Size::Maximal => true,
                Size::Random => self.chance.below(2) == 0,
            };
            if wanted {
                members.insert(name.clone(), self.at(property, depth + 1));
            }
        }
        if self.size != Size::Minimal
            && depth <= DEEPEST
            && let Some(more) = schema
                .get("additionalProperties")
                .filter(|more| more.is_object())
        {
            members.insert("another".to_owned(), self.at(more, depth + 1));
        }
        Value::Object(members)
    }
}

/// Changes that a newer or careless service may make to a value: one each.
pub fn hostile(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect(value, String::new(), &mut places);
    let mut all = Vec::new();
    for place in places {
        let Some(found) = value.pointer(&place) else {
            continue;
        };
        for (what, change) in changes(found) {
            let mut changed = value.clone();
            if let Some(found) = changed.pointer_mut(&place) {
                *found = change;
                all.push((format!("{what} at {place:?}"), changed));
            }
        }
    }
    all
}

fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, format!("{place}/{}", escape(name)), places);
            }
        }
        Value::Array(elements) => {
            for (n, element) in elements.iter().enumerate() {
                collect(element, format!("{place}/{n}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

fn changes(value: &Value) -> Vec<(&'static str, Value)> {
    match value {
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("memberOfTomorrow".to_owned(), json!("tomorrow"));
            let mut all = vec![
                ("another member", Value::Object(more)),
                ("no member", json!({})),
            ];
            for name in members.keys() {
                let mut less = members.clone();
                less.remove(name);
                all.push(("an absent member", Value::Object(less)));
                let mut null = members.clone();
                null.insert(name.clone(), Value::Null);
                all.push(("a null member", Value::Object(null)));
            }
            all
        }
        Value::Array(elements) => {
            let mut more = elements.clone();
            more.insert(0, Value::Null);
            vec![("a null element", more.into()), ("no element", json!([]))]
        }
        Value::String(_) => vec![
            ("a value of tomorrow", json!("valueOfTomorrow")),
            ("an empty text", json!("")),
        ],
        Value::Number(number) => vec![
            ("text for a number", json!(number.to_string())),
            ("words for a number", json!("many")),
            ("an empty fraction", json!(number.as_f64().map(f64::trunc))),
            ("a huge number", json!(1e300)),
        ],
        Value::Bool(flag) => vec![("text for a flag", json!(flag.to_string()))],
        Value::Null => Vec::new(),
    }
}
