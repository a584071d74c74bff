//! Rust types of schemas, as the passes leave them.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use quote::format_ident;
use serde_json::Value;
use syn::{
    Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::document::{Document, entries, ref_name};

/// The type of a value of a schema, outside of the module with the named types.
pub fn outside(schema: &Value) -> Type {
    let mut ty = of(schema);
    Outside.visit_type_mut(&mut ty);
    ty
}

/// Writes the paths of types that only the module of types has in scope.
struct Outside;

impl VisitMut for Outside {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(name) = path.segments.last().map(|last| last.ident.to_string()) else {
            return;
        };
        if path.segments.len() > 1 || IN_SCOPE.contains(&name.as_str()) {
            return;
        }
        let last = path.segments.last().cloned();
        *path = match name.as_str() {
            "Timestamp" => parse_quote!(::mkio_core::Timestamp),
            "Value" => parse_quote!(::serde_json::Value),
            "BTreeMap" => parse_quote!(::std::collections::#last),
            _ => parse_quote!(types::#last),
        };
    }
}

/// Types that every module has in scope.
const IN_SCOPE: [&str; 9] = [
    "String", "Vec", "Option", "Box", "bool", "i64", "u32", "u64", "f64",
];

/// The type of a value of a schema, where named types are in scope.
pub fn of(schema: &Value) -> Type {
    if let Some(name) = named_type(schema) {
        let ident = format_ident!("{name}");
        return parse_quote!(#ident);
    }
    let format = schema.get("format").and_then(Value::as_str);
    match (schema.get("type").and_then(Value::as_str), format) {
        (Some("string"), Some("date-time")) => parse_quote!(Timestamp),
        (Some("string"), _) => parse_quote!(String),
        (Some("integer"), Some("uint32")) => parse_quote!(u32),
        (Some("integer"), Some("uint64")) => parse_quote!(u64),
        (Some("integer"), _) => parse_quote!(i64),
        (Some("number"), _) => parse_quote!(f64),
        (Some("boolean"), _) => parse_quote!(bool),
        (Some("array"), _) => {
            let item = inner(&schema["items"]);
            parse_quote!(Vec<#item>)
        }
        (Some("object"), _) => map(schema),
        _ if schema.get("additionalProperties").is_some() => map(schema),
        _ => parse_quote!(Value),
    }
}

/// The type of a map: of an object without properties, or of the rest of one with.
pub fn map(schema: &Value) -> Type {
    match schema.get("additionalProperties") {
        Some(value) if value.as_object().is_some_and(|value| !value.is_empty()) => {
            let value = inner(value);
            parse_quote!(BTreeMap<String, #value>)
        }
        _ => parse_quote!(::serde_json::Map<String, Value>),
    }
}

/// The type of an item or a map's value, which may be null.
fn inner(schema: &Value) -> Type {
    let ty = of(schema);
    let json: Type = parse_quote!(Value);
    if schema.get("nullable") == Some(&Value::Bool(true)) && ty != json {
        parse_quote!(Option<#ty>)
    } else {
        ty
    }
}

/// The named type of a schema.
pub fn named_type(schema: &Value) -> Option<&str> {
    ref_name(schema).or_else(|| ref_name(schema.get("allOf")?.get(0)?))
}

/// Which types hold which others in themselves, not behind a list or map.
pub struct Holding<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> Holding<'a> {
    pub fn of(document: &'a Document) -> Self {
        let mut all = HashMap::new();
        for (name, schema) in document.schemas() {
            let held: HashSet<&str> = match schema.get(crate::marks::UNION) {
                Some(union) => union["variants"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|variant| variant["type"].as_str())
                    .collect(),
                None => entries(schema.get("properties"))
                    .filter_map(|(_, field)| named_type(field))
                    .collect(),
            };
            all.insert(name, held);
        }
        Self(all)
    }

    /// Whether a field of `owner` that is of the type `field` needs a box: it holds an `owner`.
    pub fn is_endless(&self, owner: &str, field: &str) -> bool {
        let (mut next, mut seen) = (vec![field], HashSet::new());
        while let Some(name) = next.pop() {
            if name == owner {
                return true;
            }
            if seen.insert(name) {
                next.extend(self.0.get(name).into_iter().flatten());
            }
        }
        false
    }
}

/// Types of fields by their JSON names, boxed where a type would hold itself.
pub fn fields(owner: &str, schema: &Value, holding: &Holding<'_>) -> IndexMap<String, Type> {
    entries(schema.get("properties"))
        .map(|(name, field)| {
            let ty = of(field);
            let endless = named_type(field).is_some_and(|held| holding.is_endless(owner, held));
            let ty = if endless { parse_quote!(Box<#ty>) } else { ty };
            (name.to_owned(), ty)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use serde_json::json;

    use super::*;
    use crate::{document::reference, passes::testing::with_schemas};

    fn text(ty: &Type) -> String {
        ty.to_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn schemas_have_their_types() {
        for (schema, ty) in [
            (
                json!({"type": "string", "format": "date-time"}),
                "Timestamp",
            ),
            (json!({"type": "integer"}), "i64"),
            (
                json!({"type": "array", "items": {"type": "string", "nullable": true}}),
                "Vec<Option<String>>",
            ),
            (
                json!({"type": "object", "additionalProperties": reference("A")}),
                "BTreeMap<String,A>",
            ),
            (
                json!({"additionalProperties": {"type": "integer"}}),
                "BTreeMap<String,i64>",
            ),
            (json!({"type": "object"}), "::serde_json::Map<String,Value>"),
            (json!({"allOf": [reference("A")], "description": "d"}), "A"),
            (json!({}), "Value"),
        ] {
            assert_eq!(text(&of(&schema)), ty, "{schema}");
        }
    }

    #[test]
    fn types_outside_their_module_have_paths_where_they_need_one() {
        for (schema, ty) in [
            (json!({"type": "string"}), "String"),
            (
                json!({"type": "string", "format": "date-time"}),
                "::mkio_core::Timestamp",
            ),
            (
                json!({"type": "object", "additionalProperties": reference("A")}),
                "::std::collections::BTreeMap<String,types::A>",
            ),
            (
                json!({"type": "object"}),
                "::serde_json::Map<String,::serde_json::Value>",
            ),
        ] {
            assert_eq!(text(&outside(&schema)), ty, "{schema}");
        }
    }

    #[test]
    fn what_holds_itself_is_boxed_also_through_a_union() {
        let document = with_schemas(json!({
            "A": {"properties": {"u": reference("U"), "list": {"type": "array", "items": reference("U")}, "b": reference("B")}},
            "U": {"x-mkio-union": {"tag": "t", "variants": [{"type": "A"}, {"type": "B"}]}},
            "B": {"properties": {}},
        }));
        let holding = Holding::of(&document);
        let fields = fields("A", document.schema("A").unwrap(), &holding);
        assert_eq!(text(&fields["u"]), "Box<U>");
        assert_eq!(text(&fields["list"]), "Vec<U>");
        assert_eq!(text(&fields["b"]), "B");
    }
}
