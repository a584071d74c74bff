//! Structures: `Option` or `Nullable` for everything that need not be there, `Secret` for what
//! must not be shown, `#[non_exhaustive]` with constructor and setters for what is written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, Type, parse_quote};

use super::{docs, setters, simplify};
use crate::{
    document::{Document, Problem},
    glue::pages::{self, Collection},
    model::{Field, Model, Shape},
    passes::EXTRA,
    report::Changes,
};

/// A field as it will be written.
pub struct FieldCode {
    pub ident: syn::Ident,
    pub json: String,
    pub ty: Type,
    pub settable: bool,
    pub required: bool,
    /// Always sent, as a value or as null.
    pub always_sent: bool,
    /// How it is read, where that is not by its type alone.
    pub reader: Option<Reader>,
    pub description: String,
}

/// A function of the runtime that reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Numbers and flags may be text; elements that are of no use are left out.
    Lenient,
    /// What does not decode is not there.
    OrNone,
}

pub fn run(
    document: &Document,
    model: &Model,
    changes: &mut Changes,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let mut code = Vec::new();
    let lists = pages::lists(model);
    for (name, of) in &model.types {
        let Shape::Struct(fields) = &of.shape else {
            continue;
        };
        let mut fields = fields_of(of, fields);
        let list = lists.iter().find(|(_, answer, _)| answer == name);
        let list = list.map(|(_, _, collection)| collection);
        if of.read {
            for field in &mut fields {
                field.reader = reader(field, list);
            }
        }
        changes.note(format!("{name}: {} fields", fields.len()));
        let items = emit(name, &of.description, &fields, of.written);
        let file: syn::File = syn::parse2(items).map_err(|error| {
            document.problem(
                of.pointer.clone(),
                format!("a structure whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        code.push((name.clone(), file.items));
    }
    Ok(code)
}

fn fields_of(of: &crate::model::Type, known: &indexmap::IndexMap<String, Field>) -> Vec<FieldCode> {
    let written = of.written;
    let named = known.iter().map(|(json, info)| {
        let inner = if is_url(json) && simplify::is_named(&info.ty, "String") {
            parse_quote!(UrlText)
        } else {
            info.ty.clone()
        };
        let inner: Type = if info.secret {
            parse_quote!(Secret<#inner>)
        } else {
            inner
        };
        let ty: Type = match (!info.demanded, info.nullable) {
            (true, true) if written => parse_quote!(Nullable<#inner>),
            (true, _) | (false, true) => parse_quote!(Option<#inner>),
            (false, false) => inner,
        };
        FieldCode {
            ident: format_ident!("{}", info.ident),
            json: json.clone(),
            ty,
            settable: written && !info.read_only,
            required: info.required,
            always_sent: info.demanded,
            reader: None,
            description: info.description.clone(),
        }
    });
    // What the document does not name, collected by `additionalProperties`.
    let rest = of.rest.iter().map(|ty| FieldCode {
        ident: format_ident!("{EXTRA}"),
        json: String::new(),
        ty: ty.clone(),
        settable: written,
        required: false,
        always_sent: false,
        reader: None,
        description: "Everything else that the object holds.".to_owned(),
    });
    let mut fields: Vec<_> = named.chain(rest).collect();
    fields.sort_by(|a, b| a.ident.cmp(&b.ident));
    fields
}

/// The field holds a URL: of a transport, an endpoint, a storage, a web hook. Such URLs hold
/// secrets. The URI of a scheme is a name.
pub fn is_url(json: &str) -> bool {
    let name = json.to_ascii_lowercase();
    let name = name.strip_suffix("template").unwrap_or(&name);
    (name.ends_with("url") || name.ends_with("uri")) && json != "schemeIdUri"
}

/// How a field of a type that is read is read. The items of a list are told one by one when they do
/// not decode; nothing else of a list is needed but its link.
fn reader(field: &FieldCode, list: Option<&Collection>) -> Option<Reader> {
    let mut ty = &field.ty;
    let wrapped = ["Option", "Nullable", "Secret"];
    let inside = |ty| {
        wrapped
            .iter()
            .find_map(|name| simplify::argument_of(ty, name))
    };
    while let Some(inner) = inside(ty) {
        ty = inner;
    }
    let scalars = ["i64", "f64", "bool"];
    let scalar = scalars.iter().any(|name| simplify::is_named(ty, name));
    let elements = simplify::argument_of(ty, "Vec").is_some()
        || simplify::arguments_of(ty, "BTreeMap").is_some();
    let is = |name: &String| field.ident == name;
    match list {
        _ if field.json.is_empty() => None,
        Some(list) if is(&list.field) || list.link.as_ref().is_some_and(is) => None,
        Some(_) if !scalar && simplify::argument_of(&field.ty, "Option").is_some() => {
            Some(Reader::OrNone)
        }
        _ => (scalar || elements).then_some(Reader::Lenient),
    }
}

fn emit(name: &str, description: &str, fields: &[FieldCode], written: bool) -> TokenStream {
    let ident = format_ident!("{name}");
    let doc = docs::or(description, &format!("`{name}` of the document."));
    let needs_value = |field: &&FieldCode| demands(field);
    let default = fields
        .iter()
        .find(needs_value)
        .is_none()
        .then(|| quote!(Default,));
    let field_code = fields.iter().map(|field| {
        let FieldCode {
            ident, json, ty, ..
        } = field;
        let doc = docs::or(&field.description, &format!("`{json}` of the document."));
        let serde = serde_attribute(field);
        quote!(#doc #serde pub #ident: #ty,)
    });
    let implementation = written.then(|| setters::emit(&ident, fields));
    quote! {
        #doc
        #[derive(Clone, Debug, #default PartialEq, Deserialize, Serialize)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct #ident { #(#field_code)* }
        #implementation
    }
}

/// The field has no value of its own and must be given.
pub fn demands(field: &FieldCode) -> bool {
    !field.json.is_empty()
        && simplify::argument_of(&field.ty, "Option").is_none()
        && simplify::argument_of(&field.ty, "Nullable").is_none()
}

fn serde_attribute(field: &FieldCode) -> Option<TokenStream> {
    if field.json.is_empty() {
        return Some(quote!(#[serde(flatten)]));
    }
    let mut parts = Vec::new();
    let json = &field.json;
    if field.ident != json {
        parts.push(quote!(rename = #json));
    }
    let nullable = simplify::argument_of(&field.ty, "Nullable").is_some();
    let function = match field.reader {
        Some(Reader::Lenient) => Some("::mkio_core::glue::lenient"),
        Some(Reader::OrNone) => Some("::mkio_core::glue::or_none"),
        None => None,
    };
    if let Some(function) = function {
        // Serde takes an `Option` as absent only while it reads it itself.
        if !nullable && !demands(field) {
            parts.push(quote!(default));
        }
        parts.push(quote!(deserialize_with = #function));
    }
    if nullable {
        parts.push(quote!(default, skip_serializing_if = "Nullable::is_absent"));
    } else if simplify::argument_of(&field.ty, "Option").is_some() && !field.always_sent {
        parts.push(quote!(skip_serializing_if = "Option::is_none"));
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_schemas;

    fn code(schema: serde_json::Value) -> String {
        let document = with_schemas(json!({"S": schema}));
        let model = Model::new(&document);
        let code = run(&document, &model, &mut Changes::default()).unwrap();
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        prettyplease::unparse(&crate::code::file(items))
    }

    #[test]
    fn fields_get_their_states() {
        let text = code(json!({"x-mkio-written": true, "properties": {
            "aList": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string", "x-mkio-nullable": true},
            "password": {"type": "string", "x-mkio-secret": true},
            "any": {},
        }, "additionalProperties": {"type": "integer"}}));
        for line in [
            "pub a_list: Option<Vec<String>>,",
            "pub note: Nullable<String>,",
            "pub password: Option<Secret<String>>,",
            "pub any: Option<Value>,",
            "pub extra: BTreeMap<String, i64>,",
            "#[non_exhaustive]",
            "rename = \"aList\"",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }

    #[test]
    fn what_is_read_is_read_leniently_and_what_is_written_is_not() {
        let schema = |mark: &str| {
            json!({mark: true, "properties": {
                "size": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "name": {"type": "string"},
            }})
        };
        let read = code(schema("x-mkio-read"));
        let reader = "deserialize_with = \"::mkio_core::glue::lenient\"";
        assert_eq!(read.matches(reader).count(), 2, "{read}");
        let written = code(schema("x-mkio-written"));
        assert!(!written.contains("deserialize_with"), "{written}");
    }

    #[test]
    fn urls_hide_what_they_hold() {
        let text = code(json!({"properties": {
            "url": {"type": "string"},
            "sourceUrl": {"type": "string"},
            "schemeIdUri": {"type": "string"},
        }}));
        for line in [
            "pub url: Option<UrlText>,",
            "pub source_url: Option<UrlText>,",
            "pub scheme_id_uri: Option<String>,",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }
}
