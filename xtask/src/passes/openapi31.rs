//! Problem: progenitor reads OpenAPI 3.0 only. This pass says what a 3.1 document says in 3.0:
//! lists of types and null unions become `nullable`, `const` a one-value `enum`, `prefixItems`
//! plain `items`, numeric exclusive bounds bounds with a flag.

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, Problem},
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let version = document.root.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with("3.1")) {
        return Ok(document);
    }
    let mut touched = 0;
    walk::all_schemas_mut(&mut document, |schema| {
        let before = schema.clone();
        type_list(schema);
        null_union(schema);
        constant(schema);
        prefix_items(schema);
        exclusive_bounds(schema);
        examples(schema);
        touched += usize::from(*schema != before);
    });
    document.root["openapi"] = Value::String("3.0.3".to_owned());
    changes.note(format!("OpenAPI 3.1 said as 3.0 ({touched} schemas)"));
    Ok(document)
}

/// `type: [string, "null"]` is a nullable string; several other types are any of them.
fn type_list(schema: &mut Map<String, Value>) {
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
            let any = several.iter().map(|t| json!({ "type": t })).collect();
            schema.insert("anyOf".to_owned(), Value::Array(any));
        }
    }
}

/// A union with null is its other members, nullable. Of what remains, a string next to string
/// enums says only that the enum is open, as ours are; anything wider has no Rust type but JSON.
fn null_union(schema: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf"] {
        if schema.contains_key("discriminator") {
            continue;
        }
        let Some(members) = schema.get(key).and_then(Value::as_array).cloned() else {
            continue;
        };
        let (null, real): (Vec<_>, Vec<_>) = members
            .into_iter()
            .partition(|member| member["type"] == "null");
        let references: Vec<_> = real.iter().filter(|m| m.get("$ref").is_some()).collect();
        let plain_string = |m: &&Value| **m == json!({"type": "string"});
        let only = match (real.as_slice(), references.as_slice()) {
            ([one], _) => Some(one.clone()),
            (all, [one])
                if all
                    .iter()
                    .filter(|m| m.get("$ref").is_none())
                    .all(|m| plain_string(&m)) =>
            {
                Some((*one).clone())
            }
            _ => None,
        };
        schema.shift_remove(key);
        if !null.is_empty() {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
        if let Some(Value::Object(only)) = only {
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
}

fn constant(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.shift_remove("const") {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn down(schema: Value) -> Value {
        let mut document = testing::with_schemas(json!({ "S": schema }));
        document.root["openapi"] = json!("3.1.0");
        let (document, _) = testing::run(run, document);
        assert_eq!(document.root["openapi"], "3.0.3");
        document.schema("S").unwrap().clone()
    }

    #[test]
    fn null_becomes_nullable() {
        assert_eq!(
            down(json!({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]})),
            json!({"nullable": true, "type": "string", "maxLength": 3})
        );
        assert_eq!(
            down(json!({"type": ["integer", "null"]})),
            json!({"nullable": true, "type": "integer"})
        );
    }

    #[test]
    fn an_enum_or_any_string_is_the_open_enum() {
        assert_eq!(
            down(
                json!({"anyOf": [{"$ref": "#/components/schemas/E"}, {"type": "string"}, {"type": "null"}]})
            ),
            json!({"nullable": true, "$ref": "#/components/schemas/E"})
        );
    }

    #[test]
    fn a_mixed_union_is_any_json() {
        assert_eq!(
            down(json!({"anyOf": [{"type": "string"}, {"type": "integer"}]})),
            json!({})
        );
    }

    #[test]
    fn constants_prefix_items_and_bounds() {
        assert_eq!(
            down(json!({"const": "SDI"})),
            json!({"type": "string", "enum": ["SDI"]})
        );
        assert_eq!(
            down(json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]})),
            json!({"type": "array", "items": {}})
        );
        assert_eq!(
            down(json!({"type": "number", "exclusiveMinimum": 2})),
            json!({"type": "number", "minimum": 2, "exclusiveMinimum": true})
        );
    }
}
