//! Problem: types written in place get made-up names, the same union or enum a new one at every
//! place. This pass gives each enum, union and object that is written in place a name of its own
//! (parent and property, or `x-mkio-type-name` from the overlay); the same content under the same
//! property name is one type.

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, escape, operation_pointer, reference, schema_pointer},
    marks,
    names::{RESERVED_TYPES, singular, take_free, type_name},
    report::Changes,
    walk,
};

/// Keywords that stay at the place of use instead of moving to the named type.
const OF_THE_PLACE: [&str; 8] = [
    "description",
    "nullable",
    "readOnly",
    "deprecated",
    marks::SECRET,
    marks::IMMUTABLE,
    marks::NAME,
    marks::NEXT_LINK,
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut named = std::mem::take(document.schemas_mut());
    let mut found = Found {
        taken: named
            .keys()
            .cloned()
            .chain(RESERVED_TYPES.map(str::to_owned))
            .collect(),
        types: Vec::new(),
    };
    for (name, schema) in &mut named {
        let at = schema_pointer(name, schema);
        found.below(schema, name, &at);
    }
    document.operations_mut(|path, method, operation| {
        let at = operation_pointer(path, method);
        let id = operation.get("operationId").and_then(Value::as_str);
        let name = type_name(id.unwrap_or("Operation"));
        for (index, parameter) in operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            let own = parameter["name"].as_str().unwrap_or_default().to_owned();
            if let Some(schema) = parameter.get_mut("schema") {
                let at = format!("{at}/parameters/{index}/schema");
                found.place(schema, format!("{name}{}", type_name(&own)), &own, &at);
            }
        }
        let parameters = operation.shift_remove("parameters");
        walk::operation_schemas_mut(operation, &at, &mut |at, schema| {
            found.place(schema, format!("{name}Body"), "body", at);
        });
        if let Some(parameters) = parameters {
            operation.insert("parameters".to_owned(), parameters);
        }
    });
    for extracted in found.types {
        changes.note(&extracted.name);
        named.insert(extracted.name, extracted.schema);
    }
    *document.schemas_mut() = named;
    document
}

struct Found {
    taken: Vec<String>,
    types: Vec<Extracted>,
}

struct Extracted {
    name: String,
    property: String,
    schema: Value,
}

impl Found {
    /// Looks below a schema that has the name `owner`.
    fn below(&mut self, schema: &mut Value, owner: &str, at: &str) {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (property, schema) in properties {
                let at = format!("{at}/properties/{}", escape(property));
                self.place(
                    schema,
                    format!("{owner}{}", type_name(property)),
                    property,
                    &at,
                );
            }
        }
        for key in ["items", "additionalProperties"] {
            if let Some(schema) = schema.get_mut(key) {
                self.place(
                    schema,
                    format!("{owner}Item"),
                    "item",
                    &format!("{at}/{key}"),
                );
            }
        }
        for key in ["oneOf", "anyOf"] {
            let members = schema.get_mut(key).and_then(Value::as_array_mut);
            for (index, member) in members.into_iter().flatten().enumerate() {
                let title = member.get("title").and_then(Value::as_str);
                let own = title.map_or_else(|| format!("Variant{}", index + 1), type_name);
                self.place(
                    member,
                    format!("{owner}{own}"),
                    "variant",
                    &format!("{at}/{key}/{index}"),
                );
            }
        }
    }

    /// A schema in a place: a property, an item, a parameter, a body.
    fn place(&mut self, schema: &mut Value, name: String, property: &str, at: &str) {
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        for key in ["items", "additionalProperties"] {
            if let Some(child) = object.get_mut(key) {
                self.place(
                    child,
                    singular(&name),
                    &singular(property),
                    &format!("{at}/{key}"),
                );
            }
        }
        if !needs_name(object) {
            return;
        }
        let pinned = object.shift_remove(marks::TYPE_NAME);
        let pinned = pinned.as_ref().and_then(Value::as_str).map(str::to_owned);
        let mut content = Value::Object(object.clone());
        let mut place = Map::new();
        for key in OF_THE_PLACE {
            if let Some(value) = content.as_object_mut().and_then(|c| c.shift_remove(key)) {
                place.insert(key.to_owned(), value);
            }
        }
        let pinned_here = pinned.is_some();
        let name = pinned.unwrap_or(name);
        self.below(&mut content, &name, at);
        let same = self.types.iter().find(|known| {
            let alike = if pinned_here {
                known.name == name
            } else {
                known.property == property
            };
            alike && without_description(&known.schema) == without_description(&content)
        });
        let name = match same {
            Some(known) => known.name.clone(),
            None => {
                let name = take_free(&mut self.taken, name);
                if let Some(description) = place.get("description") {
                    content["description"] = description.clone();
                }
                content[marks::ORIGIN] = json!(at);
                self.types.push(Extracted {
                    name: name.clone(),
                    property: property.to_owned(),
                    schema: content,
                });
                name
            }
        };
        *schema = if place.is_empty() {
            reference(&name)
        } else {
            place.insert("allOf".to_owned(), json!([reference(&name)]));
            Value::Object(place)
        };
    }
}

fn without_description(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        for key in ["description", "title", marks::ORIGIN] {
            object.shift_remove(key);
        }
    }
    schema
}

fn needs_name(schema: &Map<String, Value>) -> bool {
    let strings = schema.contains_key("enum");
    let union = schema.contains_key("oneOf") || schema.contains_key("anyOf");
    let object = schema
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|properties| !properties.is_empty());
    strings || union || object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn what_is_written_in_place_gets_a_name() {
        let state = json!({"type": "string", "enum": ["On", "Off"], "description": "Now.", "nullable": true});
        let (document, extracted) = testing::run(
            run,
            testing::with_schemas(json!({
                "A": {"properties": {"state": state, "parts": {"type": "array", "items": {"properties": {"n": {"type": "string"}}}}}},
                "B": {"properties": {"state": state, "other": state}},
            })),
        );
        assert_eq!(extracted, 3);
        let a = document.schema("A").unwrap();
        assert_eq!(
            a["properties"]["state"],
            json!({"description": "Now.", "nullable": true, "allOf": [reference("AState")]})
        );
        assert_eq!(a["properties"]["parts"]["items"], reference("APart"));
        let b = document.schema("B").unwrap();
        assert_eq!(
            b["properties"]["state"]["allOf"],
            json!([reference("AState")])
        );
        assert_eq!(
            b["properties"]["other"]["allOf"],
            json!([reference("BOther")])
        );
        assert!(document.schema("AState").unwrap().get("nullable").is_none());
    }

    #[test]
    fn the_overlay_names_types() {
        let input = json!({"x-mkio-type-name": "Input", "oneOf": [], "discriminator": {"propertyName": "t"}});
        let (document, extracted) = testing::run(
            run,
            testing::with_schemas(json!({"A": {"properties": {"in": input, "start": input}}})),
        );
        assert_eq!(extracted, 1);
        assert!(document.schema("Input").is_some());
    }
}
